//! A new plan: what changes for what is live.
//!
//! Knows: lines and operators that stay, come and go; that the hard constraints are asked again about everything live. Must
//! never know: where plans come from.
//!
//! A level 2 contact whose operator may no longer have it (her employer changed, her accreditation ended, she is gone from
//! the plan) is taken from her at once: `OfferClosed` ends her leg, `Queued { returned }` puts the contact in front of the
//! queue. A level 1 contact stays with whoever has it until it is over: no level 1 rule is worth cutting a caller off.

use crate::acd::{Acd, OperatorEntry};
use crate::contact::{Announce, Stage};
use crate::door::{ContactId, Level, OfferId, Output, Plan, StateCause, Withdrawal};
use crate::line::LineEntry;
use crate::offer;
use crate::operator::{Duty, Event, OperatorSlot};
use crate::proof::may_serve;
use crate::queue::{Index, Standing};
use crate::timers::Timer;

impl Acd {
    /// Takes the plan over: lines, operators, and the index built anew with the waiting in their places.
    pub(super) fn replan(&mut self, plan: Plan) {
        let waiting: Vec<(ContactId, bool)> = self
            .contacts
            .iter()
            .filter(|(_, contact)| matches!(contact.stage, Stage::Waiting { .. }))
            .map(|(id, contact)| (*id, self.knows_alarm(contact)))
            .collect();
        self.replace_lines(&plan);
        self.replace_operators(plan);
        self.raise_levels();
        self.rebuild_index();
        for (id, alarm_known) in waiting {
            self.timers.cancel(&Timer::LastResort(id));
            self.enqueue(id, alarm_known, Announce::Nothing);
        }
    }

    pub(super) fn replace_lines(&mut self, plan: &Plan) {
        for entry in self.lines.values_mut() {
            entry.retired = true;
        }
        for line in &plan.lines {
            let entry = self.lines.entry(line.name.clone()).or_insert_with(|| LineEntry::new(line.clone()));
            entry.policy = line.clone().into();
            entry.retired = false;
        }
        for (name, entry) in self.lines.iter_mut().filter(|(_, entry)| entry.retired) {
            // Should the line come back some day, it comes back as its hours say.
            entry.by_hand = None;
            entry.told = None;
            self.timers.cancel(&Timer::Line(name.clone()));
        }
        self.lines.retain(|_, entry| !entry.retired || entry.contacts > 0);
    }

    pub(super) fn replace_operators(&mut self, plan: Plan) {
        for entry in self.operators.values_mut() {
            entry.retired = true;
        }
        for operator in plan.operators {
            let slot = *self.slots.entry(operator.name.clone()).or_insert_with(|| {
                self.next_slot += 1;
                OperatorSlot(self.next_slot - 1)
            });
            match self.operators.get_mut(&slot) {
                Some(entry) => {
                    entry.policy = operator;
                    entry.retired = false;
                }
                None => {
                    self.operators.insert(slot, OperatorEntry::new(operator, Duty::new()));
                }
            }
        }
        // Of whom the plan says nothing, nothing can be proved.
        for entry in self.operators.values_mut().filter(|entry| entry.retired) {
            entry.policy.levels.clear();
        }
    }

    pub(super) fn rebuild_index(&mut self) {
        for demand in self.index.demand_ids() {
            self.timers.cancel(&Timer::Notices(demand));
        }
        let operators = self
            .operators
            .iter()
            .filter(|(_, entry)| !entry.retired)
            .map(|(slot, entry)| (*slot, &entry.policy));
        self.index = Index::new(self.lines.values().map(|entry| &entry.policy), operators);
        let slots: Vec<OperatorSlot> = self.operators.keys().copied().collect();
        for slot in slots {
            if let Some(entry) = self.operators.get_mut(&slot) {
                entry.standing = Standing::default();
            }
            self.stand(slot);
        }
    }

    /// Asks the hard constraints again about every open offer and every connected contact.
    pub(super) fn prove_again(&mut self) {
        let open: Vec<(OfferId, ContactId, OperatorSlot)> =
            self.offers.iter().map(|(id, offer)| (*id, offer.contact, offer.operator)).collect();
        for (offer, contact, operator) in open {
            let fits =
                self.demand_of(contact).is_some_and(|demand| self.index.fit_for(operator, demand).is_some());
            if !fits || self.reprove(offer).is_err() {
                self.offer_event(offer, offer::Event::Ineligible);
            }
        }
        let connected: Vec<(ContactId, OperatorSlot, OfferId)> = self
            .contacts
            .iter()
            .filter_map(|(id, contact)| match contact.stage {
                Stage::Connected { operator, offer } if contact.level == Level::Two => {
                    Some((*id, operator, offer))
                }
                _ => None,
            })
            .collect();
        for (contact, operator, offer) in connected {
            let may = self
                .operators
                .get(&operator)
                .is_some_and(|entry| may_serve(Level::Two, &entry.policy).is_ok());
            if !may {
                self.take_back(contact, operator, offer);
            }
        }
    }

    /// Takes a connected contact from an operator who may no longer have it.
    pub(super) fn take_back(&mut self, contact: ContactId, operator: OperatorSlot, offer: OfferId) {
        if let Some(entry) = self.operators.get(&operator) {
            let (name, why) = (entry.policy.name.clone(), Withdrawal::NoLongerEligible);
            self.step.push(Output::OfferClosed { offer, operator: name, why });
        }
        let wrap_up = self.wrap_up(operator, contact);
        let cause = StateCause::Configuration;
        self.operator_event(operator, Event::ContactOver { wrap_up, cause });
        self.return_to_queue(contact);
    }
}
