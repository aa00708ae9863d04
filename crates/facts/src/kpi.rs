//! The key figures, by their frozen definitions.
//!
//! Knows: each formula, and its version. Must never do: round in anybody's favour, leave a contact out,
//! or say a service level without its variant.
//!
//! Clocks: the wait runs from entering the queue, SL-5 from the trunk's INVITE; *answered* means bridged
//! to an operator. Every contact is counted when it is over, in the interval in which it ends, so one in
//! progress is carried to the next. A ratio whose denominator is zero is `None`, never 0 or 1.

mod callers;
mod curve;
mod operators;

pub use self::callers::{CallerCall, Reach, reach};
pub use self::curve::WaitCurve;
pub use self::operators::{OperatorTimes, StateTimes};

use std::collections::BTreeMap;
use std::time::Duration;

use crate::cdr::{Cdr, LevelTwo, Outcome, TransferOutcome};

/// A report names this beside each figure. Changing a formula means a new number.
pub const VERSION: u16 = 1;

/// The times a figure is stated with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    /// Y: answered within this is within the service level.
    pub answer_within: Duration,
    /// S: an abandon before this is a short one.
    pub short_abandon: Duration,
    /// N: an end on the operator's side before this much talk is a drop.
    pub dropped_within: Duration,
}

impl Default for Thresholds {
    /// 80 in 20 is what call centres say; five seconds is a slip of the finger; nobody is helped in ten.
    fn default() -> Self {
        Self {
            answer_within: Duration::from_secs(20),
            short_abandon: Duration::from_secs(5),
            dropped_within: Duration::from_secs(10),
        }
    }
}

/// Counts and sums over contacts, from which the figures follow. Adding records one by one or merging
/// tallies gives the same.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// All.
    pub offered: u64,
    /// The line was closed.
    pub closed: u64,
    /// The caller left before the queue.
    pub left_in_menu: u64,
    /// The line refused before the queue.
    pub dissuaded: u64,
    /// Left by our doing.
    pub other_exit: u64,
    /// The caller left before an operator answered.
    pub abandoned: u64,
    /// An operator answered.
    pub answered: u64,

    /// Entered the queue, whatever came of it.
    pub queued: u64,
    /// Answered, having waited no longer than Y.
    pub answered_within: u64,
    /// Answered no later than Y after the trunk's INVITE.
    pub answered_within_of_offer: u64,
    /// Abandoned, having waited no longer than Y.
    pub abandoned_within: u64,
    /// Abandoned, having waited less than S.
    pub short_abandons: u64,
    /// Σ wait of the answered.
    pub wait_of_answered: Duration,
    /// The longest wait of all.
    pub wait_max: Duration,
    /// How long they waited, the abandoned as censored.
    pub waits: WaitCurve,

    /// Σ talk.
    pub talk: Duration,
    /// Σ hold.
    pub hold: Duration,
    /// Σ writing up.
    pub wrap_up: Duration,

    /// Answered, then ended on the operator's side with less than N of talk and hold.
    pub dropped: u64,
    /// Answered and ended by the caller: told apart, and never held against an operator.
    pub ended_by_caller: u64,
    /// Answered contacts in which a transfer was asked for.
    pub transferred: u64,
    /// Transfers that were asked for.
    pub transfers: u64,
    /// Of these, that reached somebody.
    pub transfers_completed: u64,
    /// Of these, in which the contact was lost.
    pub transfers_lost: u64,
    /// Answered at level 1, and level 2 was asked for.
    pub to_level_two: u64,
    /// Of these, that level 2 answered.
    pub to_level_two_answered: u64,
    /// Σ wait for level 2 of those it answered.
    pub to_level_two_wait: Duration,
    /// Nothing was ever heard of the caller, in contacts an operator answered.
    pub silent: u64,
    /// Withheld numbers: in no figure about callers.
    pub withheld: u64,
}

impl Tally {
    /// Counts a contact that is over.
    pub fn add(&mut self, cdr: &Cdr, thresholds: &Thresholds) {
        self.offered += 1;
        self.withheld += u64::from(matches!(cdr.caller, crate::event::Caller::Withheld));
        self.queued += u64::from(cdr.queued_at.is_some());
        self.wait_max = self.wait_max.max(cdr.wait);
        match cdr.outcome {
            Outcome::Closed(_) => self.closed += 1,
            Outcome::LeftInMenu => self.left_in_menu += 1,
            Outcome::Dissuaded(_) => self.dissuaded += 1,
            Outcome::OtherExit(_) => {
                self.other_exit += 1;
                if cdr.queued_at.is_some() {
                    self.waits.censored(cdr.wait);
                }
            }
            Outcome::Abandoned => {
                self.abandoned += 1;
                self.abandoned_within += u64::from(cdr.wait <= thresholds.answer_within);
                self.short_abandons += u64::from(cdr.wait < thresholds.short_abandon);
                self.waits.censored(cdr.wait);
            }
            Outcome::Answered => self.add_answered(cdr, thresholds),
        }
    }

    /// The writing up of a contact that was counted when it ended, now that it is known.
    pub fn add_late_wrap_up(&mut self, counted: &Cdr, settled: &Cdr) {
        self.wrap_up += settled.wrap_up.saturating_sub(counted.wrap_up);
    }

    fn add_answered(&mut self, cdr: &Cdr, thresholds: &Thresholds) {
        self.answered += 1;
        self.answered_within += u64::from(cdr.wait <= thresholds.answer_within);
        self.answered_within_of_offer +=
            u64::from(cdr.answer_delay().is_some_and(|delay| delay <= thresholds.answer_within));
        self.wait_of_answered += cdr.wait;
        self.waits.answered(cdr.wait);
        self.talk += cdr.talk;
        self.hold += cdr.hold;
        self.wrap_up += cdr.wrap_up;
        self.dropped +=
            u64::from(cdr.ended_on_operators_side() && cdr.talk + cdr.hold < thresholds.dropped_within);
        self.ended_by_caller += u64::from(cdr.ended_by == crate::event::EndedBy::Caller);
        self.silent += u64::from(cdr.silent);
        self.transferred += u64::from(!cdr.transfers.is_empty());
        for transfer in &cdr.transfers {
            self.transfers += 1;
            match transfer.outcome {
                TransferOutcome::Completed { .. } => self.transfers_completed += 1,
                TransferOutcome::Lost => self.transfers_lost += 1,
                TransferOutcome::Failed(_) => {}
            }
        }
        if let Some(LevelTwo { wait, answered, .. }) = cdr.to_level_two {
            self.to_level_two += 1;
            if answered {
                self.to_level_two_answered += 1;
                self.to_level_two_wait += wait;
            }
        }
    }

    /// Counts what another tally counted.
    pub fn merge(&mut self, other: &Self) {
        let Self { wait_max, waits, .. } = other;
        self.wait_max = self.wait_max.max(*wait_max);
        self.waits.merge(waits);
        macro_rules! sum {
            ($($field:ident),+) => { $(self.$field += other.$field;)+ };
        }
        sum!(offered, closed, left_in_menu, dissuaded, other_exit, abandoned, answered, queued);
        sum!(answered_within, answered_within_of_offer, abandoned_within, short_abandons, wait_of_answered);
        sum!(talk, hold, wrap_up, dropped, ended_by_caller, transferred, transfers, transfers_completed);
        sum!(transfers_lost, to_level_two, to_level_two_answered, to_level_two_wait, silent, withheld);
    }

    /// SL-1: answered within Y ÷ answered. Flatters: the abandoned vanish.
    pub fn sl_1(&self) -> Option<f64> {
        ratio(self.answered_within, self.answered)
    }

    /// SL-2: (answered within Y + abandoned within Y) ÷ (answered + abandoned).
    pub fn sl_2(&self) -> Option<f64> {
        ratio(self.answered_within + self.abandoned_within, self.answered + self.abandoned)
    }

    /// SL-3: answered within Y ÷ (answered + abandoned).
    pub fn sl_3(&self) -> Option<f64> {
        ratio(self.answered_within, self.answered + self.abandoned)
    }

    /// SL-4: SL-3 with abandons shorter than S left out of the denominator.
    pub fn sl_4(&self) -> Option<f64> {
        ratio(self.answered_within, self.answered + self.abandoned - self.short_abandons)
    }

    /// SL-5, the headline: answered within Y of the trunk's INVITE ÷ offered.
    pub fn sl_5(&self) -> Option<f64> {
        ratio(self.answered_within_of_offer, self.offered)
    }

    /// Answered ÷ offered.
    pub fn answer_rate(&self) -> Option<f64> {
        ratio(self.answered, self.offered)
    }

    /// Abandoned ÷ entered the queue.
    pub fn abandon_rate(&self) -> Option<f64> {
        ratio(self.abandoned, self.queued)
    }

    /// The same of short abandons only.
    pub fn short_abandon_rate(&self) -> Option<f64> {
        ratio(self.short_abandons, self.queued)
    }

    /// ASA: Σ wait of the answered ÷ answered.
    pub fn average_speed_of_answer(&self) -> Option<Duration> {
        mean(self.wait_of_answered, self.answered)
    }

    /// The wait within which this share of those who enter the queue is answered, the abandoned as
    /// censored (Kaplan–Meier); none if so many were never answered.
    pub fn wait_quantile(&self, share: f64) -> Option<Duration> {
        self.waits.quantile(share)
    }

    /// AHT: (talk + hold + wrap-up) ÷ handled.
    pub fn average_handling_time(&self) -> Option<Duration> {
        mean(self.talk + self.hold + self.wrap_up, self.answered)
    }

    /// Answered then dropped ÷ answered.
    pub fn dropped_rate(&self) -> Option<f64> {
        ratio(self.dropped, self.answered)
    }

    /// Answered contacts with a transfer ÷ answered.
    pub fn transfer_rate(&self) -> Option<f64> {
        ratio(self.transferred, self.answered)
    }

    /// Of those for whom level 2 was asked, whom it answered.
    pub fn level_two_success(&self) -> Option<f64> {
        ratio(self.to_level_two_answered, self.to_level_two)
    }

    /// Their mean wait for it.
    pub fn level_two_wait(&self) -> Option<Duration> {
        mean(self.to_level_two_wait, self.to_level_two_answered)
    }

    /// Answered contacts in which nothing was ever heard of the caller ÷ answered.
    pub fn silent_rate(&self) -> Option<f64> {
        ratio(self.silent, self.answered)
    }
}

/// A tally for each key (operator, employer, line, hour, …); a record without a key is in none.
pub fn tally_by<'a, K: Ord>(
    cdrs: impl IntoIterator<Item = &'a Cdr>,
    thresholds: &Thresholds,
    key: impl Fn(&'a Cdr) -> Option<K>,
) -> BTreeMap<K, Tally> {
    let mut tallies = BTreeMap::<K, Tally>::new();
    for cdr in cdrs {
        if let Some(key) = key(cdr) {
            tallies.entry(key).or_default().add(cdr, thresholds);
        }
    }
    tallies
}

/// A share; none if there is nothing to have a share of.
pub(crate) fn ratio(part: u64, whole: u64) -> Option<f64> {
    // Counts stay far below 2^53, where f64 is exact.
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn mean(sum: Duration, count: u64) -> Option<Duration> {
    (count > 0)
        .then(|| Duration::from_nanos(u64::try_from(sum.as_nanos() / u128::from(count)).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests;
