//! Opening hours: weekly ranges, exceptions by date, a time zone with its summer time.
//!
//! Knows: the calendar. Must never know: lines, contacts, the clock (instants are Unix milliseconds handed in).
//!
//! A range belongs to the day on which it begins: a night shift that passes midnight is worked to its end, also into a
//! day that is an exception. Where the clock jumps forward, a time that does not exist is the instant of the jump; where it
//! is set back, a range begins at the first and ends at the second of the two instants: a doubt opens, never closes.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Days, LocalResult, NaiveDate, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;

/// How far `next_change` looks ahead. Whatever does not change for so long is asked again when that deadline comes, so
/// that a yearly exception is never missed.
const HORIZON_DAYS: u64 = 400;

/// Minutes of a day.
const DAY_MINUTES: u16 = 24 * 60;

/// What is wrong with opening hours; all of it is the configuration's fault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HoursError {
    /// Not a zone of the IANA database, such as `Europe/Paris`.
    UnknownZone(String),
    /// Not a time of day from 00:00 to 24:00.
    NoSuchTime {
        /// Hour found.
        hour: u8,
        /// Minute found.
        minute: u8,
    },
    /// Not a date of the calendar.
    NoSuchDate {
        /// Month found.
        month: u8,
        /// Day found.
        day: u8,
    },
}

impl fmt::Display for HoursError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownZone(zone) => {
                write!(f, "`{zone}` is not a time zone of the IANA database, such as Europe/Paris")
            }
            Self::NoSuchTime { hour, minute } => {
                write!(f, "{hour:02}:{minute:02} is not a time from 00:00 to 24:00")
            }
            Self::NoSuchDate { month, day } => {
                write!(f, "month {month}, day {day} is not a date of the calendar")
            }
        }
    }
}

impl std::error::Error for HoursError {}

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

impl Weekday {
    /// All seven, from Monday.
    pub const ALL: [Self; 7] = [
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
        Self::Sunday,
    ];
}

/// A time on the wall, to the minute; 24:00 is the end of the day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct TimeOfDay {
    minutes: u16,
}

impl TimeOfDay {
    /// From hour (0 to 24) and minute.
    pub fn new(hour: u8, minute: u8) -> Result<Self, HoursError> {
        let minutes = u16::from(hour) * 60 + u16::from(minute);
        if minute > 59 || minutes > DAY_MINUTES {
            return Err(HoursError::NoSuchTime { hour, minute });
        }
        Ok(Self { minutes })
    }
}

/// From when to when; an end at or before the beginning is on the next day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Range {
    /// Open from here.
    pub from: TimeOfDay,
    /// Until here, exclusive.
    pub to: TimeOfDay,
}

/// The days on which an exception holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ExceptionDay(Day);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Day {
    On(NaiveDate),
    EachYear { month: u8, day: u8 },
    Easter { offset_days: i16 },
}

impl ExceptionDay {
    /// One day only.
    pub fn on(year: i32, month: u8, day: u8) -> Result<Self, HoursError> {
        NaiveDate::from_ymd_opt(year, u32::from(month), u32::from(day))
            .map(|date| Self(Day::On(date)))
            .ok_or(HoursError::NoSuchDate { month, day })
    }

    /// The same date each year.
    pub fn each_year(month: u8, day: u8) -> Result<Self, HoursError> {
        // 2024 has a 29 February; in other years that exception does not occur.
        NaiveDate::from_ymd_opt(2024, u32::from(month), u32::from(day))
            .map(|_| Self(Day::EachYear { month, day }))
            .ok_or(HoursError::NoSuchDate { month, day })
    }

    /// Days after Western Easter Sunday each year: 1 Easter Monday, 39 Ascension, 50 Whit Monday.
    pub fn easter(offset_days: i16) -> Self {
        Self(Day::Easter { offset_days })
    }

    fn is(self, date: NaiveDate) -> bool {
        match self.0 {
            Day::On(only) => only == date,
            Day::EachYear { month, day } => date.month() == u32::from(month) && date.day() == u32::from(day),
            Day::Easter { offset_days } => easter_sunday(date.year())
                .is_some_and(|easter| (date - easter).num_days() == i64::from(offset_days)),
        }
    }
}

/// When a line is open.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hours(Kind);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Kind {
    Always,
    Calendar { zone: Tz, weekly: Vec<(Weekday, Range)>, exceptions: Vec<(ExceptionDay, Vec<Range>)> },
}

impl Hours {
    /// Day and night, all days.
    pub fn always() -> Self {
        Self(Kind::Always)
    }

    /// Closed, in this zone of the IANA database, until ranges are added.
    pub fn in_zone(zone: &str) -> Result<Self, HoursError> {
        let zone = Tz::from_str(zone).map_err(|_| HoursError::UnknownZone(zone.to_owned()))?;
        Ok(Self(Kind::Calendar { zone, weekly: Vec::new(), exceptions: Vec::new() }))
    }

    /// Also open in this range each week. Ranges may touch and overlap. Of no effect on [`Hours::always`].
    #[must_use]
    pub fn weekly(mut self, day: Weekday, range: Range) -> Self {
        if let Kind::Calendar { weekly, .. } = &mut self.0 {
            weekly.push((day, range));
        }
        self
    }

    /// On such days open in these ranges instead of the weekly ones; none: closed. The first exception that fits a date
    /// decides. Of no effect on [`Hours::always`].
    #[must_use]
    pub fn exception(mut self, day: ExceptionDay, ranges: Vec<Range>) -> Self {
        if let Kind::Calendar { exceptions, .. } = &mut self.0 {
            exceptions.push((day, ranges));
        }
        self
    }

    /// Whether it is open at this instant (Unix time in ms).
    pub fn is_open(&self, unix_ms: i64) -> bool {
        match &self.0 {
            Kind::Always => true,
            Kind::Calendar { .. } => self.open_until(unix_ms).is_some(),
        }
    }

    /// When to ask again (Unix time in ms): the next instant at which it opens or closes, or a far day before which it does
    /// neither; none when it never changes.
    pub fn next_change(&self, unix_ms: i64) -> Option<i64> {
        let Kind::Calendar { weekly, exceptions, .. } = &self.0 else { return None };
        if weekly.is_empty() && exceptions.is_empty() {
            return None;
        }
        let far_ms = unix_ms.checked_add(HORIZON_DAYS as i64 * 86_400_000)?;
        let mut end = self.open_until(unix_ms);
        match end {
            // Ranges that touch are one opening.
            Some(mut until) => {
                while until < far_ms {
                    end = self.open_until(until);
                    match end {
                        Some(later) => until = later,
                        None => break,
                    }
                }
                Some(until.min(far_ms))
            }
            None => {
                let first = self.local_date(unix_ms)?.checked_sub_days(Days::new(1))?;
                first
                    .iter_days()
                    .take(HORIZON_DAYS as usize)
                    .flat_map(|date| self.openings_of(date))
                    .map(|(from, _)| from)
                    .filter(|from| *from > unix_ms)
                    .min_by_key(|from| *from)
                    .or(Some(far_ms))
            }
        }
    }

    /// The latest end of the ranges that hold this instant.
    fn open_until(&self, unix_ms: i64) -> Option<i64> {
        let today = self.local_date(unix_ms)?;
        // A range lasts at most 24 hours, and a zone's clock moves by at most a day: the neighbours suffice.
        today
            .checked_sub_days(Days::new(2))?
            .iter_days()
            .take(4)
            .flat_map(|date| self.openings_of(date))
            .filter(|(from, to)| *from <= unix_ms && unix_ms < *to)
            .map(|(_, to)| to)
            .max()
    }

    fn local_date(&self, unix_ms: i64) -> Option<NaiveDate> {
        let Kind::Calendar { zone, .. } = &self.0 else { return None };
        Some(DateTime::<Utc>::from_timestamp_millis(unix_ms)?.with_timezone(zone).date_naive())
    }

    /// The openings that begin on this local date, as Unix milliseconds, end exclusive.
    fn openings_of(&self, date: NaiveDate) -> Vec<(i64, i64)> {
        let Kind::Calendar { zone, weekly, exceptions } = &self.0 else { return Vec::new() };
        let weekday = Weekday::ALL[date.weekday().num_days_from_monday() as usize];
        let ranges: Vec<Range> = match exceptions.iter().find(|(day, _)| day.is(date)) {
            Some((_, ranges)) => ranges.clone(),
            None => weekly.iter().filter(|(day, _)| *day == weekday).map(|(_, range)| *range).collect(),
        };
        ranges
            .into_iter()
            .filter_map(|range| {
                let from = instant(*zone, wall(date, range.from)?, Edge::Begin)?;
                let end_date = if range.to <= range.from { date.succ_opt()? } else { date };
                let to = instant(*zone, wall(end_date, range.to)?, Edge::End)?;
                (from < to).then_some((from, to))
            })
            .collect()
    }
}

enum Edge {
    Begin,
    End,
}

fn wall(date: NaiveDate, time: TimeOfDay) -> Option<NaiveDateTime> {
    date.and_hms_opt(0, 0, 0)?.checked_add_signed(chrono::TimeDelta::minutes(i64::from(time.minutes)))
}

fn instant(zone: Tz, wall: NaiveDateTime, edge: Edge) -> Option<i64> {
    match zone.from_local_datetime(&wall) {
        LocalResult::Single(only) => Some(only.timestamp_millis()),
        LocalResult::Ambiguous(first, second) => Some(match edge {
            Edge::Begin => first.timestamp_millis(),
            Edge::End => second.timestamp_millis(),
        }),
        LocalResult::None => gap_end(zone, wall),
    }
}

/// The instant of the jump over a wall time that does not exist: halving between two hours that do.
fn gap_end(zone: Tz, wall: NaiveDateTime) -> Option<i64> {
    let day = chrono::TimeDelta::days(1);
    let mut before = zone.from_local_datetime(&(wall - day)).latest()?.timestamp();
    let mut after = zone.from_local_datetime(&(wall + day)).earliest()?.timestamp();
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        if DateTime::<Utc>::from_timestamp(middle, 0)?.with_timezone(&zone).naive_local() < wall {
            before = middle;
        } else {
            after = middle;
        }
    }
    Some(after * 1000)
}

/// Western Easter by the anonymous Gregorian computus.
fn easter_sunday(year: i32) -> Option<NaiveDate> {
    let golden = year.rem_euclid(19);
    let (century, rest) = (year.div_euclid(100), year.rem_euclid(100));
    let leaps = century.div_euclid(4);
    let proemptosis = (century + 8).div_euclid(25);
    let epact =
        (19 * golden + century - leaps - (century - proemptosis + 1).div_euclid(3) + 15).rem_euclid(30);
    let to_sunday =
        (32 + 2 * century.rem_euclid(4) + 2 * rest.div_euclid(4) - epact - rest.rem_euclid(4)).rem_euclid(7);
    let correction = (golden + 11 * epact + 22 * to_sunday).div_euclid(451);
    let sum = epact + to_sunday - 7 * correction + 114;
    NaiveDate::from_ymd_opt(year, sum.div_euclid(31).unsigned_abs(), sum.rem_euclid(31).unsigned_abs() + 1)
}
