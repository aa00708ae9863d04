//! The checkers: what must hold in every world, whatever happens in it.
//!
//! Know: facts, the plan, what phones experienced, what crossed the door. Must never know: the inside of any room: a
//! checker that asks the engine what is right would agree with every mistake.

mod conduct;
mod distribution;
mod leaks;
mod levels;
mod outcomes;
pub(crate) mod privacy;

use std::fmt;
use std::time::Duration;

use call::Output;
use facts::Event;

use crate::station::{Role, StationId};
use crate::world::World;

use self::distribution::Distribution;
use self::levels::Levels;
pub use self::outcomes::Outcomes;
use self::privacy::Privacy;

/// More violations than this say nothing new.
const VIOLATIONS_MAX: usize = 50;

/// Something that must not be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// When it was seen.
    pub at: Duration,
    /// By which rule.
    pub rule: &'static str,
    /// What.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} s, {}: {}", self.at.as_secs_f64(), self.rule, self.what)
    }
}

/// Violations, as they are found.
#[derive(Default, Debug)]
pub(crate) struct Findings(Vec<Violation>);

impl Findings {
    pub(crate) fn add(&mut self, at: Duration, rule: &'static str, what: impl Into<String>) {
        if self.0.len() < VIOLATIONS_MAX {
            self.0.push(Violation { at, rule, what: what.into() });
        }
    }
}

/// All checkers together.
#[derive(Default)]
pub struct Checkers {
    findings: Findings,
    distribution: Distribution,
    levels: Levels,
    outcomes: Outcomes,
    conduct: conduct::Conduct,
    pub(crate) privacy: Privacy,
}

impl Checkers {
    pub(crate) fn new(plan: &acd::Plan) -> Self {
        let mut checkers = Self::default();
        checkers.plan(plan);
        checkers
    }

    /// What was found wrong.
    pub fn violations(&self) -> &[Violation] {
        &self.findings.0
    }

    /// Records and figures.
    pub fn outcomes(&self) -> &Outcomes {
        &self.outcomes
    }

    pub(crate) fn plan(&mut self, plan: &acd::Plan) {
        self.distribution.plan(plan);
        self.levels.plan(plan);
    }

    pub(crate) fn output(&mut self, now: Duration, output: &Output) {
        self.privacy.output(now, output);
    }

    pub(crate) fn event(&mut self, now: Duration, event: &Event, written: &str) {
        let findings = &mut self.findings;
        self.privacy.written(now, written);
        self.distribution.event(now, event, findings);
        self.levels.event(now, event, findings);
        self.outcomes.event(now, event, findings);
    }

    pub(crate) fn step_over(&mut self, now: Duration) {
        self.distribution.step_over(now, &mut self.findings);
        self.privacy.report(&mut self.findings);
    }

    pub(crate) fn bridged(&mut self, now: Duration, pair: [(StationId, &Role); 2]) {
        self.levels.bridged(now, pair, &mut self.findings);
        self.outcomes.bridged(now, pair, &mut self.findings);
    }

    pub(crate) fn phone(&mut self, now: Duration, id: StationId, role: &Role, event: &phone::Event) {
        self.conduct.phone(now, id, role, event, &mut self.findings);
    }

    /// A phone lost its power, or is another one now.
    pub(crate) fn lost_its_memory(&mut self, id: StationId) {
        self.conduct.lost_its_memory(id);
    }

    pub(crate) fn crashed(&mut self, now: Duration) {
        self.distribution.crashed();
        self.outcomes.crashed(now);
    }

    pub(crate) fn finish(&mut self, world: &World) {
        self.outcomes.finish(world, &mut self.findings);
        leaks::finish(world, &mut self.findings);
        self.privacy.report(&mut self.findings);
    }
}
