//! One contact's way through this room.
//!
//! Knows: a contact's stage, level, language and clocks. Must never know: who is ready for it.
//!
//! | stage \ event | chose | offered | offer over | connected | operator lost | reload forbids | gone |
//! |---|---|---|---|---|---|---|---|
//! | choosing | waiting | – | – | – | – | – | over |
//! | waiting | – | offered | – | – | – | – | over |
//! | offered | – | – | waiting, same place | connected | – | waiting, same place | over, offer withdrawn |
//! | connected | – | – | – | – | waiting, in front | waiting, in front | over, wrap-up |
//!
//! Closing a line throws nobody out: who was admitted may choose, waits and is served, also after the hours.

use std::time::Duration;

use crate::door::{Level, Name, OfferId};
use crate::operator::OperatorSlot;
use crate::queue::{DemandId, Place};

#[derive(Debug)]
pub(crate) enum Stage {
    /// Greeted, in the menu.
    Choosing,
    /// In the queue.
    Waiting { demand: DemandId, place: Place },
    /// With an operator's phone; its place is kept.
    Offered(OfferId),
    /// With an operator, by this offer.
    Connected { operator: OperatorSlot, offer: OfferId },
}

#[derive(Debug)]
pub(crate) struct Contact {
    pub(crate) line: Name,
    /// Only ever rises.
    pub(crate) level: Level,
    /// A reload has raised its level, which the user of this room does not know yet.
    pub(crate) level_untold: bool,
    /// Chosen, from when it waits.
    pub(crate) language: Name,
    pub(crate) stage: Stage,
    /// When it entered the queue first: the fairness clock, and that of the rings.
    pub(crate) since: Duration,
    /// When this wait began: after a lost operator the longest wait is counted anew.
    pub(crate) wait_began: Duration,
    /// It lost an operator, and goes first.
    pub(crate) returned: bool,
    pub(crate) last_resort_told: bool,
    /// The alarm of which it was told that nobody could ever take it.
    pub(crate) alarm_told: Option<u64>,
}

/// Whether entering the queue is news. After an offer that came to nothing it is not: the caller has waited all along.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Announce {
    Nothing,
    /// It waits from now on.
    Queued,
    /// It waits again after it was with an operator.
    Returned,
}

impl Contact {
    /// The open offer that it is in.
    pub(crate) fn offer(&self) -> Option<OfferId> {
        match self.stage {
            Stage::Offered(offer) => Some(offer),
            Stage::Choosing | Stage::Waiting { .. } | Stage::Connected { .. } => None,
        }
    }
}
