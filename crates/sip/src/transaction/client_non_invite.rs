//! The non-INVITE client transaction: RFC 3261 §17.1.2.
//!
//! Knows: its state and its interval. Must never know: the request, the peer, or who started it.
//!
//! ```text
//! state      | start        1xx             200-699          repeat (E)             leave         transport error
//! -----------+---------------------------------------------------------------------------------------------------
//! Trying     | send, E, F   up→Proceeding   up→Completed, K  send, min(2·E, T2)     F: timeout→†  failed→†
//! Proceeding |              up              up→Completed, K  send, T2               F: timeout→†  failed→†
//! Completed  |              -               -                -                      K: †          -
//! ```

use std::time::Duration;

use super::{Arm, Deadline, Failure, GIVE_UP, Reliability, Step, T1, T2, T4};

/// RFC 3261 figure 6.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    /// Sent, nothing heard.
    Trying,
    /// A provisional response came.
    Proceeding,
    /// A final response came; repetitions are absorbed.
    Completed,
}

/// The machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientNonInvite {
    state: State,
    reliability: Reliability,
    interval: Duration,
}

impl ClientNonInvite {
    /// Starts with the request's first sending.
    pub(crate) fn start(reliability: Reliability) -> (Self, Step) {
        let machine = Self { state: State::Trying, reliability, interval: T1 };
        // RFC 3261 §17.1.2.2: timer F = 64*T1 on any transport, timer E = T1 on unreliable ones.
        let step =
            Step { send: true, repeat: reliability.repeat(T1), leave: Arm::In(GIVE_UP), ..Step::NOTHING };
        (machine, step)
    }

    /// The transport is another one than at the start.
    pub(crate) fn change_reliability(&mut self, reliability: Reliability) {
        self.reliability = reliability;
    }

    /// A response with this status.
    pub(crate) fn on_response(&mut self, status: u16) -> Step {
        match (self.state, status) {
            (State::Trying | State::Proceeding, 100..=199) => {
                self.state = State::Proceeding;
                Step { pass_up: true, ..Step::NOTHING }
            }
            (State::Trying | State::Proceeding, 200..=699) => {
                self.state = State::Completed;
                let leave = Arm::In(self.reliability.only_unreliable(T4));
                Step { pass_up: true, repeat: Arm::Off, leave, ..Step::NOTHING }
            }
            (State::Completed, _) | (_, 0..=99 | 700..) => Step::NOTHING,
        }
    }

    /// A deadline came.
    pub(crate) fn on_deadline(&mut self, deadline: Deadline) -> Step {
        match (self.state, deadline) {
            (State::Trying, Deadline::Repeat) => {
                // RFC 3261 §17.1.2.2: timer E doubles up to T2.
                self.interval = (self.interval * 2).min(T2);
                Step { send: true, repeat: Arm::In(self.interval), ..Step::NOTHING }
            }
            // RFC 3261 §17.1.2.2: in Proceeding, every T2.
            (State::Proceeding, Deadline::Repeat) => {
                Step { send: true, repeat: Arm::In(T2), ..Step::NOTHING }
            }
            (State::Trying | State::Proceeding, Deadline::Leave) => Step::failed(Failure::Timeout),
            (State::Completed, Deadline::Leave) => Step::TERMINATED,
            (State::Completed, Deadline::Repeat) => Step::NOTHING,
        }
    }

    /// The transport could not send.
    pub(crate) fn on_transport_error(&mut self) -> Step {
        match self.state {
            State::Trying | State::Proceeding => Step::failed(Failure::Transport),
            State::Completed => Step::NOTHING,
        }
    }
}
