//! What our messages say.
//!
//! Knows: which headers each kind of message carries, and by what address we are known. Must never know: when a
//! message is sent, or what becomes of it.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::Endpoint;
use super::leg::Dialog;
use super::streams::Flow;
use super::transmit::{DEFAULT_PORT, Hop};
use crate::door::{Listen, Reason, Transport};
use crate::wire::{
    self, HeaderId, MAGIC_COOKIE, Message, MessageBuilder, Method, NameAddr, Request, Response, Status, Uri,
};

/// What we understand, as Allow says it.
pub(super) const ALLOWED: [Method; 8] = [
    Method::Invite,
    Method::Ack,
    Method::Cancel,
    Method::Bye,
    Method::Options,
    Method::Info,
    Method::Update,
    Method::Register,
];
/// RFC 3261 §8.1.1.6.
const MAX_FORWARDS: u8 = 70;
/// Longest text of a Reason that is sent on.
const REASON_CHARS_MAX: usize = 64;
/// The body type that this room carries.
pub(super) const SDP: &str = "application/sdp";

impl Endpoint {
    /// The host and port by which a peer that is reached by this hop knows us.
    fn our_address(&self, hop: &Hop) -> String {
        let (transport, remote) = match hop {
            Hop::Flow(flow) => (flow.transport(), Some(flow.remote().ip())),
            Hop::Name { transport, .. } => (*transport, None),
        };
        let own_socket = match hop {
            Hop::Flow(Flow::Datagram { local, .. }) => self
                .settings
                .listen
                .iter()
                .find(|listen| listen.transport == transport && listen.address == *local),
            _ => None,
        };
        match own_socket.or_else(|| self.listen_for(transport, remote)) {
            Some(listen) => self.told_address(listen),
            // A stream to a peer though no stream is listened for: whatever else reaches us.
            None => self
                .settings
                .listen
                .first()
                .map_or_else(|| self.our_host(), |listen| self.told_address(listen)),
        }
    }

    fn told_address(&self, listen: &Listen) -> String {
        match listen.advertised {
            Some(address) => address.to_string(),
            // A socket bound to any address has none to tell; the domain leads here.
            None if listen.address.ip().is_unspecified() => {
                format!("{}:{}", self.our_host(), listen.address.port())
            }
            None => listen.address.to_string(),
        }
    }

    /// Our domain as a URI's host.
    pub(super) fn our_host(&self) -> String {
        match self.settings.domain.parse::<IpAddr>() {
            Ok(IpAddr::V6(address)) => format!("[{address}]"),
            _ => self.settings.domain.to_string(),
        }
    }

    /// The Contact value that leads peers of this hop back to us.
    pub(super) fn our_contact(&self, hop: &Hop) -> String {
        let address = self.our_address(hop);
        match hop.transport() {
            Transport::Udp => format!("<sip:{address}>"),
            Transport::Tcp => format!("<sip:{address};transport=tcp>"),
        }
    }

    fn with_via(&self, builder: MessageBuilder, hop: &Hop, branch: &[u8]) -> MessageBuilder {
        let transport = match hop.transport() {
            Transport::Udp => wire::Transport::Udp,
            Transport::Tcp => wire::Transport::Tcp,
        };
        let token = branch.get(MAGIC_COOKIE.len()..).unwrap_or_default();
        builder.via(transport, &self.our_address(hop), token).max_forwards(MAX_FORWARDS)
    }

    pub(super) fn with_product(&self, builder: MessageBuilder, header: HeaderId) -> MessageBuilder {
        match &self.settings.product {
            Some(product) => builder.header(header, product.as_bytes()),
            None => builder,
        }
    }

    /// Begins a response.
    pub(super) fn reply(
        &self,
        request: &Request,
        source: SocketAddr,
        status: u16,
        tag: Option<&[u8]>,
    ) -> MessageBuilder {
        let status = Status::new(status).unwrap_or(Status::SERVER_INTERNAL_ERROR);
        // RFC 3261 §8.2.6.2: a 100 needs no tag.
        let tag = tag.filter(|_| status.code() != 100);
        let mut builder = MessageBuilder::reply_to(request, source, status, tag);
        if status.code() == 100 {
            // RFC 3261 §8.2.6.1: a Timestamp is copied into the 100.
            builder = builder.copied_all(HeaderId::Timestamp, request.head());
        }
        self.with_product(builder, HeaderId::Server)
    }

    /// Adds to a response what makes or confirms a dialog: RFC 3261 §12.1.1.
    pub(super) fn with_dialog(
        &self,
        builder: MessageBuilder,
        request: &Request,
        flow: Flow,
    ) -> MessageBuilder {
        builder
            .copied_all(HeaderId::RecordRoute, request.head())
            .header(HeaderId::Contact, self.our_contact(&Hop::Flow(flow)))
            .allow(&ALLOWED)
    }

    /// Begins a request within a dialog: RFC 3261 §12.2.1.1.
    pub(super) fn in_dialog(
        &self,
        dialog: &Dialog,
        method: &Method,
        sequence: u32,
        branch: &[u8],
        hop: &Hop,
    ) -> MessageBuilder {
        let first = dialog.routes.first().and_then(|route| NameAddr::parse(route.clone()).ok());
        let strict = first.as_ref().filter(|first| !first.uri().is_loose_router());
        let uri = strict.map_or(&dialog.target, |first| first.uri());
        let mut builder = self.with_via(MessageBuilder::request(method, uri), hop, branch);
        // RFC 3261 §12.2.1.1: a strict router's own URI is the Request-URI, and the target comes last.
        for route in dialog.routes.iter().skip(usize::from(strict.is_some())) {
            builder = builder.copied(HeaderId::Route, route);
        }
        if strict.is_some() {
            let mut target = b"<".to_vec();
            target.extend_from_slice(dialog.target.as_bytes());
            target.push(b'>');
            builder = builder.header(HeaderId::Route, target);
        }
        builder = builder
            .copied(HeaderId::From, &dialog.local)
            .copied(HeaderId::To, &dialog.remote)
            .call_id(&dialog.call_id)
            .cseq(sequence, method);
        self.with_product(builder, HeaderId::UserAgent)
    }

    /// Begins a request that belongs to no dialog.
    #[allow(
        clippy::too_many_arguments,
        reason = "one for each header that differs; a struct would only rename them"
    )]
    pub(super) fn outside_dialog(
        &self,
        method: &Method,
        uri: &Uri,
        from: &[u8],
        to: &[u8],
        call_id: &[u8],
        sequence: u32,
        branch: &[u8],
        hop: &Hop,
    ) -> MessageBuilder {
        let builder = self
            .with_via(MessageBuilder::request(method, uri), hop, branch)
            .header(HeaderId::From, from)
            .header(HeaderId::To, to)
            .call_id(call_id)
            .cseq(sequence, method)
            .header(HeaderId::Contact, self.our_contact(hop));
        self.with_product(builder, HeaderId::UserAgent)
    }

    /// RFC 3261 §8.2.7: the tag of a reply that keeps no state is the same for every repetition of its request.
    pub(super) fn stateless_tag(&self, request: &Request) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.tag_key).expect("HMAC takes a key of any length");
        let branch = request.via().branch().unwrap_or_default();
        let from_tag = request.from().tag().unwrap_or_default();
        for part in [request.call_id(), &from_tag, &branch] {
            mac.update(&part.len().to_be_bytes());
            mac.update(part);
        }
        mac.update(&request.cseq().sequence.to_be_bytes());
        let mut tag = String::with_capacity(16);
        crate::guard::nonce::push_hex(&mut tag, &mac.finalize().into_bytes()[..8]);
        tag
    }

    /// RFC 3261 §18.2.2 and RFC 3581 §4: where the responses to a request go.
    ///
    /// `maddr` is not followed: it would let a stranger have us write to any address.
    pub(super) fn reply_flow(&self, flow: Flow, request: &wire::Via) -> Flow {
        let asks_for_port = request.wants_rport() || request.rport().is_some();
        let port = request.port().unwrap_or(DEFAULT_PORT);
        match flow {
            Flow::Datagram { .. } if asks_for_port => flow,
            Flow::Datagram { local, remote } => {
                Flow::Datagram { local, remote: SocketAddr::new(remote.ip(), port) }
            }
            // Should the stream be gone by then, a new one goes to where the peer listens.
            Flow::Stream { stream, remote } => {
                Flow::Stream { stream, remote: SocketAddr::new(remote.ip(), port) }
            }
        }
    }

    /// Whether a host, as a request names it, is us.
    pub(super) fn is_our_host(&self, host: wire::Host<'_>) -> bool {
        match host {
            wire::Host::Name(name) => std::iter::once(&self.settings.domain)
                .chain(&self.settings.aliases)
                .any(|ours| name.eq_ignore_ascii_case(ours.as_bytes())),
            wire::Host::Ip(address) => self.is_our_address(address),
        }
    }

    fn is_our_address(&self, address: IpAddr) -> bool {
        self.settings.domain.parse() == Ok(address)
            || self.settings.aliases.iter().any(|alias| alias.parse() == Ok(address))
            || self.settings.listen.iter().any(|listen| {
                listen.address.ip() == address
                    || listen.advertised.is_some_and(|advertised| advertised.ip() == address)
                    // Bound to any address: which ones those are, the shell alone knows.
                    || (listen.address.ip().is_unspecified() && listen.address.is_ipv4() == address.is_ipv4())
            })
    }
}

/// A Reason value (RFC 3326).
pub(super) fn reason_value(reason: &Reason) -> String {
    let protocol: String =
        reason.protocol.chars().filter(|c| c.is_ascii_alphanumeric() || "-._".contains(*c)).collect();
    let mut value = format!("{protocol};cause={}", reason.cause);
    if let Some(text) = &reason.text {
        let text: String = text
            .chars()
            .filter(|c| !c.is_control() && !matches!(c, '"' | '\\'))
            .take(REASON_CHARS_MAX)
            .collect();
        value.push_str(&format!(";text=\"{text}\""));
    }
    value
}

/// The first Reason of a message that can be read.
pub(super) fn reason_of(head: &wire::Head) -> Option<Reason> {
    head.reasons().filter_map(Result::ok).find_map(|value| {
        let text = value.text().map(|text| {
            let text = String::from_utf8_lossy(&text);
            text.chars().filter(|c| !c.is_control()).take(REASON_CHARS_MAX).collect::<String>()
        });
        Some(Reason {
            protocol: String::from_utf8_lossy(value.protocol()).as_ref().into(),
            cause: value.cause()?,
            text: text.map(Into::into),
        })
    })
}

/// A request of ours, read back.
pub(super) fn own(request: &Bytes) -> Option<Request> {
    match wire::read_datagram(request.clone()) {
        Ok(Message::Request(request)) => Some(request),
        _ => None,
    }
}

/// RFC 3261 §17.1.1.3: an ACK with the INVITE's own branch, and the response's To.
pub(super) fn acknowledgement_of_failure(invite: &Bytes, response: &Response) -> Option<Bytes> {
    let to = response.first(HeaderId::To)?;
    let invite = own(invite)?;
    let builder = same_transaction(&Method::Ack, &invite).copied(HeaderId::To, to);
    Some(builder.call_id(invite.call_id()).cseq(invite.cseq().sequence, &Method::Ack).finish())
}

/// RFC 3261 §9.1: a CANCEL with the INVITE's own branch. Tells the branch too.
pub(super) fn cancel(invite: &Bytes, reason: Option<&Reason>) -> Option<(Bytes, Bytes)> {
    let invite = own(invite)?;
    let mut builder = same_transaction(&Method::Cancel, &invite)
        .copied(HeaderId::To, invite.first(HeaderId::To)?)
        .call_id(invite.call_id())
        .cseq(invite.cseq().sequence, &Method::Cancel);
    if let Some(reason) = reason {
        builder = builder.header(HeaderId::Reason, reason_value(reason));
    }
    Some((invite.via().branch()?, builder.finish()))
}

fn same_transaction(method: &Method, invite: &Request) -> MessageBuilder {
    MessageBuilder::request(method, invite.uri())
        .copied(HeaderId::Via, invite.via().as_bytes())
        .max_forwards(MAX_FORWARDS)
        .copied_all(HeaderId::Route, invite.head())
        .copied_all(HeaderId::From, invite.head())
}
