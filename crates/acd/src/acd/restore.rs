//! The room's state back from records, under the plan as it is now.
//!
//! Knows: in which order the parts can come back, and what of them may no longer be. Must never know: bytes. Lines come
//! first, then operators, contacts with their offers, the index; then the hard constraints are asked again as by a reload.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;

use crate::acd::{Acd, OperatorEntry};
use crate::contact::{Announce, Contact, Stage};
use crate::door::{
    ContactId, Employer, Level, Line, Name, OfferId, Operator, OperatorState, Output, Plan, Strategy,
};
use crate::hours::Hours;
use crate::line::LineEntry;
use crate::offer::{self, Offer};
use crate::operator::{After, Duty, OperatorSlot};
use crate::proof::Epoch;
use crate::records::{
    AfterRecord, ContactRecord, Key, OperatorRecord, Restored, RoomRecord, StageRecord, StateRecord, decode,
};
use crate::timers::Timer;

impl Acd {
    pub(super) fn from_records(
        now: Duration,
        plan: Plan,
        records: impl IntoIterator<Item = (u64, Bytes)>,
    ) -> (Self, Restored) {
        let mut read = Read::default();
        for (key, bytes) in records {
            read.take(key, &bytes);
        }
        let mut acd = Self::empty(now, Epoch(read.room.epoch.saturating_add(1)));
        acd.unix_ms_at_epoch = read.room.unix_ms_at_epoch;
        acd.next_offer = read.offers_used();
        acd.offers_reserved = acd.next_offer;
        acd.next_slot = read.slots_used();
        acd.restore_lines(&plan, &read);
        let claims = acd.restore_operators(plan, &read);
        acd.restore_contacts(&read, &claims);
        acd.prove_again();
        acd.forget_removed_operators();
        acd.refresh_lines();
        for key in &read.unreadable {
            acd.outputs.push_back(Output::Persist { key: *key, record: None });
        }
        let restored = acd.restored(read.unreadable.len());
        acd.settle();
        acd.finish_step();
        (acd, restored)
    }

    fn restore_lines(&mut self, plan: &Plan, read: &Read) {
        for contact in read.contacts.values() {
            let name = Name::from(contact.line.as_str());
            let entry =
                self.lines.entry(name.clone()).or_insert_with(|| LineEntry::new(line_unknown(name, contact)));
            entry.contacts += 1;
        }
        self.replace_lines(plan);
        for (line, open) in &read.room.lines_by_hand {
            if let Some(entry) = self.lines.get_mut(line.as_str()).filter(|entry| !entry.retired) {
                entry.by_hand = Some(*open);
            }
        }
    }

    /// Operators come back in their states; returns who claims which contact.
    fn restore_operators(&mut self, plan: Plan, read: &Read) -> BTreeMap<Name, ContactId> {
        for (slot, record) in &read.operators {
            self.slots.insert(Name::from(record.name.as_str()), *slot);
            // Those that are not asked for below are erased.
            self.dirty.operators.insert(*slot);
        }
        self.replace_operators(plan);
        let claims = read.claims();
        for name in claims.keys() {
            // The plan no longer has her, yet she may be in the middle of a contact.
            if self.operator_named(name).is_none() {
                let next_slot = &mut self.next_slot;
                let slot = *self.slots.entry(name.clone()).or_insert_with(|| {
                    *next_slot += 1;
                    OperatorSlot(*next_slot - 1)
                });
                let mut entry = OperatorEntry::new(operator_unknown(name.clone()), Duty::new());
                entry.retired = true;
                self.operators.insert(slot, entry);
            }
        }
        self.slots.retain(|_, slot| self.operators.contains_key(slot));
        for (slot, record) in &read.operators {
            let Some(entry) = self.operators.get_mut(slot) else { continue };
            if *entry.policy.name != *record.name {
                continue;
            }
            entry.duty = duty(record);
            entry.rest_until = record.rest_until;
            if let Some(until) = record.rest_until {
                self.timers.set(Timer::Rest(*slot), until);
            }
            if let OperatorState::WrapUp { until } = entry.duty.state {
                self.timers.set(Timer::WrapUp(*slot), until);
            }
            let held = matches!(record.state, StateRecord::Offered | StateRecord::InContact);
            if held && !claims.contains_key(&entry.policy.name) {
                // Her contact's record is gone: so is the contact.
                entry.duty.become_asked(self.now);
            }
        }
        claims
    }

    fn restore_contacts(&mut self, read: &Read, claims: &BTreeMap<Name, ContactId>) {
        for (id, record) in &read.contacts {
            self.restore_contact(*id, record, claims);
        }
        self.raise_levels();
        self.rebuild_index();
        for (id, record) in &read.contacts {
            let unserved = self.contacts.get(id).map(|contact| &contact.stage);
            if matches!(unserved, Some(Stage::Choosing)) {
                if let Some(entry) = self.lines.get_mut(record.line.as_str()) {
                    entry.unserved += 1;
                }
                if let Some(contact) = self.contacts.get_mut(id) {
                    contact.level_untold |= contact.level > level(record);
                }
                match record.stage {
                    StageRecord::Choosing => {}
                    StageRecord::Waiting | StageRecord::Offered { .. } => {
                        self.enqueue(*id, record.alarm_told, Announce::Nothing);
                    }
                    StageRecord::Connected { .. } => self.return_to_queue(*id),
                }
            }
        }
    }

    /// A contact with its offer or operator, if that one is its own; else as one who chooses, for now.
    fn restore_contact(&mut self, id: ContactId, record: &ContactRecord, claims: &BTreeMap<Name, ContactId>) {
        let operator_of = |name: &str| {
            let slot = self.slots.get(name).copied();
            slot.filter(|_| claims.get(name) == Some(&id))
        };
        let mut stage = Stage::Choosing;
        match &record.stage {
            StageRecord::Choosing | StageRecord::Waiting => {}
            StageRecord::Offered { offer, operator, deadline, ringing } => {
                if let Some(operator) = operator_of(operator) {
                    let offer = OfferId(*offer);
                    stage = Stage::Offered(offer);
                    let ring = if *ringing { offer::Stage::Ringing } else { offer::Stage::Reserved };
                    let open = Offer { contact: id, operator, deadline: *deadline, stage: ring };
                    self.offers.insert(offer, open);
                    self.timers.set(Timer::Offer(offer), *deadline);
                    self.hold(operator, OperatorState::Offered(id));
                }
            }
            StageRecord::Connected { offer, operator } => {
                if let Some(operator) = operator_of(operator) {
                    stage = Stage::Connected { operator, offer: OfferId(*offer) };
                    self.hold(operator, OperatorState::InContact(id));
                }
            }
        }
        for (operator, until) in &record.back_offs {
            if let Some(slot) = self.slots.get(operator.as_str()) {
                self.back_offs.begin(id, *slot, *until);
                self.timers.set(Timer::BackOff(id, *slot), *until);
            }
        }
        let contact = Contact {
            line: Name::from(record.line.as_str()),
            level: level(record),
            level_untold: record.level_untold,
            language: Name::from(record.language.as_str()),
            stage,
            since: record.since,
            wait_began: record.wait_began,
            returned: record.returned,
            last_resort_told: record.last_resort_told,
            alarm_told: None,
        };
        self.contacts.insert(id, contact);
        self.dirty.contacts.insert(id);
    }

    fn hold(&mut self, operator: OperatorSlot, state: OperatorState) {
        if let Some(entry) = self.operators.get_mut(&operator) {
            entry.duty.state = state;
        }
    }

    fn restored(&self, unreadable: usize) -> Restored {
        let mut places = BTreeSet::new();
        let mut restored = Restored {
            offers: Vec::new(),
            connected: Vec::new(),
            waiting: Vec::new(),
            choosing: Vec::new(),
            unreadable,
        };
        for (id, contact) in &self.contacts {
            match &contact.stage {
                Stage::Choosing => restored.choosing.push(*id),
                Stage::Waiting { place, .. } => {
                    places.insert(*place);
                }
                Stage::Offered(offer) => {
                    restored.offers.extend(self.reprove(*offer).ok().map(|proof| (*offer, proof)));
                }
                Stage::Connected { operator, offer } => {
                    let name = self.operators.get(operator).map(|entry| entry.policy.name.clone());
                    restored.connected.extend(name.map(|name| (*offer, *id, name)));
                }
            }
        }
        restored.waiting.extend(places.into_iter().map(|place| place.contact));
        restored
    }
}

/// The records by what they are about.
#[derive(Default)]
struct Read {
    room: RoomRecord,
    operators: BTreeMap<OperatorSlot, OperatorRecord>,
    contacts: BTreeMap<ContactId, ContactRecord>,
    unreadable: Vec<u64>,
}

impl Read {
    fn take(&mut self, key: u64, bytes: &[u8]) {
        let taken = match Key::from_u64(key) {
            Some(Key::Room) => decode(bytes).map(|room| self.room = room),
            Some(Key::Operator(slot)) => decode(bytes).map(|operator| {
                self.operators.insert(slot, operator);
            }),
            Some(Key::Contact(id)) => decode(bytes).map(|contact| {
                self.contacts.insert(id, contact);
            }),
            None => None,
        };
        if taken.is_none() {
            self.unreadable.push(key);
        }
    }

    /// Offer ids from here on were never used, also should the room's own record be lost.
    fn offers_used(&self) -> u64 {
        let open = self.contacts.values().filter_map(|contact| match contact.stage {
            StageRecord::Offered { offer, .. } | StageRecord::Connected { offer, .. } => Some(offer + 1),
            StageRecord::Choosing | StageRecord::Waiting => None,
        });
        open.fold(self.room.offers_reserved, u64::max)
    }

    fn slots_used(&self) -> u64 {
        self.operators.keys().fold(self.room.next_slot, |used, slot| used.max(slot.0 + 1))
    }

    /// One contact an operator: who is connected goes before who is only offered.
    fn claims(&self) -> BTreeMap<Name, ContactId> {
        let mut claims = BTreeMap::new();
        for (id, contact) in &self.contacts {
            if let StageRecord::Connected { operator, .. } = &contact.stage {
                claims.entry(Name::from(operator.as_str())).or_insert(*id);
            }
        }
        for (id, contact) in &self.contacts {
            if let StageRecord::Offered { operator, .. } = &contact.stage {
                claims.entry(Name::from(operator.as_str())).or_insert(*id);
            }
        }
        claims
    }
}

fn level(record: &ContactRecord) -> Level {
    if record.level_two { Level::Two } else { Level::One }
}

/// The plan no longer has a line whose contacts are live: they are served as their level and language ask, without skills.
fn line_unknown(name: Name, contact: &ContactRecord) -> Line {
    Line {
        name,
        level: level(contact),
        languages: vec![Name::from(contact.language.as_str())],
        skills: Vec::new(),
        hours: Hours::always(),
        waiting_max: 0,
        wait_max: None,
        priority: 0,
        offer_ring: OFFER_RING_UNKNOWN,
        wrap_up: Duration::ZERO,
        rings: Vec::new(),
        strategy: Strategy::BestThenLongestIdle,
    }
}

/// How long to ring for a contact of a line that the plan no longer has.
const OFFER_RING_UNKNOWN: Duration = Duration::from_secs(20);

/// Nothing is known of her any more, so nothing can be proved.
fn operator_unknown(name: Name) -> Operator {
    Operator {
        name,
        employer: Employer::Subcontractor(Name::from("")),
        levels: Vec::new(),
        languages: Vec::new(),
        skills: Vec::new(),
        lines: Vec::new(),
        site: None,
        ready_on_sign_in: false,
        wrap_up: None,
        missed_max: 1,
    }
}

fn duty(record: &OperatorRecord) -> Duty {
    Duty {
        state: match &record.state {
            StateRecord::SignedOut => OperatorState::SignedOut,
            // What they hold is told by the contact's record.
            StateRecord::Ready | StateRecord::Offered | StateRecord::InContact => OperatorState::Ready,
            StateRecord::WrapUp { until } => OperatorState::WrapUp { until: *until },
            StateRecord::NotReady { reason } => {
                OperatorState::NotReady { reason: Name::from(reason.as_str()) }
            }
            StateRecord::Debrief => OperatorState::Debrief,
        },
        reachable: record.reachable,
        after: match &record.after {
            AfterRecord::Ready => After::Ready,
            AfterRecord::NotReady(reason) => After::NotReady(Name::from(reason.as_str())),
            AfterRecord::Debrief => After::Debrief,
            AfterRecord::SignOut => After::SignOut,
        },
        resume: record.resume.as_deref().map(Name::from),
        missed_in_row: record.missed_in_row,
        idle_since: record.idle_since,
    }
}
