//! A record as the store keeps and shows it: the JSON of the `cdr` table and of every export.
//!
//! Knows: its own fields, which only grow. Must never do: let the fold's types decide what is kept.
//! Times are RFC 3339 in UTC for people and `_us` (microseconds since 1970) for programs; durations are
//! milliseconds; cases are the journal's words.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat};
use facts::cdr::{self, Cdr, Outcome, TransferOutcome};
use facts::event::{Caller, EndProof, StreamStats};
use facts::word::Word;
use facts::{UnixMicros, kpi};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;

/// One contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CdrRecord {
    /// Which.
    pub contact: u64,
    /// Nothing more can come: neither writing up nor media totals.
    pub settled: bool,
    /// Where it came in.
    pub trunk: String,
    /// The trunk's Call-ID.
    pub trunk_call_id: String,
    /// The line.
    pub line: String,
    /// The language, once chosen.
    pub language: Option<String>,
    /// The level, once known.
    pub level: Option<u8>,
    /// The caller's pseudonym; none if she withheld her number.
    pub caller: Option<String>,
    /// Her pseudonym under the key before, around a change of key.
    pub caller_previous: Option<String>,
    /// It had been diverted to us.
    pub redirected: bool,

    /// The cascade's row: `closed`, `left_in_menu`, `dissuaded`, `other_exit`, `abandoned`, `answered`.
    pub outcome: String,
    /// More about it: `out_of_hours`, `queue_full`, `maximum_wait`, …
    pub outcome_reason: Option<String>,
    /// `caller`, `operator`, `network`, `vigie` or `unknown`.
    pub ended_by: String,
    /// What proves it: `bye`, `cancel`, `failure`, `device_lost`, …
    pub end_proof: String,
    /// The SIP status of a failure, or of the Reason header.
    pub sip_status: Option<u16>,
    /// The Q.850 cause of the Reason header.
    pub q850_cause: Option<u8>,
    /// The Reason header's text, cleaned.
    pub reason_text: Option<String>,

    /// The trunk's INVITE.
    pub offered_at: String,
    /// See [`CdrRecord::offered_at`].
    pub offered_at_us: i64,
    /// The 200 to the trunk.
    pub machine_answered_at: Option<String>,
    /// It first entered the queue.
    pub queued_at: Option<String>,
    /// It was first offered to an operator.
    pub first_offer_at: Option<String>,
    /// It was first bridged to an operator.
    pub answered_at: Option<String>,
    /// It was over.
    pub ended_at: String,
    /// See [`CdrRecord::ended_at`].
    pub ended_at_us: i64,

    /// Queue to answer, or to the end.
    pub wait_ms: u64,
    /// Waiting again after an answer.
    pub wait_again_ms: u64,
    /// Operators' phones ringing.
    pub ring_ms: u64,
    /// Bridged, not on hold.
    pub talk_ms: u64,
    /// Bridged, on hold.
    pub hold_ms: u64,
    /// Writing up.
    pub wrap_up_ms: u64,

    /// Who answered first.
    pub operator: Option<String>,
    /// Who employs her.
    pub employer: Option<String>,
    /// Each attempt.
    pub offers: Vec<OfferRecord>,
    /// Attempts that are not listed.
    pub offers_left_out: u32,
    /// Each operator's part.
    pub parts: Vec<PartRecord>,
    /// Each transfer.
    pub transfers: Vec<TransferRecord>,
    /// The way to level 2.
    pub to_level_two: Option<LevelTwoRecord>,

    /// The caller's codec.
    pub codec: Option<String>,
    /// Each leg's totals.
    pub legs: Vec<LegRecord>,
    /// Sound went one way only at some time.
    pub one_way_audio: bool,
    /// Nothing was ever heard of the caller.
    pub silent: bool,

    /// The version of the rules by which this was folded.
    pub fold_version: u16,
    /// The version of the figures' definitions then.
    pub kpi_version: u16,
}

/// One attempt to give a contact to an operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferRecord {
    /// Which.
    pub offer: u64,
    /// To whom.
    pub operator: String,
    /// Employed by whom.
    pub employer: String,
    /// When.
    pub made_at: String,
    /// How long her phone rang.
    pub rang_ms: u64,
    /// `accepted`, `refused:486`, `timed_out`, …; none if only the contact's end is known.
    pub outcome: Option<String>,
}

/// One operator's part in a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRecord {
    /// Who.
    pub operator: String,
    /// Employed by whom.
    pub employer: String,
    /// At which level.
    pub level: u8,
    /// From.
    pub answered_at: String,
    /// To.
    pub left_at: String,
    /// Not on hold.
    pub talk_ms: u64,
    /// On hold.
    pub hold_ms: u64,
    /// Writing up afterwards.
    pub wrap_up_ms: u64,
}

/// One transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferRecord {
    /// Who asked.
    pub by: String,
    /// `operator:zoé`, `queue:2:day`, `outside:…`.
    pub target: String,
    /// `blind` or `introduced`.
    pub mode: String,
    /// When.
    pub requested_at: String,
    /// From then to its outcome.
    pub wait_ms: u64,
    /// `completed:zoé`, `failed:no_answer`, `lost`.
    pub outcome: String,
}

/// The way to level 2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelTwoRecord {
    /// When it was asked for.
    pub requested_at: String,
    /// From then to level 2's answer, or to the end.
    pub wait_ms: u64,
    /// Level 2 answered.
    pub answered: bool,
}

/// One leg's media.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegRecord {
    /// `caller` or `operator:amina`.
    pub leg: String,
    /// The codec.
    pub codec: Option<String>,
    /// What came from the peer.
    pub received: Option<StreamRecord>,
    /// What went to the peer, with loss and jitter as it reported them.
    pub sent: Option<StreamRecord>,
}

/// One direction's totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamRecord {
    /// RTP packets.
    pub packets: u64,
    /// RTP packets lost.
    pub lost: u64,
    /// Interarrival jitter.
    pub jitter_us: u64,
}

impl CdrRecord {
    pub(crate) fn new(cdr: &Cdr, settled: bool) -> Self {
        let (caller, caller_previous) = match &cdr.caller {
            Caller::Withheld => (None, None),
            Caller::Known { pseudonym, previous } => {
                (Some(pseudonym.to_string()), previous.map(|previous| previous.to_string()))
            }
        };
        let (operator, employer) = cdr.answered_by().unzip();
        Self {
            contact: cdr.contact.0,
            settled,
            trunk: text(&cdr.trunk),
            trunk_call_id: text(&cdr.trunk_call_id),
            line: text(&cdr.line),
            language: cdr.language.as_ref().map(text),
            level: cdr.level.map(facts::Level::number),
            caller,
            caller_previous,
            redirected: cdr.redirected,
            outcome: cdr.outcome.row().into(),
            outcome_reason: outcome_reason(cdr.outcome),
            ended_by: text(&cdr.ended_by),
            end_proof: match cdr.cause.proof {
                EndProof::Failure { .. } => "failure".into(),
                other => text(&other),
            },
            sip_status: cdr.failure_status().or(cdr.cause.sip),
            q850_cause: cdr.cause.q850,
            reason_text: cdr.cause.text.as_ref().map(text),
            offered_at: date(cdr.offered_at),
            offered_at_us: cdr.offered_at.0,
            machine_answered_at: cdr.machine_answered_at.map(date),
            queued_at: cdr.queued_at.map(date),
            first_offer_at: cdr.first_offer_at.map(date),
            answered_at: cdr.answered_at.map(date),
            ended_at: date(cdr.ended_at),
            ended_at_us: cdr.ended_at.0,
            wait_ms: millis(cdr.wait),
            wait_again_ms: millis(cdr.wait_again),
            ring_ms: millis(cdr.ring),
            talk_ms: millis(cdr.talk),
            hold_ms: millis(cdr.hold),
            wrap_up_ms: millis(cdr.wrap_up),
            operator: operator.map(text),
            employer: employer.map(text),
            offers: cdr.offers.iter().map(OfferRecord::new).collect(),
            offers_left_out: cdr.offers_left_out,
            parts: cdr.parts.iter().map(PartRecord::new).collect(),
            transfers: cdr.transfers.iter().map(TransferRecord::new).collect(),
            to_level_two: cdr.to_level_two.map(|two| LevelTwoRecord {
                requested_at: date(two.requested_at),
                wait_ms: millis(two.wait),
                answered: two.answered,
            }),
            codec: cdr.codec().map(text),
            legs: cdr.legs.iter().map(LegRecord::new).collect(),
            one_way_audio: cdr.one_way_audio,
            silent: cdr.silent,
            fold_version: cdr::FOLD_VERSION,
            kpi_version: kpi::VERSION,
        }
    }

    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a record is a map with text keys")
    }

    pub(crate) fn from_json(contact: u64, json: &str) -> Result<Self, StoreError> {
        serde_json::from_str(json).map_err(|error| StoreError::Damaged {
            what: format!("record of contact {contact}"),
            detail: error.to_string(),
        })
    }
}

impl OfferRecord {
    fn new(offer: &cdr::OfferTried) -> Self {
        Self {
            offer: offer.offer.0,
            operator: text(&offer.operator),
            employer: text(&offer.employer),
            made_at: date(offer.made_at),
            rang_ms: millis(offer.rang),
            outcome: offer.outcome.as_ref().map(text),
        }
    }
}

impl PartRecord {
    fn new(part: &cdr::OperatorPart) -> Self {
        Self {
            operator: text(&part.operator),
            employer: text(&part.employer),
            level: part.level.number(),
            answered_at: date(part.answered_at),
            left_at: date(part.left_at),
            talk_ms: millis(part.talk),
            hold_ms: millis(part.hold),
            wrap_up_ms: millis(part.wrap_up),
        }
    }
}

impl TransferRecord {
    fn new(transfer: &cdr::Transfer) -> Self {
        Self {
            by: text(&transfer.by),
            target: text(&transfer.target),
            mode: text(&transfer.mode),
            requested_at: date(transfer.requested_at),
            wait_ms: millis(transfer.wait),
            outcome: match &transfer.outcome {
                TransferOutcome::Completed { to } => format!("completed:{to}"),
                TransferOutcome::Failed(failure) => format!("failed:{}", failure.word()),
                TransferOutcome::Lost => "lost".into(),
            },
        }
    }
}

impl LegRecord {
    fn new(leg: &cdr::LegMedia) -> Self {
        Self {
            leg: text(&leg.leg),
            codec: leg.codec.as_ref().map(text),
            received: leg.received.map(StreamRecord::new),
            sent: leg.sent.map(StreamRecord::new),
        }
    }
}

impl StreamRecord {
    fn new(stats: StreamStats) -> Self {
        let jitter_us = u64::try_from(stats.jitter.as_micros()).unwrap_or(u64::MAX);
        Self { packets: stats.packets, lost: stats.lost, jitter_us }
    }
}

fn outcome_reason(outcome: Outcome) -> Option<String> {
    match outcome {
        Outcome::Closed(reason) => Some(text(&reason)),
        Outcome::Dissuaded(reason) => Some(text(&reason)),
        Outcome::OtherExit(reason) => reason.as_ref().map(text),
        Outcome::LeftInMenu | Outcome::Abandoned | Outcome::Answered => None,
    }
}

fn text(word: &impl Word) -> String {
    word.word().into_owned()
}

fn date(at: UnixMicros) -> String {
    DateTime::from_timestamp_micros(at.0)
        .map(|date| date.to_rfc3339_opts(SecondsFormat::Millis, true))
        .unwrap_or_default()
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
