//! The INVITE server transaction: RFC 3261 §17.2.1 as amended by RFC 6026 §7.1.
//!
//! Knows: its state and its interval. Must never know: the request, the responses' content, or the user.
//!
//! ```text
//! state      | user: 1xx  user: 2xx           user: 300-699          INVITE   ACK              repeat (G)          leave
//! -----------+-----------------------------------------------------------------------------------------------------------------
//! Proceeding | send       send→Accepted, L    send→Completed, G, H   send     -                -                   -
//! Completed  | -          -                   -                      send     →Confirmed, I    send, min(2·G, T2)  H: timeout→†
//! Confirmed  | -          -                   -                      -        -                -                   I: †
//! Accepted   | -          send                -                      -        up               -                   L: †
//! ```
//! The user repeats its 2xx itself until the ACK comes (RFC 3261 §13.3.1.4). A transport error is the transport's to
//! mend (RFC 3261 §18.2.2: another address); the machine goes on.

use std::time::Duration;

use super::{Arm, Deadline, Failure, GIVE_UP, Reliability, Step, T1, T2, T4};

/// RFC 3261 figure 7, with RFC 6026's Accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    /// The user is deciding.
    Proceeding,
    /// A failure was sent and waits for its ACK.
    Completed,
    /// The ACK came; repetitions of it are absorbed.
    Confirmed,
    /// A 2xx was sent; repetitions of the INVITE are absorbed.
    Accepted,
}

/// The machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServerInvite {
    state: State,
    reliability: Reliability,
    interval: Duration,
}

impl ServerInvite {
    /// Starts with the request that was received. The user sends 100 at once: it always takes longer than 200 ms.
    pub(crate) fn start(reliability: Reliability) -> Self {
        Self { state: State::Proceeding, reliability, interval: T1 }
    }

    /// The present state.
    pub(crate) fn state(&self) -> State {
        self.state
    }

    /// The user sends a response with this status.
    pub(crate) fn respond(&mut self, status: u16) -> Step {
        match (self.state, status) {
            (State::Proceeding, 100..=199) => Step { send: true, ..Step::NOTHING },
            (State::Proceeding, 200..=299) => {
                self.state = State::Accepted;
                // RFC 6026 §7.1: timer L = 64*T1 on any transport.
                Step { send: true, leave: Arm::In(GIVE_UP), ..Step::NOTHING }
            }
            (State::Proceeding, 300..=699) => {
                self.state = State::Completed;
                // RFC 3261 §17.2.1: timer G = T1 on unreliable transports, timer H = 64*T1 on any.
                let repeat = self.reliability.repeat(T1);
                Step { send: true, repeat, leave: Arm::In(GIVE_UP), ..Step::NOTHING }
            }
            // RFC 6026 §7.1: the user's repetitions of its 2xx.
            (State::Accepted, 200..=299) => Step { send: true, ..Step::NOTHING },
            _ => Step::NOTHING,
        }
    }

    /// The INVITE came again.
    pub(crate) fn on_repeated_request(&mut self) -> Step {
        match self.state {
            State::Proceeding | State::Completed => Step { send: true, ..Step::NOTHING },
            State::Confirmed | State::Accepted => Step::NOTHING,
        }
    }

    /// The ACK with this transaction's branch came.
    pub(crate) fn on_acknowledgement(&mut self) -> Step {
        match self.state {
            State::Completed => {
                self.state = State::Confirmed;
                let leave = Arm::In(self.reliability.only_unreliable(T4));
                Step { pass_up: true, repeat: Arm::Off, leave, ..Step::NOTHING }
            }
            // RFC 6026 §7.1: an ACK in Accepted goes to the user.
            State::Accepted => Step { pass_up: true, ..Step::NOTHING },
            State::Proceeding | State::Confirmed => Step::NOTHING,
        }
    }

    /// A deadline came.
    pub(crate) fn on_deadline(&mut self, deadline: Deadline) -> Step {
        match (self.state, deadline) {
            (State::Completed, Deadline::Repeat) => {
                // RFC 3261 §17.2.1: timer G doubles up to T2.
                self.interval = (self.interval * 2).min(T2);
                Step { send: true, repeat: Arm::In(self.interval), ..Step::NOTHING }
            }
            (State::Completed, Deadline::Leave) => Step::failed(Failure::Timeout),
            (State::Confirmed | State::Accepted, Deadline::Leave) => Step::TERMINATED,
            (State::Proceeding, _) | (State::Confirmed | State::Accepted, Deadline::Repeat) => Step::NOTHING,
        }
    }
}
