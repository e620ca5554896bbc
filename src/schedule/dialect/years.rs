//! The field of years.

use super::read::is_digits;
use crate::schedule::FieldProblem;

const FIRST: u16 = 1970;
const LAST: u16 = 2199;

/// Some of the years in which crontabs run, in order.
#[derive(Clone, Debug)]
pub(super) struct Years(Box<[u16]>);

impl Years {
    /// Numbers, ranges, steps and `*`.
    pub(super) fn parse(text: &str) -> Result<Self, FieldProblem> {
        let refuse = |text: &str| FieldProblem::NotAValue { text: text.to_owned() };
        let year = |text: &str| {
            let year = if is_digits(text) { text.parse::<u16>().ok() } else { None };
            year.ok_or_else(|| refuse(text))
        };
        let mut years = Vec::new();
        for member in text.split(',') {
            let (base, step) =
                member.split_once('/').map_or((member, None), |(base, step)| (base, Some(step)));
            let (first, last) = match base.split_once('-') {
                _ if base == "*" => (FIRST, LAST),
                Some((first, last)) => (year(first)?, year(last)?),
                None => (year(base)?, if step.is_some() { LAST } else { year(base)? }),
            };
            if last < first {
                return Err(FieldProblem::Backwards { text: base.to_owned() });
            }
            let step = step.map_or(Ok(1), year)?;
            if step == 0 {
                return Err(FieldProblem::Step { text: "0".to_owned() });
            }
            years.extend((first..=last.min(LAST)).step_by(step.into()).filter(|year| *year >= FIRST));
        }
        years.sort_unstable();
        years.dedup();
        Ok(Self(years.into()))
    }

    pub(super) fn contains(&self, year: i32) -> bool {
        u16::try_from(year).is_ok_and(|year| self.0.binary_search(&year).is_ok())
    }
}
