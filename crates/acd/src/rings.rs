//! Rings of relaxation: which soft constraints still hold after how long a wait.
//!
//! Knows: rings, waiting times, what an operator offers. Must never know: hard constraints, queues, who is ready. A ring
//! only ever adds operators: whoever is asked in one ring stays asked in all later ones, also if a later one does not name
//! her site. So the oldest contact of a queue is always the one that may have most operators.

use std::time::Duration;

use crate::door::{Level, Operator, Proficiency, Ring};

/// More rings than anybody would configure; their numbers fit a byte.
const RINGS_MAX: usize = 64;

/// The rings of a line in order of time, never none, the first at 0.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Rings(Vec<Ring>);

impl Rings {
    pub(crate) fn new(rings: &[Ring]) -> Self {
        let mut rings = rings.to_vec();
        rings.sort_by_key(|ring| ring.after);
        if rings.len() > RINGS_MAX {
            // The widest rings come last; they are the ones that must not be lost.
            rings.drain(..rings.len() - RINGS_MAX);
        }
        match rings.first_mut() {
            Some(first) => first.after = Duration::ZERO,
            None => rings.push(Ring {
                after: Duration::ZERO,
                language_min: Proficiency(0),
                level_two_helps: true,
                sites: Vec::new(),
            }),
        }
        Self(rings)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The ring in force after this wait.
    pub(crate) fn at(&self, waited: Duration) -> usize {
        self.0.partition_point(|ring| ring.after <= waited).saturating_sub(1)
    }

    pub(crate) fn last(&self) -> usize {
        self.0.len() - 1
    }

    /// The wait at which the next ring begins.
    pub(crate) fn next_after(&self, waited: Duration) -> Option<Duration> {
        self.0.iter().map(|ring| ring.after).find(|after| *after > waited)
    }

    /// The first ring that asks this operator; the number of rings when none does.
    pub(crate) fn first_asking(&self, level: Level, operator: &Operator, language: Proficiency) -> usize {
        self.0.iter().position(|ring| asks(ring, level, operator, language)).unwrap_or(self.0.len())
    }
}

fn asks(ring: &Ring, level: Level, operator: &Operator, language: Proficiency) -> bool {
    let by_level = level == Level::Two || ring.level_two_helps || !operator.levels.contains(&Level::Two);
    let by_site =
        ring.sites.is_empty() || operator.site.as_ref().is_some_and(|site| ring.sites.contains(site));
    by_level && by_site && language >= ring.language_min
}
