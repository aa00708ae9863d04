//! Requests within a dialog, theirs and ours: RFC 3261 §12.2, §14, §15; RFC 3311; RFC 6086.
//!
//! Knows: an established leg, and what may happen on it at the same time. Must never know: what the offers say.

use std::time::Duration;

use bytes::Bytes;
use rand_core::Rng;

use super::compose::{ALLOWED, SDP, reason_of};
use super::leg::{AwaitsAnswer, Leg, Reoffer, Session, State};
use super::outside::{Arrived, is_type, with_abilities};
use super::streams::Flow;
use super::{ClientUser, Endpoint, ServerUser, TimerKey};
use crate::door::{DialogId, EndedBy, Event};
use crate::transaction::table::TransactionId;
use crate::wire::{HeaderId, Method, Request, Response, Uri};

/// How often a re-INVITE that meets another one is tried again.
const GLARES_MAX: u32 = 5;
/// RFC 3261 §14.2: Retry-After for overlapping requests lies between 0 and 10 seconds.
const OVERLAP_RETRY_S_MAX: u64 = 10;
/// Body types of digits.
const DIGIT_TYPES: [&str; 2] = ["application/dtmf-relay", "application/dtmf"];

impl Endpoint {
    pub(super) fn on_request_within(
        &mut self,
        now: Duration,
        flow: Flow,
        reply: Flow,
        request: Request,
        tag: &Bytes,
    ) {
        let arrived = Arrived { request: &request, flow, reply };
        let Some(id) = self.leg_of(&request, tag) else {
            return self.on_unknown_dialog(now, flow, reply, request);
        };
        if !ALLOWED.contains(request.method()) || *request.method() == Method::Register {
            let status = if matches!(request.method(), Method::Other(_)) { 501 } else { 405 };
            return self.refuse(now, &arrived, status, |builder| builder.allow(&ALLOWED));
        }
        if !self.passes_extensions_and_body(now, &arrived) {
            return;
        }
        let method = request.method().clone();
        let sequence = request.cseq().sequence;
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let dialog = match &mut leg.state {
            State::Offered(offered) => Some(&mut offered.dialog),
            State::Established(session) => Some(&mut session.dialog),
            State::Leaving(leaving) => Some(&mut leaving.dialog),
            State::Calling(_) | State::Refusing { .. } => None,
        };
        let mut in_order = true;
        if let Some(dialog) = dialog {
            // RFC 3261 §12.2.2: an older request than the last is out of order.
            in_order = dialog.remote_sequence.is_none_or(|last| sequence > last);
            if in_order {
                dialog.remote_sequence = Some(sequence);
                dialog.flow = flow;
            }
        }
        let established = matches!(leg.state, State::Established(_));
        let fresh = self.start_server(flow, reply, request.clone(), ServerUser::Nobody);
        if !in_order {
            return self.respond_with(now, fresh, 500, None, |builder| builder);
        }
        match method {
            Method::Bye => self.on_bye(now, id, fresh, &request),
            Method::Options => self.respond_with(now, fresh, 200, None, with_abilities),
            Method::Info => self.on_info(now, id, fresh, &request),
            Method::Invite | Method::Update if established => self.on_their_offer(now, id, fresh, &request),
            Method::Invite | Method::Update => self.on_early_offer(now, id, fresh, &request),
            _ => self.respond_with(now, fresh, 481, None, |builder| builder),
        }
    }

    /// RFC 3261 §12: a dialog is known by its Call-ID and both tags.
    fn leg_of(&self, request: &Request, tag: &Bytes) -> Option<DialogId> {
        let id = *self.tags.get(tag)?;
        let leg = self.legs.get(&id)?;
        let from_tag = request.from().tag().unwrap_or_default();
        let remote_tag = leg.dialog().map(|dialog| &dialog.remote_tag);
        (leg.call_id == *request.call_id() && remote_tag.is_none_or(|known| *known == from_tag)).then_some(id)
    }

    fn on_unknown_dialog(&mut self, now: Duration, flow: Flow, reply: Flow, request: Request) {
        let arrived = Arrived { request: &request, flow, reply };
        if !self.admit_unknown(now, flow.remote().ip()) {
            return;
        }
        if *request.method() == Method::Register {
            return self.on_request_outside(now, flow, reply, request);
        }
        // Only a proven peer learns which dialogs there are not.
        if *request.method() == Method::Invite
            && (!self.passes_extensions_and_body(now, &arrived) || self.proven(now, &arrived).is_none())
        {
            return;
        }
        if !ALLOWED.contains(request.method()) {
            let status = if matches!(request.method(), Method::Other(_)) { 501 } else { 405 };
            return self.refuse(now, &arrived, status, |builder| builder.allow(&ALLOWED));
        }
        self.refuse(now, &arrived, 481, |builder| builder);
    }

    fn on_bye(&mut self, now: Duration, id: DialogId, transaction: TransactionId, request: &Request) {
        let reason = reason_of(request.head());
        let Some(leg) = self.legs.get(&id) else { return };
        match leg.state {
            State::Calling(_) | State::Refusing { .. } => {
                return self.respond_with(now, transaction, 481, None, |builder| builder);
            }
            // RFC 3261 §15.1.2: a pending INVITE is answered with 487.
            State::Offered(_) => self.terminate_offered(now, id),
            State::Established(_) => self.forget_leg(id),
            // Both ends hung up at once: ours was first here, and its answer ends the leg.
            State::Leaving(_) => return self.respond_with(now, transaction, 200, None, |builder| builder),
        }
        self.respond_with(now, transaction, 200, None, |builder| builder);
        self.tell(Event::Ended { dialog: id, by: EndedBy::Bye, reason });
    }

    fn on_info(&mut self, now: Duration, id: DialogId, transaction: TransactionId, request: &Request) {
        let known = DIGIT_TYPES.iter().any(|kind| is_type(request, kind));
        if !known && !request.body().is_empty() {
            return self.respond_with(now, transaction, 415, None, |builder| {
                builder.list(HeaderId::Accept, DIGIT_TYPES)
            });
        }
        self.respond_with(now, transaction, 200, None, |builder| builder);
        if let Some(digit) = digit_of(request).filter(|_| known) {
            self.tell(Event::Digit { dialog: id, digit });
        }
    }

    /// An INVITE or UPDATE on a dialog whose first INVITE is not answered yet.
    fn on_early_offer(&mut self, now: Duration, id: DialogId, transaction: TransactionId, request: &Request) {
        let calling = matches!(self.legs.get(&id).map(|leg| &leg.state), Some(State::Calling(_)));
        let offered = matches!(self.legs.get(&id).map(|leg| &leg.state), Some(State::Offered(_)));
        match (request.method(), request.sdp()) {
            (Method::Update, None) if calling || offered => {
                let tag = self.legs.get(&id).map(|leg| leg.local_tag.clone()).unwrap_or_default();
                self.respond_in_dialog(now, transaction, 200, &tag, None);
            }
            // RFC 3311 §5.2: our offer has no answer yet.
            (Method::Update, Some(_)) if calling => {
                self.respond_with(now, transaction, 491, None, |builder| builder)
            }
            // RFC 3311 §5.2, RFC 3261 §14.2: theirs has none yet.
            _ if offered => self.refuse_overlap(now, transaction),
            _ => self.respond_with(now, transaction, 481, None, |builder| builder),
        }
    }

    fn refuse_overlap(&mut self, now: Duration, transaction: TransactionId) {
        let wait = self.entropy.next_u64() % (OVERLAP_RETRY_S_MAX + 1);
        self.respond_with(now, transaction, 500, None, |builder| builder.number(HeaderId::RetryAfter, wait));
    }

    /// A re-INVITE or an UPDATE.
    fn on_their_offer(&mut self, now: Duration, id: DialogId, transaction: TransactionId, request: &Request) {
        let Some(session) = self.legs.get_mut(&id).and_then(Leg::session) else { return };
        let offer = request.sdp();
        let is_update = *request.method() == Method::Update;
        let quiet = is_update && offer.is_none();
        if !quiet {
            // RFC 3261 §14.2: two INVITEs crossed.
            if session.reoffer.is_some() || session.awaits_answer.is_some() {
                return self.respond_with(now, transaction, 491, None, |builder| builder);
            }
            // RFC 3261 §14.2, RFC 3311 §5.2: they overtook themselves.
            if session.their_offer.is_some() || (session.unacknowledged.is_some() && !is_update) {
                return self.refuse_overlap(now, transaction);
            }
        }
        // RFC 3261 §12.2.2: a target refresh.
        let contact = request
            .contacts()
            .ok()
            .and_then(|contacts| contacts.listed().first().map(|contact| contact.uri().clone()));
        if let Some(contact) = contact.filter(Uri::is_sip) {
            session.dialog.target = contact.without_headers().detached();
        }
        let tag = session.dialog.local_tag.clone();
        self.dirty.insert(id.0);
        if quiet {
            self.respond_in_dialog(now, transaction, 200, &tag, None);
            return;
        }
        session_of(&mut self.legs, id, |session| session.their_offer = Some(transaction));
        if let Some(server) = self.transactions.server(transaction) {
            server.user = ServerUser::Offer(id);
        }
        if !is_update {
            self.respond_with(now, transaction, 100, None, |builder| builder);
        }
        self.tell(Event::Reoffer { dialog: id, sdp: offer });
    }

    /// Their re-INVITE was cancelled.
    pub(super) fn withdraw_their_offer(&mut self, now: Duration, id: DialogId, transaction: TransactionId) {
        let Some(session) = self.legs.get_mut(&id).and_then(Leg::session) else { return };
        if session.their_offer == Some(transaction) {
            session.their_offer = None;
            self.respond_with(now, transaction, 487, None, |builder| builder);
            self.go_on(now, id);
        }
    }

    pub(super) fn send_reoffer_answer(&mut self, now: Duration, id: DialogId, sdp: Bytes) {
        let Some(session) = self.legs.get_mut(&id).and_then(Leg::session) else { return };
        let tag = session.dialog.local_tag.clone();
        let Some(transaction) = session.their_offer.take() else { return };
        let Some(server) = self.transactions.server(transaction) else { return };
        let (is_invite, sequence) =
            (*server.request.method() == Method::Invite, server.request.cseq().sequence);
        let sent = self.respond_in_dialog(now, transaction, 200, &tag, Some(&sdp));
        if let Some(sent) = sent.filter(|_| is_invite) {
            let waiting = self.await_acknowledgement(now, id, Some(transaction), sent, sequence);
            session_of(&mut self.legs, id, |session| session.unacknowledged = Some(waiting));
        }
        self.dirty.insert(id.0);
        self.go_on(now, id);
    }

    pub(super) fn send_reoffer_rejection(&mut self, now: Duration, id: DialogId, status: u16) {
        let Some(session) = self.legs.get_mut(&id).and_then(Leg::session) else { return };
        let Some(transaction) = session.their_offer.take() else { return };
        let status = if (300..=699).contains(&status) { status } else { 488 };
        self.respond_with(now, transaction, status, None, |builder| builder);
        self.go_on(now, id);
    }

    pub(super) fn on_dialog_acknowledged(&mut self, now: Duration, request: &Request) {
        let Some(tag) = request.to().tag() else { return };
        let Some(id) = self.leg_of(request, &tag) else { return };
        let Some(session) = self.legs.get_mut(&id).and_then(Leg::session) else { return };
        let sequence = request.cseq().sequence;
        let Some(waiting) = session.unacknowledged.take_if(|waiting| waiting.sequence == sequence) else {
            return;
        };
        session.confirmed = true;
        let ending = session.ending.take();
        if let Some(timer) = waiting.timer {
            self.schedule.cancel(timer);
        }
        self.dirty.insert(id.0);
        match ending {
            // RFC 3261 §15: the BYE that waited for this ACK.
            Some(reason) => self.leave(now, id, reason, EndedBy::Us),
            None => {
                self.tell(Event::Acknowledged { dialog: id, sdp: request.sdp() });
                self.go_on(now, id);
            }
        }
    }

    pub(super) fn send_acknowledgement(&mut self, now: Duration, id: DialogId, sdp: Option<Bytes>) {
        let Some(session) = self.legs.get_mut(&id).and_then(Leg::session) else { return };
        let Some(awaits) = session.awaits_answer.take() else { return };
        session.confirmed = true;
        let dialog = session.dialog.clone();
        self.acknowledge_answer(now, awaits.transaction, &dialog, awaits.sequence, sdp.as_ref());
        self.dirty.insert(id.0);
        self.go_on(now, id);
    }

    pub(super) fn want_reoffer(&mut self, now: Duration, id: DialogId, sdp: Option<Bytes>) {
        let Some(session) = self.legs.get_mut(&id).and_then(Leg::session) else { return };
        session.reoffer_next = Some(sdp);
        self.go_on(now, id);
    }

    /// Sends the re-INVITE that waits, if nothing is in its way any more.
    fn go_on(&mut self, now: Duration, id: DialogId) {
        let Some(session) = self.legs.get_mut(&id).and_then(Leg::session) else { return };
        if session.is_busy() || session.reoffer_timer.is_some() || session.ending.is_some() {
            return;
        }
        let Some(sdp) = session.reoffer_next.take() else { return };
        session.dialog.local_sequence += 1;
        let dialog = session.dialog.clone();
        self.note_sequence(id, dialog.local_sequence);
        let Some(hop) = self.hop_for(now, &dialog) else {
            return self.tell(Event::ReofferFailed { dialog: id, status: 503 });
        };
        let branch = self.fresh_branch();
        let builder = self
            .in_dialog(&dialog, &Method::Invite, dialog.local_sequence, &branch, &hop)
            .header(HeaderId::Contact, self.our_contact(&hop))
            .allow(&ALLOWED)
            .header(HeaderId::Accept, SDP);
        let bytes = match &sdp {
            Some(sdp) => builder.finish_with(SDP, sdp),
            None => builder.finish(),
        };
        let transaction =
            self.start_client(now, &Method::Invite, branch, bytes, hop, ClientUser::Reoffer(id));
        if self.transactions.client(transaction).is_some() {
            session_of(&mut self.legs, id, |session| session.reoffer = Some(Reoffer { transaction, sdp }));
        }
    }

    /// A glare was waited out.
    pub(super) fn try_reoffer(&mut self, now: Duration, id: DialogId) {
        session_of(&mut self.legs, id, |session| session.reoffer_timer = None);
        self.go_on(now, id);
    }

    pub(super) fn on_reoffer_response(
        &mut self,
        now: Duration,
        tx: TransactionId,
        id: DialogId,
        response: &Response,
    ) {
        let status = response.status().code();
        if status < 200 {
            return;
        }
        if status < 300 {
            return self.on_reoffer_answered(now, tx, id, response);
        }
        let Some(session) = self.legs.get_mut(&id).and_then(Leg::session) else { return };
        let Some(reoffer) = session.reoffer.take_if(|reoffer| reoffer.transaction == tx) else { return };
        match status {
            408 | 481 => self.lose(now, id, status),
            491 if session.glares < GLARES_MAX => {
                session.glares += 1;
                // RFC 3261 §14.1: who made the Call-ID waits 2.1 to 4 s, the other 0 to 2 s, in steps of 10 ms.
                let (least_ms, steps) = if session.dialog.owns_call_id { (2_100, 191) } else { (0, 201) };
                session.reoffer_next.get_or_insert(reoffer.sdp);
                let wait = Duration::from_millis(least_ms + 10 * (self.entropy.next_u64() % steps));
                self.schedule.replace(&mut session.reoffer_timer, Some(now + wait), TimerKey::Reoffer(id));
            }
            _ => {
                session.glares = 0;
                self.tell(Event::ReofferFailed { dialog: id, status });
                self.go_on(now, id);
            }
        }
    }

    fn on_reoffer_answered(&mut self, now: Duration, tx: TransactionId, id: DialogId, response: &Response) {
        if self.repeat_acknowledgement(now, tx, response) {
            return;
        }
        let Some(fresh) = self.dialog_of_response(tx, response) else { return };
        let sequence = fresh.local_sequence;
        let Some(session) = self.legs.get_mut(&id).and_then(Leg::session) else {
            // The leg is being left; the answer is still owed its ACK.
            return self.acknowledge_answer(now, Some(tx), &fresh, sequence, None);
        };
        let Some(reoffer) = session.reoffer.take_if(|reoffer| reoffer.transaction == tx) else { return };
        session.glares = 0;
        session.dialog.target = fresh.target;
        let dialog = session.dialog.clone();
        self.dirty.insert(id.0);
        if reoffer.sdp.is_some() {
            self.acknowledge_answer(now, Some(tx), &dialog, sequence, None);
        } else {
            session.awaits_answer = Some(AwaitsAnswer { transaction: Some(tx), sequence });
        }
        self.tell(Event::ReofferAnswered { dialog: id, sdp: response.sdp() });
        self.go_on(now, id);
    }

    /// Our re-INVITE got no answer at all.
    pub(super) fn on_reoffer_failure(&mut self, now: Duration, id: DialogId) {
        if self.legs.get_mut(&id).and_then(Leg::session).is_some() {
            self.lose(now, id, 408);
        }
    }

    pub(super) fn send_probe(&mut self, now: Duration, id: DialogId) {
        let Some(session) = self.legs.get_mut(&id).and_then(Leg::session) else { return };
        // A peer that our 2xx has not reached knows of no dialog, and would say so: whether it lives is for the 2xx's own
        // repetition to find out.
        if session.probe.is_some() || !session.confirmed {
            return;
        }
        session.dialog.local_sequence += 1;
        let dialog = session.dialog.clone();
        self.note_sequence(id, dialog.local_sequence);
        let Some(hop) = self.hop_for(now, &dialog) else { return };
        let branch = self.fresh_branch();
        let bytes = self
            .in_dialog(&dialog, &Method::Options, dialog.local_sequence, &branch, &hop)
            .header(HeaderId::Contact, self.our_contact(&hop))
            .header(HeaderId::Accept, SDP)
            .finish();
        let transaction = self.start_client(now, &Method::Options, branch, bytes, hop, ClientUser::Probe(id));
        if self.transactions.client(transaction).is_some() {
            session_of(&mut self.legs, id, |session| session.probe = Some(transaction));
        }
    }

    pub(super) fn on_probe_done(&mut self, now: Duration, id: DialogId, status: u16) {
        let Some(session) = self.legs.get_mut(&id).and_then(Leg::session) else { return };
        session.probe = None;
        match status {
            408 | 481 => self.lose(now, id, status),
            _ => self.tell(Event::Alive { dialog: id }),
        }
    }

    /// A response that no transaction knows. A repeated 2xx of an INVITE from before a restart is acknowledged
    /// again; everything else is absorbed (RFC 3261 §18.1.2).
    pub(super) fn on_stray_response(&mut self, now: Duration, response: &Response) {
        if response.cseq().method != Method::Invite || !response.status().is_success() {
            return;
        }
        let Some(tag) = response.from().tag() else { return };
        let Some(leg) = self.tags.get(&tag).copied().and_then(|id| self.legs.get_mut(&id)) else { return };
        if leg.call_id != *response.call_id() {
            return;
        }
        let Some(session) = leg.session() else { return };
        let same = response.to().tag().is_some_and(|tag| tag == session.dialog.remote_tag);
        if same && session.awaits_answer.is_none() {
            let dialog = session.dialog.clone();
            self.acknowledge_answer(now, None, &dialog, response.cseq().sequence, None);
        }
    }
}

fn session_of(
    legs: &mut std::collections::BTreeMap<DialogId, Leg>,
    id: DialogId,
    change: impl FnOnce(&mut Session),
) {
    if let Some(session) = legs.get_mut(&id).and_then(Leg::session) {
        change(session);
    }
}

/// The digit of an INFO: `Signal=5` in `application/dtmf-relay`, or the body itself in `application/dtmf`.
fn digit_of(request: &Request) -> Option<char> {
    let body = std::str::from_utf8(request.body()).ok()?;
    let text = if is_type(request, DIGIT_TYPES[0]) {
        body.lines().find_map(|line| {
            let (name, value) = line.split_once('=')?;
            name.trim().eq_ignore_ascii_case("signal").then(|| value.trim())
        })?
    } else {
        body.trim()
    };
    // Some phones name the keys by their event numbers (RFC 4733 §3.2).
    let digit = match text {
        "10" => '*',
        "11" => '#',
        _ => text.chars().next().filter(|_| text.len() == 1)?.to_ascii_uppercase(),
    };
    matches!(digit, '0'..='9' | '*' | '#' | 'A'..='D').then_some(digit)
}
