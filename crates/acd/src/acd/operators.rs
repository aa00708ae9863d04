//! What happens with operators: each event goes through her own machine, and its effects from here into the room.
//!
//! Knows: that a changed operator changes the index, a deadline, an offer. Must never know: what her states mean.

use std::time::Duration;

use crate::acd::{Acd, OperatorEntry};
use crate::door::{CommandSource, Name, Operator, OperatorCommand, OperatorState, Output, StateCause};
use crate::offer;
use crate::operator::{Duty, Event, OperatorSlot};
use crate::queue::{DemandId, Standing};
use crate::timers::Timer;

impl Acd {
    pub(super) fn operator_event_by_name(&mut self, name: &Name, event: Event) {
        if let Some(slot) = self.slots.get(name) {
            self.operator_event(*slot, event);
        }
    }

    pub(super) fn operator_command(&mut self, name: &Name, command: OperatorCommand, by: CommandSource) {
        let Some(slot) = self.slots.get(name).copied() else { return };
        let willing = matches!(command, OperatorCommand::Ready | OperatorCommand::SignIn)
            && self.operators.get(&slot).is_some_and(|entry| entry.duty.permits(&command, by).is_ok());
        if willing {
            self.forgive(slot);
        }
        self.operator_event(slot, Event::Command(command, by));
    }

    /// She says herself that she is there: no contact that she failed before is kept from her.
    fn forgive(&mut self, slot: OperatorSlot) {
        let contacts: Vec<_> = self.back_offs.of_operator(slot).collect();
        for contact in contacts {
            self.back_offs.end(contact, slot);
            self.timers.cancel(&Timer::BackOff(contact, slot));
            self.dirty.contacts.insert(contact);
            self.touched.operators.insert(slot);
        }
    }

    pub(super) fn operator_event(&mut self, slot: OperatorSlot, event: Event) {
        let now = self.now;
        let Some(entry) = self.operators.get_mut(&slot) else { return };
        let before = entry.duty.state.clone();
        let Some(change) = entry.duty.on(now, &entry.policy, event) else { return };
        let (name, state) = (entry.policy.name.clone(), entry.duty.state.clone());
        self.dirty.operators.insert(slot);
        if let (Some(why), OperatorState::Offered(contact)) = (change.withdraw, &before) {
            let open = self.contacts.get(contact).and_then(|contact| contact.offer());
            if let Some(offer) = open {
                self.offer_event(offer, offer::Event::OperatorLeft(why));
            }
        }
        match &state {
            OperatorState::WrapUp { until } => self.timers.set(Timer::WrapUp(slot), *until),
            OperatorState::SignedOut
            | OperatorState::Ready
            | OperatorState::Offered(_)
            | OperatorState::InContact(_)
            | OperatorState::NotReady { .. }
            | OperatorState::Debrief => self.timers.cancel(&Timer::WrapUp(slot)),
        }
        if state != before {
            self.step.push(Output::OperatorState { operator: name, state, cause: change.cause });
        }
        self.stand(slot);
        self.forget_if_removed(slot);
    }

    /// Offers her nothing for a moment, though she is ready.
    pub(super) fn rest(&mut self, slot: OperatorSlot, until: Duration) {
        if let Some(entry) = self.operators.get_mut(&slot) {
            entry.rest_until = Some(until);
            self.timers.set(Timer::Rest(slot), until);
            self.dirty.operators.insert(slot);
            self.stand(slot);
        }
    }

    pub(super) fn rest_over(&mut self, slot: OperatorSlot) {
        if let Some(entry) = self.operators.get_mut(&slot) {
            entry.rest_until = None;
            self.dirty.operators.insert(slot);
            self.stand(slot);
        }
    }

    /// Brings the index up to her state.
    pub(super) fn stand(&mut self, slot: OperatorSlot) {
        let Some(entry) = self.operators.get_mut(&slot) else { return };
        let (was, is) = (entry.standing, entry.standing_now());
        if was == is {
            return;
        }
        entry.standing = is;
        let turned = self.index.place_operator(slot, &entry.policy.name, was, is);
        for demand in turned {
            self.alarm_turns(demand);
        }
        if is.ready_since.is_some() {
            self.touched.operators.insert(slot);
        } else {
            self.touched.operators.remove(&slot);
        }
    }

    /// Fills a demand that is new with the operators as they are.
    pub(super) fn stand_all_in(&mut self, demand: DemandId) {
        for (slot, entry) in &self.operators {
            self.index.place_operator_in(demand, *slot, &entry.policy.name, entry.standing);
        }
        self.alarm_turns(demand);
    }

    pub(super) fn forget_removed_operators(&mut self) {
        let removed: Vec<OperatorSlot> =
            self.operators.iter().filter(|(_, entry)| entry.retired).map(|(slot, _)| *slot).collect();
        for slot in removed {
            self.forget_if_removed(slot);
        }
    }

    /// Forgets an operator whom the plan no longer has, once nothing holds her.
    fn forget_if_removed(&mut self, slot: OperatorSlot) {
        let Some(entry) = self.operators.get(&slot).filter(|entry| entry.retired) else { return };
        match entry.duty.state {
            OperatorState::Offered(_) | OperatorState::InContact(_) => return,
            OperatorState::SignedOut => {}
            OperatorState::Ready
            | OperatorState::WrapUp { .. }
            | OperatorState::NotReady { .. }
            | OperatorState::Debrief => self.step.push(Output::OperatorState {
                operator: entry.policy.name.clone(),
                state: OperatorState::SignedOut,
                cause: StateCause::Configuration,
            }),
        }
        let name = entry.policy.name.clone();
        self.forgive(slot);
        self.timers.cancel(&Timer::WrapUp(slot));
        self.timers.cancel(&Timer::Rest(slot));
        self.operators.remove(&slot);
        self.touched.operators.remove(&slot);
        self.slots.remove(&name);
        self.dirty.operators.insert(slot);
    }
}

impl OperatorEntry {
    pub(super) fn new(policy: Operator, duty: Duty) -> Self {
        Self { policy, retired: false, duty, rest_until: None, standing: Standing::default() }
    }

    fn standing_now(&self) -> Standing {
        let ready = self.duty.state == OperatorState::Ready && self.rest_until.is_none() && !self.retired;
        Standing {
            signed_in: self.duty.signed_in() && !self.retired,
            ready_since: ready.then_some(self.duty.idle_since),
        }
    }
}
