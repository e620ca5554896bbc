//! The clock: sends pulses through every partition, so that time passes even without check-ins.
//!
//! Each ingest process sends them, and the stream admits one for each moment. The stream also sets the time
//! of a pulse: the clocks here decide only how often pulses are sent.

use std::time::Duration;

use crate::stream::Stream;
use crate::time;

/// The time from one pulse to the next. A tick is late by at most this.
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
