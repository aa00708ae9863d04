//! The deadlines of this room, one per thing that waits for one.
//!
//! Knows: which timer is set for when. Must never know: what happens when it fires, nor the clock.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::door::{ContactId, Name, OfferId};
use crate::operator::OperatorSlot;
use crate::queue::DemandId;

/// What a deadline is for. At one instant they fire in this order: operators come free before contacts look for them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Timer {
    Line(Name),
    WrapUp(OperatorSlot),
    Rest(OperatorSlot),
    Offer(OfferId),
    BackOff(ContactId, OperatorSlot),
    Ring(ContactId),
    LastResort(ContactId),
    Notices(DemandId),
}

#[derive(Default, Debug)]
pub(crate) struct Timers {
    by_deadline: BTreeSet<(Duration, Timer)>,
    deadlines: BTreeMap<Timer, Duration>,
}

impl Timers {
    /// Sets a timer, instead of what it was set to.
    pub(crate) fn set(&mut self, timer: Timer, deadline: Duration) {
        self.cancel(&timer);
        self.by_deadline.insert((deadline, timer.clone()));
        self.deadlines.insert(timer, deadline);
    }

    pub(crate) fn cancel(&mut self, timer: &Timer) {
        if let Some(deadline) = self.deadlines.remove(timer) {
            self.by_deadline.remove(&(deadline, timer.clone()));
        }
    }

    pub(crate) fn next(&self) -> Option<Duration> {
        self.by_deadline.first().map(|(deadline, _)| *deadline)
    }

    /// Takes all that are due, in order. Those set while these are worked through wait for the next call, so that one step
    /// ends.
    pub(crate) fn take_due(&mut self, now: Duration) -> Vec<Timer> {
        let mut due = Vec::new();
        while let Some((deadline, _)) = self.by_deadline.first() {
            if *deadline > now {
                break;
            }
            if let Some((_, timer)) = self.by_deadline.pop_first() {
                self.deadlines.remove(&timer);
                due.push(timer);
            }
        }
        due
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.deadlines.len()
    }
}
