//! The words in which media events speak.

use std::time::Duration;

use crate::ids::OperatorName;

/// One of a contact's media legs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leg {
    /// The caller's, to the trunk.
    Caller,
    /// An operator's.
    Operator(OperatorName),
}

/// A direction of sound, seen from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the peer.
    Received,
    /// To the peer.
    Sent,
}

/// What an administrator can do about a rejected stream, if it was legitimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Add the address to the trunk's `media_from` networks.
    AddTrunkNetwork,
    /// Add the address to the operators' `media_from` networks (VPN, dual stack, behind a proxy).
    AddPhoneNetwork,
    /// None needed: the leg is locked to another address, and nobody else may speak on it.
    None,
}

/// The totals of one direction of one leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StreamStats {
    /// RTP packets.
    pub packets: u64,
    /// RTP packets that never came.
    pub lost: u64,
    /// Interarrival jitter (RFC 3550 §6.4.1), last value.
    pub jitter: Duration,
}
