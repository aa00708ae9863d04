//! The order among eligible operators, one file a strategy.
//!
//! Knows: what about an operator counts, apart from how long she has been idle and her name, which are the last criteria
//! of every strategy. Must never know: who is ready. To add a strategy: a file here, a name in `door`, a line below.

mod best_then_longest_idle;
mod longest_idle;

use crate::door::{Proficiency, Strategy};

/// What a strategy may look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Merits {
    /// In the contact's language.
    pub(crate) proficiency: Proficiency,
    /// Scarce skills of hers that this contact does not need.
    pub(crate) other_scarce_skills: u16,
}

/// The fixed part of the order; lower comes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Rank(u8, u16);

pub(crate) fn rank(strategy: Strategy, merits: Merits) -> Rank {
    match strategy {
        Strategy::BestThenLongestIdle => best_then_longest_idle::rank(merits),
        Strategy::LongestIdle => longest_idle::rank(merits),
    }
}
