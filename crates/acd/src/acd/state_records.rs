//! The room's state to records.
//!
//! Knows: which record holds what, and that a step writes each at most once. Must never know: bytes.

use bytes::Bytes;

use crate::acd::{Acd, OperatorEntry};
use crate::contact::{Contact, Stage};
use crate::door::{ContactId, Level, OperatorState, Output};
use crate::offer;
use crate::operator::{After, OperatorSlot};
use crate::records::{
    AfterRecord, ContactRecord, Key, OperatorRecord, RoomRecord, StageRecord, StateRecord, encode,
};

impl Acd {
    pub(super) fn all_records(&self) -> Vec<(u64, Bytes)> {
        let operators = self.operators.keys().map(|slot| Key::Operator(*slot));
        let contacts = self.contacts.keys().map(|contact| Key::Contact(*contact));
        std::iter::once(Key::Room)
            .chain(operators)
            .chain(contacts)
            .filter_map(|key| Some((key.to_u64(), self.record(key)?)))
            .collect()
    }

    /// One `Persist` for each thing that the step changed, whatever happened to it in between.
    pub(super) fn persist_dirty(&mut self) {
        let dirty = std::mem::take(&mut self.dirty);
        let keys = dirty
            .room
            .then_some(Key::Room)
            .into_iter()
            .chain(dirty.operators.into_iter().map(Key::Operator))
            .chain(dirty.contacts.into_iter().map(Key::Contact));
        for key in keys {
            let record = self.record(key);
            self.outputs.push_back(Output::Persist { key: key.to_u64(), record });
        }
    }

    fn record(&self, key: Key) -> Option<Bytes> {
        match key {
            Key::Room => Some(encode(&self.room_record())),
            Key::Operator(slot) => self.operators.get(&slot).map(|entry| encode(&operator_record(entry))),
            Key::Contact(id) => {
                self.contacts.get(&id).map(|contact| encode(&self.contact_record(id, contact)))
            }
        }
    }

    fn room_record(&self) -> RoomRecord {
        RoomRecord {
            epoch: self.epoch.0,
            offers_reserved: self.offers_reserved,
            next_slot: self.next_slot,
            unix_ms_at_epoch: self.unix_ms_at_epoch,
            lines_by_hand: self
                .lines
                .iter()
                .filter_map(|(name, entry)| Some((name.to_string(), entry.by_hand?)))
                .collect(),
        }
    }

    fn contact_record(&self, id: ContactId, contact: &Contact) -> ContactRecord {
        let stage = match contact.stage {
            Stage::Choosing => StageRecord::Choosing,
            Stage::Waiting { .. } => StageRecord::Waiting,
            Stage::Connected { operator, offer } => {
                StageRecord::Connected { offer: offer.0, operator: self.name_of(operator) }
            }
            Stage::Offered(offer) => match self.offers.get(&offer) {
                Some(open) => StageRecord::Offered {
                    offer: offer.0,
                    operator: self.name_of(open.operator),
                    deadline: open.deadline,
                    ringing: open.stage == offer::Stage::Ringing,
                },
                None => StageRecord::Waiting,
            },
        };
        ContactRecord {
            line: contact.line.to_string(),
            level_two: contact.level == Level::Two,
            level_untold: contact.level_untold,
            language: contact.language.to_string(),
            stage,
            since: contact.since,
            wait_began: contact.wait_began,
            returned: contact.returned,
            last_resort_told: contact.last_resort_told,
            alarm_told: contact.alarm_told.is_some(),
            back_offs: self
                .back_offs
                .of_contact(id)
                .map(|(operator, until)| (self.name_of(operator), until))
                .collect(),
        }
    }

    fn name_of(&self, operator: OperatorSlot) -> String {
        self.operators.get(&operator).map(|entry| entry.policy.name.to_string()).unwrap_or_default()
    }
}

fn operator_record(entry: &OperatorEntry) -> OperatorRecord {
    let duty = &entry.duty;
    OperatorRecord {
        name: entry.policy.name.to_string(),
        state: match &duty.state {
            OperatorState::SignedOut => StateRecord::SignedOut,
            OperatorState::Ready => StateRecord::Ready,
            OperatorState::Offered(_) => StateRecord::Offered,
            OperatorState::InContact(_) => StateRecord::InContact,
            OperatorState::WrapUp { until } => StateRecord::WrapUp { until: *until },
            OperatorState::NotReady { reason } => StateRecord::NotReady { reason: reason.to_string() },
            OperatorState::Debrief => StateRecord::Debrief,
        },
        reachable: duty.reachable,
        after: match &duty.after {
            After::Ready => AfterRecord::Ready,
            After::NotReady(reason) => AfterRecord::NotReady(reason.to_string()),
            After::Debrief => AfterRecord::Debrief,
            After::SignOut => AfterRecord::SignOut,
        },
        resume: duty.resume.as_ref().map(ToString::to_string),
        missed_in_row: duty.missed_in_row,
        idle_since: duty.idle_since,
        rest_until: entry.rest_until,
    }
}
