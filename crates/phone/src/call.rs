//! One call: its dialog, its session, its sound, and what it is waiting for.
//!
//! It knows what state a call is in and what comes next by the clock. It must never send: the phone
//! does, in `uac` and `uas`.

use crate::CallId;
use crate::address::Private;
use crate::dialog::Dialog;
use crate::listening::{Listener, MediaReport};
use crate::phone::Opened;
use crate::rtp::{Line, Sender};
use crate::sdp::{Direction, Session};
use crate::text::Message;
use crate::transaction::{Hop, Resend, ServerKey, earlier};
use std::time::Duration;

/// Where a call stands.
pub(crate) enum Phase {
    /// Our INVITE is out.
    Calling {
        /// The branch of the INVITE that is under way.
        branch: String,
        /// A provisional response came: from here on CANCEL may be sent.
        proceeding: bool,
        cancel: Cancel,
    },
    /// Their INVITE waits for our final answer.
    Incoming { invite: Box<Message>, key: ServerKey },
    /// A 2xx was sent or received.
    Established,
}

/// How far giving up has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cancel {
    No,
    /// RFC 3261 §9.1: no CANCEL before a provisional response.
    Wanted,
    Sent,
}

/// What a call does by itself when its time has come.
pub(crate) enum Plan {
    GiveUp,
    Accept,
    Reject {
        status: u16,
        contact: Option<Private>,
    },
    /// RFC 3261 §9.1: a cancelled INVITE that gets no final answer is over after 64·T1.
    Abandon,
    /// RFC 3261 §14.1: again after glare.
    Again(Change),
}

/// A change that a re-INVITE or UPDATE asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) wish: Direction,
    pub(crate) update: bool,
    pub(crate) offer: bool,
}

/// A change that waits for its answer.
pub(crate) struct Pending {
    pub(crate) change: Change,
    pub(crate) wish_before: Direction,
}

/// A 2xx of ours that waits for its ACK.
pub(crate) struct Unacknowledged {
    pub(crate) number: u32,
    pub(crate) bytes: Vec<u8>,
    pub(crate) hop: Hop,
    pub(crate) resend: Resend,
    pub(crate) ends_at: Duration,
    /// It carried an offer, so the ACK carries the answer.
    pub(crate) offered: bool,
    /// It answered the call, not a re-INVITE.
    pub(crate) initial: bool,
}

pub(crate) struct Call {
    pub(crate) id: CallId,
    pub(crate) port: usize,
    /// This phone dialled; it owns the Call-ID.
    pub(crate) outgoing: bool,
    pub(crate) phase: Phase,
    pub(crate) dialog: Dialog,
    pub(crate) session: Session,
    pub(crate) sender: Sender,
    pub(crate) listener: Listener,
    pub(crate) plan: Option<(Duration, Plan)>,
    pub(crate) unacknowledged: Option<Unacknowledged>,
    pub(crate) pending: Option<Pending>,
    /// A hang-up that waits for the ACK (RFC 3261 §15): its `Reason`.
    pub(crate) farewell: Option<Option<String>>,
}

impl Call {
    pub(crate) fn new(opened: Opened, outgoing: bool, phase: Phase, dialog: Dialog) -> Self {
        Self {
            id: opened.id,
            port: opened.port,
            outgoing,
            phase,
            dialog,
            session: opened.session,
            sender: opened.sender,
            listener: opened.listener,
            plan: None,
            unacknowledged: None,
            pending: None,
            farewell: None,
        }
    }

    pub(crate) fn is_established(&self) -> bool {
        matches!(self.phase, Phase::Established)
    }

    /// Starts or stops the sound as the session now says.
    pub(crate) fn follow_session(&mut self, now: Duration) {
        let line =
            self.session.agreement.filter(|agreed| agreed.direction.sends() && sendable(agreed.remote));
        self.sender.set_line(
            now,
            line.map(|agreed| Line {
                codec: agreed.codec,
                payload_type: agreed.payload_type,
                event_type: agreed.event_type,
            }),
        );
    }

    pub(crate) fn report(&self) -> MediaReport {
        let mut report = self.listener.report();
        report.sent = self.sender.sent();
        report
    }

    pub(crate) fn due_at(&self) -> Option<Duration> {
        let plan = self.plan.as_ref().map(|(at, _)| *at);
        let ack = self.unacknowledged.as_ref().map(|two| two.resend.at.min(two.ends_at));
        earlier(earlier(plan, ack), self.sender.poll_timeout())
    }
}

/// RFC 3264 §8.4: an address of all zeros is the old way to say hold.
fn sendable(remote: Option<std::net::SocketAddr>) -> bool {
    remote.is_some_and(|remote| !remote.ip().is_unspecified())
}
