//! Where operators' time goes.
//!
//! Knows: which state each operator is in since when, and occupancy. Must never know: contacts.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::event::{Event, EventKind, OperatorState};
use crate::ids::OperatorName;
use crate::time::UnixMicros;

/// Time spent in each state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StateTimes {
    /// Ready.
    pub ready: Duration,
    /// Being offered a contact: ringing.
    pub offered: Duration,
    /// In contact: talk and hold.
    pub in_contact: Duration,
    /// Writing up.
    pub wrap_up: Duration,
    /// Not ready, for any reason.
    pub not_ready: Duration,
    /// A breath after a hard call.
    pub debrief: Duration,
}

impl StateTimes {
    /// (talk + hold + wrap-up) ÷ (those + ringing + ready). Above 85 % is a welfare warning, not a goal.
    pub fn occupancy(&self) -> Option<f64> {
        let busy = self.in_contact + self.wrap_up;
        let all = busy + self.offered + self.ready;
        (!all.is_zero()).then(|| busy.as_secs_f64() / all.as_secs_f64())
    }

    /// Time in any state but signed out.
    pub fn signed_in(&self) -> Duration {
        self.ready + self.offered + self.in_contact + self.wrap_up + self.not_ready + self.debrief
    }

    /// Adds another's times.
    pub fn merge(&mut self, other: &Self) {
        self.ready += other.ready;
        self.offered += other.offered;
        self.in_contact += other.in_contact;
        self.wrap_up += other.wrap_up;
        self.not_ready += other.not_ready;
        self.debrief += other.debrief;
    }

    fn add(&mut self, state: &OperatorState, span: Duration) {
        match state {
            OperatorState::SignedOut => {}
            OperatorState::Ready => self.ready += span,
            OperatorState::Offered => self.offered += span,
            OperatorState::InContact => self.in_contact += span,
            OperatorState::WrapUp => self.wrap_up += span,
            OperatorState::NotReady { .. } => self.not_ready += span,
            OperatorState::Debrief => self.debrief += span,
        }
    }
}

/// Folds operators' states into times.
#[derive(Debug, Clone, Default)]
pub struct OperatorTimes {
    operators: BTreeMap<OperatorName, Clock>,
    last_event_at: UnixMicros,
}

#[derive(Debug, Clone)]
struct Clock {
    state: OperatorState,
    since: UnixMicros,
    times: StateTimes,
}

impl OperatorTimes {
    /// Knows nobody yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next event.
    pub fn apply(&mut self, event: &Event) {
        match &event.kind {
            EventKind::OperatorState { operator, state, .. } => self.set(operator, state, event.at),
            // A stop of the program is nobody's work: until it says again who is there, nobody is.
            EventKind::EngineStarted { .. } => {
                let stopped = self.last_event_at;
                for clock in self.operators.values_mut() {
                    clock.run_to(stopped);
                    clock.state = OperatorState::SignedOut;
                }
            }
            _ => {}
        }
        self.last_event_at = self.last_event_at.max(event.at);
    }

    /// Forgets the times before `at`, and goes on from the states there are.
    pub fn restart(&mut self, at: UnixMicros) {
        self.operators.retain(|_, clock| clock.state != OperatorState::SignedOut);
        for clock in self.operators.values_mut() {
            clock.since = at;
            clock.times = StateTimes::default();
        }
    }

    /// Each operator's times until `now`.
    pub fn until(&self, now: UnixMicros) -> impl Iterator<Item = (&OperatorName, StateTimes)> {
        self.operators.iter().map(move |(operator, clock)| {
            let mut clock = clock.clone();
            clock.run_to(now);
            (operator, clock.times)
        })
    }

    /// All operators' times together until `now`.
    pub fn total(&self, now: UnixMicros) -> StateTimes {
        let mut total = StateTimes::default();
        self.until(now).for_each(|(_, times)| total.merge(&times));
        total
    }

    fn set(&mut self, operator: &OperatorName, state: &OperatorState, at: UnixMicros) {
        match self.operators.get_mut(operator) {
            Some(clock) => {
                clock.run_to(at);
                clock.state = state.clone();
            }
            None => {
                let clock = Clock { state: state.clone(), since: at, times: StateTimes::default() };
                self.operators.insert(operator.clone(), clock);
            }
        }
    }
}

impl Clock {
    fn run_to(&mut self, at: UnixMicros) {
        self.times.add(&self.state, at.since(self.since));
        self.since = self.since.max(at);
    }
}
