//! Call detail records: what became of each contact, folded from its events.
//!
//! Knows: which event begins and ends which of a contact's times, and which row of the cascade it
//! belongs to. Must never know: where events come from or where records go.
//!
//! A record is said twice at most: when the contact ends ([`CdrStep::Ended`]), and when nothing that
//! belongs to it can come any more ([`CdrStep::Settled`]: the writing up is done, the media totals are
//! in). The second replaces the first. Folding the same events again says the same records again.

mod fold;
mod open;

use std::sync::Arc;
use std::time::Duration;

pub use self::fold::{CdrFold, OFFERS_KEPT_MAX, SETTLE_MAX};

use crate::event::{
    Caller, ClosedReason, DissuadedReason, EndCause, EndProof, EndedBy, ExitReason, Leg, OfferOutcome,
    StreamStats, TransferFailure, TransferMode, TransferTarget,
};
use crate::ids::{
    ContactId, EmployerName, Language, Level, LineName, OfferId, OperatorName, TrunkCallId, TrunkName,
};
use crate::time::UnixMicros;

/// What a fold says after an event.
#[derive(Debug, Clone, PartialEq)]
pub enum CdrStep {
    /// The contact is over; its writing up or its media totals may still come.
    Ended(Box<Cdr>),
    /// Nothing more can come.
    Settled(Box<Cdr>),
}

impl CdrStep {
    /// The record, of either step.
    pub fn cdr(&self) -> &Cdr {
        match self {
            Self::Ended(cdr) | Self::Settled(cdr) => cdr,
        }
    }
}

/// One contact, from the trunk's INVITE to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Cdr {
    /// Which.
    pub contact: ContactId,
    /// Where it came in.
    pub trunk: TrunkName,
    /// The trunk's Call-ID.
    pub trunk_call_id: TrunkCallId,
    /// The line it ended on (the dialled one, unless it overflowed).
    pub line: LineName,
    /// Who called.
    pub caller: Caller,
    /// It had been diverted to us.
    pub redirected: bool,
    /// Its language, once chosen.
    pub language: Option<Language>,
    /// Its level at the end.
    pub level: Option<Level>,

    /// The trunk's INVITE.
    pub offered_at: UnixMicros,
    /// The 200 to the trunk.
    pub machine_answered_at: Option<UnixMicros>,
    /// It first entered the queue.
    pub queued_at: Option<UnixMicros>,
    /// It was first offered to an operator.
    pub first_offer_at: Option<UnixMicros>,
    /// It was first bridged to an operator.
    pub answered_at: Option<UnixMicros>,
    /// It was over.
    pub ended_at: UnixMicros,

    /// From entering the queue to the first operator's answer, or to the end.
    pub wait: Duration,
    /// Waiting again after an operator had answered: she was lost, or it was transferred.
    pub wait_again: Duration,
    /// Of all this, how long operators' phones rang (each phone counted).
    pub ring: Duration,
    /// Bridged to at least one operator and not on hold.
    pub talk: Duration,
    /// Bridged to at least one operator and on hold, by either side.
    pub hold: Duration,
    /// Writing up, of all its operators together.
    pub wrap_up: Duration,

    /// Each attempt to give it to an operator, the first ones if there were very many.
    pub offers: Vec<OfferTried>,
    /// Attempts that are not in `offers`, for want of room.
    pub offers_left_out: u32,
    /// Each operator's part in it, in order.
    pub parts: Vec<OperatorPart>,
    /// Each transfer that was asked for.
    pub transfers: Vec<Transfer>,
    /// How it went from level 1 to level 2, if it was to.
    pub to_level_two: Option<LevelTwo>,

    /// Its row of the cascade.
    pub outcome: Outcome,
    /// Who ended it.
    pub ended_by: EndedBy,
    /// The proof.
    pub cause: EndCause,

    /// The totals of each leg.
    pub legs: Vec<LegMedia>,
    /// Sound went one way only, at some time.
    pub one_way_audio: bool,
    /// Neither speech nor digit nor text was ever heard from the caller.
    pub silent: bool,
}

impl Cdr {
    /// The operator who answered first, and her employer.
    pub fn answered_by(&self) -> Option<(&OperatorName, &EmployerName)> {
        self.parts.first().map(|part| (&part.operator, &part.employer))
    }

    /// From the trunk's INVITE to the first operator's answer: SL-5's clock.
    pub fn answer_delay(&self) -> Option<Duration> {
        self.answered_at.map(|answered| answered.since(self.offered_at))
    }

    /// It was ended by something that cannot be proven to be the caller or the network.
    pub fn ended_on_operators_side(&self) -> bool {
        !matches!(self.ended_by, EndedBy::Caller | EndedBy::Network)
    }

    /// The codec of the caller's leg.
    pub fn codec(&self) -> Option<&Arc<str>> {
        self.legs.iter().find(|leg| leg.leg == Leg::Caller).and_then(|leg| leg.codec.as_ref())
    }

    /// The status of a failure that ended it.
    pub fn failure_status(&self) -> Option<u16> {
        match self.cause.proof {
            EndProof::Failure { status } => Some(status),
            _ => None,
        }
    }
}

/// The row of the cascade: offered = closed + left in menu + dissuaded + other exit + abandoned +
/// answered. A contact is in exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// The line was closed.
    Closed(ClosedReason),
    /// The caller left before the queue.
    LeftInMenu,
    /// The line refused it before the queue.
    Dissuaded(DissuadedReason),
    /// It left, or never reached, the queue by our doing; none if no event says by which.
    OtherExit(Option<ExitReason>),
    /// The caller left before an operator answered.
    Abandoned,
    /// An operator answered.
    Answered,
}

impl Outcome {
    /// The name of the row.
    pub fn row(self) -> &'static str {
        match self {
            Self::Closed(_) => "closed",
            Self::LeftInMenu => "left_in_menu",
            Self::Dissuaded(_) => "dissuaded",
            Self::OtherExit(_) => "other_exit",
            Self::Abandoned => "abandoned",
            Self::Answered => "answered",
        }
    }
}

/// One attempt to give a contact to an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferTried {
    /// Which.
    pub offer: OfferId,
    /// To whom.
    pub operator: OperatorName,
    /// Employed by whom.
    pub employer: EmployerName,
    /// When.
    pub made_at: UnixMicros,
    /// How long her phone rang.
    pub rang: Duration,
    /// How it ended; none if the contact's end is all that is known.
    pub outcome: Option<OfferOutcome>,
}

/// One operator's part in a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorPart {
    /// Who.
    pub operator: OperatorName,
    /// Employed by whom.
    pub employer: EmployerName,
    /// The level at which she answered.
    pub level: Level,
    /// When.
    pub answered_at: UnixMicros,
    /// When her part was over.
    pub left_at: UnixMicros,
    /// Of that, not on hold.
    pub talk: Duration,
    /// Of that, on hold.
    pub hold: Duration,
    /// Writing up afterwards.
    pub wrap_up: Duration,
}

/// A transfer that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// By whom.
    pub by: OperatorName,
    /// Where to.
    pub target: TransferTarget,
    /// How.
    pub mode: TransferMode,
    /// When it was asked for.
    pub requested_at: UnixMicros,
    /// From then to its outcome.
    pub wait: Duration,
    /// What became of it.
    pub outcome: TransferOutcome,
}

/// What became of a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransferOutcome {
    /// It reached her.
    Completed {
        /// Whom.
        to: OperatorName,
    },
    /// It did not happen.
    Failed(TransferFailure),
    /// The contact ended before.
    Lost,
}

/// The way from level 1 to level 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LevelTwo {
    /// When it was first asked for.
    pub requested_at: UnixMicros,
    /// From then to level 2's answer, or to the end.
    pub wait: Duration,
    /// Level 2 answered.
    pub answered: bool,
}

/// The media of one leg.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegMedia {
    /// Which.
    pub leg: Leg,
    /// The last codec.
    pub codec: Option<Arc<str>>,
    /// What we received; none if the totals never came.
    pub received: Option<StreamStats>,
    /// What we sent; none if the totals never came.
    pub sent: Option<StreamStats>,
}

/// The version of the rules by which events become records; a report names it beside the definitions'.
pub const FOLD_VERSION: u16 = 1;

#[cfg(test)]
pub(crate) mod tests;
