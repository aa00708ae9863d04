//! The words in which operators' and their phones' events speak.

use std::sync::Arc;

use super::system::Actor;

/// What an operator is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperatorState {
    /// Not there.
    SignedOut,
    /// There, and may be offered a contact.
    Ready,
    /// Being offered one.
    Offered,
    /// In one.
    InContact,
    /// Writing up.
    WrapUp,
    /// There, and not to be offered anything.
    NotReady {
        /// Why: `break`, `training`, `no answer`, …
        reason: Arc<str>,
    },
    /// A breath after a hard call, which no policy may interrupt.
    Debrief,
}

/// Why an operator's state changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateCause {
    /// Her phone registered.
    Registered,
    /// Her last phone went or was forgotten.
    RegistrationLost,
    /// She dialled a feature code.
    FeatureCode,
    /// A command.
    Command {
        /// By whom.
        by: Actor,
    },
    /// She is being offered a contact.
    Offer,
    /// She did not answer an offer.
    MissedOffer,
    /// Her phone refused an offer.
    RefusedOffer,
    /// Her phone was gone when she was offered a contact, or in one.
    DeviceGone,
    /// An offer ended without her doing.
    OfferOver,
    /// A contact began.
    ContactStarted,
    /// A contact ended.
    ContactOver,
    /// The time in the state before is over.
    TimeOver,
    /// The configuration says so.
    Configuration,
    /// The state she had before a restart.
    Restored,
}

/// How the time to write up ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrapUpEnd {
    /// It was over.
    TimeOver,
    /// She said she is done.
    ByOperator,
    /// A command.
    ByCommand,
    /// She signed out or her phone is gone.
    SignedOut,
}

/// What happened to a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistrationChange {
    /// A device came.
    Added,
    /// A device went.
    Removed,
    /// A device did not come back in time.
    Expired,
    /// A device no longer answers.
    Unreachable,
}

/// The kind of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressFamily {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// Why an authentication failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthFailure {
    /// No such account.
    UnknownAccount,
    /// The password is wrong.
    WrongPassword,
    /// The nonce was used before, or its count went backwards.
    Replayed,
    /// Too many failures from there; it is not even looked at.
    Throttled,
    /// The header is not a digest that can be checked.
    Malformed,
    /// The account may not do that.
    Forbidden,
}
