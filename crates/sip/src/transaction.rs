//! The vocabulary that the four transaction machines share: what they are told and what they ask for.
//!
//! Knows: RFC 3261 §17 and RFC 6026 in terms of statuses and durations. Must never know: messages, addresses, the
//! users of transactions, or the schedule; a machine only says which of its two deadlines to change.
//!
//! Every machine runs at most two timers at a time: one that repeats a message and one that ends a state. So each
//! step answers with two [`Arm`]s and a few flags, and costs no allocation.

use std::time::Duration;

pub(crate) mod client_invite;
pub(crate) mod client_non_invite;
pub(crate) mod server_invite;
pub(crate) mod server_non_invite;
pub(crate) mod table;

/// RFC 3261 §17.1.1.1: the estimate of a round trip.
pub(crate) const T1: Duration = Duration::from_millis(500);
/// RFC 3261 §17.1.2.2: the longest interval between retransmissions of non-INVITE requests and INVITE responses.
pub(crate) const T2: Duration = Duration::from_secs(4);
/// RFC 3261 §17.1.2.2: the longest time that a message stays in the network.
pub(crate) const T4: Duration = Duration::from_secs(5);
/// 64·T1: how long anything is tried before it is given up.
pub(crate) const GIVE_UP: Duration = Duration::from_secs(32);

/// Which of a machine's two deadlines came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Deadline {
    /// Timers A, E, G: send the last message again.
    Repeat,
    /// Timers B, D, F, H, I, J, K, L, M: leave the state.
    Leave,
}

/// What happens to a deadline.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) enum Arm {
    /// It stays as it is.
    #[default]
    Keep,
    /// It is cancelled.
    Off,
    /// It is set anew, this long from now.
    In(Duration),
}

/// How a transaction ended without a final response.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Failure {
    /// Timer B, F or H: nobody answered.
    Timeout,
    /// The transport could not carry it.
    Transport,
}

/// What a machine asks for.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Step {
    /// Send the transaction's own last message (the request, or the last response).
    pub(crate) send: bool,
    /// Send the ACK for a non-2xx final response (client INVITE only).
    pub(crate) acknowledge: bool,
    /// Give the message to the transaction's user.
    pub(crate) pass_up: bool,
    /// Tell the user that it failed.
    pub(crate) failed: Option<Failure>,
    /// The repeating deadline.
    pub(crate) repeat: Arm,
    /// The deadline that leaves the state.
    pub(crate) leave: Arm,
    /// The transaction is gone; both deadlines with it.
    pub(crate) terminated: bool,
}

impl Step {
    /// Nothing happens: the event means nothing in this state.
    pub(crate) const NOTHING: Self = Self {
        send: false,
        acknowledge: false,
        pass_up: false,
        failed: None,
        repeat: Arm::Keep,
        leave: Arm::Keep,
        terminated: false,
    };

    /// The end, without news for the user.
    pub(crate) const TERMINATED: Self =
        Self { terminated: true, repeat: Arm::Off, leave: Arm::Off, ..Self::NOTHING };

    /// The end, with a failure for the user.
    pub(crate) const fn failed(failure: Failure) -> Self {
        Self { failed: Some(failure), ..Self::TERMINATED }
    }
}

/// Whether the transport repeats for us (streams) or we must (datagrams).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reliability {
    /// TCP, TLS, WebSocket.
    Reliable,
    /// UDP.
    Unreliable,
}

impl Reliability {
    /// The time on unreliable transports, zero on reliable ones.
    pub(crate) fn only_unreliable(self, time: Duration) -> Duration {
        match self {
            Self::Reliable => Duration::ZERO,
            Self::Unreliable => time,
        }
    }

    /// The repeating deadline: off on reliable transports.
    pub(crate) fn repeat(self, time: Duration) -> Arm {
        match self {
            Self::Reliable => Arm::Off,
            Self::Unreliable => Arm::In(time),
        }
    }
}

#[cfg(test)]
mod tests;
