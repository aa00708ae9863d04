//! The proof that a contact may be given to an operator: the hard constraints as a value.
//!
//! Knows: level, employer, accreditation. Must never know: preferences, rings, queues, who is ready. Whoever holds a
//! [`Proof`] knows that `prove` was asked about exactly this contact, operator and offer; there is no other way to get
//! one, and it can be handed back only once.

use crate::door::{ContactId, Employer, Level, Name, OfferId, Operator};

/// Counts the plans: each reload and each restore starts a new one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Epoch(pub(crate) u64);

/// That this contact may be given to this operator by this offer, under the plan of one policy epoch.
///
/// Neither `Clone` nor `Copy` nor `Default` nor deserialisable, and without a public constructor: each offer has exactly
/// one, which comes back with its outcome.
#[derive(Debug)]
#[must_use = "an offer whose proof is dropped can neither be accepted nor fail; it ends only by its deadline"]
pub struct Proof {
    contact: ContactId,
    operator: Name,
    offer: OfferId,
    epoch: Epoch,
}

impl Proof {
    /// The contact that may be given.
    pub fn contact(&self) -> ContactId {
        self.contact
    }

    /// The operator to whom.
    pub fn operator(&self) -> &Name {
        &self.operator
    }

    /// By which offer.
    pub fn offer(&self) -> OfferId {
        self.offer
    }

    pub(crate) fn epoch(&self) -> Epoch {
        self.epoch
    }
}

/// Which hard constraint an operator does not meet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Unproven {
    /// Level 2 and not employed by the association.
    NotInHouse,
    /// Not accredited for the level.
    NotAccredited,
}

/// The one place where a [`Proof`] is made.
pub(crate) fn prove(
    epoch: Epoch,
    offer: OfferId,
    contact: ContactId,
    level: Level,
    operator: &Operator,
) -> Result<Proof, Unproven> {
    may_serve(level, operator)?;
    Ok(Proof { contact, operator: operator.name.clone(), offer, epoch })
}

/// The hard constraints themselves; the index of operators asks them too, so that nobody is looked at in vain.
pub(crate) fn may_serve(level: Level, operator: &Operator) -> Result<(), Unproven> {
    match level {
        // Whoever is accredited for complex cases can also welcome; whether she is asked to is a preference of the ring.
        Level::One if operator.levels.is_empty() => Err(Unproven::NotAccredited),
        Level::One => Ok(()),
        Level::Two if operator.employer != Employer::InHouse => Err(Unproven::NotInHouse),
        Level::Two if !operator.levels.contains(&Level::Two) => Err(Unproven::NotAccredited),
        Level::Two => Ok(()),
    }
}
