//! Our INVITE: its forks, its CANCEL, and the choice among answers. RFC 3261 §13.2, §9.1, §16.7.
//!
//! Knows: which contacts ring for a leg, and which answer wins. Must never know: why somebody is called.
//!
//! The forks share Call-ID, From tag and CSeq, as a forking proxy's would: a phone that is registered twice sees one
//! call (RFC 3261 §8.2.2.2).

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use super::alive::{escape_user, target_uri};
use super::compose::{ALLOWED, SDP, own, reason_of};
use super::leg::{AwaitsAnswer, Calling, Dialog, Failed, Fork, Leg, Session, State, rank};
use super::transmit::Hop;
use super::{ClientUser, Endpoint};
use crate::door::{Callee, DialogId, Event, Invite, Name, Peer, Reason};
use crate::transaction::table::TransactionId;
use crate::wire::{HeaderId, MessageBuilder, Method, Request, Response, Uri, is_token};

/// 2xx answers, with different To tags, that one INVITE may get: more forks than any proxy makes.
const ANSWERS_MAX: usize = 16;
/// Extra headers that would change what the message is.
const RESERVED: [HeaderId; 14] = [
    HeaderId::Via,
    HeaderId::From,
    HeaderId::To,
    HeaderId::CallId,
    HeaderId::CSeq,
    HeaderId::Contact,
    HeaderId::ContentLength,
    HeaderId::ContentType,
    HeaderId::ContentEncoding,
    HeaderId::Route,
    HeaderId::RecordRoute,
    HeaderId::MaxForwards,
    HeaderId::Require,
    HeaderId::ProxyRequire,
];

/// Where one fork goes.
struct Way {
    uri: Uri,
    hop: Hop,
    binding: Option<u64>,
}

impl Endpoint {
    pub(super) fn start_calling(&mut self, now: Duration, invite: &Invite) -> DialogId {
        let id = DialogId(self.fresh_id());
        let (peer, to, ways) = self.ways_to(now, &invite.to);
        if ways.is_empty() {
            self.tell(Event::Failed { dialog: id, status: 480, reason: None, device_gone: true });
            return id;
        }
        let (tag, call_id) = (self.fresh_token(""), self.fresh_token(""));
        let from = format!(
            "{} <sip:{}@{}>;tag={}",
            quoted(&invite.from_display),
            escape_user(&invite.from_user),
            self.our_host(),
            String::from_utf8_lossy(&tag)
        );
        let state = State::Calling(Calling { offered: invite.offer.is_some(), ..Calling::default() });
        self.tags.insert(tag.clone(), id);
        self.legs.insert(id, Leg { peer, local_tag: tag, call_id: call_id.clone(), state });
        for Way { uri, hop, binding } in ways {
            let branch = self.fresh_branch();
            let builder = self
                .outside_dialog(
                    &Method::Invite,
                    &uri,
                    from.as_bytes(),
                    to.as_bytes(),
                    &call_id,
                    1,
                    &branch,
                    &hop,
                )
                .allow(&ALLOWED)
                .header(HeaderId::Accept, SDP);
            let builder = with_extra_headers(builder, &invite.headers);
            let bytes = match &invite.offer {
                Some(offer) => builder.finish_with(SDP, offer),
                None => builder.finish(),
            };
            let transaction =
                self.start_client(now, &Method::Invite, branch, bytes, hop, ClientUser::Fork(id));
            // A way that fails at once is told before the fork is known; it is judged here.
            let finished = self.transactions.client(transaction).is_none();
            if let Some(calling) = self.calling(id) {
                calling.forks.push(Fork { transaction, binding, finished });
                if finished {
                    calling.note(Failed { status: 408, reason: None });
                }
            }
            if let Some(binding) = binding.filter(|_| finished) {
                self.suspect(now, binding);
            }
        }
        self.dirty.insert(id.0);
        self.finish_calling_if_done(id);
        id
    }

    /// The peer, the To value, and all ways to it.
    fn ways_to(&mut self, now: Duration, callee: &Callee) -> (Peer, String, Vec<Way>) {
        match callee {
            Callee::Account(account) => {
                let to = format!("<sip:{}@{}>", escape_user(account), self.our_host());
                let mut ways = Vec::new();
                for id in self.bindings.registered(account) {
                    let Some(binding) = self.bindings.find(id) else { continue };
                    let (uri, hop) = (binding.contact.without_headers(), Hop::Flow(binding.flow));
                    ways.push(Way { uri, hop, binding: Some(id) });
                }
                ways.extend(self.way_to_fixed(now, account));
                (Peer::Account(account.clone()), to, ways)
            }
            Callee::Trunk { trunk, user } => {
                let target = self.settings.trunks.iter().find(|known| known.name == *trunk);
                let target = target.and_then(|trunk| trunk.target.clone());
                let way = target.and_then(|target| {
                    let uri = target_uri(&target, Some(user))?;
                    Some(Way { uri, hop: self.hop_to_target(now, &target)?, binding: None })
                });
                let to = way.as_ref().map_or_else(String::new, |way| {
                    format!("<{}>", String::from_utf8_lossy(way.uri.as_bytes()))
                });
                (Peer::Trunk(trunk.clone()), to, way.into_iter().collect())
            }
        }
    }

    fn way_to_fixed(&mut self, now: Duration, account: &Name) -> Option<Way> {
        let target = self.account(account)?.fixed.clone()?;
        let address: SocketAddr = self.bindings.fixed(account)?;
        let flow = self.flow_to(now, target.transport, address)?;
        Some(Way {
            uri: target_uri(&target, Some(target.user.as_ref().unwrap_or(account)))?,
            hop: Hop::Flow(flow),
            binding: None,
        })
    }

    fn calling(&mut self, id: DialogId) -> Option<&mut Calling> {
        match &mut self.legs.get_mut(&id)?.state {
            State::Calling(calling) => Some(calling),
            _ => None,
        }
    }

    pub(super) fn on_fork_response(
        &mut self,
        now: Duration,
        tx: TransactionId,
        id: DialogId,
        response: &Response,
    ) {
        let status = response.status().code();
        match status {
            100..=199 => {
                self.cancel_if_wanted(now, tx);
                let Some(calling) = self.calling(id) else { return };
                calling.heard = true;
                if status > 100 && !calling.cancelled {
                    self.tell(Event::Progress { dialog: id, status, sdp: response.sdp() });
                }
            }
            200..=299 => self.on_fork_answered(now, tx, id, response),
            _ => {
                let failed = Failed { status, reason: reason_of(response.head()) };
                let Some(calling) = self.calling(id) else { return };
                calling.heard = true;
                calling.finish(tx);
                calling.note(failed);
                // RFC 3261 §16.7 step 5: a 6xx speaks for all contacts.
                if status >= 600 && !calling.cancelled {
                    self.cancel_forks(now, id, None);
                }
                self.finish_calling_if_done(id);
            }
        }
    }

    fn on_fork_answered(&mut self, now: Duration, tx: TransactionId, id: DialogId, response: &Response) {
        if self.repeat_acknowledgement(now, tx, response) {
            return;
        }
        let Some(dialog) = self.dialog_of_response(tx, response) else { return };
        let waits = self.legs.get_mut(&id).and_then(Leg::session).is_some_and(|session| {
            session.awaits_answer.as_ref().is_some_and(|awaits| awaits.transaction == Some(tx))
                && session.dialog.remote_tag == dialog.remote_tag
        });
        if waits {
            return;
        }
        let offered = match self.calling(id) {
            Some(calling) if !calling.cancelled => calling.offered,
            other => {
                if let Some(calling) = other {
                    calling.finish(tx);
                }
                self.decline_answer(now, tx, dialog);
                return self.finish_calling_if_done(id);
            }
        };
        let source = dialog.flow.remote();
        if let Some(calling) = self.calling(id) {
            calling.finish(tx);
        }
        let elsewhere =
            Reason { protocol: "SIP".into(), cause: 200, text: Some("Call completed elsewhere".into()) };
        self.cancel_forks(now, id, Some(&elsewhere));
        let sequence = dialog.local_sequence;
        if offered {
            self.acknowledge_answer(now, Some(tx), &dialog, sequence, None);
        }
        let mut session = Session::new(dialog, offered);
        session.awaits_answer = (!offered).then_some(AwaitsAnswer { transaction: Some(tx), sequence });
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.state = State::Established(Box::new(session));
        }
        self.dirty.insert(id.0);
        self.tell(Event::Answered { dialog: id, sdp: response.sdp(), source });
    }

    /// RFC 3261 §13.2.2.4: an answer that nobody wants any more is acknowledged and ended.
    fn decline_answer(&mut self, now: Duration, tx: TransactionId, mut dialog: Dialog) {
        let sequence = dialog.local_sequence;
        self.acknowledge_answer(now, Some(tx), &dialog, sequence, None);
        self.send_bye_for(now, &mut dialog, None, ClientUser::Nobody);
    }

    /// Sends a 2xx's ACK again, if it had one; true when it did.
    pub(super) fn repeat_acknowledgement(
        &mut self,
        now: Duration,
        tx: TransactionId,
        response: &Response,
    ) -> bool {
        let Some(client) = self.transactions.client(tx) else { return false };
        let tag = response.to().tag().unwrap_or_default();
        let Some((_, bytes, flow)) = client.acknowledged.iter().find(|(known, ..)| *known == tag).cloned()
        else {
            return client.acknowledged.len() >= ANSWERS_MAX;
        };
        // An ACK that is lost is sent again with the next repetition of the 2xx.
        let _ = self.transmit(now, flow, &bytes);
        true
    }

    /// RFC 3261 §13.2.2.4: the ACK for a 2xx, kept with its transaction for the repetitions of the 2xx.
    pub(super) fn acknowledge_answer(
        &mut self,
        now: Duration,
        tx: Option<TransactionId>,
        dialog: &Dialog,
        sequence: u32,
        sdp: Option<&Bytes>,
    ) {
        // An ACK has no transaction that could wait for a name: the way that the answer came serves then.
        let hop = match self.hop_for(now, dialog) {
            Some(Hop::Flow(flow)) => Hop::Flow(flow),
            _ => Hop::Flow(dialog.flow),
        };
        let branch = self.fresh_branch();
        let builder = self.in_dialog(dialog, &Method::Ack, sequence, &branch, &hop);
        let bytes = match sdp {
            Some(sdp) => builder.finish_with(SDP, sdp),
            None => builder.finish(),
        };
        let Hop::Flow(flow) = hop else { return };
        let _ = self.transmit(now, flow, &bytes);
        if let Some(client) = tx.and_then(|tx| self.transactions.client(tx)) {
            client.acknowledged.push((dialog.remote_tag.clone(), bytes, flow));
        }
    }

    /// RFC 3261 §12.1.2: the dialog that a 2xx to an INVITE of ours makes, or confirms.
    pub(super) fn dialog_of_response(&mut self, tx: TransactionId, response: &Response) -> Option<Dialog> {
        let client = self.transactions.client(tx)?;
        let flow = client.flow?;
        let (ClientUser::Fork(id) | ClientUser::Reoffer(id)) = client.user else { return None };
        let invite: Request = own(&client.request)?;
        let keeps_flow = matches!(self.legs.get(&id).map(|leg| &leg.peer), Some(Peer::Account(_)));
        let copy = |bytes: &[u8]| Bytes::copy_from_slice(bytes);
        let routes = match invite.to().tag() {
            // RFC 3261 §12.2: a re-INVITE never changes the route set.
            Some(_) => invite.elements(HeaderId::Route).map(|route| copy(&route)).collect(),
            None => {
                let mut routes: Vec<Bytes> =
                    response.elements(HeaderId::RecordRoute).map(|route| copy(&route)).collect();
                routes.reverse();
                routes
            }
        };
        let contact = response
            .contacts()
            .ok()
            .and_then(|contacts| contacts.listed().first().map(|contact| contact.uri().clone()));
        let target = contact.filter(Uri::is_sip).unwrap_or_else(|| invite.uri().clone());
        Some(Dialog {
            call_id: copy(invite.call_id()),
            local: copy(invite.from().as_bytes()),
            remote: copy(response.to().as_bytes()),
            local_tag: copy(&invite.from().tag().unwrap_or_default()),
            remote_tag: copy(&response.to().tag().unwrap_or_default()),
            local_sequence: invite.cseq().sequence,
            remote_sequence: None,
            routes,
            target: target.without_headers().detached(),
            flow,
            keeps_flow,
            owns_call_id: true,
        })
    }

    pub(super) fn on_fork_failure(&mut self, now: Duration, tx: TransactionId, id: DialogId, heard: bool) {
        let Some(calling) = self.calling(id) else { return };
        calling.heard |= heard;
        let Some(fork) = calling.forks.iter().find(|fork| fork.transaction == tx) else { return };
        let binding = fork.binding;
        calling.finish(tx);
        calling.note(Failed { status: 408, reason: None });
        if let Some(binding) = binding.filter(|_| !heard) {
            self.suspect(now, binding);
        }
        self.finish_calling_if_done(id);
    }

    /// Cancels every fork that has no final answer.
    pub(super) fn cancel_forks(&mut self, now: Duration, id: DialogId, reason: Option<&Reason>) {
        let Some(calling) = self.calling(id) else { return };
        let pending: Vec<TransactionId> =
            calling.forks.iter().filter(|fork| !fork.finished).map(|fork| fork.transaction).collect();
        for tx in pending {
            self.cancel_invite(now, tx, reason.cloned());
        }
    }

    /// Tells of the failure once every fork has failed.
    pub(super) fn finish_calling_if_done(&mut self, id: DialogId) {
        let Some(calling) = self.calling(id) else { return };
        if calling.forks.iter().any(|fork| !fork.finished) {
            return;
        }
        let best = calling.best.take().unwrap_or(Failed { status: 408, reason: None });
        let device_gone = !calling.heard && !calling.cancelled;
        let status = if calling.cancelled { 487 } else { best.status };
        self.forget_leg(id);
        self.tell(Event::Failed { dialog: id, status, reason: best.reason, device_gone });
    }
}

impl Calling {
    fn finish(&mut self, transaction: TransactionId) {
        for fork in self.forks.iter_mut().filter(|fork| fork.transaction == transaction) {
            fork.finished = true;
        }
    }

    fn note(&mut self, failed: Failed) {
        if self.best.as_ref().is_none_or(|best| rank(failed.status) < rank(best.status)) {
            self.best = Some(failed);
        }
    }
}

fn with_extra_headers(mut builder: MessageBuilder, headers: &[(Name, Name)]) -> MessageBuilder {
    for (name, value) in headers {
        if is_token(name.as_bytes()) && !RESERVED.contains(&HeaderId::from_name(name.as_bytes())) {
            builder = builder.named(name, value.as_bytes());
        }
    }
    builder
}

/// RFC 3261 §25.1: a quoted string. Control characters are left out.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars().filter(|character| !character.is_control()) {
        if matches!(character, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}
