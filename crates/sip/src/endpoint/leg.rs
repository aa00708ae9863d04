//! A call leg's data: its dialog, and what is under way on it.
//!
//! Knows: RFC 3261 §12's dialog state and which transactions belong to the leg. Must never know: how anything is
//! sent; the files beside this one move a leg from state to state.
//!
//! ```text
//!                 invite()                         their INVITE
//!                    │                                  │
//!                 Calling ── all forks failed ──► †   Offered ── CANCEL, BYE ──► †
//!                    │ 2xx           Failed             │   │            Ended
//!                    ▼                          answer()│   │reject(), end()
//!               Established ◄───────────────────────────┘   ▼
//!                 │      │                               Refusing ── ACK, timer H ──► †  Ended
//!      end(), no ACK,    └── their BYE ──► †  Ended
//!      408 or 481 │
//!                 ▼
//!               Leaving ── our BYE's answer ──► †  Ended
//! ```

use std::time::Duration;

use bytes::Bytes;

use crate::door::{EndedBy, Peer, Reason};
use crate::endpoint::streams::Flow;
use crate::timer::TimerId;
use crate::transaction::table::TransactionId;
use crate::wire::Uri;

/// RFC 3261 §12: what both ends agree on.
#[derive(Clone, Debug)]
pub(crate) struct Dialog {
    pub(crate) call_id: Bytes,
    /// Our From or To value, tag included.
    pub(crate) local: Bytes,
    /// Theirs, tag included once it is known.
    pub(crate) remote: Bytes,
    pub(crate) local_tag: Bytes,
    pub(crate) remote_tag: Bytes,
    /// The last CSeq number we used.
    pub(crate) local_sequence: u32,
    /// The highest CSeq number of theirs.
    pub(crate) remote_sequence: Option<u32>,
    /// The route set, in the order in which our requests take it, as Route values.
    pub(crate) routes: Vec<Bytes>,
    /// Their Contact.
    pub(crate) target: Uri,
    /// The way their last request or response came.
    pub(crate) flow: Flow,
    /// Requests take that way rather than the target's address: the peer is a phone, maybe behind a NAT.
    pub(crate) keeps_flow: bool,
    /// Whether we made the Call-ID: decides who waits longer after a glare (RFC 3261 §14.1).
    pub(crate) owns_call_id: bool,
}

/// A leg.
pub(crate) struct Leg {
    pub(crate) peer: Peer,
    pub(crate) local_tag: Bytes,
    pub(crate) call_id: Bytes,
    pub(crate) state: State,
}

/// Where a leg is.
pub(crate) enum State {
    /// Our INVITE is out.
    Calling(Calling),
    /// Their INVITE waits for the user.
    Offered(Box<Offered>),
    /// Their INVITE was refused; its ACK is awaited.
    Refusing { transaction: TransactionId },
    /// There is a session.
    Established(Box<Session>),
    /// Our BYE is out.
    Leaving(Box<Leaving>),
}

/// Our INVITE and its forks.
#[derive(Default)]
pub(crate) struct Calling {
    pub(crate) forks: Vec<Fork>,
    /// The best failure so far.
    pub(crate) best: Option<Failed>,
    /// Whether any contact gave a sign of life.
    pub(crate) heard: bool,
    /// The user has ended it.
    pub(crate) cancelled: bool,
    /// Delayed offer: the user will acknowledge.
    pub(crate) offered: bool,
}

/// One contact that rings.
pub(crate) struct Fork {
    pub(crate) transaction: TransactionId,
    /// The binding that it goes to, where it is one.
    pub(crate) binding: Option<u64>,
    /// It has its final answer.
    pub(crate) finished: bool,
}

/// A failure of a fork.
#[derive(Clone, Debug)]
pub(crate) struct Failed {
    pub(crate) status: u16,
    pub(crate) reason: Option<Reason>,
}

/// Their INVITE.
pub(crate) struct Offered {
    pub(crate) transaction: TransactionId,
    pub(crate) dialog: Dialog,
    /// The last provisional response, said again every minute (RFC 3261 §13.3.1.1).
    pub(crate) provisional: Option<(u16, Option<Bytes>)>,
    pub(crate) repeat: Option<TimerId>,
}

/// An established session.
pub(crate) struct Session {
    pub(crate) dialog: Dialog,
    /// Whether the first ACK was sent or has come: before, there may be no BYE of ours (RFC 3261 §15).
    pub(crate) confirmed: bool,
    /// A 2xx of ours without its ACK.
    pub(crate) unacknowledged: Option<Unacknowledged>,
    /// A 2xx of theirs that waits for the user's answer.
    pub(crate) awaits_answer: Option<AwaitsAnswer>,
    /// Our re-INVITE.
    pub(crate) reoffer: Option<Reoffer>,
    /// What the user wants to offer once the way is free.
    pub(crate) reoffer_next: Option<Option<Bytes>>,
    /// Waits out a glare, or for the way to be free.
    pub(crate) reoffer_timer: Option<TimerId>,
    /// How often our re-INVITE met 491.
    pub(crate) glares: u32,
    /// Their re-INVITE or UPDATE that waits for the user.
    pub(crate) their_offer: Option<TransactionId>,
    /// Our OPTIONS.
    pub(crate) probe: Option<TransactionId>,
    /// To be ended as soon as the ACK is there (RFC 3261 §15).
    pub(crate) ending: Option<Option<Reason>>,
}

/// Our re-INVITE.
pub(crate) struct Reoffer {
    pub(crate) transaction: TransactionId,
    /// What it offered.
    pub(crate) sdp: Option<Bytes>,
}

/// A 2xx of ours, repeated until its ACK comes (RFC 3261 §13.3.1.4).
pub(crate) struct Unacknowledged {
    /// The INVITE's transaction, which may be over before.
    pub(crate) transaction: Option<TransactionId>,
    pub(crate) response: Bytes,
    pub(crate) flow: Flow,
    pub(crate) sequence: u32,
    pub(crate) interval: Duration,
    pub(crate) give_up_at: Duration,
    pub(crate) timer: Option<TimerId>,
}

/// A 2xx with an offer, to be acknowledged with an answer.
pub(crate) struct AwaitsAnswer {
    pub(crate) transaction: Option<TransactionId>,
    pub(crate) sequence: u32,
}

/// Our BYE.
pub(crate) struct Leaving {
    pub(crate) dialog: Dialog,
    pub(crate) by: EndedBy,
}

impl Leg {
    /// Its dialog, in the states that have one.
    pub(crate) fn dialog(&self) -> Option<&Dialog> {
        match &self.state {
            State::Offered(offered) => Some(&offered.dialog),
            State::Established(session) => Some(&session.dialog),
            State::Leaving(leaving) => Some(&leaving.dialog),
            State::Calling(_) | State::Refusing { .. } => None,
        }
    }

    /// The session, if there is one.
    pub(crate) fn session(&mut self) -> Option<&mut Session> {
        match &mut self.state {
            State::Established(session) => Some(session),
            _ => None,
        }
    }
}

impl Session {
    /// A session that begins.
    pub(crate) fn new(dialog: Dialog, confirmed: bool) -> Self {
        Self {
            dialog,
            confirmed,
            unacknowledged: None,
            awaits_answer: None,
            reoffer: None,
            reoffer_next: None,
            reoffer_timer: None,
            glares: 0,
            their_offer: None,
            probe: None,
            ending: None,
        }
    }

    /// Whether an INVITE transaction is under way in either direction (RFC 3261 §14.1).
    pub(crate) fn is_busy(&self) -> bool {
        self.reoffer.is_some()
            || self.their_offer.is_some()
            || self.unacknowledged.is_some()
            || self.awaits_answer.is_some()
    }
}

/// RFC 3261 §16.7 step 6: which of two failures is told. Lower is better.
pub(crate) fn rank(status: u16) -> (u8, u8) {
    match status {
        600..=699 => (0, 0),
        // A contact that was not there, or not asked, says less than one that answered.
        408 | 430 | 480 | 487 | 503 => (6, 0),
        // RFC 3261 §16.7: answers that help the caller to try again.
        401 | 407 | 415 | 420 | 484 => (u8::try_from(status / 100).unwrap_or(5), 0),
        _ => (u8::try_from(status / 100).unwrap_or(5), 1),
    }
}
