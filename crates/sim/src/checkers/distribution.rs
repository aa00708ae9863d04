//! Who is offered what: nobody waits beside a free operator who may have her, nobody has two things at a time, nobody is
//! rung while she writes up.
//!
//! Knows: facts and the plan; the rules as the plan states them, anew. Must never know: the distributor's own indexes.

use std::collections::BTreeMap;
use std::time::Duration;

use facts::event::{EventKind, OfferOutcome, OperatorState, QueueCause};
use facts::{ContactId, Event, Level};

use super::Findings;

/// A step of the engine does all that follows from it; only the end of a call is said later than it was, when its media
/// legs have given their accounts.
const TOLERANCE: Duration = Duration::from_secs(4);
/// The distributor does not offer a contact again to an operator who just failed it for so long.
const BACK_OFF: Duration = Duration::from_secs(10);

#[derive(Clone, PartialEq, Debug)]
enum Stage {
    Elsewhere,
    Waiting,
    Offered(String),
    Talking(String),
}

#[derive(Clone, Debug)]
struct Contact {
    line: String,
    level: acd::Level,
    language: String,
    since: Duration,
    returned: bool,
    stage: Stage,
    backed_off: BTreeMap<String, Duration>,
}

#[derive(Clone, PartialEq, Debug)]
struct Duty {
    state: OperatorState,
    held_by: Option<ContactId>,
}

#[derive(Default)]
pub(crate) struct Distribution {
    lines: BTreeMap<String, acd::Line>,
    operators: BTreeMap<String, acd::Operator>,
    contacts: BTreeMap<ContactId, Contact>,
    duties: BTreeMap<String, Duty>,
    /// Pairs that should be together, since when.
    apart: BTreeMap<(ContactId, String), Duration>,
    looked_at: Duration,
    changed: bool,
}

impl Distribution {
    pub(crate) fn plan(&mut self, plan: &acd::Plan) {
        self.lines = plan.lines.iter().map(|line| (line.name.to_string(), line.clone())).collect();
        self.operators =
            plan.operators.iter().map(|operator| (operator.name.to_string(), operator.clone())).collect();
    }

    /// What was on its way is lost; the restored engine gets its time anew.
    pub(crate) fn crashed(&mut self) {
        self.apart.clear();
    }

    pub(crate) fn event(&mut self, now: Duration, event: &Event, findings: &mut Findings) {
        self.changed = true;
        if let EventKind::OperatorState { operator, state, .. } = &event.kind {
            let duty = self.duties.entry(operator.to_string()).or_insert_with(Duty::none);
            duty.state = state.clone();
            return;
        }
        let Some(id) = event.contact else { return };
        match &event.kind {
            EventKind::Queued { line, level, language, cause, .. } => {
                let before = self.contacts.remove(&id);
                let returned = *cause == QueueCause::OperatorLost;
                let contact = Contact {
                    line: line.to_string(),
                    level: if *level == Level::Two { acd::Level::Two } else { acd::Level::One },
                    language: language.to_string(),
                    since: now,
                    returned,
                    stage: Stage::Waiting,
                    backed_off: before.map(|before| before.backed_off).unwrap_or_default(),
                };
                self.contacts.insert(id, contact);
            }
            EventKind::OfferMade { operator, .. } => self.offered(now, id, operator.as_str(), findings),
            EventKind::OfferEnded { operator, outcome, .. } => {
                self.offer_ended(now, id, operator.as_str(), *outcome);
            }
            EventKind::AnsweredByOperator { operator, .. } => {
                self.hold(operator.as_str(), Some(id));
                self.stage(id, Stage::Talking(operator.to_string()));
            }
            EventKind::OperatorLeft { operator, .. } => {
                self.hold(operator.as_str(), None);
                self.stage(id, Stage::Elsewhere);
            }
            EventKind::LeftQueue { .. } | EventKind::MenuEntered { .. } => self.stage(id, Stage::Elsewhere),
            EventKind::Ended { .. } => {
                if let Some(Contact { stage: Stage::Offered(name) | Stage::Talking(name), .. }) =
                    self.contacts.remove(&id)
                {
                    self.release(&name, id);
                }
                self.apart.retain(|(contact, _), _| *contact != id);
            }
            _ => {}
        }
    }

    fn offered(&mut self, now: Duration, id: ContactId, name: &str, findings: &mut Findings) {
        let rule = "one thing at a time";
        match self.contacts.get(&id).map(|contact| &contact.stage) {
            Some(Stage::Waiting) => {}
            other => findings.add(now, rule, format!("contact {id} is offered to {name} while {other:?}")),
        }
        let duty = self.duties.entry(name.to_owned()).or_insert_with(Duty::none);
        if let Some(other) = duty.held_by.filter(|other| *other != id) {
            findings.add(now, rule, format!("{name} is offered contact {id} and has {other}"));
        }
        if !matches!(duty.state, OperatorState::Ready | OperatorState::Offered) {
            let rule = "only who is ready is rung";
            findings.add(now, rule, format!("{name} is offered contact {id} while {:?}", duty.state));
        }
        duty.held_by = Some(id);
        self.stage(id, Stage::Offered(name.to_owned()));
    }

    fn offer_ended(&mut self, now: Duration, id: ContactId, name: &str, outcome: OfferOutcome) {
        if outcome == OfferOutcome::Accepted {
            return;
        }
        self.release(name, id);
        let Some(contact) = self.contacts.get_mut(&id) else { return };
        contact.stage = if outcome == OfferOutcome::CallerGone { Stage::Elsewhere } else { Stage::Waiting };
        contact.backed_off.insert(name.to_owned(), now + BACK_OFF);
    }

    fn stage(&mut self, id: ContactId, stage: Stage) {
        if let Some(contact) = self.contacts.get_mut(&id) {
            contact.stage = stage;
        }
    }

    fn hold(&mut self, name: &str, contact: Option<ContactId>) {
        self.duties.entry(name.to_owned()).or_insert_with(Duty::none).held_by = contact;
    }

    fn release(&mut self, name: &str, id: ContactId) {
        if let Some(duty) = self.duties.get_mut(name).filter(|duty| duty.held_by == Some(id)) {
            duty.held_by = None;
        }
    }

    /// Looks for pairs that should be together.
    pub(crate) fn step_over(&mut self, now: Duration, findings: &mut Findings) {
        if !self.changed && now < self.looked_at + Duration::from_secs(1) {
            return;
        }
        self.changed = false;
        self.looked_at = now;
        let waiting: Vec<(ContactId, &Contact)> = self
            .contacts
            .iter()
            .filter(|(_, contact)| contact.stage == Stage::Waiting)
            .map(|(id, contact)| (*id, contact))
            .collect();
        if waiting.is_empty() {
            return self.apart.clear();
        }
        let mut apart = BTreeMap::new();
        for (id, contact) in waiting {
            for name in self.free() {
                if self.may_have(now, contact, name) {
                    let key = (id, name.to_owned());
                    let since = self.apart.get(&key).copied().unwrap_or(now);
                    apart.insert(key, since);
                }
            }
        }
        for ((id, name), since) in &mut apart {
            if now.saturating_sub(*since) > TOLERANCE {
                findings.add(now, "nobody waits in vain", format!("contact {id} waits beside {name}"));
                // Said once.
                *since = now + Duration::from_secs(3600);
            }
        }
        self.apart = apart;
    }

    fn free(&self) -> impl Iterator<Item = &str> {
        self.duties
            .iter()
            .filter(|(_, duty)| duty.state == OperatorState::Ready && duty.held_by.is_none())
            .map(|(name, _)| name.as_str())
    }

    fn may_have(&self, now: Duration, contact: &Contact, name: &str) -> bool {
        let (Some(line), Some(operator)) = (self.lines.get(&contact.line), self.operators.get(name)) else {
            return false;
        };
        let language = operator.languages.iter().find(|(language, _)| **language == *contact.language);
        let Some((_, proficiency)) = language else { return false };
        let level_two = operator.levels.contains(&acd::Level::Two);
        let by_level = match contact.level {
            acd::Level::One => !operator.levels.is_empty(),
            acd::Level::Two => operator.employer == acd::Employer::InHouse && level_two,
        };
        let by_line = operator.lines.is_empty() || operator.lines.contains(&line.name);
        let by_skill = line
            .skills
            .iter()
            .all(|(skill, least)| operator.skills.iter().any(|(held, had)| held == skill && had >= least));
        let rested = contact.backed_off.get(name).is_none_or(|until| *until < now);
        let waited = now.saturating_sub(contact.since);
        let by_ring = line.rings.is_empty()
            || line.rings.iter().enumerate().any(|(number, ring)| {
                (number == 0 || contact.returned || ring.after <= waited)
                    && *proficiency >= ring.language_min
                    && (contact.level == acd::Level::Two || ring.level_two_helps || !level_two)
                    && (ring.sites.is_empty() || operator.site.iter().any(|site| ring.sites.contains(site)))
            });
        by_level && by_line && by_skill && rested && by_ring
    }
}

impl Duty {
    fn none() -> Self {
        Self { state: OperatorState::SignedOut, held_by: None }
    }
}
