//! One offer's way: one machine.
//!
//! Knows: an offer's stage and what each event makes of it. Must never know: who comes next.
//!
//! | stage \ event | rings | accepted, proof holds | accepted, proof void | failed | deadline | contact gone | operator left | ineligible |
//! |---|---|---|---|---|---|---|---|---|
//! | reserved | ringing | connect | close | close, blame, back off | withdraw, missed, back off | withdraw | withdraw | withdraw |
//! | ringing | – | connect | close | close, blame, back off | withdraw, missed, back off | withdraw | withdraw | withdraw |
//! | over | – | told too late | told too late | – | – | – | – | – |
//!
//! An offer that is over has no record: to be unknown is that stage. An answer may come without a ring before it.

use std::time::Duration;

use crate::door::{ContactId, OfferFailure, Withdrawal};
use crate::operator::{OfferEnd, OperatorSlot};

/// Shortest ring: below it no phone can be answered, and a slip in the configuration would spin through all operators.
pub(crate) const OFFER_RING_MIN: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stage {
    Reserved,
    Ringing,
}

#[derive(Clone, Debug)]
pub(crate) struct Offer {
    pub(crate) contact: ContactId,
    pub(crate) operator: OperatorSlot,
    pub(crate) deadline: Duration,
    pub(crate) stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Event {
    Ringing,
    Accepted {
        proven: bool,
    },
    Failed(OfferFailure),
    Deadline,
    ContactGone,
    /// Her own state machine has decided already what she is now.
    OperatorLeft(Withdrawal),
    Ineligible,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Next {
    Keep(Stage),
    Connect,
    Close(Closing),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Closing {
    /// Her phone may ring still: stop it.
    pub(crate) withdrawn: Option<Withdrawal>,
    /// She has answered: hang up on her.
    pub(crate) hung_up: Option<Withdrawal>,
    /// What she is told; none when she left by herself.
    pub(crate) end: Option<OfferEnd>,
    /// Whether she is not asked again for this contact for a moment.
    pub(crate) back_off: bool,
    /// Whether she is not asked for anything for a moment.
    pub(crate) rest: bool,
    /// Whether the contact waits again.
    pub(crate) waits_again: bool,
}

pub(crate) fn next(stage: Stage, event: Event) -> Next {
    let closing = Closing {
        withdrawn: None,
        hung_up: None,
        end: Some(OfferEnd::Blameless),
        back_off: false,
        rest: false,
        waits_again: true,
    };
    match (stage, event) {
        (Stage::Reserved | Stage::Ringing, Event::Ringing) => Next::Keep(Stage::Ringing),
        (Stage::Reserved | Stage::Ringing, Event::Accepted { proven: true }) => Next::Connect,
        (Stage::Reserved | Stage::Ringing, Event::Accepted { proven: false }) => {
            Next::Close(Closing { hung_up: Some(Withdrawal::NoLongerEligible), ..closing })
        }
        (Stage::Reserved | Stage::Ringing, Event::Failed(failure)) => Next::Close(Closing {
            end: Some(failure.into()),
            back_off: true,
            rest: failure == OfferFailure::Internal,
            ..closing
        }),
        (Stage::Reserved | Stage::Ringing, Event::Deadline) => Next::Close(Closing {
            withdrawn: Some(Withdrawal::TimedOut),
            end: Some(OfferEnd::Missed),
            back_off: true,
            ..closing
        }),
        (Stage::Reserved | Stage::Ringing, Event::ContactGone) => {
            Next::Close(Closing { withdrawn: Some(Withdrawal::ContactGone), waits_again: false, ..closing })
        }
        (Stage::Reserved | Stage::Ringing, Event::OperatorLeft(why)) => {
            Next::Close(Closing { withdrawn: Some(why), end: None, ..closing })
        }
        (Stage::Reserved | Stage::Ringing, Event::Ineligible) => {
            Next::Close(Closing { withdrawn: Some(Withdrawal::NoLongerEligible), ..closing })
        }
    }
}
