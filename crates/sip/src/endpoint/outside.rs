//! Requests that belong to no dialog: RFC 3261 §8.2.
//!
//! Knows: the order in which a request is inspected, and the answer each inspection gives. Must never know: what a
//! proven peer is allowed to call.
//!
//! Everything up to the proof of who sent it is answered without keeping state (RFC 3261 §8.2.7): a stranger costs
//! no memory. What costs nothing to judge is judged before the proof, so that a peer with a fault learns of the fault.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use super::compose::{ALLOWED, SDP};
use super::identify::Sender;
use super::streams::Flow;
use super::{Endpoint, ServerUser};
use crate::door::{Notice, Peer};
use crate::transaction::server_invite::ServerInvite;
use crate::transaction::server_non_invite::ServerNonInvite;
use crate::transaction::table::{ServerMachine, TransactionId};
use crate::wire::{HeaderId, MessageBuilder, Method, Request, Scheme, eq_ignore_case};

/// What an overloaded or throttled peer is told to wait, in seconds.
const RETRY_AFTER_S: u64 = 10;

/// A request that came, with the way it came by.
pub(super) struct Arrived<'a> {
    pub(super) request: &'a Request,
    /// The way it came.
    pub(super) flow: Flow,
    /// The way its responses go.
    pub(super) reply: Flow,
}

impl Arrived<'_> {
    /// The sender's address.
    pub(super) fn source(&self) -> SocketAddr {
        self.flow.remote()
    }
}

impl Endpoint {
    pub(super) fn on_request_outside(&mut self, now: Duration, flow: Flow, reply: Flow, request: Request) {
        let arrived = Arrived { request: &request, flow, reply };
        let source = arrived.source();
        if !self.admit_unknown(now, source.ip()) {
            return self
                .refuse(now, &arrived, 503, |builder| builder.number(HeaderId::RetryAfter, RETRY_AFTER_S));
        }
        if !self.passes_inspection(now, &arrived) {
            return;
        }
        // RFC 3261 §8.2.2.2.
        if self.transactions.find_merged(&request).is_some() {
            return self.refuse(now, &arrived, 482, |builder| builder);
        }
        if self.transactions.len() >= self.settings.limits.transactions_max {
            return self.refuse_overload(now, &arrived, "transactions_max");
        }
        match request.method() {
            Method::Options => self.answer_options(now, &arrived),
            Method::Register => self.on_register(now, flow, reply, request),
            Method::Invite => self.on_invite_outside(now, flow, reply, request),
            // RFC 3261 §15.1.2, RFC 3311 §5.2, RFC 6086 §4.2.2: these live in dialogs only.
            _ => self.refuse(now, &arrived, 481, |builder| builder),
        }
    }

    fn on_invite_outside(&mut self, now: Duration, flow: Flow, reply: Flow, request: Request) {
        let arrived = Arrived { request: &request, flow, reply };
        // RFC 6026 §7.1: absorbed, as its transaction would have done.
        if self.is_from_before(now, &request) {
            return;
        }
        let Some(peer) = self.proven(now, &arrived) else { return };
        let live = self.legs.len();
        if live >= self.settings.limits.dialogs_max {
            return self.refuse_overload_of(now, &arrived, &peer, "dialogs_max");
        }
        // RFC 3261 §16.3 has a server answer only for domains that are its own. A trunk's Request-URI names whatever
        // the carrier was told; a phone's is what its user dialled.
        let foreign = request.uri().host().is_some_and(|host| !self.is_our_host(host));
        if foreign && matches!(peer, Peer::Account(_)) {
            return self.refuse(now, &arrived, 404, |builder| builder);
        }
        self.start_offered(now, peer, flow, reply, request);
    }

    /// Who sent it; none when that was answered with a challenge or a refusal.
    pub(super) fn proven(&mut self, now: Duration, arrived: &Arrived<'_>) -> Option<Peer> {
        let source = arrived.source();
        match self.identify(now, arrived.flow, arrived.request) {
            Sender::Proven(peer) => return Some(peer),
            Sender::Unproven { stale } => {
                let from = arrived.request.from().uri();
                let user = from.user_unescaped().unwrap_or_default().into_owned();
                let known = std::str::from_utf8(&user).is_ok_and(|user| self.account(user).is_some());
                if !known && *arrived.request.method() == Method::Invite {
                    let source = source.ip();
                    self.notify(now, source, "unknown", Notice::UnknownSource { source, status: 401 });
                }
                self.challenge(now, arrived, &user, stale);
            }
            Sender::Throttled(wait) => {
                let (source, bound) = (source.ip(), "password guesses");
                self.notify(now, source, bound, Notice::Limited { source, bound });
                let wait = wait.as_secs().max(1);
                self.refuse(now, arrived, 503, |builder| builder.number(HeaderId::RetryAfter, wait));
            }
            Sender::Stranger => {
                let source = source.ip();
                self.notify(now, source, "unknown", Notice::UnknownSource { source, status: 403 });
                self.refuse(now, arrived, 403, |builder| builder);
            }
        }
        None
    }

    /// RFC 3261 §22.2: a challenge.
    pub(super) fn challenge(&mut self, now: Duration, arrived: &Arrived<'_>, user: &[u8], stale: bool) {
        let tag = self.stateless_tag(arrived.request);
        let builder = self.reply(arrived.request, arrived.source(), 401, Some(tag.as_bytes()));
        let bytes = self.with_challenge(now, builder, arrived.source().ip(), user, stale).finish();
        self.send_response(now, arrived.reply, &bytes);
    }

    /// Judges what costs nothing to judge: method, scheme, extensions, body. False when it was answered.
    fn passes_inspection(&mut self, now: Duration, arrived: &Arrived<'_>) -> bool {
        let request = arrived.request;
        // RFC 3261 §8.2.1: a method that is not supported.
        if !ALLOWED.contains(request.method()) {
            let status = if matches!(request.method(), Method::Other(_)) { 501 } else { 405 };
            self.refuse(now, arrived, status, |builder| builder.allow(&ALLOWED));
            return false;
        }
        // RFC 3261 §8.2.2.1: a scheme that is not supported.
        if request.uri().scheme() == Scheme::Other {
            self.refuse(now, arrived, 416, |builder| builder);
            return false;
        }
        self.passes_extensions_and_body(now, arrived)
    }

    /// RFC 3261 §8.2.2.3 and §8.2.3, in and outside of dialogs. False when it was answered.
    pub(super) fn passes_extensions_and_body(&mut self, now: Duration, arrived: &Arrived<'_>) -> bool {
        let request = arrived.request;
        let required: Vec<Bytes> = request.tokens(HeaderId::Require).map(Bytes::copy_from_slice).collect();
        if !required.is_empty() {
            // Proxy-Require is not for us to judge, but a peer that gets 420 may as well learn of it too.
            let proxies = request.tokens(HeaderId::ProxyRequire).map(Bytes::copy_from_slice);
            let unsupported: Vec<Bytes> = required.into_iter().chain(proxies).collect();
            self.refuse(now, arrived, 420, |builder| builder.list(HeaderId::Unsupported, unsupported));
            return false;
        }
        if !matches!(request.method(), Method::Invite | Method::Update) {
            return true;
        }
        let optional = request.first(HeaderId::ContentDisposition).is_some_and(|value| {
            value.to_ascii_lowercase().windows(17).any(|part| part == b"handling=optional")
        });
        if !request.body().is_empty() && request.sdp().is_none() && !optional {
            self.refuse(now, arrived, 415, |builder| {
                builder.list(HeaderId::Accept, [SDP]).list(HeaderId::AcceptEncoding, ["identity"])
            });
            return false;
        }
        // RFC 3261 §20.1: the answer will be a session description.
        if request.has(HeaderId::Accept) && !request.accepts(SDP) {
            self.refuse(now, arrived, 406, |builder| builder);
            return false;
        }
        true
    }

    /// RFC 3261 §11.2.
    fn answer_options(&mut self, now: Duration, arrived: &Arrived<'_>) {
        self.refuse(now, arrived, 200, with_abilities);
    }

    /// Answers without keeping state.
    pub(super) fn refuse(
        &mut self,
        now: Duration,
        arrived: &Arrived<'_>,
        status: u16,
        add: impl FnOnce(MessageBuilder) -> MessageBuilder,
    ) {
        let tag = self.stateless_tag(arrived.request);
        let builder = self.reply(arrived.request, arrived.source(), status, Some(tag.as_bytes()));
        let bytes = add(builder).finish();
        self.send_response(now, arrived.reply, &bytes);
    }

    fn refuse_overload(&mut self, now: Duration, arrived: &Arrived<'_>, bound: &'static str) {
        let source = arrived.source().ip();
        match self.trunk_of(source).map(|trunk| Peer::Trunk(trunk.name.clone())) {
            Some(peer) => self.refuse_overload_of(now, arrived, &peer, bound),
            None => self.refuse_overload_with(now, arrived, 503, bound),
        }
    }

    /// A carrier that gets 503 suspends the whole trunk; it gets a busy tone instead.
    fn refuse_overload_of(&mut self, now: Duration, arrived: &Arrived<'_>, peer: &Peer, bound: &'static str) {
        let status = match peer {
            Peer::Trunk(_) if *arrived.request.method() == Method::Invite => 486,
            _ => 503,
        };
        self.refuse_overload_with(now, arrived, status, bound);
    }

    fn refuse_overload_with(
        &mut self,
        now: Duration,
        arrived: &Arrived<'_>,
        status: u16,
        bound: &'static str,
    ) {
        let source = arrived.source().ip();
        self.notify(now, source, bound, Notice::Limited { source, bound });
        self.refuse(now, arrived, status, |builder| match status {
            503 => builder.number(HeaderId::RetryAfter, RETRY_AFTER_S),
            _ => builder,
        });
    }

    /// Keeps state for a request.
    pub(super) fn start_server(
        &mut self,
        flow: Flow,
        reply: Flow,
        request: Request,
        user: ServerUser,
    ) -> TransactionId {
        let machine = match request.method() {
            Method::Invite => ServerMachine::Invite(ServerInvite::start(flow.reliability())),
            _ => ServerMachine::NonInvite(ServerNonInvite::start(flow.reliability())),
        };
        self.transactions.insert_server(machine, request, flow.remote(), reply, user)
    }
}

/// What we understand.
pub(super) fn with_abilities(builder: MessageBuilder) -> MessageBuilder {
    builder
        .allow(&ALLOWED)
        .list(HeaderId::Accept, [SDP])
        .list(HeaderId::AcceptEncoding, ["identity"])
        .header(HeaderId::Supported, "")
}

/// Whether a Content-Type is this one.
pub(super) fn is_type(request: &Request, media_type: &str) -> bool {
    request
        .content_type()
        .and_then(Result::ok)
        .is_some_and(|(kind, _)| eq_ignore_case(&kind, media_type.as_bytes()))
}
