//! An independent observer of the outputs: the rule that level 2 never reaches a subcontractor, and one operator a contact.
//!
//! Knows: the plan in force and what was told through the door. Must never know: the room's inside.

use std::collections::BTreeMap;

use crate::door::*;

#[derive(Default)]
pub(crate) struct Observer {
    staff: BTreeMap<Name, (Employer, Vec<Level>)>,
    line_levels: BTreeMap<Name, Level>,
    lines: BTreeMap<ContactId, Name>,
    levels: BTreeMap<ContactId, Level>,
    offers: BTreeMap<OfferId, (ContactId, Name)>,
    connected: BTreeMap<ContactId, (OfferId, Name)>,
    last_offer: Option<OfferId>,
}

impl Observer {
    pub(crate) fn plan(&mut self, plan: &Plan) {
        self.staff =
            plan.operators.iter().map(|o| (o.name.clone(), (o.employer.clone(), o.levels.clone()))).collect();
        self.line_levels = plan.lines.iter().map(|line| (line.name.clone(), line.level)).collect();
        for (contact, line) in &self.lines {
            if self.connected.contains_key(contact) {
                continue;
            }
            if let Some(level) = self.line_levels.get(line) {
                let known = self.levels.entry(*contact).or_insert(*level);
                *known = (*known).max(*level);
            }
        }
    }

    pub(crate) fn arrives(&mut self, contact: ContactId, line: &Name) {
        self.lines.insert(contact, line.clone());
        if let Some(level) = self.line_levels.get(line) {
            self.levels.insert(contact, *level);
        }
    }

    /// The world ended this contact.
    pub(crate) fn gone(&mut self, contact: ContactId) {
        self.connected.remove(&contact);
        self.lines.remove(&contact);
    }

    /// The world ended this offer.
    pub(crate) fn offer_over(&mut self, offer: OfferId) {
        self.offers.remove(&offer);
    }

    pub(crate) fn lost(&mut self, contact: ContactId) {
        self.connected.remove(&contact);
    }

    pub(crate) fn sees(&mut self, output: &Output) {
        match output {
            Output::Queued { contact, level, .. } => {
                let known = self.levels.entry(*contact).or_insert(*level);
                assert!(*level >= *known, "a level never falls");
                *known = *level;
            }
            Output::Offer { offer, proof, .. } => {
                assert!(self.last_offer < Some(*offer), "an offer's name is never used again");
                self.last_offer = Some(*offer);
                assert!(
                    !self.offers.values().any(|(contact, _)| *contact == proof.contact()),
                    "a contact is offered to one operator at a time"
                );
                assert!(!self.connected.contains_key(&proof.contact()), "who is connected is not offered");
                self.operator_is_free(proof.operator());
                self.offers.insert(*offer, (proof.contact(), proof.operator().clone()));
            }
            Output::Withdrawn { offer, .. } => {
                assert!(self.offers.remove(offer).is_some(), "only an open offer is withdrawn");
            }
            Output::OfferClosed { offer, .. } => {
                self.offers.remove(offer);
                self.connected.retain(|_, (by, _)| by != offer);
            }
            Output::Connected { offer, contact, operator } => {
                assert!(self.offers.remove(offer).is_some(), "only an open offer connects");
                self.operator_is_free(operator);
                self.connected.insert(*contact, (*offer, operator.clone()));
            }
            _ => {}
        }
    }

    fn operator_is_free(&self, operator: &Name) {
        let held = self.offers.values().map(|(_, name)| name);
        let talks = self.connected.values().map(|(_, name)| name);
        assert!(held.chain(talks).all(|name| name != operator), "an operator has one thing at a time");
    }

    /// After every step: no level 2 contact is offered to or with anybody but in-house operators accredited for it.
    pub(crate) fn step_over(&self) {
        let offered = self.offers.values().map(|(contact, name)| (contact, name));
        let connected = self.connected.iter().map(|(contact, (_, name))| (contact, name));
        for (contact, operator) in offered.chain(connected) {
            if self.levels.get(contact) == Some(&Level::Two) {
                let allowed = self
                    .staff
                    .get(operator)
                    .is_some_and(|(by, levels)| *by == Employer::InHouse && levels.contains(&Level::Two));
                assert!(allowed, "level 2 contact {contact:?} is with {operator}");
            }
        }
    }
}
