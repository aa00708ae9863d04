//! Opening hours as an administrator writes them: `"mon-fri 09:00-19:00"`, public holidays, a time zone.
//! Must never know: what time it is.

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::Deserialize;
use toml::Spanned;

use super::document::Span;
use super::node::read_time_zone;
use super::reader::{Reader, quoted};

/// When a line is open.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OpeningHours {
    /// Day and night, all days.
    Always,
    /// As written.
    Calendar {
        /// The zone of all the times.
        time_zone: Tz,
        /// Open in these ranges each week.
        weekly: Vec<(Weekday, HoursRange)>,
        /// On these days open in these ranges instead; none: closed.
        holidays: Vec<(Holiday, Vec<HoursRange>)>,
    },
}

/// A day of the week.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[expect(missing_docs, reason = "the days name themselves")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// A time on the wall; 24:00 is the end of the day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct TimeOfDay {
    /// 0 to 24.
    pub hour: u8,
    /// 0 to 59; 0 with hour 24.
    pub minute: u8,
}

/// From when to when; an end at or before the beginning is on the next day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HoursRange {
    /// Open from here.
    pub from: TimeOfDay,
    /// Until here, exclusive.
    pub to: TimeOfDay,
}

/// A day whose hours differ.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Holiday {
    /// One day only.
    On {
        /// The year.
        year: i32,
        /// 1 to 12.
        month: u8,
        /// 1 to 31.
        day: u8,
    },
    /// The same date each year.
    EachYear {
        /// 1 to 12.
        month: u8,
        /// 1 to 31.
        day: u8,
    },
    /// Days after Western Easter Sunday each year.
    Easter {
        /// 1 is Easter Monday.
        offset_days: i16,
    },
}

const DAYS: &[(&str, Weekday)] = &[
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

const RANGE_EXPECTED: &str = "days and times such as \"mon-fri 09:00-19:00\", \"sat 10:00-24:00\" or, over midnight, \
                              \"mon-sun 22:00-06:00\"";

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHours {
    always: Option<Spanned<bool>>,
    #[serde(default)]
    open: Vec<Spanned<String>>,
    time_zone: Option<Spanned<String>>,
    #[serde(default)]
    holidays: Vec<Spanned<String>>,
    #[serde(default)]
    open_on_holidays: Vec<Spanned<String>>,
}

/// Reads a line's hours. A line without any would be closed for ever or open for ever: neither is guessed.
pub(super) fn read(
    reader: &mut Reader<'_>,
    raw: &Option<Spanned<RawHours>>,
    line: &Span,
    node_zone: Tz,
) -> OpeningHours {
    let Some(raw) = raw else {
        reader.missing(
            line,
            "hours",
            "opening hours: { always = true }, or { open = [\"mon-fri 09:00-19:00\"] }",
        );
        return OpeningHours::Always;
    };
    let span = raw.span();
    let raw = raw.get_ref();
    let time_zone = read_time_zone(reader, &raw.time_zone).unwrap_or(node_zone);
    let always = raw.always.as_ref().is_some_and(|always| *always.get_ref());
    if always {
        let other = raw.open.first().or(raw.holidays.first()).or(raw.open_on_holidays.first());
        if let Some(other) = other {
            reader.error(
                &other.span(),
                "hours beside always = true",
                "always = true alone, or the hours alone",
            );
        }
        return OpeningHours::Always;
    }
    if raw.open.is_empty() {
        reader.missing(&span, "open", RANGE_EXPECTED);
    }
    let mut weekly = Vec::new();
    for value in &raw.open {
        match parse_weekly(value.get_ref()) {
            Some(ranges) => weekly.extend(ranges),
            None => reader.error(&value.span(), quoted(value.get_ref()), RANGE_EXPECTED),
        }
    }
    let mut holiday_ranges = Vec::new();
    for value in &raw.open_on_holidays {
        match parse_range(value.get_ref()) {
            Some(range) => holiday_ranges.push(range),
            None => reader.error(&value.span(), quoted(value.get_ref()), "times such as \"10:00-16:00\""),
        }
    }
    let mut holidays: Vec<(Holiday, Vec<HoursRange>)> = Vec::new();
    for value in &raw.holidays {
        match parse_holiday(value.get_ref()) {
            Some(day) => holidays.push((day, holiday_ranges.clone())),
            None => {
                let expected =
                    "a day such as \"2026-12-24\", each year \"12-25\", or \"easter+1\" for Easter Monday";
                reader.error(&value.span(), quoted(value.get_ref()), expected);
            }
        }
    }
    if let (Some(value), true) = (raw.open_on_holidays.first(), raw.holidays.is_empty()) {
        reader.error(&value.span(), "hours for holidays without any", "holidays beside open_on_holidays");
    }
    OpeningHours::Calendar { time_zone, weekly, holidays }
}

/// `mon-fri 09:00-19:00`; `fri-mon` runs over the week's end.
fn parse_weekly(text: &str) -> Option<Vec<(Weekday, HoursRange)>> {
    let (days, range) = text.trim().split_once(char::is_whitespace)?;
    let range = parse_range(range)?;
    let index = |name: &str| DAYS.iter().position(|(day, _)| *day == name.to_ascii_lowercase());
    let (first, last) = match days.split_once('-') {
        Some((first, last)) => (index(first)?, index(last)?),
        None => (index(days)?, index(days)?),
    };
    let count = (last + DAYS.len() - first) % DAYS.len() + 1;
    Some((0..count).map(|step| (DAYS[(first + step) % DAYS.len()].1, range)).collect())
}

fn parse_range(text: &str) -> Option<HoursRange> {
    let (from, to) = text.trim().split_once('-')?;
    let range = HoursRange { from: parse_time(from)?, to: parse_time(to)? };
    // A range of no length is a slip: the whole day is 00:00-24:00.
    (range.from != range.to && range.from.hour < 24).then_some(range)
}

fn parse_time(text: &str) -> Option<TimeOfDay> {
    let (hour, minute) = text.trim().split_once(':')?;
    if minute.len() != 2 || !(1..=2).contains(&hour.len()) {
        return None;
    }
    let time = TimeOfDay { hour: hour.parse().ok()?, minute: minute.parse().ok()? };
    let valid = (time.hour < 24 && time.minute < 60) || (time.hour == 24 && time.minute == 0);
    valid.then_some(time)
}

fn parse_holiday(text: &str) -> Option<Holiday> {
    if let Some(offset) = text.strip_prefix("easter") {
        let offset_days = if offset.is_empty() { 0 } else { offset.parse().ok()? };
        let signed = offset.is_empty() || offset.starts_with(['+', '-']);
        return (signed && (-60..=70).contains(&offset_days)).then_some(Holiday::Easter { offset_days });
    }
    let fields: Vec<&str> = text.split('-').collect();
    let two_digits = |field: &str| (field.len() == 2).then(|| field.parse::<u8>().ok()).flatten();
    match fields.as_slice() {
        [year, month, day] if year.len() == 4 => {
            let (year, month, day) = (year.parse().ok()?, two_digits(month)?, two_digits(day)?);
            NaiveDate::from_ymd_opt(year, u32::from(month), u32::from(day))?;
            Some(Holiday::On { year, month, day })
        }
        [month, day] => {
            let (month, day) = (two_digits(month)?, two_digits(day)?);
            // 2024 was a leap year: 29 February is a day that exists.
            NaiveDate::from_ymd_opt(2024, u32::from(month), u32::from(day))?;
            Some(Holiday::EachYear { month, day })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
