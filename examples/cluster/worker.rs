//! A worker: holds its share of the partitions, and works on them until it is told to stop.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use overdue::Policy;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::database::{Claim, Database, DatabaseError, Worker};
use crate::desk::Desk;
use crate::stream::Stream;
use crate::time;

/// How often old rows are looked for.
const PRUNING: Duration = Duration::from_secs(3600);

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A partition being worked on.
struct Post {
    stop: watch::Sender<bool>,
    work: JoinHandle<Result<(), Failure>>,
}

impl Post {
    /// Asks the desk to stop, once its batch is done.
    fn stop(&self) {
        let _ = self.stop.send(true);
    }
}

/// Works until `stop` is done, then hands its partitions on.
pub(crate) async fn run(
    database: Database,
    stream: Stream,
    lease: Duration,
    retention: TimeDelta,
    stop: impl Future<Output = ()>,
) {
    let worker = Worker { id: random_id(), lease };
    let desk = |claim, done| Desk {
        claim,
        done,
        database: database.clone(),
        stream: stream.clone(),
        policy: Arc::new(Policy::default()),
    };
    let mut posts: HashMap<Claim, Post> = HashMap::new();
    let mut stop = std::pin::pin!(stop);
    let mut pruned = time::Stopwatch::start();
    loop {
        let pause = hold(&database, worker, &mut posts, &desk).await.unwrap_or_else(|error| {
            tracing::warn!(error = &error as &dyn std::error::Error, "claims were not renewed");
            lease / 8
        });
        if pruned.elapsed() > PRUNING {
            pruned = time::Stopwatch::start();
            let claims = posts.keys().copied().collect();
            tokio::spawn(prune(database.clone(), claims, retention));
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = &mut stop => break,
        }
    }
    posts.values().for_each(Post::stop);
    for (claim, post) in posts {
        leave(&database, claim, post).await;
    }
    let _ = database.leave(worker).await;
}

/// Renews the claims, takes free partitions up to the worker's share, and lets go of what it has beyond. Waits for no
/// desk: the claims of the others would run out meanwhile. Says when to look again: sooner while partitions change hands,
/// because nobody works on one that does.
async fn hold(
    database: &Database,
    worker: Worker,
    posts: &mut HashMap<Claim, Post>,
    desk: &impl Fn(Claim, u64) -> Desk,
) -> Result<Duration, DatabaseError> {
    let (mut claims, share) = database.renew(worker).await?;
    for (claim, post) in posts.extract_if(|_, post| post.work.is_finished()).collect::<Vec<_>>() {
        leave(database, claim, post).await;
        claims.retain(|held| *held != claim);
    }
    // Somebody else has these now: what their desks still do will not be committed.
    posts.retain(|claim, _| claims.contains(claim));
    for claim in claims.iter().skip(share) {
        posts.get(claim).into_iter().for_each(Post::stop);
    }
    // One that was granted while the answer got lost is nobody's yet.
    for claim in claims.extract_if(.., |claim| !posts.contains_key(claim)) {
        database.release(claim).await?;
    }
    let missing = share.saturating_sub(claims.len());
    if missing > 0 {
        for (claim, done) in database.claim(worker, missing).await? {
            let (stop, stopped) = watch::channel(false);
            tracing::info!(partition = claim.partition, claim = claim.number, "claimed");
            posts.insert(claim, Post { stop, work: tokio::spawn(desk(claim, done).run(stopped)) });
        }
    }
    let at_rest = posts.len() == share;
    Ok(if at_rest { worker.lease / 8 } else { worker.lease / 64 })
}

/// Waits for a desk that has ended or was asked to, and gives its partition back.
async fn leave(database: &Database, claim: Claim, Post { work, .. }: Post) {
    match work.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!(partition = claim.partition, error = &*error as &dyn std::error::Error, "gave up");
        }
        Err(error) => tracing::error!(partition = claim.partition, %error, "broke"),
    }
    if let Err(error) = database.release(claim).await {
        tracing::warn!(partition = claim.partition, error = &error as &dyn std::error::Error, "not released");
    }
}

async fn prune(database: Database, claims: Vec<Claim>, retention: TimeDelta) {
    let Some(before) = time::now().checked_sub_signed(retention) else { return };
    for claim in claims {
        match database.prune(claim.partition, before).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(partition = claim.partition, rows, "pruned"),
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "not pruned"),
        }
    }
}

fn random_id() -> Uuid {
    let mut bytes = [0; 16];
    // Without a source of randomness nothing here would connect either.
    let _ = getrandom::fill(&mut bytes);
    Uuid::from_bytes(bytes)
}
