//! What this room writes down about its live state: the shapes on disk, versioned.
//!
//! Knows: bytes and their version. Must never know: how the room uses them. The shapes are of this file alone, so that the
//! room's own types may change; they hold names of the configuration and times, never a number.

use std::time::Duration;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::door::{ContactId, Name, OfferId};
use crate::operator::OperatorSlot;
use crate::proof::Proof;

/// What came back from records, so that the user of this room, restored beside it, can go on.
///
/// What may no longer be (an open offer or a connection that the hard constraints now forbid) is not listed here but told
/// by outputs, as after a reload; so are offers that are new.
#[derive(Debug)]
pub struct Restored {
    /// Open offers with their re-made proofs; their deadlines are kept.
    pub offers: Vec<(OfferId, Proof)>,
    /// Contacts that are with an operator.
    pub connected: Vec<(OfferId, ContactId, Name)>,
    /// Contacts that wait, best place first.
    pub waiting: Vec<ContactId>,
    /// Contacts that were admitted and have not chosen yet.
    pub choosing: Vec<ContactId>,
    /// Records that could not be read; they are erased.
    pub unreadable: usize,
}

/// The first byte of every record.
const VERSION: u8 = 1;

/// What a key's last two bits say.
const KIND_BITS: u32 = 2;
const KIND_CONTACT: u64 = 0;
const KIND_OPERATOR: u64 = 1;
const KIND_ROOM: u64 = 2;

/// Which thing a record is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Key {
    Room,
    Operator(OperatorSlot),
    Contact(ContactId),
}

impl Key {
    pub(crate) fn to_u64(self) -> u64 {
        match self {
            Self::Contact(contact) => contact.0 << KIND_BITS | KIND_CONTACT,
            Self::Operator(operator) => operator.0 << KIND_BITS | KIND_OPERATOR,
            Self::Room => KIND_ROOM,
        }
    }

    pub(crate) fn from_u64(key: u64) -> Option<Self> {
        let number = key >> KIND_BITS;
        match key & ((1 << KIND_BITS) - 1) {
            KIND_CONTACT => Some(Self::Contact(ContactId(number))),
            KIND_OPERATOR => Some(Self::Operator(OperatorSlot(number))),
            KIND_ROOM if number == 0 => Some(Self::Room),
            _ => None,
        }
    }
}

#[derive(Serialize, Deserialize, Default, Debug)]
pub(crate) struct RoomRecord {
    pub(crate) epoch: u64,
    pub(crate) offers_reserved: u64,
    pub(crate) next_slot: u64,
    pub(crate) unix_ms_at_epoch: Option<i64>,
    pub(crate) lines_by_hand: Vec<(String, bool)>,
}

#[derive(Serialize, Deserialize, Debug)]
pub(crate) struct OperatorRecord {
    pub(crate) name: String,
    pub(crate) state: StateRecord,
    pub(crate) reachable: bool,
    pub(crate) after: AfterRecord,
    pub(crate) resume: Option<String>,
    pub(crate) missed_in_row: u8,
    pub(crate) idle_since: Duration,
    pub(crate) rest_until: Option<Duration>,
}

/// Offered and in contact say nothing of the contact: its own record does, so the two cannot disagree.
#[derive(Serialize, Deserialize, Debug)]
pub(crate) enum StateRecord {
    SignedOut,
    Ready,
    Offered,
    InContact,
    WrapUp { until: Duration },
    NotReady { reason: String },
    Debrief,
}

#[derive(Serialize, Deserialize, Debug)]
pub(crate) enum AfterRecord {
    Ready,
    NotReady(String),
    Debrief,
    SignOut,
}

#[derive(Serialize, Deserialize, Debug)]
pub(crate) struct ContactRecord {
    pub(crate) line: String,
    pub(crate) level_two: bool,
    pub(crate) level_untold: bool,
    pub(crate) language: String,
    pub(crate) stage: StageRecord,
    pub(crate) since: Duration,
    pub(crate) wait_began: Duration,
    pub(crate) returned: bool,
    pub(crate) last_resort_told: bool,
    pub(crate) alarm_told: bool,
    pub(crate) back_offs: Vec<(String, Duration)>,
}

#[derive(Serialize, Deserialize, Debug)]
pub(crate) enum StageRecord {
    Choosing,
    Waiting,
    Offered { offer: u64, operator: String, deadline: Duration, ringing: bool },
    Connected { offer: u64, operator: String },
}

/// A record's bytes. Writing to memory cannot fail; should it, an empty record is one that cannot be read.
pub(crate) fn encode(record: &impl Serialize) -> Bytes {
    postcard::to_extend(record, vec![VERSION]).map(Bytes::from).unwrap_or_default()
}

pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    match bytes.split_first() {
        Some((&VERSION, record)) => postcard::from_bytes(record).ok(),
        _ => None,
    }
}
