//! A week in a data centre: scenes, and the steps that they become.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::collection::vec;
use proptest::prelude::*;
use uuid::Uuid;

use crate::checkin::CheckinStatus;
use crate::config::MonitorConfig;
use crate::id::MonitorKey;
use crate::row::RunDuration;
use crate::rules::Edit;
use crate::testkit::history::Step;
use crate::wire::Body;
use crate::{Checkin, Message, Tick};

use super::arbitrary::{Action, administration, messages};
use super::schedules::starts;
use super::{ENVIRONMENTS, ORGANIZATION, configs, environment_name, one_of_few, statuses};

/// Steps of these monitors.
pub(super) fn steps(monitors: Vec<(MonitorKey, MonitorConfig)>) -> impl Strategy<Value = Vec<Step>> {
    (starts(), vec(scenes(), 1..26)).prop_map(move |(start, scenes)| {
        let mut week = Week { monitors: monitors.clone(), now: start, runs: 0, timeline: Vec::new() };
        scenes.into_iter().for_each(|scene| week.play(scene));
        week.steps()
    })
}

#[derive(Clone, Debug)]
enum Scene {
    /// A job runs at its next expected time.
    Run(Run),
    /// The clock ticks, this many seconds later.
    Tick(i64),
    /// Nothing happens for this many seconds.
    Silence(i64),
    /// A worker restarts, and receives its last few messages again.
    Restart(usize),
    /// An edit changes all but the schedule of a monitor, this many seconds later.
    Adjust(usize, MonitorConfig, i64),
    /// An unrelated step happens, this many seconds later.
    Odd(Action, i64),
}

/// One run of a job, and what becomes of its messages. Times are in seconds.
#[derive(Clone, Debug)]
struct Run {
    /// Which monitor, and which environment.
    monitor: usize,
    environment: &'static str,
    /// How many expected runs the job skips before this one.
    skipped: u8,
    /// How late it starts. Negative if early.
    late: i64,
    story: Story,
    /// Whether its messages leave its id out.
    anonymous: bool,
    raw: bool,
    /// How long after their receipt its messages are processed, in turn.
    delays: [i64; 2],
    /// Which of its messages is lost, if it has that many.
    lost: usize,
    /// Which of its messages is delivered again, and how much later.
    again: Option<(usize, i64)>,
    /// Whether the clock ticks when it would be missed, and when it would time out.
    ticks: [bool; 2],
}

#[derive(Clone, Copy, Debug)]
enum Story {
    /// One message when it is over, with how long it took.
    Short(CheckinStatus, i64),
    /// One when it starts, heartbeats, and one when it is over.
    Long { beats: u8, beat: i64, end: CheckinStatus },
    /// One when it starts, and heartbeats, and nothing more.
    Hangs { beats: u8, beat: i64 },
}

fn scenes() -> impl Strategy<Value = Scene> {
    prop_oneof![
        8 => runs().prop_map(Scene::Run),
        3 => lapses().prop_map(Scene::Tick),
        1 => prop_oneof![3 => 3_600_i64..200_000, 1 => 86_400_i64..2_600_000].prop_map(Scene::Silence),
        1 => (1_usize..6).prop_map(Scene::Restart),
        4 => (messages(), lapses()).prop_map(|(action, lapse)| Scene::Odd(action, lapse)),
        2 => (administration(), 0_i64..1_800).prop_map(|(action, lapse)| Scene::Odd(action, lapse)),
        1 => (one_of_few([0, 1]), configs(), 0_i64..1_800)
            .prop_map(|(monitor, config, lapse)| Scene::Adjust(monitor, config, lapse)),
    ]
}

/// Mostly forward.
fn lapses() -> impl Strategy<Value = i64> {
    prop_oneof![1 => Just(0), 3 => 1_i64..120, 6 => 60_i64..5_400, 1 => -3_600_i64..0]
}

fn runs() -> impl Strategy<Value = Run> {
    let place = (one_of_few([0, 1]), one_of_few(ENVIRONMENTS));
    let skipped = prop_oneof![4 => Just(0_u8), 1 => 1_u8..4];
    let late = prop_oneof![8 => 0_i64..50, 1 => -300_i64..0, 2 => 50_i64..7_200];
    let ends = || prop_oneof![3 => Just(CheckinStatus::Ok), 1 => Just(CheckinStatus::Error)];
    let beats =
        || (prop_oneof![2 => Just(0_u8), 1 => 1_u8..3], prop_oneof![3 => 1_i64..600, 1 => 600_i64..4_000]);
    let story = prop_oneof![
        4 => (ends(), 0_i64..4_000).prop_map(|(end, took)| Story::Short(end, took)),
        4 => (beats(), ends()).prop_map(|((beats, beat), end)| Story::Long { beats, beat, end }),
        2 => beats().prop_map(|(beats, beat)| Story::Hangs { beats, beat }),
        1 => statuses().prop_map(|status| Story::Short(status, 0)),
    ];
    let delay = || prop_oneof![6 => Just(0_i64), 2 => 1_i64..120, 1 => 120_i64..10_000];
    let lost = prop_oneof![5 => Just(usize::MAX), 1 => 0_usize..3];
    let again = prop_oneof![3 => Just(None), 1 => (0_usize..3, 0_i64..9_000).prop_map(Some)];
    let anonymous = prop_oneof![3 => Just(false), 1 => Just(true)];
    let ticks = [prop::bool::weighted(0.7), prop::bool::weighted(0.7)];
    let told = (anonymous, any::<bool>(), [delay(), delay()], lost, again, ticks);
    (place, skipped, late, story, told).prop_map(|((monitor, environment), skipped, late, story, told)| {
        let (anonymous, raw, delays, lost, again, ticks) = told;
        Run { monitor, environment, skipped, late, story, anonymous, raw, delays, lost, again, ticks }
    })
}

/// A history under construction.
struct Week {
    monitors: Vec<(MonitorKey, MonitorConfig)>,
    now: DateTime<Utc>,
    runs: u128,
    timeline: Vec<(DateTime<Utc>, Entry)>,
}

enum Entry {
    Step(Box<Step>),
    Restart(usize),
}

impl Week {
    fn play(&mut self, scene: Scene) {
        match scene {
            Scene::Run(run) => self.run(&run),
            Scene::Tick(lapse) => {
                self.now += TimeDelta::seconds(lapse);
                self.tick(self.now);
            }
            Scene::Silence(lapse) => self.now += TimeDelta::seconds(lapse),
            Scene::Restart(messages) => self.timeline.push((self.now, Entry::Restart(messages))),
            Scene::Adjust(monitor, config, lapse) => {
                self.now += TimeDelta::seconds(lapse);
                let monitor = monitor % self.monitors.len();
                let (key, known) = &mut self.monitors[monitor];
                *known = config.with_schedule(known.schedule().clone());
                let step = Action::Edit(key.clone(), Edit::Config(known.clone())).at(self.now);
                self.step(self.now, step);
            }
            Scene::Odd(action, lapse) => {
                self.now += TimeDelta::seconds(lapse);
                self.follow(&action);
                self.step(self.now, action.at(self.now));
            }
        }
    }

    /// Follows a change of configuration, so that jobs run at their new times.
    fn follow(&mut self, action: &Action) {
        for (key, known) in &mut self.monitors {
            match action {
                Action::Edit(edited, Edit::Config(config)) if edited == key => *known = config.clone(),
                Action::Checkin(project, body, _) if *project == key.project => {
                    let checkin = serde_json::from_slice::<Checkin>(&body.bytes()).ok();
                    let checkin = checkin.filter(|checkin| *checkin.slug() == key.slug);
                    if let Some(Ok(Some(update))) = checkin.as_ref().map(Checkin::config) {
                        *known = update.apply(known);
                    }
                }
                Action::Edit(..) | Action::Checkin(..) | Action::Tick => {}
            }
        }
    }

    fn step(&mut self, at: DateTime<Utc>, step: Step) {
        self.timeline.push((at, Entry::Step(Box::new(step))));
    }

    fn tick(&mut self, at: DateTime<Utc>) {
        self.step(at, Step::Tick(Tick::at(at)));
    }

    fn run(&mut self, run: &Run) {
        let (monitor, config) = self.monitors[run.monitor % self.monitors.len()].clone();
        for _ in 0..=run.skipped {
            self.now = expected(&config, self.now);
        }
        let started = self.now + TimeDelta::seconds(run.late);
        self.runs += 1;
        let id = Uuid::from_u128(if run.anonymous { 0 } else { self.runs });
        for (nth, (received_at, status, duration)) in told(started, run.story).into_iter().enumerate() {
            let mut checkin = Checkin::new(monitor.slug.clone(), id, status)
                .with_environment(environment_name(run.environment));
            if let Some(duration) = duration {
                checkin = checkin.with_duration(duration);
            }
            let body = match run.raw {
                true => Body::from(serde_json::to_vec(&checkin).unwrap()),
                false => Body::from(checkin),
            };
            let (organization, project) = (ORGANIZATION, monitor.project);
            let message = Step::Checkin(Message { organization, project, received_at, body });
            let processed = received_at + TimeDelta::seconds(run.delays[nth % run.delays.len()]);
            if nth != run.lost {
                self.step(processed, message.clone());
            }
            if let Some((again, later)) = run.again
                && again == nth
            {
                self.step(processed + TimeDelta::seconds(later), message);
            }
        }
        let [missed, hangs] = run.ticks;
        if missed {
            self.tick(self.now + config.margin().duration());
        }
        if hangs {
            self.tick(started + config.max_runtime().duration());
        }
    }

    /// The steps in order of processing, with a tick at the end.
    fn steps(mut self) -> Vec<Step> {
        self.tick(self.now);
        self.timeline.sort_by_key(|(at, _)| *at);
        let mut steps: Vec<Step> = Vec::new();
        for (_, entry) in self.timeline {
            match entry {
                Entry::Step(step) => steps.push(*step),
                Entry::Restart(count) => {
                    let messages = steps.iter().filter(|step| matches!(step, Step::Checkin(_)));
                    let newest: Vec<Step> = messages.rev().take(count).cloned().collect();
                    steps.extend(newest.into_iter().rev());
                }
            }
        }
        steps
    }
}

/// When a job is expected next. In 50 minutes, if that is four days away or more.
fn expected(config: &MonitorConfig, now: DateTime<Utc>) -> DateTime<Utc> {
    let next = config.schedule().next(now);
    next.filter(|next| *next - now < TimeDelta::days(4)).unwrap_or(now + TimeDelta::minutes(50))
}

/// The messages of a run that started at this time: when they are received, and what they say.
fn told(started: DateTime<Utc>, story: Story) -> Vec<(DateTime<Utc>, CheckinStatus, Option<RunDuration>)> {
    let after = |seconds: i64| started + TimeDelta::seconds(seconds);
    let beats = |beats: u8, beat: i64| {
        (0..=i64::from(beats)).map(move |nth| (after(nth * beat), CheckinStatus::InProgress, None))
    };
    match story {
        Story::Short(status, took) => {
            let duration = TimeDelta::seconds(took).try_into().ok().filter(|_| took > 0);
            vec![(after(took), status, duration)]
        }
        Story::Long { beats: count, beat, end } => {
            let over = (after((i64::from(count) + 1) * beat), end, None);
            beats(count, beat).chain([over]).collect()
        }
        Story::Hangs { beats: count, beat } => beats(count, beat).collect(),
    }
}
