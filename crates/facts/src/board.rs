//! The live picture: who waits, who talks, who is there, and the figures of the day.
//!
//! Knows: the present, folded from events. Must never be asked by: the engine; it is for eyes.

mod fold;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cdr::{Cdr, CdrFold};
use crate::event::{Alarm, Caller, Digest, OperatorState, StateCause};
use crate::ids::{ContactId, EmployerName, Language, Level, LineName, OperatorName, TrunkName};
use crate::kpi::{OperatorTimes, Tally, Thresholds};
use crate::time::UnixMicros;

/// Alarms shown at once; more than this is one alarm: everything is wrong.
pub const ALARMS_MAX: usize = 256;

/// The live picture.
#[derive(Debug, Clone, Default)]
pub struct Board {
    thresholds: Thresholds,
    contacts: BTreeMap<ContactId, LiveContact>,
    operators: BTreeMap<OperatorName, LiveOperator>,
    trunks: BTreeMap<TrunkName, LiveTrunk>,
    lines: BTreeMap<LineName, LiveLine>,
    alarms: Vec<(UnixMicros, Alarm)>,
    engine: LiveEngine,
    today: Tally,
    day_began_at: UnixMicros,
    operator_times: OperatorTimes,
    cdrs: CdrFold,
    counted: BTreeMap<ContactId, Cdr>,
    last_event_at: UnixMicros,
}

/// A contact that is not over.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveContact {
    /// Where it came in.
    pub trunk: TrunkName,
    /// Its line.
    pub line: LineName,
    /// Who calls.
    pub caller: Caller,
    /// When it was offered.
    pub offered_at: UnixMicros,
    /// When it first entered the queue.
    pub queued_at: Option<UnixMicros>,
    /// Its language, once chosen.
    pub language: Option<Language>,
    /// Its level, once known.
    pub level: Option<Level>,
    /// Its priority in the queue.
    pub priority: i32,
    /// What is going on.
    pub stage: Stage,
    /// Since when.
    pub since: UnixMicros,
    /// The operators in it.
    pub operators: Vec<OperatorName>,
    /// Somebody holds somebody.
    pub on_hold: bool,
}

/// What is going on with a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// Greeting, menu, or a closing message.
    Menu,
    /// In the queue.
    Waiting,
    /// In the queue, and phones ring for it.
    Ringing {
        /// Whose.
        operators: Vec<OperatorName>,
    },
    /// Bridged.
    Talking,
    /// It left the queue or was refused, and is on its way out.
    Leaving,
}

/// An operator.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveOperator {
    /// Employed by whom.
    pub employer: EmployerName,
    /// What she is doing.
    pub state: OperatorState,
    /// Since when.
    pub since: UnixMicros,
    /// Why.
    pub cause: StateCause,
    /// The contact she is in.
    pub contact: Option<ContactId>,
    /// Contacts she answered today.
    pub answered_today: u64,
}

/// A trunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveTrunk {
    /// Whether it answers; none while nobody knows.
    pub alive: Option<bool>,
    /// Since when.
    pub since: UnixMicros,
    /// The status that said it is dead.
    pub status: Option<u16>,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LiveLine {
    /// A command opened (true) or closed (false) it; none if its hours decide.
    pub opened_by_command: Option<bool>,
    /// Its figures of today.
    pub today: Tally,
}

/// The engine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LiveEngine {
    /// Its version, once it has said so.
    pub version: Option<Arc<str>>,
    /// When it started.
    pub started_at: Option<UnixMicros>,
    /// It takes no new calls.
    pub draining: bool,
    /// It stopped.
    pub stopped: bool,
    /// The configuration in force.
    pub config: Option<Digest>,
    /// Things thrown away today, for want of room.
    pub dropped_today: u64,
}

impl Board {
    /// Empty; figures are stated with these times.
    pub fn new(thresholds: Thresholds) -> Self {
        Self { thresholds, ..Self::default() }
    }

    /// Contacts that are not over, in the order of their arrival.
    pub fn contacts(&self) -> &BTreeMap<ContactId, LiveContact> {
        &self.contacts
    }

    /// Contacts in the queue (ringing ones too), longest wait first.
    pub fn waiting(&self) -> Vec<(ContactId, &LiveContact)> {
        let waits = |contact: &LiveContact| matches!(contact.stage, Stage::Waiting | Stage::Ringing { .. });
        let mut waiting: Vec<_> = self
            .contacts
            .iter()
            .filter(|(_, contact)| waits(contact))
            .map(|(id, contact)| (*id, contact))
            .collect();
        waiting.sort_by_key(|(id, contact)| (contact.queued_at, *id));
        waiting
    }

    /// Everybody who was ever heard of.
    pub fn operators(&self) -> &BTreeMap<OperatorName, LiveOperator> {
        &self.operators
    }

    /// Every trunk that was heard of.
    pub fn trunks(&self) -> &BTreeMap<TrunkName, LiveTrunk> {
        &self.trunks
    }

    /// Every line that was heard of.
    pub fn lines(&self) -> &BTreeMap<LineName, LiveLine> {
        &self.lines
    }

    /// What needs attention, and since when.
    pub fn alarms(&self) -> &[(UnixMicros, Alarm)] {
        &self.alarms
    }

    /// The engine.
    pub fn engine(&self) -> &LiveEngine {
        &self.engine
    }

    /// The figures of contacts that ended today.
    pub fn today(&self) -> &Tally {
        &self.today
    }

    /// Where operators' time of today goes.
    pub fn operator_times(&self) -> &OperatorTimes {
        &self.operator_times
    }

    /// The times the figures are stated with.
    pub fn thresholds(&self) -> &Thresholds {
        &self.thresholds
    }

    /// When today began, as it was told.
    pub fn day_began_at(&self) -> UnixMicros {
        self.day_began_at
    }

    /// When the last event came: the picture is as old as that.
    pub fn last_event_at(&self) -> UnixMicros {
        self.last_event_at
    }
}

#[cfg(test)]
mod tests;
