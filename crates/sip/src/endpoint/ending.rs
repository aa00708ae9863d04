//! How a leg ends: by BYE, by loss, by being forgotten. RFC 3261 §15, §12.2.1.2.
//!
//! Knows: what each state of a leg owes its peer before it may go. Must never know: why the user ends it.

use std::time::Duration;

use super::compose::reason_value;
use super::leg::{Dialog, Leaving, Leg, State};
use super::{ClientUser, Endpoint};
use crate::door::{DialogId, EndedBy, Event, Reason};
use crate::transaction::table::TransactionId;
use crate::wire::{HeaderId, Method};

impl Endpoint {
    /// RFC 3261 §12.2.1.2: 408 and 481 end a dialog. Whoever may still be there is told by a BYE.
    pub(super) fn lose(&mut self, now: Duration, id: DialogId, status: u16) {
        let Some(session) = self.legs.get_mut(&id).and_then(Leg::session) else { return };
        let mut dialog = session.dialog.clone();
        self.forget_leg(id);
        if status == 408 {
            self.send_bye_for(now, &mut dialog, None, ClientUser::Nobody);
        }
        self.tell(Event::Ended { dialog: id, by: EndedBy::Lost(status), reason: None });
    }

    pub(super) fn end_leg(&mut self, now: Duration, id: DialogId, reason: Option<Reason>) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        match &mut leg.state {
            State::Calling(calling) => {
                if !std::mem::replace(&mut calling.cancelled, true) {
                    self.dirty.insert(id.0);
                    self.cancel_forks(now, id, reason.as_ref());
                    self.finish_calling_if_done(id);
                }
            }
            State::Offered(_) => self.send_rejection(now, id, 480, reason.as_ref()),
            State::Established(session) => {
                if session.awaits_answer.is_some() {
                    self.send_acknowledgement(now, id, None);
                    return self.leave(now, id, reason, EndedBy::Us);
                }
                // RFC 3261 §15: no BYE before the ACK for the 2xx, or before that is given up.
                if !session.confirmed && session.unacknowledged.is_some() {
                    session.ending.get_or_insert(reason);
                    self.dirty.insert(id.0);
                    return;
                }
                self.leave(now, id, reason, EndedBy::Us);
            }
            State::Refusing { .. } | State::Leaving(_) => {}
        }
    }

    /// Sends BYE on an established leg; the leg ends with its answer.
    pub(super) fn leave(&mut self, now: Duration, id: DialogId, reason: Option<Reason>, by: EndedBy) {
        let Some(session) = self.legs.get_mut(&id).and_then(Leg::session) else { return };
        let mut dialog = session.dialog.clone();
        self.abandon_session(now, id);
        let sent = self.send_bye_for(now, &mut dialog, reason.as_ref(), ClientUser::Bye(id));
        self.dirty.insert(id.0);
        match sent.filter(|transaction| self.transactions.client(*transaction).is_some()) {
            Some(_) => {
                if let Some(leg) = self.legs.get_mut(&id) {
                    leg.state = State::Leaving(Box::new(Leaving { dialog, by }));
                }
            }
            // There is no way to the peer: the leg is over all the same.
            None => {
                self.forget_leg(id);
                self.tell(Event::Ended { dialog: id, by, reason: None });
            }
        }
    }

    /// Sends a BYE for a dialog.
    pub(super) fn send_bye_for(
        &mut self,
        now: Duration,
        dialog: &mut Dialog,
        reason: Option<&Reason>,
        user: ClientUser,
    ) -> Option<TransactionId> {
        dialog.local_sequence += 1;
        let hop = self.hop_for(now, dialog)?;
        let branch = self.fresh_branch();
        let mut builder = self.in_dialog(dialog, &Method::Bye, dialog.local_sequence, &branch, &hop);
        if let Some(reason) = reason {
            builder = builder.header(HeaderId::Reason, reason_value(reason));
        }
        Some(self.start_client(now, &Method::Bye, branch, builder.finish(), hop, user))
    }

    pub(super) fn on_bye_done(&mut self, id: DialogId) {
        let Some(State::Leaving(leaving)) = self.legs.get(&id).map(|leg| &leg.state) else { return };
        let by = leaving.by;
        self.forget_leg(id);
        self.tell(Event::Ended { dialog: id, by, reason: None });
    }

    /// Takes a leg out, with its deadlines; answers what its peer still waits for.
    pub(super) fn forget_leg(&mut self, id: DialogId) {
        self.abandon_timers(id);
        if let Some(leg) = self.legs.remove(&id) {
            self.tags.remove(&leg.local_tag);
            if let State::Established(session) = leg.state
                && let Some(transaction) = session.their_offer
            {
                self.orphans.push(transaction);
            }
        }
        self.dirty.insert(id.0);
    }

    fn abandon_session(&mut self, now: Duration, id: DialogId) {
        self.abandon_timers(id);
        let pending =
            self.legs.get_mut(&id).and_then(Leg::session).and_then(|session| session.their_offer.take());
        if let Some(transaction) = pending {
            self.respond_with(now, transaction, 487, None, |builder| builder);
        }
    }

    /// RFC 3261 §15.1.2: requests that were pending when their dialog ended get 487.
    pub(super) fn answer_orphans(&mut self, now: Duration) {
        for transaction in std::mem::take(&mut self.orphans) {
            self.respond_with(now, transaction, 487, None, |builder| builder);
        }
    }

    fn abandon_timers(&mut self, id: DialogId) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let timers = match &mut leg.state {
            State::Offered(offered) => [offered.repeat.take(), None],
            State::Established(session) => {
                let unacknowledged = session.unacknowledged.as_mut().and_then(|waiting| waiting.timer.take());
                [session.reoffer_timer.take(), unacknowledged]
            }
            State::Calling(_) | State::Refusing { .. } | State::Leaving(_) => [None, None],
        };
        for timer in timers.into_iter().flatten() {
            self.schedule.cancel(timer);
        }
    }
}
