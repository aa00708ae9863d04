//! The way in: bytes to messages, messages to transactions, and what no transaction knows to whoever takes it.
//!
//! Knows: framing, matching, the flow a message came by. Must never know: what a request asks for.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use super::streams::Flow;
use super::{ClientUser, Endpoint, TimerKey};
use crate::door::{BindingChange, Notice, Output, StreamId};
use crate::transaction::Failure;
use crate::transaction::table::{As, ClientMachine, ServerMachine, TransactionId};
use crate::wire::{self, Frame, Message, MessageBuilder, Method, Refused, Request, Response};

/// The answer to a keep-alive (RFC 5626 §3.5.1).
const PONG: &[u8] = b"\r\n";

impl Endpoint {
    pub(super) fn on_datagram(&mut self, now: Duration, local: SocketAddr, remote: SocketAddr, bytes: Bytes) {
        if wire::is_keep_alive(&bytes) {
            return;
        }
        let flow = Flow::Datagram { local, remote };
        match wire::read_datagram(bytes) {
            Ok(message) => self.on_message(now, flow, message),
            Err(refused) => self.on_refused(now, flow, &refused),
        }
    }

    pub(super) fn on_stream_opened(&mut self, now: Duration, stream: StreamId, remote: SocketAddr) {
        if !self.streams.contains(stream) && self.streams.len() >= self.settings.limits.streams_max {
            let (source, bound) = (remote.ip(), "streams_max");
            self.notify(now, source, bound, Notice::Limited { source, bound });
            self.step.push(Output::StreamClose { stream });
            return;
        }
        for bytes in self.streams.opened(now, stream, remote) {
            self.step.push(Output::StreamWrite { stream, bytes });
        }
        self.watch_stream(stream);
    }

    pub(super) fn on_stream_data(&mut self, now: Duration, stream: StreamId, bytes: &Bytes) {
        let Some(entry) = self.streams.find(stream) else { return };
        entry.heard = now;
        entry.framer.push(bytes);
        // Each frame may end the stream, so it is asked for anew each time.
        while let Some((frame, remote)) = self.streams.find(stream).and_then(|entry| {
            let remote = entry.remote;
            entry.framer.next_frame().map(|frame| (frame, remote))
        }) {
            let flow = Flow::Stream { stream, remote };
            match frame {
                Frame::Message(message) => self.on_message(now, flow, message),
                Frame::Refused(refused) => self.on_refused(now, flow, &refused),
                Frame::Ping => {
                    self.step.push(Output::StreamWrite { stream, bytes: Bytes::from_static(PONG) })
                }
                Frame::Pong => {}
                Frame::Lost(refused) => {
                    self.on_refused(now, flow, &refused);
                    self.close_stream(now, stream);
                    return;
                }
            }
            if let Some(entry) = self.streams.find(stream) {
                entry.began = None;
            }
        }
        let Some(entry) = self.streams.find(stream) else { return };
        match (entry.framer.is_partial(), entry.began) {
            (true, None) => entry.began = Some(now),
            (false, Some(_)) => entry.began = None,
            _ => {}
        }
        self.watch_stream(stream);
    }

    /// Sets the stream's deadline anew.
    pub(super) fn watch_stream(&mut self, stream: StreamId) {
        let Some(entry) = self.streams.find(stream) else { return };
        let at = entry.deadline();
        self.schedule.replace(&mut entry.timer, Some(at), TimerKey::Stream(stream));
    }

    pub(super) fn on_stream_deadline(&mut self, now: Duration, stream: StreamId) {
        let Some(entry) = self.streams.find(stream) else { return };
        entry.timer = None;
        if entry.deadline() > now {
            return self.watch_stream(stream);
        }
        self.close_stream(now, stream);
    }

    fn close_stream(&mut self, now: Duration, stream: StreamId) {
        self.step.push(Output::StreamClose { stream });
        self.on_stream_closed(now, stream);
    }

    pub(super) fn on_stream_closed(&mut self, now: Duration, stream: StreamId) {
        let Some(entry) = self.streams.remove(stream) else { return };
        if let Some(timer) = entry.timer {
            self.schedule.cancel(timer);
        }
        for binding in self.bindings.over(stream) {
            self.stream_of_binding_closed(now, binding);
        }
        for transaction in entry.waiting {
            self.client_transport_error(now, transaction);
        }
    }

    fn on_refused(&mut self, now: Duration, flow: Flow, refused: &Refused) {
        let source = flow.remote();
        let why = match refused.fault {
            wire::Fault::NotSip => "not SIP",
            wire::Fault::HeadTooLong | wire::Fault::TooManyHeaders | wire::Fault::BodyTooLong => "too long",
            wire::Fault::Version => "another version",
            wire::Fault::BodyTruncated => "shorter than its Content-Length",
            _ => "does not follow the grammar",
        };
        if !self.admit_unknown(now, source.ip()) {
            return;
        }
        self.notify(now, source.ip(), why, Notice::Malformed { source: source.ip(), why });
        let Some(request) = &refused.request else { return };
        let tag = self.fresh_token("");
        let builder = MessageBuilder::reply_to_faulty(request, source, refused.fault, Some(&tag));
        let bytes = self.with_product(builder, wire::HeaderId::Server).finish();
        let flow = request.via.as_ref().map_or(flow, |via| self.reply_flow(flow, via));
        self.send_response(now, flow, &bytes);
    }

    fn on_message(&mut self, now: Duration, flow: Flow, message: Message) {
        match message {
            Message::Request(request) => self.on_request(now, flow, request),
            Message::Response(response) => self.on_response(now, flow, &response),
        }
    }

    fn on_request(&mut self, now: Duration, flow: Flow, request: Request) {
        if *request.method() == Method::Ack {
            return self.on_acknowledgement(now, &request);
        }
        if let Some(id) = self.transactions.find_server(&request, As::Itself) {
            let Some(server) = self.transactions.server(id) else { return };
            let step = match &mut server.machine {
                ServerMachine::Invite(machine) => machine.on_repeated_request(),
                ServerMachine::NonInvite(machine) => machine.on_repeated_request(),
            };
            return self.server_step(now, id, step);
        }
        let reply = self.reply_flow(flow, request.via());
        if *request.method() == Method::Cancel {
            return self.on_cancel(now, flow, reply, &request);
        }
        match request.to().tag() {
            Some(tag) => self.on_request_within(now, flow, reply, request, &tag),
            None => self.on_request_outside(now, flow, reply, request),
        }
    }

    fn on_acknowledgement(&mut self, now: Duration, request: &Request) {
        if let Some(id) = self.transactions.find_server(request, As::Invite) {
            let Some(server) = self.transactions.server(id) else { return };
            if let ServerMachine::Invite(machine) = &mut server.machine {
                let accepted = machine.state() == crate::transaction::server_invite::State::Accepted;
                let step = machine.on_acknowledgement();
                if !accepted {
                    return self.server_step(now, id, step);
                }
            }
        }
        // RFC 3261 §13.3.1.4: the ACK for a 2xx is its own transaction, and belongs to the dialog. A stray one is
        // absorbed.
        self.on_dialog_acknowledged(now, request);
    }

    fn on_response(&mut self, now: Duration, flow: Flow, response: &Response) {
        let found = response
            .via()
            .branch()
            .and_then(|branch| self.transactions.find_client(&branch, &response.cseq().method));
        let Some(id) = found else { return self.on_stray_response(now, response) };
        let Some(client) = self.transactions.client(id) else { return };
        client.heard = true;
        let status = response.status().code();
        let step = match &mut client.machine {
            ClientMachine::Invite(machine) => machine.on_response(status),
            ClientMachine::NonInvite(machine) => machine.on_response(status),
        };
        // A stream that was replaced meanwhile: go on with the one that the peer uses.
        if let (Flow::Stream { .. }, Some(Flow::Stream { .. })) = (flow, client.flow) {
            client.flow = Some(flow);
        }
        if response.status().is_final() {
            self.stop_waiting(id);
        }
        self.client_step(now, id, step, Some(response));
    }

    fn stop_waiting(&mut self, id: TransactionId) {
        if let Some(Flow::Stream { stream, .. }) = self.transactions.client(id).and_then(|client| client.flow)
            && let Some(stream) = self.streams.find(stream)
        {
            stream.waiting.remove(&id);
        }
    }

    /// Gives a response to whom its transaction works for.
    pub(super) fn on_response_for(
        &mut self,
        now: Duration,
        id: TransactionId,
        user: &ClientUser,
        response: &Response,
    ) {
        let status = response.status().code();
        match user {
            ClientUser::Nobody => {}
            ClientUser::Fork(dialog) => self.on_fork_response(now, id, *dialog, response),
            ClientUser::Reoffer(dialog) => self.on_reoffer_response(now, id, *dialog, response),
            ClientUser::Probe(dialog) if status >= 200 => self.on_probe_done(now, *dialog, status),
            ClientUser::Bye(dialog) if status >= 200 => self.on_bye_done(*dialog),
            ClientUser::PhonePing(binding) if status >= 200 => self.on_phone_answered(now, *binding),
            ClientUser::TrunkPing(trunk, name) if status >= 200 => {
                self.on_trunk_answered(now, *trunk, name, status)
            }
            ClientUser::Probe(_)
            | ClientUser::Bye(_)
            | ClientUser::PhonePing(_)
            | ClientUser::TrunkPing(..) => {}
        }
    }

    /// Tells whom a transaction works for that it failed. RFC 3261 §8.1.3.1: a timeout counts as 408, a transport
    /// error as 503.
    pub(super) fn on_failure_for(
        &mut self,
        now: Duration,
        id: TransactionId,
        user: &ClientUser,
        failure: Failure,
        heard: bool,
    ) {
        let status = match failure {
            Failure::Timeout => 408,
            Failure::Transport => 503,
        };
        match user {
            ClientUser::Nobody => {}
            ClientUser::Fork(dialog) => self.on_fork_failure(now, id, *dialog, heard),
            ClientUser::Reoffer(dialog) => self.on_reoffer_failure(now, *dialog),
            ClientUser::Probe(dialog) => self.on_probe_done(now, *dialog, 408),
            ClientUser::Bye(dialog) => self.on_bye_done(*dialog),
            ClientUser::PhonePing(binding) => self.on_phone_silent(now, *binding),
            ClientUser::TrunkPing(trunk, name) => self.on_trunk_answered(now, *trunk, name, status),
        }
    }
}

impl Endpoint {
    /// A stream that carried a binding's REGISTER closed.
    fn stream_of_binding_closed(&mut self, _now: Duration, binding: u64) {
        // RFC 5626 §4.2.2 in spirit: behind a NAT the flow was the only way; in front of it, the Contact still is.
        let behind_nat = self.bindings.find(binding).is_some_and(|binding| binding.behind_nat);
        if behind_nat {
            self.remove_binding(binding, BindingChange::Unreachable);
        }
    }
}
