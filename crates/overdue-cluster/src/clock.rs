//! The clock: pulses through every partition, so that time goes on where nobody checks in.
//!
//! Each ingest process sends them, and the stream lets one of each moment through. It also says what time a
//! pulse is of: no clock here decides anything but how often.

use std::time::Duration;

use crate::stream::Stream;
use crate::time;

/// How long from one pulse to the next. A tick is late by so much at most.
const PERIOD: Duration = Duration::from_secs(10);

/// Sends pulses until it is dropped.
pub(crate) async fn run(stream: Stream) {
    let period = PERIOD.as_millis() as i64;
    loop {
        let now = time::now().timestamp_millis();
        if let Err(error) = stream.pulse(now / period).await {
            tracing::warn!(error = &*error as &dyn std::error::Error, "a pulse was not sent");
        }
        let wait = period - time::now().timestamp_millis().rem_euclid(period);
        tokio::time::sleep(Duration::from_millis(wait.unsigned_abs())).await;
    }
}
