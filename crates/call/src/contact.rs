//! One trunk call: what the engine knows of it, and the stages it goes through.
//!
//! Knows: the state. Must never know: how the rooms do their part; the other modules of this crate drive it.

use std::collections::BTreeMap;
use std::time::Duration;

use facts::event::{Caller, EndCause, EndedBy};
use facts::{ContactId, TrunkCallId};
use media::LegId;
use sip::DialogId;

use crate::menu::Choice;
use crate::settings::Name;

/// Where a call is.
///
/// | stage      | left by                                  | to          |
/// |------------|------------------------------------------|-------------|
/// | Choosing   | a digit, or the last round's timeout     | Waiting     |
/// | Waiting    | an operator's answer                     | Talking     |
/// | Waiting    | the longest wait, by policy              | Announcing  |
/// | Talking    | the operator's phone lost                | Waiting     |
/// | Announcing | the prompt's end                         | Over        |
/// | any        | the caller's end, the operator's BYE     | Over        |
/// | Over       | the media legs' accounts are in          | (forgotten) |
#[derive(Debug)]
pub(crate) enum Stage {
    /// The language menu runs.
    Choosing(Choice),
    /// In the queue, an offer perhaps ringing.
    Waiting,
    /// Bridged to an operator.
    Talking,
    /// A last announcement plays (closed, full, last resort); then it ends so.
    Announcing(Ending),
    /// Ended; the fact is said when the media legs have given their accounts.
    Over(Ending),
}

/// How a call ends.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Ending {
    /// When; none while it is only announced.
    pub at: Option<Duration>,
    /// Who.
    pub by: EndedBy,
    /// The proof.
    pub cause: EndCause,
}

/// What the trunk has been told so far.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Edge {
    /// 100 only.
    Trying,
    /// 180: nobody hears us.
    Ringing,
    /// 183 with a description: prompts are heard.
    EarlyMedia,
    /// 200.
    Answered,
}

/// One trunk call.
#[derive(Debug)]
pub(crate) struct Call {
    pub contact: ContactId,
    pub trunk: Name,
    pub line: Name,
    pub trunk_call_id: TrunkCallId,
    pub caller: Caller,
    pub offered_at: Duration,
    pub queued_at: Option<Duration>,
    pub answered_at: Option<Duration>,
    pub dialog: DialogId,
    pub leg: LegId,
    /// Our description for the trunk, kept until it is sent.
    pub description: bytes::Bytes,
    /// The INVITE had no offer: ours goes into the 200, theirs comes with the ACK.
    pub delayed_offer: bool,
    pub edge: Edge,
    pub stage: Stage,
    pub level: acd::Level,
    pub language: Option<Name>,
    pub operator: Option<OperatorSide>,
    /// Media legs whose account is still to come before the end is said.
    pub accounts_due: BTreeMap<LegId, AccountDue>,
    pub held_by_caller: bool,
    pub held_by_operator: bool,
    pub heard: bool,
    pub alarmed: bool,
    /// Another line than the dialled one has it now.
    pub overflowed: bool,
    /// The greeting was said (in whatever stage).
    pub greeted: bool,
    /// What this means depends on the stage: the menu's timeout, the next comforting word, an announcement that never
    /// ends, the accounts that are still due.
    pub deadline: Option<Duration>,
    /// Nobody may take it: what the line says happens then.
    pub nobody_deadline: Option<Duration>,
}

/// A media leg whose account is still to come: it may come after the operator has left the call.
#[derive(Clone, Debug)]
pub(crate) struct AccountDue {
    /// Whose leg; none: the caller's.
    pub operator: Option<Name>,
    /// Its codec was said, so its account must be, even if nothing was sent or received.
    pub codec_said: bool,
}

/// The operator's side of a call, from the offer on.
#[derive(Debug)]
pub(crate) struct OperatorSide {
    pub offer: acd::OfferId,
    pub name: Name,
    pub dialog: DialogId,
    pub leg: LegId,
    /// Handed back with the offer's outcome; gone once it was.
    pub proof: Option<acd::proof::Proof>,
    /// 180 was said.
    pub ringing: bool,
    /// Bridged.
    pub connected: bool,
}

impl Call {
    /// Whether prompts reach the caller.
    pub(crate) fn audible(&self) -> bool {
        self.edge >= Edge::EarlyMedia
    }

    /// Whether the call still lives for the distributor and the caller.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over(_))
    }
}

/// Which side of which call a dialog or a media leg is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Side {
    /// The trunk's.
    Trunk(ContactId),
    /// The operator's.
    Operator(ContactId),
    /// An operator's own call to a feature code.
    Feature(DialogId),
}
