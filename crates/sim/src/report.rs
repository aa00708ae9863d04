//! What a run came to.
//!
//! Knows: figures. Must never know: how they came about.

use std::fmt;
use std::time::Duration;

use facts::kpi::Tally;

use crate::checkers::Violation;

/// What a run came to.
#[derive(Clone, PartialEq, Debug)]
pub struct Report {
    /// The scenario's name.
    pub scenario: &'static str,
    /// The seed.
    pub seed: u64,
    /// Virtual time that passed.
    pub lasted: Duration,
    /// Callers.
    pub callers: usize,
    /// Contacts by their outcome, and the figures that follow.
    pub tally: Tally,
    /// Steps of the engine.
    pub steps: u64,
    /// SIP datagrams sent by anybody.
    pub datagrams: u64,
    /// Of them lost.
    pub datagrams_lost: u64,
    /// Times that the program died.
    pub crashes: u32,
    /// One number over everything that the engine said: equal for equal seeds.
    pub trace_hash: u64,
    /// What must not be.
    pub violations: Vec<Violation>,
}

impl Report {
    /// Nothing was found wrong.
    pub fn is_clean(&self) -> bool {
        self.violations.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { offered, closed, left_in_menu, dissuaded, other_exit, abandoned, answered, .. } =
            &self.tally;
        writeln!(f, "{}, seed {}: {:.1} h", self.scenario, self.seed, self.lasted.as_secs_f64() / 3600.0)?;
        writeln!(
            f,
            "  {} callers, {offered} offered = {closed} closed + {left_in_menu} left in menu + {dissuaded} dissuaded \
             + {other_exit} other exit + {abandoned} abandoned + {answered} answered",
            self.callers
        )?;
        if let Some(share) = self.tally.sl_5() {
            writeln!(f, "  SL-5 (20 s) {:.1} %", share * 100.0)?;
        }
        writeln!(
            f,
            "  {} steps, {} datagrams ({} lost), {} restarts, trace {:016x}",
            self.steps, self.datagrams, self.datagrams_lost, self.crashes, self.trace_hash
        )?;
        if !self.is_clean() {
            writeln!(f, "  {} violations; again with: {}", self.violations.len(), self.reproduction())?;
        }
        self.violations.iter().try_for_each(|violation| writeln!(f, "    {violation}"))
    }
}

impl Report {
    /// How to see this run again.
    pub fn reproduction(&self) -> String {
        format!(
            "VIGIE_SIM_SCENARIO='{}' VIGIE_SIM_SEED={} cargo test -p sim --test days one_seed -- --nocapture",
            self.scenario, self.seed
        )
    }
}
