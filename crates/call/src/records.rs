//! What this room writes down about a live call: its own record shape, versioned.
//!
//! Knows: the record's bytes. Must never hold: a caller's number; a record names dialogs, legs and pseudonyms.

use std::time::Duration;

use bytes::Bytes;
use facts::event::{Caller, EndCause, EndProof, EndedBy};
use facts::{CallerPseudonym, ContactId, TrunkCallId};
use media::LegId;
use serde::{Deserialize, Serialize};
use sip::DialogId;

use crate::contact::{AccountDue, Call, Edge, Ending, OperatorSide, Stage};
use crate::door::{Output, Room};
use crate::engine::{Engine, RecordKey};
use crate::menu::Choice;

/// The first byte of every record; another one is not read.
const VERSION: u8 = 1;
/// Feature calls' keys lie above all contacts'.
const FEATURE_BIT: u64 = 1 << 63;

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
pub(crate) struct CallRecord {
    trunk: String,
    line: String,
    trunk_call_id: String,
    pseudonym: Option<[u8; CallerPseudonym::BYTES]>,
    previous_pseudonym: Option<[u8; CallerPseudonym::BYTES]>,
    offered_at: Duration,
    queued_at: Option<Duration>,
    answered_at: Option<Duration>,
    dialog: u64,
    leg: u64,
    description: Vec<u8>,
    delayed_offer: bool,
    edge: EdgeRecord,
    stage: StageRecord,
    level_two: bool,
    language: Option<String>,
    operator: Option<OperatorRecord>,
    held_by_caller: bool,
    held_by_operator: bool,
    heard: bool,
    alarmed: bool,
    overflowed: bool,
    greeted: bool,
    deadline: Option<Duration>,
    nobody_deadline: Option<Duration>,
}

#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq)]
enum EdgeRecord {
    Trying,
    Ringing,
    EarlyMedia,
    Answered,
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
enum StageRecord {
    Choosing { rounds: u8 },
    Waiting,
    Talking,
    Announcing(EndingRecord),
    Over(EndingRecord),
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct EndingRecord {
    at: Option<Duration>,
    by: u8,
    proof: u8,
    status: u16,
    q850: Option<u8>,
    sip: Option<u16>,
    text: Option<String>,
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct OperatorRecord {
    offer: u64,
    name: String,
    dialog: u64,
    leg: u64,
    ringing: bool,
    connected: bool,
}

/// A record as read back.
#[derive(Debug)]
pub(crate) enum Record {
    /// A trunk call.
    Call(Box<Call>),
    /// An operator's call to a feature code: dialog and leg, to be ended.
    Feature(DialogId, LegId),
}

impl RecordKey {
    fn number(self) -> u64 {
        match self {
            Self::Contact(contact) => contact.0,
            Self::Feature(dialog) => dialog.0 | FEATURE_BIT,
        }
    }
}

impl Engine {
    /// Writes the records of all that this step touched.
    pub(crate) fn write_records(&mut self) {
        while let Some(key) = self.dirty.pop_first() {
            let record = self.record(key);
            self.push(Output::Persist { room: Room::Call, key: key.number(), record });
        }
    }

    /// All live records of all rooms, for a compacted state file.
    pub fn records(&mut self) -> Vec<(Room, u64, Bytes)> {
        let sip = self.sip.records();
        let contacts = self.calls.keys().map(|contact| RecordKey::Contact(*contact));
        let features = self.feature_calls.keys().map(|dialog| RecordKey::Feature(*dialog));
        let own = contacts
            .chain(features)
            .filter_map(|key| self.record(key).map(|record| (Room::Call, key.number(), record)));
        let of = |room: Room, records: Vec<(u64, Bytes)>| {
            records.into_iter().map(move |(key, record)| (room, key, record))
        };
        of(Room::Sip, sip)
            .chain(of(Room::Media, self.media.records()))
            .chain(of(Room::Acd, self.acd.records()))
            .chain(own)
            .collect()
    }

    fn record(&self, key: RecordKey) -> Option<Bytes> {
        match key {
            RecordKey::Contact(contact) => self.calls.get(&contact).map(encode_call),
            RecordKey::Feature(dialog) => self.feature_calls.get(&dialog).map(|call| encode(&call.leg.0)),
        }
    }
}

/// A call's record.
pub(crate) fn encode_call(call: &Call) -> Bytes {
    encode(&CallRecord::from(call))
}

fn encode(record: &impl Serialize) -> Bytes {
    let bytes =
        postcard::to_extend(record, vec![VERSION]).expect("records hold nothing that postcard refuses");
    bytes.into()
}

/// Reads a record back; `None` when its version or shape is not known.
pub(crate) fn decode(key: u64, bytes: &[u8]) -> Option<Record> {
    let (version, body) = bytes.split_first()?;
    if *version != VERSION {
        return None;
    }
    if key & FEATURE_BIT != 0 {
        let leg = postcard::from_bytes::<u64>(body).ok()?;
        return Some(Record::Feature(DialogId(key & !FEATURE_BIT), LegId(leg)));
    }
    let record = postcard::from_bytes::<CallRecord>(body).ok()?;
    Some(Record::Call(Box::new(record.into_call(ContactId(key))?)))
}

impl From<&Call> for CallRecord {
    fn from(call: &Call) -> Self {
        let (pseudonym, previous_pseudonym) = match call.caller {
            Caller::Known { pseudonym, previous } => (Some(pseudonym), previous),
            Caller::Withheld => (None, None),
        };
        Self {
            trunk: call.trunk.to_string(),
            line: call.line.to_string(),
            trunk_call_id: call.trunk_call_id.to_string(),
            pseudonym: pseudonym.map(|pseudonym| *pseudonym.as_bytes()),
            previous_pseudonym: previous_pseudonym.map(|pseudonym| *pseudonym.as_bytes()),
            offered_at: call.offered_at,
            queued_at: call.queued_at,
            answered_at: call.answered_at,
            dialog: call.dialog.0,
            leg: call.leg.0,
            description: if call.edge == Edge::Answered { Vec::new() } else { call.description.to_vec() },
            delayed_offer: call.delayed_offer,
            edge: match call.edge {
                Edge::Trying => EdgeRecord::Trying,
                Edge::Ringing => EdgeRecord::Ringing,
                Edge::EarlyMedia => EdgeRecord::EarlyMedia,
                Edge::Answered => EdgeRecord::Answered,
            },
            stage: match &call.stage {
                Stage::Choosing(choice) => StageRecord::Choosing { rounds: choice.rounds() },
                Stage::Waiting => StageRecord::Waiting,
                Stage::Talking => StageRecord::Talking,
                Stage::Announcing(ending) => StageRecord::Announcing(ending.into()),
                Stage::Over(ending) => StageRecord::Over(ending.into()),
            },
            level_two: call.level == acd::Level::Two,
            language: call.language.as_deref().map(str::to_owned),
            operator: call.operator.as_ref().map(|operator| OperatorRecord {
                offer: operator.offer.0,
                name: operator.name.to_string(),
                dialog: operator.dialog.0,
                leg: operator.leg.0,
                ringing: operator.ringing,
                connected: operator.connected,
            }),
            held_by_caller: call.held_by_caller,
            held_by_operator: call.held_by_operator,
            heard: call.heard,
            alarmed: call.alarmed,
            overflowed: call.overflowed,
            greeted: call.greeted,
            deadline: call.deadline,
            nobody_deadline: call.nobody_deadline,
        }
    }
}

impl CallRecord {
    fn into_call(self, contact: ContactId) -> Option<Call> {
        let caller = match self.pseudonym {
            Some(pseudonym) => Caller::Known {
                pseudonym: CallerPseudonym::from_bytes(pseudonym),
                previous: self.previous_pseudonym.map(CallerPseudonym::from_bytes),
            },
            None => Caller::Withheld,
        };
        let operator = self.operator.map(|operator| OperatorSide {
            offer: acd::OfferId(operator.offer),
            name: operator.name.into(),
            dialog: DialogId(operator.dialog),
            leg: LegId(operator.leg),
            proof: None,
            ringing: operator.ringing,
            connected: operator.connected,
        });
        let leg = LegId(self.leg);
        let codec_said = self.answered_at.is_some();
        let operators_leg = operator.iter().map(|operator| {
            (
                operator.leg,
                AccountDue { operator: Some(operator.name.clone()), codec_said: operator.connected },
            )
        });
        let accounts_due = operators_leg.chain([(leg, AccountDue { operator: None, codec_said })]).collect();
        Some(Call {
            contact,
            trunk: self.trunk.into(),
            line: self.line.into(),
            trunk_call_id: TrunkCallId::from(self.trunk_call_id),
            caller,
            offered_at: self.offered_at,
            queued_at: self.queued_at,
            answered_at: self.answered_at,
            dialog: DialogId(self.dialog),
            leg,
            description: self.description.into(),
            delayed_offer: self.delayed_offer,
            edge: match self.edge {
                EdgeRecord::Trying => Edge::Trying,
                EdgeRecord::Ringing => Edge::Ringing,
                EdgeRecord::EarlyMedia => Edge::EarlyMedia,
                EdgeRecord::Answered => Edge::Answered,
            },
            stage: match self.stage {
                StageRecord::Choosing { rounds } => Stage::Choosing(Choice::resume(rounds)),
                StageRecord::Waiting => Stage::Waiting,
                StageRecord::Talking => Stage::Talking,
                StageRecord::Announcing(ending) => Stage::Announcing(ending.into_ending()?),
                StageRecord::Over(ending) => Stage::Over(ending.into_ending()?),
            },
            level: if self.level_two { acd::Level::Two } else { acd::Level::One },
            language: self.language.map(Into::into),
            operator,
            accounts_due,
            held_by_caller: self.held_by_caller,
            held_by_operator: self.held_by_operator,
            heard: self.heard,
            alarmed: self.alarmed,
            overflowed: self.overflowed,
            greeted: self.greeted,
            deadline: self.deadline,
            nobody_deadline: self.nobody_deadline,
        })
    }
}

/// The numbers of these in a record are their places here; new ones go to the end.
const ENDED_BY: [EndedBy; 5] =
    [EndedBy::Caller, EndedBy::Operator, EndedBy::Network, EndedBy::Vigie, EndedBy::Unknown];
/// As above; the status of `Failure` is kept beside.
const PROOFS: [EndProof; 10] = [
    EndProof::Bye,
    EndProof::Cancel,
    EndProof::Failure { status: 0 },
    EndProof::DeviceLost,
    EndProof::MediaLost,
    EndProof::SessionExpired,
    EndProof::Policy,
    EndProof::Command,
    EndProof::Restart,
    EndProof::None,
];

impl From<&Ending> for EndingRecord {
    fn from(ending: &Ending) -> Self {
        let (proof, status) = match ending.cause.proof {
            EndProof::Failure { status } => (EndProof::Failure { status: 0 }, status),
            proof => (proof, 0),
        };
        let place =
            |found: Option<usize>| found.and_then(|place| u8::try_from(place).ok()).unwrap_or(u8::MAX);
        Self {
            at: ending.at,
            by: place(ENDED_BY.iter().position(|by| *by == ending.by)),
            proof: place(PROOFS.iter().position(|known| *known == proof)),
            status,
            q850: ending.cause.q850,
            sip: ending.cause.sip,
            text: ending.cause.text.as_deref().map(str::to_owned),
        }
    }
}

impl EndingRecord {
    fn into_ending(self) -> Option<Ending> {
        let proof = match PROOFS.get(usize::from(self.proof))? {
            EndProof::Failure { .. } => EndProof::Failure { status: self.status },
            proof => *proof,
        };
        Some(Ending {
            at: self.at,
            by: *ENDED_BY.get(usize::from(self.by))?,
            cause: EndCause { proof, q850: self.q850, sip: self.sip, text: self.text.map(Into::into) },
        })
    }
}
