//! The one schedule of the room: every deadline of every transaction, leg, binding and stream.
//!
//! Knows: when, and a key that says what for. Must never know: what a deadline means.
//!
//! An ordered tree rather than a hierarchical wheel: setting, cancelling and expiring each cost O(log n), a million
//! deadlines need no cascade, and two deadlines of the same instant expire in the order in which they were set, so
//! that the same inputs always give the same outputs.

use std::collections::BTreeMap;
use std::time::Duration;

/// A deadline that was set; needed to cancel it. Cancelling one that has expired does nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct TimerId {
    at: Duration,
    order: u64,
}

/// All deadlines, each with the key that was given for it.
#[derive(Debug)]
pub(crate) struct Schedule<K> {
    pending: BTreeMap<TimerId, K>,
    order_next: u64,
}

impl<K: Copy> Schedule<K> {
    /// An empty schedule.
    pub(crate) fn new() -> Self {
        Self { pending: BTreeMap::new(), order_next: 0 }
    }

    /// Sets a deadline.
    pub(crate) fn set(&mut self, at: Duration, key: K) -> TimerId {
        let timer = TimerId { at, order: self.order_next };
        self.order_next += 1;
        self.pending.insert(timer, key);
        timer
    }

    /// Takes a deadline back.
    pub(crate) fn cancel(&mut self, timer: TimerId) {
        self.pending.remove(&timer);
    }

    /// Replaces the deadline in `slot`, where one may be pending.
    pub(crate) fn replace(&mut self, slot: &mut Option<TimerId>, at: Option<Duration>, key: K) {
        if let Some(timer) = slot.take() {
            self.cancel(timer);
        }
        if let Some(at) = at {
            *slot = Some(self.set(at, key));
        }
    }

    /// The earliest deadline.
    pub(crate) fn next(&self) -> Option<Duration> {
        self.pending.first_key_value().map(|(timer, _)| timer.at)
    }

    /// Takes the earliest deadline that has come.
    pub(crate) fn expire(&mut self, now: Duration) -> Option<(TimerId, K)> {
        let entry = self.pending.first_entry()?;
        (entry.key().at <= now).then(|| entry.remove_entry())
    }

    /// How many are pending.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.pending.len()
    }
}

#[cfg(test)]
mod tests;
