//! What comes in from the network, taken apart and handed to whom it is for (RFC 3261 §18, RFC 3581).
//!
//! It knows datagrams, streams, where an answer goes back to, and which requests came before. It must
//! never know what a request asks for: `uas` does.

use crate::address::{Via, host_ip};
use crate::config::Answering;
use crate::g711::Codec;
use crate::listening::Noticed;
use crate::phone::Phone;
use crate::text::Message;
use crate::transaction::{Hop, Server, ServerKey};
use crate::{Event, Output, StreamId};
use std::net::SocketAddr;
use std::time::Duration;

/// Requests to one phone that may be under way or remembered at once.
pub(crate) const SERVERS_MAX: usize = 128;
/// Connections to one phone.
pub(crate) const STREAMS_MAX: usize = 16;

impl Phone {
    pub(crate) fn on_datagram(&mut self, now: Duration, from: SocketAddr, bytes: &[u8]) {
        // RFC 5626 §3.5.1 and common practice: datagrams of a few blank bytes keep NAT bindings open.
        if bytes.len() <= 4 {
            return;
        }
        match Message::parse(bytes) {
            Ok(message) => self.on_message(now, message, from, None),
            Err(_) => self.counters.malformed += 1,
        }
    }

    pub(crate) fn on_stream(&mut self, now: Duration, stream: StreamId, from: SocketAddr, bytes: &[u8]) {
        if !self.streams.contains_key(&stream) && self.streams.len() == STREAMS_MAX {
            self.output(Output::CloseStream { stream });
            return;
        }
        let framer = self.streams.entry(stream).or_default();
        let mut failed = framer.push(bytes).is_err();
        while !failed {
            let Some(framer) = self.streams.get_mut(&stream) else { return };
            match framer.next_message() {
                Ok(Some(message)) => self.on_message(now, message, from, Some(stream)),
                Ok(None) => return,
                Err(_) => failed = true,
            }
        }
        self.counters.malformed += 1;
        self.streams.remove(&stream);
        self.output(Output::CloseStream { stream });
    }

    fn on_message(
        &mut self,
        now: Duration,
        mut message: Message,
        from: SocketAddr,
        stream: Option<StreamId>,
    ) {
        let top = message.values("Via").into_iter().next();
        let Some(via) = top.as_deref().and_then(Via::parse).filter(|_| is_whole(&message)) else {
            self.counters.malformed += 1;
            return;
        };
        if message.status().is_some() {
            self.on_response(now, &via.branch, &message);
            return;
        }
        note_source(&mut message, &via, from);
        let back = match stream {
            Some(stream) => Hop::Stream(stream),
            // RFC 3581 §4: to the very port it came from. RFC 3261 §18.2.2: else to the Via's.
            None if via.rport => Hop::Udp(from),
            None => Hop::Udp(SocketAddr::new(from.ip(), via.port())),
        };
        let key = ServerKey::of(&message, &via);
        self.on_request(now, message, key, back);
    }

    fn on_request(&mut self, now: Duration, request: Message, key: ServerKey, back: Hop) {
        if self.behaviour.answering == Answering::Dead {
            self.counters.dropped_requests += 1;
            return;
        }
        if request.method() == Some("ACK") {
            let invite = key.of_invite();
            if let Some(server) = self.servers.iter_mut().find(|server| server.key == invite) {
                server.on_ack(now);
            }
            self.on_ack(now, &request);
            return;
        }
        if let Some(server) = self.servers.iter().find(|server| server.key == key) {
            let (hop, response) = (server.hop, server.repeated().map(<[u8]>::to_vec));
            self.counters.repeated_requests += 1;
            if let Some(bytes) = response {
                self.transmit(hop, bytes);
            }
            return;
        }
        if self.servers.len() == SERVERS_MAX {
            self.counters.dropped_requests += 1;
            return;
        }
        self.servers.push(Server::new(key.clone(), back));
        self.serve(now, request, &key, back);
    }

    pub(crate) fn on_rtp(&mut self, now: Duration, port: usize, from: SocketAddr, bytes: &[u8]) {
        let Some(call) = self.calls.values_mut().find(|call| call.port == port) else {
            self.counters.stray_rtp += 1;
            return;
        };
        let (id, agreed) = (call.id, call.session.agreement);
        let codec_of = |number: u8| match agreed {
            Some(agreed) if agreed.payload_type == number => Some(agreed.codec),
            // What was offered may come before the answer does (RFC 3264 §5.1).
            _ => [Codec::ALaw, Codec::MuLaw].into_iter().find(|codec| codec.payload_type() == number),
        };
        let event_type = agreed.and_then(|agreed| agreed.event_type_received);
        let mut noticed = Vec::new();
        call.listener.on_datagram(now, from, bytes, codec_of, event_type, |what| noticed.push(what));
        for what in noticed {
            self.event(match what {
                Noticed::Started => Event::MediaStarted { call: id },
                Noticed::Voice(signature) => Event::MediaHeard { call: id, signature },
                Noticed::Digit { digit, duration_ms } => Event::Digit { call: id, digit, duration_ms },
            });
        }
    }
}

/// RFC 3261 §8.1.1: what no message can do without.
fn is_whole(message: &Message) -> bool {
    let names = ["From", "To", "Call-ID"];
    let numbered =
        message.cseq().is_some_and(|(_, method)| message.method().is_none_or(|have| have == method));
    numbered && names.iter().all(|name| message.header(name).is_some())
}

/// RFC 3261 §18.2.1 and RFC 3581 §4: writes where a request came from into its top Via.
fn note_source(message: &mut Message, via: &Via, from: SocketAddr) {
    let Some((_, value)) = message.headers.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case("Via"))
    else {
        return;
    };
    let end = value.find(',').unwrap_or(value.len());
    let (top, rest) = value.split_at(end);
    let mut top = top.to_owned();
    if via.rport || host_ip(via.host()) != Some(from.ip()) {
        top.push_str(&format!(";received={}", from.ip()));
    }
    if via.rport {
        let filled = top.split(';').map(|part| {
            let asked = part.trim().eq_ignore_ascii_case("rport");
            if asked { format!("rport={}", from.port()) } else { part.to_owned() }
        });
        top = filled.collect::<Vec<_>>().join(";");
    }
    *value = top + rest;
}
