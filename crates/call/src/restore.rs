//! The engine goes on after a restart: each room comes back from its records, and here they are joined again.
//!
//! Knows: what must agree between the rooms. What does not agree (a record lost, a version not known) is ended decently
//! and said; nothing is guessed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use facts::event::{
    ContactSoFar, EndCause, EndProof, EndedBy, EventKind, OfferOutcome, OperatorLeaveReason, StateCause,
};
use facts::{ContactId, UnixMicros};

use crate::contact::{Call, Side, Stage};
use crate::door::Room;
use crate::engine::{Engine, RecordKey, Timer, derive};
use crate::records::{Record, decode};
use crate::settings::{Name, Settings};
use crate::words;

impl Engine {
    /// Goes on from records. `seed` must be fresh: nothing random may repeat. `first_contact` as for
    /// [`Engine::new`]; `unix_micros_at_epoch` dates what is said of the calls that go on.
    pub fn restore(
        now: Duration,
        settings: Settings,
        seed: [u8; 32],
        first_contact: u64,
        unix_micros_at_epoch: i64,
        records: impl IntoIterator<Item = (Room, u64, Bytes)>,
    ) -> Self {
        let mut by_room: BTreeMap<Room, Vec<(u64, Bytes)>> = BTreeMap::new();
        for (room, key, record) in records {
            by_room.entry(room).or_default().push((key, record));
        }
        let mut of = |room| by_room.remove(&room).unwrap_or_default();
        let sip = sip::Endpoint::restore(now, settings.sip.clone(), derive(seed, 1), of(Room::Sip));
        let media = media::Control::restore(now, settings.media.clone(), derive(seed, 2), of(Room::Media));
        let (acd, distributor) = acd::Acd::restore(now, settings.plan.clone(), of(Room::Acd));
        let mut engine = Self::assemble(settings, sip, media, acd, first_contact);
        let mut lost = 0;
        for (key, record) in of(Room::Call) {
            match decode(key, &record) {
                Some(Record::Call(call)) => engine.take_back(now, unix_micros_at_epoch, *call),
                Some(Record::Feature(dialog, leg)) => {
                    engine.sip.end(now, dialog, None);
                    engine.media.release(now, leg);
                    engine.dirty.insert(RecordKey::Feature(dialog));
                }
                None => lost += 1,
            }
        }
        let unix_ms_at_epoch = unix_micros_at_epoch.div_euclid(1000);
        engine.acd.handle(now, acd::Input::Wall { unix_ms_at_epoch });
        engine.join(now, distributor);
        let contacts = u32::try_from(engine.calls.len()).unwrap_or(u32::MAX);
        engine.fact(now, None, EventKind::EngineRestored { contacts, lost });
        engine.say_again(now);
        engine.announce_devices(now);
        engine.settle(now);
        engine.withdraw_rings(now);
        engine.settle(now);
        engine.end_the_over(now);
        engine.settle(now);
        engine
    }

    fn take_back(&mut self, now: Duration, unix_micros_at_epoch: i64, call: Call) {
        let contact = call.contact;
        self.next_contact = self.next_contact.max(contact.0 + 1);
        let wall = |at: Duration| UnixMicros(unix_micros_at_epoch).plus(at);
        let connected = call.operator.as_ref().filter(|operator| operator.connected);
        let so_far = ContactSoFar {
            trunk: call.trunk.clone().into(),
            line: call.line.clone().into(),
            trunk_call_id: call.trunk_call_id.clone(),
            caller: call.caller,
            offered_at: wall(call.offered_at),
            queued_at: call.queued_at.map(wall),
            level: call.queued_at.map(|_| words::level(call.level)),
            language: call.language.clone().map(Into::into),
            answered_at: call.answered_at.map(wall),
            operator: connected
                .map(|operator| (operator.name.clone().into(), self.employer_of(&operator.name))),
        };
        self.fact(now, Some(contact), EventKind::Restored(so_far));
        self.dialogs.insert(call.dialog, Side::Trunk(contact));
        self.legs.insert(call.leg, Side::Trunk(contact));
        if let Some(operator) = &call.operator {
            self.dialogs.insert(operator.dialog, Side::Operator(contact));
            self.legs.insert(operator.leg, Side::Operator(contact));
            self.offers.insert(operator.offer, contact);
        }
        let timers = [(call.deadline, Timer::Stage(contact)), (call.nobody_deadline, Timer::Nobody(contact))];
        self.timers.extend(timers.into_iter().filter_map(|(at, timer)| Some((at?, timer))));
        if !call.is_over() {
            *self.calls_by_trunk.entry(call.trunk.clone()).or_insert(0) += 1;
        }
        self.calls.insert(contact, call);
    }

    /// Proofs go back to the offers they belong to; what one room knows and another does not is let go.
    fn join(&mut self, now: Duration, distributor: acd::Restored) {
        let mut offered = Vec::new();
        for (offer, proof) in distributor.offers {
            let contact = ContactId(proof.contact().0);
            offered.push(contact);
            let operator = self.calls.get_mut(&contact).and_then(|call| call.operator.as_mut());
            match operator.filter(|operator| operator.offer == offer && !operator.connected) {
                Some(operator) => operator.proof = Some(proof),
                None => self.acd.handle(now, acd::Input::Failed { proof, why: acd::OfferFailure::Internal }),
            }
        }
        let known: BTreeSet<ContactId> = distributor
            .connected
            .iter()
            .map(|(_, contact, _)| *contact)
            .chain(distributor.waiting)
            .chain(distributor.choosing)
            .map(|contact| ContactId(contact.0))
            .chain(offered)
            .collect();
        for contact in &known {
            if self.calls.get(contact).is_none_or(Call::is_over) {
                self.acd.handle(now, acd::Input::Gone { contact: acd::ContactId(contact.0) });
            }
        }
        let forgotten = self.calls.values().filter(|call| {
            matches!(call.stage, Stage::Choosing(_) | Stage::Waiting) && !known.contains(&call.contact)
        });
        // Her place is lost, and she is not: she arrives anew.
        for (contact, line) in forgotten.map(|call| (call.contact, call.line.clone())).collect::<Vec<_>>() {
            self.acd.handle(now, acd::Input::Arrived { contact: acd::ContactId(contact.0), line });
        }
    }

    /// What is still so, for whoever follows the facts: a start means that nothing is known until it is said.
    fn say_again(&mut self, now: Duration) {
        let names: Vec<Name> =
            self.settings.plan.operators.iter().map(|operator| operator.name.clone()).collect();
        for name in names {
            let Some(state) = self.acd.operator_state(&name).cloned() else { continue };
            let (employer, told) = (self.employer_of(&name), words::operator_state(&state));
            let operator = name.clone().into();
            self.operator_states.insert(name, state);
            let kind =
                EventKind::OperatorState { operator, employer, state: told, cause: StateCause::Restored };
            self.fact(now, None, kind);
        }
        let alarmed: Vec<ContactId> =
            self.calls.values().filter(|call| call.alarmed).map(|call| call.contact).collect();
        for contact in alarmed {
            self.fact_alarm(now, contact, true);
        }
    }

    /// SIP has cancelled what rang: the restart is no fault of the operator's, so it must not be taken for a refusal
    /// when her phone says that it was cancelled.
    fn withdraw_rings(&mut self, now: Duration) {
        let rings = |call: &&mut Call| call.operator.as_ref().is_some_and(|operator| !operator.connected);
        let mut ringing = Vec::new();
        for call in self.calls.values_mut().filter(rings) {
            let Some(operator) = &mut call.operator else { continue };
            ringing.push((call.contact, operator.offer, operator.name.clone(), operator.proof.take()));
        }
        for (contact, offer, name, proof) in ringing {
            self.fact_offer_ended(now, contact, offer, &name, OfferOutcome::Withdrawn);
            self.drop_operator(now, contact);
            if let Some(proof) = proof {
                self.acd.handle(now, acd::Input::Failed { proof, why: acd::OfferFailure::Internal });
            }
        }
    }

    /// Calls that had ended, and only waited for their media legs' accounts when the program went; and those of which
    /// another room has lost its part.
    fn end_the_over(&mut self, now: Duration) {
        let contacts: Vec<ContactId> = self.calls.keys().copied().collect();
        for contact in contacts {
            let Some(call) = self.calls.get(&contact) else { continue };
            let (leg, dialog) = (call.leg, call.dialog);
            let operator = call.operator.as_ref().map(|operator| operator.dialog);
            if matches!(call.stage, Stage::Over(_)) {
                self.media.release(now, leg);
                self.close(now, contact);
            } else if !self.sip.is_live(dialog) {
                // Nobody would ever say that this call is over.
                self.end_call(now, contact, EndedBy::Vigie, EndCause::bare(EndProof::Restart));
            } else if operator.is_some_and(|dialog| !self.sip.is_live(dialog)) {
                self.operator_lost(now, contact, OperatorLeaveReason::DeviceLost);
            } else if !call.delayed_offer && self.media.negotiated(leg).is_none() {
                // The call's media leg did not come back: it has no sound any more, and no way to get it.
                self.end_call(now, contact, EndedBy::Vigie, EndCause::bare(EndProof::Restart));
            }
        }
    }
}
