//! How often a stranger may have an administrator told something.
//!
//! Knows: sources, kinds of notices, time. Must never know: what a notice says. A flood of bad messages must not
//! become a flood of facts: the first of each kind from each source is told at once, then one in a while.

use std::net::IpAddr;
use std::time::Duration;

use super::rate::network;
use super::recent::Recent;

/// How many (source, kind) pairs are told apart.
const PAIRS_MAX: usize = 4_096;
/// The same news from the same source is told this often.
const AGAIN_AFTER: Duration = Duration::from_secs(10);
/// From all sources together: a flood from forged addresses makes each packet a new source.
const A_SECOND_MAX: u32 = 20;

/// What was told, and when.
#[derive(Debug)]
pub(crate) struct Notices {
    told: Recent<(IpAddr, &'static str), Option<Duration>>,
    second: u64,
    in_second: u32,
}

impl Notices {
    /// Nothing was told.
    pub(crate) fn new() -> Self {
        Self { told: Recent::new(PAIRS_MAX), second: 0, in_second: 0 }
    }

    /// Whether this is to be told now.
    pub(crate) fn admit(&mut self, now: Duration, source: IpAddr, kind: &'static str) -> bool {
        let last = self.told.touch(&(network(source), kind), || None);
        if last.is_some_and(|last| now.saturating_sub(last) < AGAIN_AFTER) {
            return false;
        }
        if self.second != now.as_secs() {
            self.second = now.as_secs();
            self.in_second = 0;
        }
        if self.in_second >= A_SECOND_MAX {
            return false;
        }
        self.in_second += 1;
        *last = Some(now);
        true
    }
}

#[cfg(test)]
mod tests;
