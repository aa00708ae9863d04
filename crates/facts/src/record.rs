//! The written form of an event: one line of JSON an administrator can read, the same bytes each time.
//!
//! Knows: the record types, their fields' names and order, and their version. A field's name, once a
//! journal holds it, never changes; new fields and kinds may come. Must never do: let the event types
//! themselves decide what is written.
//!
//! `{"v":1,"seq":42,"at":1795482796000000,"contact":7,"what":{"queued":{"line":"day",…}}}`: times are
//! microseconds since 1970, durations microseconds, reasons and states [words](crate::word).

mod parts;

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use self::parts::{AlarmRecord, CauseRecord, ContactRecord, ReasonRecord, StatsRecord, Stored};
use crate::event::{Event, EventKind};
use crate::ids::ContactId;
use crate::time::UnixMicros;

/// The version this program writes.
pub const VERSION: u16 = 1;

/// A written event that cannot be read: the journal was damaged, or a newer program wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// Not the JSON of any event this program knows.
    Malformed {
        /// What the JSON reader says.
        detail: String,
    },
    /// Written by a program that uses another version.
    Version {
        /// That version.
        found: u16,
    },
    /// A word that means nothing in its place.
    UnknownWord {
        /// The field it stands in.
        field: &'static str,
    },
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { detail } => write!(f, "not a readable event: {detail}"),
            Self::Version { found } => write!(f, "event version {found}, but this program reads {VERSION}"),
            Self::UnknownWord { field } => {
                write!(f, "a word in field `{field}` that this program does not know")
            }
        }
    }
}

impl std::error::Error for Unreadable {}

/// Writes an event in its one form.
pub fn encode(event: &Event) -> String {
    let record = EventRecord {
        v: VERSION,
        seq: event.seq,
        at: event.at.0,
        contact: event.contact.map(|contact| contact.0),
        what: KindRecord::of(&event.kind),
    };
    serde_json::to_string(&record).expect("records are maps with text keys")
}

/// Reads what [`encode`] wrote.
pub fn decode(text: &str) -> Result<Event, Unreadable> {
    let malformed = |error: serde_json::Error| Unreadable::Malformed { detail: error.to_string() };
    let VersionRecord { v } = serde_json::from_str(text).map_err(malformed)?;
    if v != VERSION {
        return Err(Unreadable::Version { found: v });
    }
    let record: EventRecord<'_> = serde_json::from_str(text).map_err(malformed)?;
    Ok(Event {
        seq: record.seq,
        at: UnixMicros(record.at),
        contact: record.contact.map(ContactId),
        kind: record.what.read()?,
    })
}

/// Read first, so that a newer version is called by its name and not "malformed".
#[derive(Deserialize)]
struct VersionRecord {
    v: u16,
}

#[derive(Serialize, Deserialize)]
struct EventRecord<'a> {
    v: u16,
    seq: u64,
    at: i64,
    contact: Option<u64>,
    what: KindRecord<'a>,
}

type Text<'a> = Cow<'a, str>;

/// Declares the record of every kind and both ways between the two.
macro_rules! kind_records {
    ($($kind:ident { $($field:ident: $record:ty),* $(,)? })+) => {
        #[derive(Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        enum KindRecord<'a> {
            $($kind { $($field: $record),* },)+
            Restored(ContactRecord<'a>),
        }

        impl<'a> KindRecord<'a> {
            fn of(kind: &'a EventKind) -> Self {
                match kind {
                    $(EventKind::$kind { $($field),* } => Self::$kind { $($field: Stored::put($field)),* },)+
                    EventKind::Restored(so_far) => Self::Restored(Stored::put(so_far)),
                }
            }

            fn read(self) -> Result<EventKind, Unreadable> {
                Ok(match self {
                    $(Self::$kind { $($field),* } => EventKind::$kind {
                        $($field: Stored::take($field, stringify!($field))?),*
                    },)+
                    Self::Restored(record) => EventKind::Restored(Stored::take(record, "restored")?),
                })
            }
        }

        /// The name of a kind as the journal writes it: `queued`, `offer_made`, …
        pub fn kind_name(kind: &EventKind) -> &'static str {
            match kind {
                $(EventKind::$kind { .. } => {
                    static NAME: parts::SnakeCase = parts::snake_case(stringify!($kind));
                    NAME.as_str()
                })+
                EventKind::Restored(_) => "restored",
            }
        }
    };
}

kind_records! {
    Offered {
        trunk: Text<'a>, line: Text<'a>, trunk_call_id: Text<'a>, caller: Text<'a>, redirected: bool,
    }
    Refused {
        trunk: Option<Text<'a>>, source: Text<'a>, trunk_call_id: Text<'a>, status: u16, reason: Text<'a>,
    }
    AnsweredByMachine {}
    CallerHeard { by: Text<'a> }
    MenuEntered { menu: Text<'a> }
    MenuChosen { menu: Text<'a>, choice: Text<'a>, by_default: bool }
    MenuLeft { menu: Text<'a>, exit: Text<'a> }
    Closed { reason: Text<'a> }
    Dissuaded { reason: Text<'a> }
    Queued { line: Text<'a>, level: u8, language: Text<'a>, priority: i32, cause: Text<'a> }
    WaitTold { estimate: u64 }
    LeftQueue { reason: Text<'a> }
    OfferMade {
        offer: u64, operator: Text<'a>, employer: Text<'a>, ring: u8, ring_time_max: u64,
        reason: ReasonRecord<'a>,
    }
    OfferRinging { offer: u64, operator: Text<'a> }
    OfferEnded { offer: u64, operator: Text<'a>, outcome: Text<'a> }
    AnsweredByOperator { offer: Option<u64>, operator: Text<'a>, employer: Text<'a>, level: u8 }
    OperatorLeft { operator: Text<'a>, reason: Text<'a> }
    Held { by: Text<'a> }
    Resumed { by: Text<'a> }
    TransferRequested { by: Text<'a>, target: Text<'a>, mode: Text<'a> }
    TransferCompleted { from: Text<'a>, to: Text<'a> }
    TransferFailed { by: Text<'a>, failure: Text<'a> }
    Escalated { from: u8, to: u8, by: Text<'a> }
    IneligibleAttempt { operator: Text<'a>, action: Text<'a>, rule: Text<'a> }
    Ended { by: Text<'a>, cause: CauseRecord<'a> }
    WrapUpStarted { operator: Text<'a>, time_max: u64 }
    WrapUpEnded { operator: Text<'a>, cause: Text<'a> }
    OperatorState { operator: Text<'a>, employer: Text<'a>, state: Text<'a>, cause: Text<'a> }
    Registration { account: Text<'a>, change: Text<'a>, family: Text<'a>, devices: u16 }
    AuthFailed { account: Text<'a>, source: Text<'a>, failure: Text<'a> }
    TrunkAlive { trunk: Text<'a> }
    TrunkDead { trunk: Text<'a>, status: u16 }
    LineOpened { line: Text<'a>, by: Text<'a> }
    LineClosed { line: Text<'a>, by: Text<'a> }
    CodecChosen { leg: Text<'a>, codec: Text<'a> }
    MediaLatched { leg: Text<'a>, address: Text<'a> }
    MediaRejected { leg: Text<'a>, address: Text<'a>, remedy: Text<'a> }
    OneWayAudio { leg: Text<'a>, missing: Text<'a> }
    MediaSilence { leg: Text<'a>, silent_for: u64 }
    MediaStats { leg: Text<'a>, received: StatsRecord, sent: StatsRecord }
    Alarm { alarm: AlarmRecord<'a>, raised: bool }
    CommandRefused { by: Text<'a>, command: Text<'a>, reason: Text<'a> }
    EngineStarted { version: Text<'a> }
    EngineRestored { contacts: u32, lost: u32 }
    EngineDraining {}
    EngineStopped {}
    ConfigLoaded { hash: Text<'a> }
    OverflowDropped { queue: Text<'a>, count: u64 }
}

#[cfg(test)]
pub(crate) mod tests;
