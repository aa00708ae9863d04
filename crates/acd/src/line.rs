//! A line's live part: open or closed, and how full.
//!
//! Knows: its policy, its hours, what was commanded by hand, how many contacts it has. Must never know: operators.

use std::sync::Arc;
use std::time::Duration;

use crate::door::Line;

#[derive(Debug)]
pub(crate) struct LineEntry {
    pub(crate) policy: Arc<Line>,
    /// The plan no longer has it: it takes nobody, and goes when its last contact is gone.
    pub(crate) retired: bool,
    /// Opened or closed by hand.
    pub(crate) by_hand: Option<bool>,
    /// What was told last: open, by hand.
    pub(crate) told: Option<(bool, bool)>,
    /// Contacts of any stage.
    pub(crate) contacts: usize,
    /// Contacts in the menu or the queue: against these the line is full.
    pub(crate) unserved: usize,
}

impl LineEntry {
    pub(crate) fn new(policy: Line) -> Self {
        Self { policy: Arc::new(policy), retired: false, by_hand: None, told: None, contacts: 0, unserved: 0 }
    }

    /// Open now? Without a calendar yet it is: no caller is turned away for our not knowing the time.
    pub(crate) fn open(&self, unix_ms: Option<i64>) -> bool {
        self.by_hand.unwrap_or_else(|| unix_ms.is_none_or(|unix_ms| self.policy.hours.is_open(unix_ms)))
    }
}

/// Unix time in ms at an engine time.
pub(crate) fn unix_ms(at_epoch: i64, now: Duration) -> i64 {
    at_epoch.saturating_add(i64::try_from(now.as_millis()).unwrap_or(i64::MAX))
}

/// The engine time of a Unix time in ms.
pub(crate) fn engine_time(at_epoch: i64, unix_ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(unix_ms.saturating_sub(at_epoch)).unwrap_or(0))
}
