//! The records inside records, and how each plain value is stored.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Unreadable;
use crate::event::{Alarm, ContactSoFar, EndCause, OfferReason, RuleCount, StreamStats};
use crate::ids::{Level, OfferId};
use crate::time::UnixMicros;
use crate::word::Word;

/// A stored form of `T`.
pub(super) trait Stored<'a, T>: Sized {
    /// The stored form of a value.
    fn put(value: &'a T) -> Self;
    /// The value of a stored form; `field` is for the error.
    fn take(self, field: &'static str) -> Result<T, Unreadable>;
}

impl<'a, T: Word> Stored<'a, T> for Cow<'a, str> {
    fn put(value: &'a T) -> Self {
        value.word()
    }

    fn take(self, field: &'static str) -> Result<T, Unreadable> {
        T::from_word(&self).ok_or(Unreadable::UnknownWord { field })
    }
}

impl<'a, T, S: Stored<'a, T>> Stored<'a, Option<T>> for Option<S> {
    fn put(value: &'a Option<T>) -> Self {
        value.as_ref().map(S::put)
    }

    fn take(self, field: &'static str) -> Result<Option<T>, Unreadable> {
        self.map(|stored| stored.take(field)).transpose()
    }
}

macro_rules! stored_as_is {
    ($($type:ty),+) => {$(
        impl<'a> Stored<'a, $type> for $type {
            fn put(value: &'a $type) -> Self {
                *value
            }

            fn take(self, _: &'static str) -> Result<$type, Unreadable> {
                Ok(self)
            }
        }
    )+};
}

stored_as_is!(bool, u8, u16, u32, u64, i32);

impl<'a> Stored<'a, OfferId> for u64 {
    fn put(value: &'a OfferId) -> Self {
        value.0
    }

    fn take(self, _: &'static str) -> Result<OfferId, Unreadable> {
        Ok(OfferId(self))
    }
}

impl<'a> Stored<'a, Duration> for u64 {
    fn put(value: &'a Duration) -> Self {
        u64::try_from(value.as_micros()).unwrap_or(u64::MAX)
    }

    fn take(self, _: &'static str) -> Result<Duration, Unreadable> {
        Ok(Duration::from_micros(self))
    }
}

impl<'a> Stored<'a, Level> for u8 {
    fn put(value: &'a Level) -> Self {
        value.number()
    }

    fn take(self, field: &'static str) -> Result<Level, Unreadable> {
        Level::from_number(self).ok_or(Unreadable::UnknownWord { field })
    }
}

impl<'a> Stored<'a, UnixMicros> for i64 {
    fn put(value: &'a UnixMicros) -> Self {
        value.0
    }

    fn take(self, _: &'static str) -> Result<UnixMicros, Unreadable> {
        Ok(UnixMicros(self))
    }
}

/// Declares the record of a struct and both ways between the two.
macro_rules! struct_record {
    ($record:ident $(<$life:lifetime>)? of $type:ident { $($field:ident: $stored:ty),+ $(,)? }) => {
        #[derive(Serialize, Deserialize)]
        pub(super) struct $record $(<$life>)? {
            $($field: $stored,)+
        }

        impl<'a> Stored<'a, $type> for $record $(<$life>)? {
            fn put(value: &'a $type) -> Self {
                Self { $($field: Stored::put(&value.$field),)+ }
            }

            fn take(self, _: &'static str) -> Result<$type, Unreadable> {
                Ok($type { $($field: Stored::take(self.$field, stringify!($field))?,)+ })
            }
        }
    };
}

struct_record!(CauseRecord<'a> of EndCause {
    proof: Cow<'a, str>,
    q850: Option<u8>,
    sip: Option<u16>,
    text: Option<Cow<'a, str>>,
});

struct_record!(StatsRecord of StreamStats { packets: u64, lost: u64, jitter: u64 });

struct_record!(RuleRecord<'a> of RuleCount { rule: Cow<'a, str>, left: u32 });

struct_record!(ReasonRecord<'a> of OfferReason { strategy: Cow<'a, str>, candidates: Vec<RuleRecord<'a>> });

struct_record!(ContactRecord<'a> of ContactSoFar {
    trunk: Cow<'a, str>,
    line: Cow<'a, str>,
    trunk_call_id: Cow<'a, str>,
    caller: Cow<'a, str>,
    offered_at: i64,
    queued_at: Option<i64>,
    level: Option<u8>,
    language: Option<Cow<'a, str>>,
    answered_at: Option<i64>,
    operator: Option<(Cow<'a, str>, Cow<'a, str>)>,
});

impl<'a> Stored<'a, Vec<RuleCount>> for Vec<RuleRecord<'a>> {
    fn put(value: &'a Vec<RuleCount>) -> Self {
        value.iter().map(Stored::put).collect()
    }

    fn take(self, field: &'static str) -> Result<Vec<RuleCount>, Unreadable> {
        self.into_iter().map(|record| record.take(field)).collect()
    }
}

impl<'a, A, B, S: Stored<'a, A>, T: Stored<'a, B>> Stored<'a, (A, B)> for (S, T) {
    fn put(value: &'a (A, B)) -> Self {
        (S::put(&value.0), T::put(&value.1))
    }

    fn take(self, field: &'static str) -> Result<(A, B), Unreadable> {
        Ok((self.0.take(field)?, self.1.take(field)?))
    }
}

/// An alarm has cases with several details each, so it is a record of its own.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum AlarmRecord<'a> {
    NoEligibleOperator { line: Cow<'a, str>, level: u8, language: Cow<'a, str> },
    LongWait { line: Cow<'a, str>, waited: u64 },
    TrunkDown { trunk: Cow<'a, str> },
    JournalAway {},
    StateNotPersisted {},
    Other { text: Cow<'a, str> },
}

impl<'a> Stored<'a, Alarm> for AlarmRecord<'a> {
    fn put(value: &'a Alarm) -> Self {
        match value {
            Alarm::NoEligibleOperator { line, level, language } => Self::NoEligibleOperator {
                line: Stored::put(line),
                level: Stored::put(level),
                language: Stored::put(language),
            },
            Alarm::LongWait { line, waited } => {
                Self::LongWait { line: Stored::put(line), waited: Stored::put(waited) }
            }
            Alarm::TrunkDown { trunk } => Self::TrunkDown { trunk: Stored::put(trunk) },
            Alarm::JournalAway => Self::JournalAway {},
            Alarm::StateNotPersisted => Self::StateNotPersisted {},
            Alarm::Other(text) => Self::Other { text: Stored::put(text) },
        }
    }

    fn take(self, _: &'static str) -> Result<Alarm, Unreadable> {
        Ok(match self {
            Self::NoEligibleOperator { line, level, language } => Alarm::NoEligibleOperator {
                line: line.take("line")?,
                level: level.take("level")?,
                language: language.take("language")?,
            },
            Self::LongWait { line, waited } => {
                Alarm::LongWait { line: line.take("line")?, waited: waited.take("waited")? }
            }
            Self::TrunkDown { trunk } => Alarm::TrunkDown { trunk: trunk.take("trunk")? },
            Self::JournalAway {} => Alarm::JournalAway,
            Self::StateNotPersisted {} => Alarm::StateNotPersisted,
            Self::Other { text } => Alarm::Other(text.take("text")?),
        })
    }
}

/// A kind's name computed when the program is compiled, so that it cannot differ from what serde writes.
pub(super) struct SnakeCase {
    bytes: [u8; Self::ROOM],
    len: usize,
}

impl SnakeCase {
    /// Longer than any kind's name; a longer one does not compile.
    const ROOM: usize = 40;

    pub(super) const fn as_str(&self) -> &str {
        let (used, _) = self.bytes.split_at(self.len);
        match std::str::from_utf8(used) {
            Ok(text) => text,
            Err(_) => panic!("names are ASCII"),
        }
    }
}

/// `OfferMade` → `offer_made`.
pub(super) const fn snake_case(name: &str) -> SnakeCase {
    let name = name.as_bytes();
    let mut bytes = [0; SnakeCase::ROOM];
    let mut len = 0;
    let mut index = 0;
    while index < name.len() {
        if name[index].is_ascii_uppercase() && index > 0 {
            bytes[len] = b'_';
            len += 1;
        }
        bytes[len] = name[index].to_ascii_lowercase();
        len += 1;
        index += 1;
    }
    SnakeCase { bytes, len }
}
