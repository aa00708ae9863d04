//! What stands between strangers and the room: rates, digests, nonces, guesses.
//!
//! Knows: sources, users, secrets and time. Must never know: dialogs, transactions, or what a request is for.

pub(crate) mod digest;
pub(crate) mod guess;
pub(crate) mod nonce;
pub(crate) mod notices;
pub(crate) mod rate;
pub(crate) mod recent;
