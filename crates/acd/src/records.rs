//! What the room writes down about its live state, and how it comes back.
use crate::door::{ContactId, Name, OfferId};
use crate::proof::Proof;

/// What came back from records, so that the user of this room, restored beside it, can go on.
///
/// What may no longer be (an open offer or a connection that the hard constraints now forbid) is not listed here but told
/// by outputs, as after a reload; so are offers that are new.
#[derive(Debug)]
pub struct Restored {
    /// Open offers with their re-made proofs; their deadlines are kept.
    pub offers: Vec<(OfferId, Proof)>,
    /// Contacts that are with an operator.
    pub connected: Vec<(OfferId, ContactId, Name)>,
    /// Contacts that wait, best place first.
    pub waiting: Vec<ContactId>,
    /// Contacts that were admitted and have not chosen yet.
    pub choosing: Vec<ContactId>,
    /// Records that could not be read; they are erased.
    pub unreadable: usize,
}
