//! The door's implementation.
use std::time::Duration;

use bytes::Bytes;

use crate::door::{CommandRefused, Counts, Input, OperatorState, Output, Plan};
use crate::records::Restored;

/// The distributor.
#[derive(Debug)]
pub struct Acd {
    plan: Plan,
}

impl Acd {
    /// Starts empty.
    pub fn new(_now: Duration, plan: Plan) -> Self {
        Self { plan }
    }
    /// Replaces the plan.
    pub fn reconfigure(&mut self, _now: Duration, plan: Plan) {
        self.plan = plan;
    }
    /// Takes one input.
    pub fn handle(&mut self, _now: Duration, _input: Input) {}
    /// Whether a command would be done.
    pub fn check(&self, _input: &Input) -> Result<(), CommandRefused> {
        Ok(())
    }
    /// The next decision.
    pub fn poll_output(&mut self) -> Option<Output> {
        None
    }
    /// When to come with `Timeout`.
    pub fn poll_timeout(&self) -> Option<Duration> {
        None
    }
    /// What is live.
    pub fn counts(&self) -> Counts {
        Counts::default()
    }
    /// An operator's state.
    pub fn operator_state(&self, _operator: &str) -> Option<&OperatorState> {
        None
    }
    /// All records.
    pub fn records(&self) -> Vec<(u64, Bytes)> {
        Vec::new()
    }
    /// Comes back from records.
    pub fn restore(
        now: Duration,
        plan: Plan,
        _records: impl IntoIterator<Item = (u64, Bytes)>,
    ) -> (Self, Restored) {
        let restored = Restored {
            offers: Vec::new(),
            connected: Vec::new(),
            waiting: Vec::new(),
            choosing: Vec::new(),
            unreadable: 0,
        };
        (Self::new(now, plan), restored)
    }
}
