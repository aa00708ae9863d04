//! Best proficiency, then fewest other scarce skills, then longest idle: the caller is served best, and rare operators are
//! kept for those who need them.

use super::{Merits, Rank};

pub(super) fn rank(merits: Merits) -> Rank {
    Rank(u8::MAX - merits.proficiency.0, merits.other_scarce_skills)
}
