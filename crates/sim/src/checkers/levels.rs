//! Level 2 never reaches a subcontractor: by the facts, and by whose sound reaches whom.
//!
//! Knows: the plan. Must never know: how the engine proves it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use facts::event::EventKind;
use facts::{ContactId, Event, Level};

use super::Findings;
use crate::deployment::COMPLEX;
use crate::station::{Role, StationId};

const RULE: &str = "level 2 stays in-house";

#[derive(Default)]
pub(crate) struct Levels {
    may_level_two: BTreeSet<String>,
    level_two: BTreeMap<ContactId, ()>,
}

impl Levels {
    pub(crate) fn plan(&mut self, plan: &acd::Plan) {
        self.may_level_two = plan
            .operators
            .iter()
            .filter(|operator| operator.employer == acd::Employer::InHouse)
            .filter(|operator| operator.levels.contains(&acd::Level::Two))
            .map(|operator| operator.name.to_string())
            .collect();
    }

    pub(crate) fn event(&mut self, now: Duration, event: &Event, findings: &mut Findings) {
        let Some(contact) = event.contact else { return };
        match &event.kind {
            EventKind::Queued { level: Level::Two, .. } => {
                self.level_two.insert(contact, ());
            }
            EventKind::Queued { level: Level::One, .. } if self.level_two.contains_key(&contact) => {
                findings.add(now, RULE, format!("contact {contact} fell back to level 1"));
            }
            EventKind::OfferMade { operator, .. } | EventKind::AnsweredByOperator { operator, .. }
                if self.level_two.contains_key(&contact)
                    && !self.may_level_two.contains(operator.as_str()) =>
            {
                findings.add(now, RULE, format!("contact {contact} reached {operator}"));
            }
            EventKind::Ended { .. } => {
                self.level_two.remove(&contact);
            }
            _ => {}
        }
    }

    pub(crate) fn bridged(&self, now: Duration, pair: [(StationId, &Role); 2], findings: &mut Findings) {
        for (one, other) in [(pair[0].1, pair[1].1), (pair[1].1, pair[0].1)] {
            if let (Role::Caller { dials }, Role::Operator { name }) = (one, other)
                && dials.contains(COMPLEX)
                && !self.may_level_two.contains(name)
            {
                findings.add(now, RULE, format!("{name} hears a caller of the level 2 line"));
            }
        }
    }
}
