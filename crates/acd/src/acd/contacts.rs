//! What happens with contacts: they arrive, choose, wait, come back, go.
//!
//! Knows: admission, places, the deadlines of a wait. Must never know: how an operator is chosen.

use std::ops::Bound;

use crate::acd::Acd;
use crate::contact::{Announce, Contact, Stage};
use crate::door::{ContactId, Dissuasion, Level, Name, Output, StateCause};
use crate::line::unix_ms;
use crate::offer;
use crate::operator::{Event, OperatorSlot};
use crate::queue::{DemandId, Place};
use crate::timers::Timer;

/// How many contacts of a queue are told in one step that nobody could ever take them; the others in the steps that follow
/// at once, so that the last operator's signing out costs the same with ten or a hundred thousand waiting.
const NOTICES_PER_STEP: usize = 64;

impl Acd {
    pub(super) fn arrived(&mut self, contact: ContactId, line: Name) {
        if self.contacts.contains_key(&contact) {
            return;
        }
        let calendar_ms = self.unix_ms_at_epoch.map(|at_epoch| unix_ms(at_epoch, self.now));
        let dissuaded = match self.lines.get_mut(&line).filter(|entry| !entry.retired) {
            None => Some(Dissuasion::NoSuchLine),
            Some(entry) if !entry.open(calendar_ms) => {
                Some(Dissuasion::Closed { by_hand: entry.by_hand.is_some() })
            }
            // An offered contact is as good as served; one in the menu will wait in a moment.
            Some(entry) if entry.unserved >= entry.policy.waiting_max => Some(Dissuasion::Full),
            Some(entry) => {
                entry.contacts += 1;
                entry.unserved += 1;
                let languages = entry.policy.languages.clone();
                let level = entry.policy.level;
                let admitted = Contact {
                    line,
                    level,
                    level_untold: false,
                    language: languages.first().cloned().unwrap_or_else(|| Name::from("")),
                    stage: Stage::Choosing,
                    since: self.now,
                    wait_began: self.now,
                    returned: false,
                    last_resort_told: false,
                    alarm_told: None,
                };
                self.contacts.insert(contact, admitted);
                self.dirty.contacts.insert(contact);
                self.step.push(Output::Admitted { contact, languages });
                None
            }
        };
        if let Some(why) = dissuaded {
            self.step.push(Output::Dissuaded { contact, why });
        }
    }

    pub(super) fn chose(&mut self, id: ContactId, language: Name) {
        let Some(contact) = self.contacts.get_mut(&id) else { return };
        if !matches!(contact.stage, Stage::Choosing) {
            return;
        }
        // A language that the line does not have is a slip on our side; the caller is served in its first one.
        let known = self.lines.get(&contact.line).is_some_and(|entry| {
            entry.policy.languages.is_empty() || entry.policy.languages.contains(&language)
        });
        if known {
            contact.language = language;
        }
        contact.since = self.now;
        contact.wait_began = self.now;
        self.enqueue(id, false, Announce::Queued);
    }

    pub(super) fn gone(&mut self, id: ContactId) {
        self.leave_queue(id);
        match self.contacts.get(&id).map(|contact| &contact.stage) {
            None => return,
            Some(Stage::Choosing | Stage::Waiting { .. }) => {}
            Some(Stage::Offered(offer)) => self.offer_event(*offer, offer::Event::ContactGone),
            Some(Stage::Connected { operator, .. }) => {
                let operator = *operator;
                let wrap_up = self.wrap_up(operator, id);
                let cause = StateCause::ContactEnded;
                self.operator_event(operator, Event::ContactOver { wrap_up, cause });
            }
        }
        let backed_off: Vec<OperatorSlot> = self.back_offs.of_contact(id).map(|(slot, _)| slot).collect();
        for slot in backed_off {
            self.back_offs.end(id, slot);
            self.timers.cancel(&Timer::BackOff(id, slot));
        }
        let Some(contact) = self.contacts.remove(&id) else { return };
        self.touched.contacts.remove(&id);
        self.dirty.contacts.insert(id);
        if let Some(entry) = self.lines.get_mut(&contact.line) {
            entry.contacts -= 1;
            entry.unserved -= usize::from(matches!(contact.stage, Stage::Choosing));
            if entry.retired && entry.contacts == 0 {
                self.lines.remove(&contact.line);
            }
        }
    }

    /// The operator's phone vanished in the middle of a contact.
    pub(super) fn operator_lost(&mut self, id: ContactId) {
        let Some(Stage::Connected { operator, .. }) = self.contacts.get(&id).map(|contact| &contact.stage)
        else {
            return;
        };
        self.operator_event(*operator, Event::ContactLost);
        self.return_to_queue(id);
    }

    /// Puts a contact that was with an operator in front of the queue.
    pub(super) fn return_to_queue(&mut self, id: ContactId) {
        if let Some(contact) = self.contacts.get_mut(&id) {
            contact.returned = true;
            contact.wait_began = self.now;
            contact.last_resort_told = false;
            self.enqueue(id, false, Announce::Returned);
        }
    }

    fn tell_queued(&mut self, id: ContactId, announce: Announce) {
        let Some(contact) = self.contacts.get_mut(&id) else { return };
        let returned = match announce {
            Announce::Nothing if !contact.level_untold => return,
            Announce::Nothing | Announce::Queued => false,
            Announce::Returned => true,
        };
        contact.level_untold = false;
        if let Stage::Waiting { demand, place } = &contact.stage {
            self.step.push(Output::Queued {
                contact: id,
                level: contact.level,
                language: contact.language.clone(),
                ahead: self.index.ahead(*demand, place),
                returned,
            });
        }
    }

    /// To its place in the queue. `alarm_known`: it was told, and nothing has cleared that since.
    pub(super) fn enqueue(&mut self, id: ContactId, alarm_known: bool, announce: Announce) {
        let Some(demand) = self.demand_of(id) else { return };
        let Some(contact) = self.contacts.get_mut(&id) else { return };
        let Some(entry) = self.lines.get_mut(&contact.line) else { return };
        let place = Place::new(contact.returned, entry.policy.priority, contact.since, id);
        entry.unserved += usize::from(!matches!(contact.stage, Stage::Choosing | Stage::Waiting { .. }));
        contact.stage = Stage::Waiting { demand, place };
        contact.alarm_told = None;
        self.index.enqueue(demand, place);
        if let Some(wait_max) = entry.policy.wait_max.filter(|_| !contact.last_resort_told) {
            self.timers.set(Timer::LastResort(id), contact.wait_began.saturating_add(wait_max));
        }
        self.dirty.contacts.insert(id);
        self.touched.contacts.insert(id);
        self.set_ring_timer(id);
        self.tell_queued(id, announce);
        self.notice(id, alarm_known);
    }

    /// What a contact demands, its level brought up to its line's: a line that became level 2 makes its contacts level 2,
    /// and nothing makes them level 1 again.
    pub(super) fn demand_of(&mut self, id: ContactId) -> Option<DemandId> {
        let contact = self.contacts.get_mut(&id)?;
        contact.level = contact.level.max(self.lines.get(&contact.line)?.policy.level);
        if let Some(known) = self.index.find(&contact.line, contact.level, &contact.language) {
            return Some(known);
        }
        let operators = self
            .operators
            .iter()
            .filter(|(_, entry)| !entry.retired)
            .map(|(slot, entry)| (*slot, &entry.policy));
        let new = self.index.create(&contact.line, contact.level, &contact.language, operators)?;
        self.stand_all_in(new);
        Some(new)
    }

    /// Out of the queue, its stage for the caller of this to decide.
    pub(super) fn leave_queue(&mut self, id: ContactId) {
        let Some(contact) = self.contacts.get_mut(&id) else { return };
        let Stage::Waiting { demand, place } = &contact.stage else { return };
        self.index.dequeue(*demand, place);
        if let Some(entry) = self.lines.get_mut(&contact.line) {
            entry.unserved -= 1;
        }
        self.timers.cancel(&Timer::Ring(id));
        self.timers.cancel(&Timer::LastResort(id));
    }

    pub(super) fn ring_begins(&mut self, id: ContactId) {
        self.touched.contacts.insert(id);
        self.set_ring_timer(id);
    }

    fn set_ring_timer(&mut self, id: ContactId) {
        let Some(Stage::Waiting { demand, place }) = self.contacts.get(&id).map(|contact| &contact.stage)
        else {
            return;
        };
        let Some(rings) = self.index.demand(*demand).map(|demand| &demand.rings) else { return };
        match place.next_ring(rings, self.now) {
            Some(begins) => self.timers.set(Timer::Ring(id), begins),
            None => self.timers.cancel(&Timer::Ring(id)),
        }
    }

    pub(super) fn last_resort(&mut self, id: ContactId) {
        let Some(contact) = self.contacts.get_mut(&id) else { return };
        if matches!(contact.stage, Stage::Waiting { .. }) && !contact.last_resort_told {
            contact.last_resort_told = true;
            self.dirty.contacts.insert(id);
            self.step.push(Output::LastResort { contact: id });
        }
    }

    /// Tells one waiting contact's alarm, if there is one that it was not told of.
    fn notice(&mut self, id: ContactId, known: bool) {
        let Some(contact) = self.contacts.get_mut(&id) else { return };
        let Stage::Waiting { demand, .. } = &contact.stage else { return };
        let Some(demand) = self.index.demand(*demand) else { return };
        let Some(alarm) = demand.alarm.filter(|alarm| contact.alarm_told != Some(*alarm)) else { return };
        contact.alarm_told = Some(alarm);
        self.dirty.contacts.insert(id);
        if !known {
            let excluded = demand.excluded(demand.rings.last(), 0);
            self.step.push(Output::NobodyEligible { contact: id, excluded });
        }
    }

    /// Whether this contact waits under an alarm that it was told of.
    pub(super) fn knows_alarm(&self, contact: &Contact) -> bool {
        match &contact.stage {
            Stage::Waiting { demand, .. } => self
                .index
                .demand(*demand)
                .is_some_and(|demand| demand.alarm.is_some() && demand.alarm == contact.alarm_told),
            Stage::Choosing | Stage::Offered(_) | Stage::Connected { .. } => false,
        }
    }

    /// Nobody signed in could ever take these contacts, or somebody can again.
    pub(super) fn alarm_turns(&mut self, id: DemandId) {
        let Some(demand) = self.index.demand_mut(id) else { return };
        demand.noticed = None;
        if demand.nobody() {
            demand.alarm = Some(self.next_alarm);
            self.next_alarm += 1;
            if !demand.queue.is_empty() {
                self.timers.set(Timer::Notices(id), self.now);
            }
        } else {
            demand.alarm = None;
            self.timers.cancel(&Timer::Notices(id));
        }
    }

    /// Goes on telling a queue, from its front.
    pub(super) fn notices(&mut self, id: DemandId) {
        let Some(demand) = self.index.demand(id) else { return };
        let from = demand.noticed.map_or(Bound::Unbounded, Bound::Excluded);
        let next: Vec<Place> =
            demand.queue.range((from, Bound::Unbounded)).take(NOTICES_PER_STEP).copied().collect();
        for place in &next {
            self.notice(place.contact, false);
        }
        if let Some(demand) = self.index.demand_mut(id) {
            demand.noticed = next.last().copied();
        }
        if next.len() == NOTICES_PER_STEP {
            self.timers.set(Timer::Notices(id), self.now);
        }
    }

    /// Contacts whose line has become level 2 by a reload, while nobody has answered them yet, become so too. One that is
    /// answered stays what it was answered as, until it waits again.
    pub(super) fn raise_levels(&mut self) {
        for (id, contact) in &mut self.contacts {
            let line_level = self.lines.get(&contact.line).map(|entry| entry.policy.level);
            if line_level == Some(Level::Two)
                && contact.level == Level::One
                && !matches!(contact.stage, Stage::Connected { .. })
            {
                contact.level = Level::Two;
                contact.level_untold = !matches!(contact.stage, Stage::Choosing);
                self.dirty.contacts.insert(*id);
            }
        }
    }
}
