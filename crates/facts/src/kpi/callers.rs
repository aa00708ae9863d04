//! Figures about callers, not calls: the hardest to dress up.
//!
//! Knows: pseudonyms, and that one caller has two around a change of key. Must never know: numbers.

use std::collections::BTreeMap;
use std::time::Duration;

use super::ratio;
use crate::cdr::{Cdr, Outcome};
use crate::event::Caller;
use crate::ids::CallerPseudonym;
use crate::time::UnixMicros;

/// What these figures need of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallerCall {
    /// Who.
    pub caller: Caller,
    /// When it was offered.
    pub offered_at: UnixMicros,
    /// When an operator answered, if one did.
    pub answered_at: Option<UnixMicros>,
}

impl From<&Cdr> for CallerCall {
    fn from(cdr: &Cdr) -> Self {
        let answered_at = cdr.answered_at.filter(|_| cdr.outcome == Outcome::Answered);
        Self { caller: cdr.caller, offered_at: cdr.offered_at, answered_at }
    }
}

/// How many callers got through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reach {
    /// Pseudonyms that called.
    pub callers: u64,
    /// Of these, answered within the window after their first call.
    pub reached: u64,
    /// Σ over the reached, of their calls up to and with the first answered one.
    pub attempts: u64,
    /// Calls with a withheld number: nobody can say whose.
    pub withheld_calls: u64,
}

impl Reach {
    /// Unique-caller reach: pseudonyms answered within the window ÷ pseudonyms that called.
    pub fn rate(&self) -> Option<f64> {
        ratio(self.reached, self.callers)
    }

    /// Attempts per reached caller.
    pub fn attempts_mean(&self) -> Option<f64> {
        ratio(self.attempts, self.reached)
    }
}

/// Reach over calls in any order; `window` is 24 h by the definition.
pub fn reach(calls: impl IntoIterator<Item = CallerCall>, window: Duration) -> Reach {
    let mut reach = Reach::default();
    let mut known = Vec::new();
    let mut newer = BTreeMap::new();
    for call in calls {
        match call.caller {
            Caller::Withheld => reach.withheld_calls += 1,
            Caller::Known { pseudonym, previous } => {
                if let Some(previous) = previous {
                    newer.insert(previous, pseudonym);
                }
                known.push((pseudonym, call));
            }
        }
    }
    let mut by_caller = BTreeMap::<CallerPseudonym, Vec<CallerCall>>::new();
    for (pseudonym, call) in known {
        by_caller.entry(newest(&newer, pseudonym)).or_default().push(call);
    }
    for calls in by_caller.values_mut() {
        calls.sort_by_key(|call| call.offered_at);
        reach.callers += 1;
        let first = calls[0].offered_at;
        let answered = calls
            .iter()
            .position(|call| call.answered_at.is_some_and(|answered| answered.since(first) <= window));
        if let Some(index) = answered {
            reach.reached += 1;
            reach.attempts += index as u64 + 1;
        }
    }
    reach
}

/// Follows a caller through changes of key. The steps are bounded because keys change forward only; a
/// journal that says otherwise must not hang a report.
fn newest(newer: &BTreeMap<CallerPseudonym, CallerPseudonym>, pseudonym: CallerPseudonym) -> CallerPseudonym {
    let mut last = pseudonym;
    for _ in 0..newer.len() {
        match newer.get(&last) {
            Some(next) if *next != last => last = *next,
            _ => break,
        }
    }
    last
}
