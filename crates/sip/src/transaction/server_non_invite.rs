//! The non-INVITE server transaction: RFC 3261 §17.2.2, with RFC 4320 §4.2's rule against late 408s left to its user.
//!
//! Knows: its state. Must never know: the request, the response's content, or the user.
//!
//! ```text
//! state      | user: 1xx         user: 200-699       request   leave
//! -----------+-------------------------------------------------------
//! Trying     | send→Proceeding   send→Completed, J   -         -
//! Proceeding | send              send→Completed, J   send      -
//! Completed  | -                 -                   send      J: †
//! ```

use super::{Arm, Deadline, GIVE_UP, Reliability, Step};

/// RFC 3261 figure 8.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    /// Received, nothing sent.
    Trying,
    /// A provisional response was sent.
    Proceeding,
    /// A final response was sent; repetitions of the request get it again.
    Completed,
}

/// The machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServerNonInvite {
    state: State,
    reliability: Reliability,
}

impl ServerNonInvite {
    /// Starts with the request that was received.
    pub(crate) fn start(reliability: Reliability) -> Self {
        Self { state: State::Trying, reliability }
    }

    /// The user sends a response with this status.
    pub(crate) fn respond(&mut self, status: u16) -> Step {
        match (self.state, status) {
            (State::Trying | State::Proceeding, 100..=199) => {
                self.state = State::Proceeding;
                Step { send: true, ..Step::NOTHING }
            }
            (State::Trying | State::Proceeding, 200..=699) => {
                self.state = State::Completed;
                // RFC 3261 §17.2.2: timer J = 64*T1 on unreliable transports.
                let leave = Arm::In(self.reliability.only_unreliable(GIVE_UP));
                Step { send: true, leave, ..Step::NOTHING }
            }
            _ => Step::NOTHING,
        }
    }

    /// The request came again.
    pub(crate) fn on_repeated_request(&mut self) -> Step {
        match self.state {
            State::Trying => Step::NOTHING,
            State::Proceeding | State::Completed => Step { send: true, ..Step::NOTHING },
        }
    }

    /// A deadline came.
    pub(crate) fn on_deadline(&mut self, deadline: Deadline) -> Step {
        match (self.state, deadline) {
            (State::Completed, Deadline::Leave) => Step::TERMINATED,
            _ => Step::NOTHING,
        }
    }
}
