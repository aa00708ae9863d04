//! The INVITE client transaction: RFC 3261 §17.1.1 as amended by RFC 6026 §7.2.
//!
//! Knows: its state and its interval. Must never know: the request, the peer, or who started it.
//!
//! ```text
//! state      | start        1xx            2xx             300-699              repeat (A)   leave        transport error
//! -----------+-------------------------------------------------------------------------------------------------------------
//! Calling    | send, A, B   up→Proceeding  up→Accepted, M  up, ACK→Completed, D send, 2·A    B: timeout→† failed→†
//! Proceeding |              up             up→Accepted, M  up, ACK→Completed, D  -           C: timeout→† -
//! Completed  |              -              -               ACK                   -           D: †         failed→†
//! Accepted   |              -              up              -                     -           M: †         -
//! ```
//! † is the end. A 2xx is acknowledged by the user, end to end, never here.

use std::time::Duration;

use super::{Arm, Deadline, Failure, GIVE_UP, Reliability, Step, T1};

/// RFC 3261 §17.1.1.2: timer D, at least 32 s on unreliable transports.
const TIMER_D: Duration = Duration::from_secs(32);

/// What a peer may take to answer once it has said anything at all. RFC 3261 §16.6 gives proxies timer C (more than
/// three minutes, restarted by every provisional response); a user agent needs a bound too, or a peer that vanishes
/// after 180 keeps the transaction for ever. Users' own deadlines (how long a phone rings) are far shorter.
pub(crate) const TIMER_C: Duration = Duration::from_secs(10 * 60);

/// RFC 3261 figure 5, with RFC 6026's Accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    /// Sent, nothing heard.
    Calling,
    /// A provisional response came.
    Proceeding,
    /// A failure came and was acknowledged; its repetitions are too.
    Completed,
    /// A 2xx came; its repetitions, and 2xx of other forks, go to the user.
    Accepted,
}

/// The machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientInvite {
    state: State,
    reliability: Reliability,
    interval: Duration,
}

impl ClientInvite {
    /// Starts with the request's first sending.
    pub(crate) fn start(reliability: Reliability) -> (Self, Step) {
        let machine = Self { state: State::Calling, reliability, interval: T1 };
        // RFC 3261 §17.1.1.2: timer A = T1 on unreliable transports, timer B = 64*T1 on any.
        let step =
            Step { send: true, repeat: reliability.repeat(T1), leave: Arm::In(GIVE_UP), ..Step::NOTHING };
        (machine, step)
    }

    /// A transaction that was under way before a restart: it waits for an answer and repeats nothing.
    pub(crate) fn resume(reliability: Reliability) -> (Self, Step) {
        let machine = Self { state: State::Proceeding, reliability, interval: T1 };
        (machine, Step { leave: Arm::In(GIVE_UP), ..Step::NOTHING })
    }

    /// The present state.
    pub(crate) fn state(&self) -> State {
        self.state
    }

    /// The transport is another one than at the start (a name resolved late, a stream replaced a datagram).
    pub(crate) fn change_reliability(&mut self, reliability: Reliability) {
        self.reliability = reliability;
    }

    /// A response with this status.
    pub(crate) fn on_response(&mut self, status: u16) -> Step {
        match (self.state, status) {
            (State::Calling | State::Proceeding, 100..=199) => {
                self.state = State::Proceeding;
                // RFC 3261 §17.1.1.2: no more retransmissions once a provisional response was received.
                Step { pass_up: true, repeat: Arm::Off, leave: Arm::In(TIMER_C), ..Step::NOTHING }
            }
            (State::Calling | State::Proceeding, 200..=299) => {
                self.state = State::Accepted;
                // RFC 6026 §7.2: timer M = 64*T1, so that 2xx of other forks still find their transaction.
                Step { pass_up: true, repeat: Arm::Off, leave: Arm::In(GIVE_UP), ..Step::NOTHING }
            }
            (State::Calling | State::Proceeding, 300..=699) => {
                self.state = State::Completed;
                let leave = Arm::In(self.reliability.only_unreliable(TIMER_D));
                Step { pass_up: true, acknowledge: true, repeat: Arm::Off, leave, ..Step::NOTHING }
            }
            // RFC 3261 §17.1.1.2: a repeated failure is acknowledged again and not passed up.
            (State::Completed, 300..=699) => Step { acknowledge: true, ..Step::NOTHING },
            (State::Accepted, 200..=299) => Step { pass_up: true, ..Step::NOTHING },
            (State::Completed | State::Accepted, _) | (_, 0..=99 | 700..) => Step::NOTHING,
        }
    }

    /// A deadline came.
    pub(crate) fn on_deadline(&mut self, deadline: Deadline) -> Step {
        match (self.state, deadline) {
            (State::Calling, Deadline::Repeat) => {
                // RFC 3261 §17.1.1.2: timer A doubles, without T2 as its bound.
                self.interval *= 2;
                Step { send: true, repeat: Arm::In(self.interval), ..Step::NOTHING }
            }
            (State::Calling | State::Proceeding, Deadline::Leave) => Step::failed(Failure::Timeout),
            (State::Completed | State::Accepted, Deadline::Leave) => Step::TERMINATED,
            (State::Proceeding | State::Completed | State::Accepted, Deadline::Repeat) => Step::NOTHING,
        }
    }

    /// The transport could not send.
    pub(crate) fn on_transport_error(&mut self) -> Step {
        match self.state {
            State::Calling => Step::failed(Failure::Transport),
            // RFC 3261 §17.1.1.2: an ACK that cannot be sent ends the transaction; its user knows the answer already.
            State::Completed => Step::TERMINATED,
            // The peer has the request and can answer over another connection.
            State::Proceeding | State::Accepted => Step::NOTHING,
        }
    }
}
