//! Their INVITE until it has its final answer: RFC 3261 §13.3, §9.2.
//!
//! Knows: what an incoming call says of itself, and the answers that it gets. Must never know: who takes it.

use std::time::Duration;

use bytes::Bytes;

use super::compose::{SDP, reason_of};
use super::leg::{Dialog, Leg, Offered, Session, State, Unacknowledged};
use super::outside::Arrived;
use super::streams::Flow;
use super::{Endpoint, ServerUser, TimerKey};
use crate::door::{Caller, DialogId, EndedBy, Event, Identity, Incoming, Peer, Private, Reason};
use crate::transaction::table::{As, TransactionId};
use crate::transaction::{GIVE_UP, T1, T2};
use crate::wire::{HeaderId, Host, MessageBuilder, NameAddr, Request, Status, Uri};

/// RFC 3261 §13.3.1.1: a provisional response is said again every minute, or a proxy gives the call up.
const PROVISIONAL_EVERY: Duration = Duration::from_secs(60);
/// How much of a peer's Call-ID is told.
const CALL_ID_CHARS_MAX: usize = 128;
/// Where our CSeq numbers begin in a dialog that the peer began.
const FIRST_SEQUENCE: u32 = 1;

impl Endpoint {
    pub(super) fn start_offered(
        &mut self,
        now: Duration,
        peer: Peer,
        flow: Flow,
        reply: Flow,
        request: Request,
    ) {
        let id = DialogId(self.fresh_id());
        let tag = self.fresh_token("");
        let dialog = dialog_of_request(&request, &peer, &tag, flow);
        let incoming = incoming(id, peer.clone(), self.identity_of(&peer), &request, flow);
        let transaction = self.start_server(flow, reply, request, ServerUser::Invite(id));
        let call_id = dialog.call_id.clone();
        let offered = Offered { transaction, dialog, provisional: None, repeat: None };
        self.tags.insert(tag.clone(), id);
        self.legs.insert(id, Leg { peer, local_tag: tag, call_id, state: State::Offered(Box::new(offered)) });
        // RFC 3261 §8.2.6.1: 100 at once, so that nothing is repeated while the user decides.
        self.respond_with(now, transaction, 100, None, |builder| builder);
        self.dirty.insert(id.0);
        self.tell(Event::Incoming(incoming));
    }

    /// Where this peer may write who calls.
    fn identity_of(&self, peer: &Peer) -> Option<Identity> {
        let Peer::Trunk(name) = peer else { return None };
        self.settings.trunks.iter().find(|trunk| trunk.name == *name).map(|trunk| trunk.identity)
    }

    fn offered(&mut self, id: DialogId) -> Option<&mut Offered> {
        match &mut self.legs.get_mut(&id)?.state {
            State::Offered(offered) => Some(offered),
            _ => None,
        }
    }

    /// Answers a server transaction with a response that is composed from its request.
    pub(super) fn respond_with(
        &mut self,
        now: Duration,
        transaction: TransactionId,
        status: u16,
        tag: Option<&Bytes>,
        add: impl FnOnce(MessageBuilder) -> MessageBuilder,
    ) {
        let Some(server) = self.transactions.server(transaction) else { return };
        let (request, source) = (server.request.clone(), server.source);
        let bytes = add(self.reply(&request, source, status, tag.map(|tag| &tag[..]))).finish();
        self.respond(now, transaction, status, bytes);
    }

    /// A response that makes or confirms a dialog, with a session description.
    pub(super) fn respond_in_dialog(
        &mut self,
        now: Duration,
        transaction: TransactionId,
        status: u16,
        tag: &Bytes,
        sdp: Option<&Bytes>,
    ) -> Option<(Bytes, Flow)> {
        let server = self.transactions.server(transaction)?;
        let (request, source, flow) = (server.request.clone(), server.source, server.flow);
        let builder = self.reply(&request, source, status, Some(tag));
        let mut builder = self.with_dialog(builder, &request, flow);
        if status >= 200 {
            builder = builder.header(HeaderId::Accept, SDP);
        }
        let bytes = match sdp {
            Some(sdp) => builder.finish_with(SDP, sdp),
            None => builder.finish(),
        };
        self.respond(now, transaction, status, bytes.clone());
        Some((bytes, flow))
    }

    pub(super) fn send_progress(&mut self, now: Duration, id: DialogId, status: u16, sdp: Option<Bytes>) {
        let Some(offered) = self.offered(id) else { return };
        if !(101..=199).contains(&status) {
            return;
        }
        offered.provisional = Some((status, sdp));
        self.dirty.insert(id.0);
        self.repeat_provisional(now, id);
    }

    /// Says the last provisional response, and again in a minute.
    pub(super) fn repeat_provisional(&mut self, now: Duration, id: DialogId) {
        let Some(offered) = self.offered(id) else { return };
        let (transaction, tag) = (offered.transaction, offered.dialog.local_tag.clone());
        let Some((status, sdp)) = offered.provisional.clone() else { return };
        self.respond_in_dialog(now, transaction, status, &tag, sdp.as_ref());
        if let State::Offered(offered) = match self.legs.get_mut(&id) {
            Some(leg) => &mut leg.state,
            None => return,
        } {
            self.schedule.replace(
                &mut offered.repeat,
                Some(now + PROVISIONAL_EVERY),
                TimerKey::Provisional(id),
            );
        }
    }

    pub(super) fn send_answer(&mut self, now: Duration, id: DialogId, sdp: Bytes) {
        let Some(offered) = self.offered(id) else { return };
        let (transaction, dialog, repeat) =
            (offered.transaction, offered.dialog.clone(), offered.repeat.take());
        if let Some(timer) = repeat {
            self.schedule.cancel(timer);
        }
        let sequence = dialog.remote_sequence.unwrap_or_default();
        let sent = self.respond_in_dialog(now, transaction, 200, &dialog.local_tag, Some(&sdp));
        let mut session = Session::new(dialog, false);
        session.unacknowledged =
            sent.map(|sent| self.await_acknowledgement(now, id, Some(transaction), sent, sequence));
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.state = State::Established(Box::new(session));
        }
        self.dirty.insert(id.0);
    }

    /// RFC 3261 §13.3.1.4: a 2xx is repeated, over any transport, until its ACK comes.
    pub(super) fn await_acknowledgement(
        &mut self,
        now: Duration,
        id: DialogId,
        transaction: Option<TransactionId>,
        (response, flow): (Bytes, Flow),
        sequence: u32,
    ) -> Unacknowledged {
        let timer = Some(self.schedule.set(now + T1, TimerKey::Unacknowledged(id)));
        let give_up_at = now + GIVE_UP;
        Unacknowledged { transaction, response, flow, sequence, interval: T1, give_up_at, timer }
    }

    pub(super) fn repeat_answer(&mut self, now: Duration, id: DialogId) {
        let Some(session) = self.legs.get_mut(&id).and_then(Leg::session) else { return };
        let Some(waiting) = &mut session.unacknowledged else { return };
        waiting.timer = None;
        if now >= waiting.give_up_at {
            let by = if session.ending.is_some() { EndedBy::Us } else { EndedBy::NoAck };
            let reason = session.ending.take().flatten();
            session.unacknowledged = None;
            return self.leave(now, id, reason, by);
        }
        waiting.interval = (waiting.interval * 2).min(T2);
        let at = (now + waiting.interval).min(waiting.give_up_at);
        waiting.timer = Some(self.schedule.set(at, TimerKey::Unacknowledged(id)));
        let (flow, bytes) = (waiting.flow, waiting.response.clone());
        self.send_response(now, flow, &bytes);
    }

    pub(super) fn send_rejection(
        &mut self,
        now: Duration,
        id: DialogId,
        status: u16,
        reason: Option<&Reason>,
    ) {
        let Some(offered) = self.offered(id) else { return };
        let (transaction, tag, repeat) =
            (offered.transaction, offered.dialog.local_tag.clone(), offered.repeat.take());
        if let Some(timer) = repeat {
            self.schedule.cancel(timer);
        }
        let status =
            if (300..=699).contains(&status) { status } else { Status::SERVER_INTERNAL_ERROR.code() };
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.state = State::Refusing { transaction };
        }
        self.dirty.insert(id.0);
        self.respond_with(now, transaction, status, Some(&tag), |builder| match reason {
            Some(reason) => builder.header(HeaderId::Reason, super::compose::reason_value(reason)),
            None => builder,
        });
    }

    /// A refusal was acknowledged, or given up.
    pub(super) fn refusal_done(&mut self, id: DialogId, transaction: TransactionId) {
        let refusing = self.legs.get(&id).is_some_and(
            |leg| matches!(leg.state, State::Refusing { transaction: refused } if refused == transaction),
        );
        if refusing {
            self.forget_leg(id);
            self.tell(Event::Ended { dialog: id, by: EndedBy::Us, reason: None });
        }
    }

    /// RFC 3261 §9.2.
    pub(super) fn on_cancel(&mut self, now: Duration, flow: Flow, reply: Flow, request: &Request) {
        let arrived = Arrived { request, flow, reply };
        let Some(transaction) = self.transactions.find_server(request, As::Invite) else {
            return self.refuse(now, &arrived, 481, |builder| builder);
        };
        let Some(user) = self.transactions.server(transaction).map(|server| server.user) else { return };
        let (ServerUser::Invite(id) | ServerUser::Offer(id)) = user else {
            return self.refuse(now, &arrived, 200, |builder| builder);
        };
        // RFC 3261 §9.2: the To tag is that of the INVITE's response.
        let tag = self.legs.get(&id).map(|leg| leg.local_tag.clone());
        let bytes = self.reply(request, arrived.source(), 200, tag.as_ref().map(|tag| &tag[..])).finish();
        self.send_response(now, reply, &bytes);
        match user {
            ServerUser::Invite(id) if self.offered(id).is_some() => {
                let reason = reason_of(request.head());
                self.terminate_offered(now, id);
                self.tell(Event::Ended { dialog: id, by: EndedBy::Cancel, reason });
            }
            ServerUser::Offer(id) => self.withdraw_their_offer(now, id, transaction),
            ServerUser::Invite(_) | ServerUser::Nobody => {}
        }
    }

    /// Answers an INVITE that its sender ended with 487, and forgets the leg.
    pub(super) fn terminate_offered(&mut self, now: Duration, id: DialogId) {
        let Some(offered) = self.offered(id) else { return };
        let (transaction, tag) = (offered.transaction, offered.dialog.local_tag.clone());
        self.respond_with(now, transaction, 487, Some(&tag), |builder| builder);
        self.forget_leg(id);
    }
}

/// RFC 3261 §12.1.1: the dialog that their INVITE begins.
fn dialog_of_request(request: &Request, peer: &Peer, tag: &Bytes, flow: Flow) -> Dialog {
    let copy = |bytes: &[u8]| Bytes::copy_from_slice(bytes);
    let mut local = request.to().as_bytes().to_vec();
    local.extend_from_slice(b";tag=");
    local.extend_from_slice(tag);
    let contact = request
        .contacts()
        .ok()
        .and_then(|contacts| contacts.listed().first().map(|contact| contact.uri().clone()));
    // RFC 2543 let an INVITE be without Contact; its From leads back then.
    let target = contact.filter(Uri::is_sip).unwrap_or_else(|| request.from().uri().clone());
    Dialog {
        call_id: copy(request.call_id()),
        local: Bytes::from(local),
        remote: copy(request.from().as_bytes()),
        local_tag: tag.clone(),
        remote_tag: copy(&request.from().tag().unwrap_or_default()),
        local_sequence: FIRST_SEQUENCE,
        remote_sequence: Some(request.cseq().sequence),
        routes: request.elements(HeaderId::RecordRoute).map(|route| copy(&route)).collect(),
        target: target.without_headers().detached(),
        flow,
        keeps_flow: matches!(peer, Peer::Account(_)),
        owns_call_id: false,
    }
}

fn incoming(
    dialog: DialogId,
    peer: Peer,
    identity: Option<Identity>,
    request: &Request,
    flow: Flow,
) -> Incoming {
    let call_id = String::from_utf8_lossy(request.call_id());
    Incoming {
        dialog,
        request_user: user_of(request.uri()).unwrap_or_default(),
        to_user: user_of(request.to().uri()).unwrap_or_default(),
        caller: caller(request, identity),
        call_id: call_id.chars().filter(char::is_ascii_graphic).take(CALL_ID_CHARS_MAX).collect(),
        offer: request.sdp(),
        source: flow.remote(),
        diverted: request.has(HeaderId::Diversion) || is_diverted(request),
        peer,
    }
}

/// RFC 7044 §5: a History-Info entry below the first, with a cause, tells of a retargeting.
fn is_diverted(request: &Request) -> bool {
    request.elements(HeaderId::HistoryInfo).count() > 1
}

/// The user part of a URI, or the number of a `tel:` one, without escapes.
fn user_of(uri: &Uri) -> Option<String> {
    let user = uri.tel_number().map(Into::into).or_else(|| uri.user_unescaped())?;
    // RFC 3261 §19.1.1: parameters of a telephone number may stand in the user part.
    let user = user.split(|octet| *octet == b';').next().unwrap_or_default();
    Some(String::from_utf8_lossy(user).into_owned())
}

/// RFC 3325 §9.1: an asserted identity counts from a trusted peer alone, a trunk; `identity` is none for all others.
fn caller(request: &Request, identity: Option<Identity>) -> Caller {
    let asserted = || {
        let mut addresses = request.addresses(HeaderId::PAssertedIdentity).filter_map(Result::ok);
        addresses.find_map(|address| user_of(address.uri()))
    };
    let asks_privacy = ["id", "user", "header"].iter().any(|value| request.asks_privacy(value));
    let withheld = asks_privacy || is_anonymous(request.from());
    let from = || user_of(request.from().uri()).filter(|_| !withheld);
    let number = match identity {
        Some(Identity::Asserted) => asserted(),
        Some(Identity::AssertedOrFrom) => asserted().or_else(from),
        Some(Identity::From) | None => from(),
    };
    Caller { number: number.filter(|number| !number.is_empty()).map(Private::new), withheld }
}

/// RFC 3323 §4.1.1.3, and what carriers write in its stead.
fn is_anonymous(from: &NameAddr) -> bool {
    const NAMES: [&[u8]; 4] = [b"anonymous", b"restricted", b"unavailable", b"unknown"];
    let by_host = from.uri().host().is_some_and(
        |host| matches!(host, Host::Name(name) if name.to_ascii_lowercase().ends_with(b"anonymous.invalid")),
    );
    let by_user = from
        .uri()
        .user_unescaped()
        .is_some_and(|user| NAMES.iter().any(|name| user.eq_ignore_ascii_case(name)));
    by_host || by_user
}
