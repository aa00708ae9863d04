//! How long callers wait, when some leave before they are answered.
//!
//! Knows: the Kaplan–Meier estimate over whole seconds. Must never do: take an abandoned wait for an
//! answered one, or leave it out: both flatter.

use std::collections::BTreeMap;
use std::time::Duration;

/// A wait beyond this counts as this: a day in the queue needs no finer figure, and memory stays bounded.
const SECONDS_MAX: u32 = 24 * 3600;

/// Waits, each ended by an answer or censored. Kept by the second, rounded up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WaitCurve {
    seconds: BTreeMap<u32, Ends>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Ends {
    answered: u64,
    censored: u64,
}

impl WaitCurve {
    /// A wait that an operator's answer ended.
    pub fn answered(&mut self, wait: Duration) {
        self.seconds.entry(second(wait)).or_default().answered += 1;
    }

    /// A wait that something else ended: it would have gone on for nobody knows how long.
    pub fn censored(&mut self, wait: Duration) {
        self.seconds.entry(second(wait)).or_default().censored += 1;
    }

    /// Counts what another curve counted.
    pub fn merge(&mut self, other: &Self) {
        for (second, ends) in &other.seconds {
            let mine = self.seconds.entry(*second).or_default();
            mine.answered += ends.answered;
            mine.censored += ends.censored;
        }
    }

    /// The wait within which `share` (0 to 1) would be answered if nobody left; none if the waits that
    /// were seen do not reach that far.
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        /// Products of fractions miss round shares by rounding alone; far finer than any count can be.
        const ROUNDING: f64 = 1e-12;
        let mut at_risk: u64 = self.seconds.values().map(|ends| ends.answered + ends.censored).sum();
        let mut waiting = 1.0;
        for (second, ends) in &self.seconds {
            // An answer and a leaving in the same second: the answer came first, by the estimator's custom.
            if at_risk > 0 && ends.answered > 0 {
                waiting *= 1.0 - ends.answered as f64 / at_risk as f64;
                if waiting <= 1.0 - share + ROUNDING {
                    return Some(Duration::from_secs(u64::from(*second)));
                }
            }
            at_risk -= ends.answered + ends.censored;
        }
        None
    }
}

fn second(wait: Duration) -> u32 {
    let whole = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    u32::try_from(whole).unwrap_or(SECONDS_MAX).min(SECONDS_MAX)
}
