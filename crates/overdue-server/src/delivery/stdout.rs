//! Standard output: a line for each event.

use std::io::{Write, stdout};

use overdue::Event;
use overdue_protocol::line::Line;

use super::{Destination, Failed};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Stdout;

impl Destination for Stdout {
    fn name(&self) -> &str {
        "stdout"
    }

    fn tell(&self, event: &Event) -> Result<(), Failed> {
        writeln!(stdout(), "{}", Line(event)).map_err(|error| Failed(error.to_string()))
    }
}
