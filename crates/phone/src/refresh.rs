//! Changing a running session: re-INVITE and UPDATE, from this side and from the other (RFC 3261 §14,
//! RFC 3311).
//!
//! It knows hold, resume, refresh and glare. It must never begin or end a call but for a dialog that
//! turns out to be gone.

use crate::call::{Change, Pending, Phase, Plan};
use crate::dialog::Dialog;
use crate::phone::Phone;
use crate::sdp::{Description, Direction};
use crate::text::Message;
use crate::transaction::{Purpose, ServerKey};
use crate::uac::settle;
use crate::{CallId, End, Event, Refusal};
use std::time::Duration;

impl Phone {
    pub(crate) fn redirect(&mut self, now: Duration, id: CallId, wish: Direction) -> Result<(), Refusal> {
        self.start_change(now, id, Change { wish, update: false, offer: true })
    }

    pub(crate) fn refresh(
        &mut self,
        now: Duration,
        id: CallId,
        update: bool,
        offer: bool,
    ) -> Result<(), Refusal> {
        let wish = self.calls.get(&id).ok_or(Refusal::NoSuchCall)?.session.wish;
        self.start_change(now, id, Change { wish, update, offer })
    }

    pub(crate) fn start_change(&mut self, now: Duration, id: CallId, change: Change) -> Result<(), Refusal> {
        let contact = self.contact();
        let call = self.calls.get_mut(&id).ok_or(Refusal::NoSuchCall)?;
        // RFC 3261 §14.1: one INVITE at a time in a dialog; RFC 3264 §4: one offer at a time.
        let busy = call.pending.is_some() || call.unacknowledged.is_some() || call.session.offered;
        if !call.is_established() || busy {
            return Err(Refusal::WrongState);
        }
        let wish_before = std::mem::replace(&mut call.session.wish, change.wish);
        call.pending = Some(Pending { change, wish_before });
        call.plan = None;
        let (mut request, hop) = call.dialog.request(if change.update { "UPDATE" } else { "INVITE" });
        request.push("Contact", contact);
        if change.offer {
            let offer = call.session.offer();
            request.set_body("application/sdp", offer);
        }
        if !self.start_client(now, request, hop, Purpose::Refresh(id), 0) {
            self.roll_back(id);
            return Err(Refusal::NoCapacity);
        }
        Ok(())
    }

    pub(crate) fn on_refresh_response(
        &mut self,
        now: Duration,
        id: CallId,
        branch: &str,
        request: &Message,
        response: Option<&Message>,
    ) {
        let status = response.and_then(Message::status).unwrap_or(408);
        match (status, response) {
            (200..300, Some(response)) => self.on_refreshed(now, id, branch, request, response),
            (491, _) => {
                let change = self.roll_back(id);
                let step = self.random_u64();
                if let (Some(call), Some(change)) = (self.calls.get_mut(&id), change) {
                    // RFC 3261 §14.1: the owner of the Call-ID waits 2.1 to 4 s, the other up to 2 s.
                    let wait_ms = if call.outgoing { 2100 + step % 190 * 10 } else { step % 200 * 10 };
                    call.plan = Some((now + Duration::from_millis(wait_ms), Plan::Again(change)));
                }
            }
            // RFC 3261 §12.2.1.2: these two mean that the dialog is gone.
            (481, _) => self.end_call(id, End::Lost, None),
            (408, _) => self.say_goodbye(now, id, End::Lost, None),
            _ => {
                if self.roll_back(id).is_some() {
                    self.event(Event::Refreshed { call: id, status });
                }
            }
        }
    }

    fn on_refreshed(
        &mut self,
        now: Duration,
        id: CallId,
        branch: &str,
        request: &Message,
        response: &Message,
    ) {
        let is_invite = request.method() == Some("INVITE");
        let Some(call) = self.calls.get_mut(&id) else {
            // The call ended in the meantime; the 2xx still wants its ACK.
            let hop = self.clients.iter().find(|client| client.branch == branch).map(|client| client.hop);
            if let Some(dialog) =
                hop.filter(|_| is_invite).and_then(|hop| Dialog::of_response(request, response, hop))
            {
                self.acknowledge(branch, &dialog, request, None);
            }
            return;
        };
        call.pending = None;
        call.dialog.refresh_target(response);
        let before = call.session.agreement.map(|agreed| agreed.peer_direction);
        let offered = request.sdp().is_some();
        // An UPDATE without an offer, and its 200, leave the session alone.
        let (body, usable) =
            if is_invite || offered { settle(call, offered, response) } else { (None, true) };
        call.session.offered = false;
        call.follow_session(now);
        let dialog = call.dialog.clone();
        if is_invite {
            self.acknowledge(branch, &dialog, request, body);
        }
        let status = if usable { 200 } else { 488 };
        self.event(Event::Refreshed { call: id, status });
        self.tell_direction(id, before);
    }

    /// RFC 3261 §14.1: a refused change leaves everything as it was.
    fn roll_back(&mut self, id: CallId) -> Option<Change> {
        let call = self.calls.get_mut(&id)?;
        let pending = call.pending.take()?;
        call.session.wish = pending.wish_before;
        call.session.offered = false;
        Some(pending.change)
    }

    pub(crate) fn on_reinvite(&mut self, now: Duration, id: CallId, request: &Message, key: &ServerKey) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if matches!(call.phase, Phase::Incoming { .. }) {
            // RFC 3261 §14.2: the first INVITE has no final answer yet.
            let mut response = self.response(request, 500);
            response.push("Retry-After", "2");
            self.reply(now, key, &response);
            return;
        }
        if call.pending.is_some() || call.unacknowledged.is_some() {
            self.refuse(now, request, key, 491);
            return;
        }
        call.dialog.refresh_target(request);
        let before = call.session.agreement.map(|agreed| agreed.peer_direction);
        let (body, offered) = match request.sdp() {
            Some(text) => (Description::parse(text).and_then(|offer| call.session.answer(&offer)), false),
            None => (Some(call.session.offer()), true),
        };
        let Some(body) = body else {
            self.refuse(now, request, key, 488);
            return;
        };
        call.follow_session(now);
        let mut response = self.response_in(id, request, 200);
        response.set_body("application/sdp", body);
        self.reply_until_acknowledged(now, id, request, key, &response, offered, false);
        self.tell_direction(id, before);
    }

    pub(crate) fn on_update(&mut self, now: Duration, id: CallId, request: &Message, key: &ServerKey) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let offer = request.sdp().map(Description::parse);
        // RFC 3311 §5.2: an offer while one of ours is out, or before the call's first is answered.
        if offer.is_some() && (call.pending.is_some() || call.session.offered) {
            self.refuse(now, request, key, 491);
            return;
        }
        call.dialog.refresh_target(request);
        let before = call.session.agreement.map(|agreed| agreed.peer_direction);
        let body = match offer {
            Some(offer) => match offer.and_then(|offer| call.session.answer(&offer)) {
                Some(body) => Some(body),
                None => {
                    self.refuse(now, request, key, 488);
                    return;
                }
            },
            None => None,
        };
        call.follow_session(now);
        let mut response = self.response_in(id, request, 200);
        if let Some(body) = body {
            response.set_body("application/sdp", body);
        }
        self.reply(now, key, &response);
        self.tell_direction(id, before);
    }

    /// A hold or a resumption may come in an offer, or in the answer to an offer we were asked for.
    pub(crate) fn tell_direction(&mut self, id: CallId, before: Option<Direction>) {
        let after =
            self.calls.get(&id).and_then(|call| call.session.agreement).map(|agreed| agreed.peer_direction);
        if let Some(direction) = after.filter(|_| after != before) {
            self.event(Event::Redirected { call: id, direction });
        }
    }
}
