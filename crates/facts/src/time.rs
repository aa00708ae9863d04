//! Two clocks: the engine's (a `Duration` since its epoch) and the wall's (microseconds since 1970).
//!
//! Knows how the first becomes the second. Must never read either: both arrive as data.

use std::time::Duration;

use crate::event::{Event, Fact};

/// A point of wall-clock time: microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UnixMicros(pub i64);

impl UnixMicros {
    /// The time that passed since `earlier`; zero if the wall clock was set back in between.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// This instant moved forward; stays at the end of time instead of wrapping.
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }

    /// This instant moved back; stays at the beginning of time instead of wrapping.
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }
}

/// Turns the engine's facts into numbered, dated events.
///
/// One stamper feeds one journal: numbers have no gap, so a gap in a journal is an event that was lost.
#[derive(Debug, Clone)]
pub struct Stamper {
    epoch: UnixMicros,
    next_seq: u64,
}

impl Stamper {
    /// `epoch` is the wall-clock time of the engine's `now == 0`; `next_seq` follows the journal's last entry.
    pub fn new(epoch: UnixMicros, next_seq: u64) -> Self {
        Self { epoch, next_seq }
    }

    /// The wall clock was set (or slewed): from here on, the engine's zero is this instant.
    pub fn set_epoch(&mut self, epoch: UnixMicros) {
        self.epoch = epoch;
    }

    /// The wall-clock time of an engine instant.
    pub fn wall(&self, now: Duration) -> UnixMicros {
        self.epoch.plus(now)
    }

    /// The number the next event will bear.
    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Numbers and dates one fact.
    pub fn stamp(&mut self, fact: Fact) -> Event {
        let seq = self.next_seq;
        self.next_seq += 1;
        Event { seq, at: self.wall(fact.now), contact: fact.contact, kind: fact.kind }
    }
}
