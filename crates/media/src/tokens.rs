//! A token bucket: how many packets a second a leg may bring.
//!
//! Knows: time and a count. Must never know: what is counted.

use std::time::Duration;

/// Five times what 20 ms packets need, for small packet times, events and catching up.
const PACKETS_PER_SECOND_MAX: u32 = 250;
/// A second's worth at once, after a stall of the network.
const BURST_PACKETS_MAX: u32 = 250;

#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    millitokens: u64,
    filled_at: Duration,
}

impl Tokens {
    pub(crate) fn full(now: Duration) -> Self {
        Self { millitokens: u64::from(BURST_PACKETS_MAX) * 1000, filled_at: now }
    }

    /// Takes one; false if there is none.
    pub(crate) fn take(&mut self, now: Duration) -> bool {
        let passed_ms = now.saturating_sub(self.filled_at).as_millis();
        if passed_ms > 0 {
            let new = u64::try_from(passed_ms)
                .unwrap_or(u64::MAX)
                .saturating_mul(u64::from(PACKETS_PER_SECOND_MAX));
            self.millitokens = self.millitokens.saturating_add(new).min(u64::from(BURST_PACKETS_MAX) * 1000);
            // Only whole milliseconds were counted; the rest stays for the next time.
            self.filled_at += Duration::from_millis(u64::try_from(passed_ms).unwrap_or(u64::MAX));
        }
        match self.millitokens.checked_sub(1000) {
            Some(left) => {
                self.millitokens = left;
                true
            }
            None => false,
        }
    }
}
