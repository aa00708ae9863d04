//! How each event changes the live picture.

use super::{ALARMS_MAX, Board, LiveContact, LiveEngine, LiveOperator, LiveTrunk, Stage};
use crate::cdr::{Cdr, CdrStep};
use crate::event::{Alarm, Caller, ContactSoFar, Event, EventKind, MenuChoice, OperatorState, StateCause};
use crate::ids::{ContactId, EmployerName, LineName, OperatorName, TrunkName};
use crate::kpi::Tally;
use crate::time::UnixMicros;

impl Board {
    /// The next event.
    pub fn apply(&mut self, event: &Event) {
        self.last_event_at = self.last_event_at.max(event.at);
        for step in self.cdrs.apply(event) {
            self.count(step);
        }
        self.operator_times.apply(event);
        match (event.contact, &event.kind) {
            (Some(contact), EventKind::Offered { trunk, line, caller, .. }) => {
                self.begin(contact, trunk, line, *caller, event.at);
            }
            (Some(contact), EventKind::Restored(so_far)) => self.restored(contact, so_far, event.at),
            (Some(contact), EventKind::Ended { .. }) => self.over(contact),
            (Some(contact), kind) => {
                if let EventKind::AnsweredByOperator { operator, employer, .. } = kind {
                    let operator = self.operator(operator, employer, event.at);
                    operator.contact = Some(contact);
                    operator.answered_today += 1;
                }
                if let EventKind::OperatorLeft { operator, .. } = kind
                    && let Some(operator) = self.operators.get_mut(operator)
                {
                    operator.contact = None;
                }
                if let Some(live) = self.contacts.get_mut(&contact) {
                    live.apply(kind, event.at);
                }
            }
            (None, _) => {}
        }
        self.apply_rest(&event.kind, event.at);
    }

    /// A new day begins: figures start from zero, what is going on goes on.
    pub fn new_day(&mut self, at: UnixMicros) {
        self.day_began_at = at;
        self.today = Tally::default();
        self.counted.clear();
        self.operator_times.restart(at);
        self.engine.dropped_today = 0;
        self.lines.values_mut().for_each(|line| line.today = Tally::default());
        self.operators.values_mut().for_each(|operator| operator.answered_today = 0);
    }

    /// A line, trunk or operator that is configured, so that it is shown before anything happened to it.
    pub fn expect_line(&mut self, line: &LineName) {
        self.lines.entry(line.clone()).or_default();
    }

    /// See [`Board::expect_line`].
    pub fn expect_trunk(&mut self, trunk: &TrunkName) {
        let unknown = LiveTrunk { alive: None, since: self.last_event_at, status: None };
        self.trunks.entry(trunk.clone()).or_insert(unknown);
    }

    /// See [`Board::expect_line`].
    pub fn expect_operator(&mut self, operator: &OperatorName, employer: &EmployerName) {
        let at = self.last_event_at;
        self.operator(operator, employer, at);
    }

    fn apply_rest(&mut self, kind: &EventKind, at: UnixMicros) {
        match kind {
            EventKind::OperatorState { operator, employer, state, cause } => {
                let live = self.operator(operator, employer, at);
                live.employer = employer.clone();
                live.cause = cause.clone();
                if live.state != *state {
                    live.state = state.clone();
                    live.since = at;
                }
                if !matches!(state, OperatorState::InContact | OperatorState::WrapUp) {
                    live.contact = None;
                }
            }
            EventKind::TrunkAlive { trunk } => self.trunk(trunk, true, None, at),
            EventKind::TrunkDead { trunk, status } => self.trunk(trunk, false, Some(*status), at),
            EventKind::LineOpened { line, .. } => {
                self.lines.entry(line.clone()).or_default().opened_by_command = Some(true);
            }
            EventKind::LineClosed { line, .. } => {
                self.lines.entry(line.clone()).or_default().opened_by_command = Some(false);
            }
            EventKind::Alarm { alarm, raised } => self.alarm(alarm, *raised, at),
            EventKind::EngineStarted { version } => {
                self.engine = LiveEngine {
                    version: Some(version.clone()),
                    started_at: Some(at),
                    config: self.engine.config,
                    dropped_today: self.engine.dropped_today,
                    ..LiveEngine::default()
                };
                // What is still so is said again by the engine.
                self.contacts.clear();
                self.alarms.clear();
                for operator in self.operators.values_mut() {
                    operator.state = OperatorState::SignedOut;
                    operator.contact = None;
                    operator.since = at;
                }
            }
            EventKind::EngineDraining => self.engine.draining = true,
            EventKind::EngineStopped => self.engine.stopped = true,
            EventKind::ConfigLoaded { hash } => self.engine.config = Some(*hash),
            EventKind::OverflowDropped { count, .. } => {
                self.engine.dropped_today = self.engine.dropped_today.saturating_add(*count);
            }
            _ => {}
        }
    }

    /// A contact is counted when it ends; its writing up is added when it is known.
    fn count(&mut self, step: CdrStep) {
        let settled = matches!(step, CdrStep::Settled(_));
        let (CdrStep::Ended(cdr) | CdrStep::Settled(cdr)) = step;
        if cdr.ended_at < self.day_began_at {
            return;
        }
        let line = &mut self.lines.entry(cdr.line.clone()).or_default().today;
        match self.counted.remove(&cdr.contact) {
            Some(counted) => {
                line.add_late_wrap_up(&counted, &cdr);
                self.today.add_late_wrap_up(&counted, &cdr);
            }
            None => {
                line.add(&cdr, &self.thresholds);
                self.today.add(&cdr, &self.thresholds);
            }
        }
        if !settled {
            self.remember(*cdr);
        }
    }

    fn remember(&mut self, cdr: Cdr) {
        self.counted.insert(cdr.contact, cdr);
    }

    fn begin(
        &mut self,
        contact: ContactId,
        trunk: &TrunkName,
        line: &LineName,
        caller: Caller,
        at: UnixMicros,
    ) {
        self.lines.entry(line.clone()).or_default();
        let live = LiveContact {
            trunk: trunk.clone(),
            line: line.clone(),
            caller,
            offered_at: at,
            queued_at: None,
            language: None,
            level: None,
            priority: 0,
            stage: Stage::Menu,
            since: at,
            operators: Vec::new(),
            on_hold: false,
        };
        self.contacts.insert(contact, live);
    }

    fn restored(&mut self, contact: ContactId, so_far: &ContactSoFar, at: UnixMicros) {
        self.begin(contact, &so_far.trunk, &so_far.line, so_far.caller, so_far.offered_at);
        let Some(live) = self.contacts.get_mut(&contact) else { return };
        live.queued_at = so_far.queued_at;
        live.language.clone_from(&so_far.language);
        live.level = so_far.level;
        if let Some((operator, employer)) = &so_far.operator {
            live.stage = Stage::Talking;
            live.since = so_far.answered_at.unwrap_or(at);
            live.operators.push(operator.clone());
            let (operator, employer) = (operator.clone(), employer.clone());
            self.operator(&operator, &employer, at).contact = Some(contact);
        } else if let Some(queued_at) = so_far.queued_at {
            live.stage = Stage::Waiting;
            live.since = queued_at;
        }
    }

    fn over(&mut self, contact: ContactId) {
        let Some(live) = self.contacts.remove(&contact) else { return };
        for operator in live.operators {
            if let Some(operator) = self.operators.get_mut(&operator)
                && operator.contact == Some(contact)
            {
                operator.contact = None;
            }
        }
    }

    fn operator(
        &mut self,
        operator: &OperatorName,
        employer: &EmployerName,
        at: UnixMicros,
    ) -> &mut LiveOperator {
        self.operators.entry(operator.clone()).or_insert_with(|| LiveOperator {
            employer: employer.clone(),
            state: OperatorState::SignedOut,
            since: at,
            cause: StateCause::Configuration,
            contact: None,
            answered_today: 0,
        })
    }

    fn trunk(&mut self, trunk: &TrunkName, alive: bool, status: Option<u16>, at: UnixMicros) {
        let live =
            self.trunks.entry(trunk.clone()).or_insert(LiveTrunk { alive: None, since: at, status: None });
        if live.alive != Some(alive) {
            live.alive = Some(alive);
            live.since = at;
        }
        live.status = status;
    }

    /// The same alarm with another measure (a longer wait) is the same alarm.
    fn alarm(&mut self, alarm: &Alarm, raised: bool, at: UnixMicros) {
        let same = |other: &Alarm| match (alarm, other) {
            (Alarm::LongWait { line, .. }, Alarm::LongWait { line: other, .. }) => line == other,
            _ => alarm == other,
        };
        let index = self.alarms.iter().position(|(_, other)| same(other));
        match (index, raised) {
            (Some(index), true) => self.alarms[index].1 = alarm.clone(),
            (Some(index), false) => drop(self.alarms.remove(index)),
            (None, true) if self.alarms.len() < ALARMS_MAX => self.alarms.push((at, alarm.clone())),
            (None, _) => {}
        }
    }
}

impl LiveContact {
    fn apply(&mut self, kind: &EventKind, at: UnixMicros) {
        match kind {
            EventKind::MenuChosen { choice: MenuChoice::Language(language), .. } => {
                self.language = Some(language.clone());
            }
            EventKind::MenuChosen { choice: MenuChoice::Level(level), .. } => self.level = Some(*level),
            EventKind::Closed { .. } | EventKind::Dissuaded { .. } | EventKind::LeftQueue { .. } => {
                self.enter(Stage::Leaving, at);
            }
            EventKind::Queued { line, level, language, priority, .. } => {
                self.queued_at.get_or_insert(at);
                self.line = line.clone();
                self.level = Some(*level);
                self.language = Some(language.clone());
                self.priority = *priority;
                self.enter(Stage::Waiting, at);
            }
            EventKind::OfferMade { operator, .. } => match &mut self.stage {
                Stage::Ringing { operators } => operators.push(operator.clone()),
                // A transfer rings while the caller talks or waits on hold: she is not back in the queue.
                Stage::Talking => {}
                _ => self.stage = Stage::Ringing { operators: vec![operator.clone()] },
            },
            EventKind::OfferEnded { operator, .. } => {
                if let Stage::Ringing { operators } = &mut self.stage {
                    operators.retain(|other| other != operator);
                    if operators.is_empty() {
                        self.stage = Stage::Waiting;
                    }
                }
            }
            EventKind::AnsweredByOperator { operator, level, .. } => {
                self.level = self.level.max(Some(*level));
                if !self.operators.contains(operator) {
                    self.operators.push(operator.clone());
                }
                if self.stage != Stage::Talking {
                    self.enter(Stage::Talking, at);
                }
            }
            EventKind::OperatorLeft { operator, .. } => {
                self.operators.retain(|other| other != operator);
                self.on_hold = false;
            }
            EventKind::Held { .. } => self.on_hold = true,
            EventKind::Resumed { .. } => self.on_hold = false,
            EventKind::Escalated { to, .. } => self.level = Some(*to),
            _ => {}
        }
    }

    fn enter(&mut self, stage: Stage, at: UnixMicros) {
        self.stage = stage;
        self.since = at;
    }
}
