//! The telephone: takes inputs apart, keeps the tables, runs the timers, sends.
//!
//! It knows which transaction, dialog or call an input belongs to. What callers do is in `uac`, what
//! called phones do in `uas`. It must never read a clock or a socket.

use crate::address::{Via, host_ip, quote};
use crate::call::Call;
use crate::config::{Answering, Behaviour, PhoneConfig, Transport, bare_host};
use crate::digest::{Answer, Challenge};
use crate::g711::Codec;
use crate::listening::{Listener, MediaReport, Noticed};
use crate::registration::{Nonce, Registration};
use crate::rtp::Sender;
use crate::sdp::Session;
use crate::text::{Framer, Message, Start};
use crate::transaction::{Client, ClientState, Hop, Purpose, Server, ServerKey, Verdict};
use crate::uac::tag_of;
use crate::voice::Signature;
use crate::{CallId, Command, Event, Input, Output, Refusal, StreamId};
use rand_chacha::ChaCha12Rng;
use rand_core::{Rng as _, SeedableRng as _};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

#[cfg(test)]
mod tests;

/// Requests of one phone that may be under way or remembered at once: many times a person's pace.
const CLIENTS_MAX: usize = 128;
/// Requests to one phone that may be under way or remembered at once.
const SERVERS_MAX: usize = 128;
/// Connections to one phone.
const STREAMS_MAX: usize = 16;
/// Outputs that may wait to be drained: no single input makes more than a few.
const OUTPUTS_MAX: usize = 4096;
/// Challenges answered for one request: the first, a stale nonce, and a second server's.
const CHALLENGES_MAX: u8 = 3;

/// What a phone saw that was of no use, and what it had to drop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Datagrams and streams that were no SIP.
    pub malformed: u64,
    /// Responses to nothing.
    pub unmatched_responses: u64,
    /// Requests that came again and got the same response.
    pub repeated_requests: u64,
    /// Requests dropped because too many were under way, or unanswered by a dead phone.
    pub dropped_requests: u64,
    /// RTP to an address that has no call.
    pub stray_rtp: u64,
    /// Outputs dropped because nobody drained them.
    pub dropped_outputs: u64,
}

/// A telephone. See the crate's documentation for the contract.
pub struct Phone {
    pub(crate) config: PhoneConfig,
    pub(crate) behaviour: Behaviour,
    powered: bool,
    random: ChaCha12Rng,
    pub(crate) calls: BTreeMap<CallId, Call>,
    next_call: u32,
    next_port: usize,
    pub(crate) clients: Vec<Client>,
    pub(crate) servers: Vec<Server>,
    pub(crate) registration: Registration,
    streams: BTreeMap<StreamId, Framer>,
    outputs: VecDeque<Output>,
    counters: Counters,
}

impl Phone {
    /// A phone at rest: it does nothing until told to. The same seed gives the same bytes.
    #[must_use]
    pub fn new(config: PhoneConfig, seed: [u8; 32]) -> Self {
        Self {
            behaviour: config.behaviour.clone(),
            config,
            powered: true,
            random: ChaCha12Rng::from_seed(seed),
            calls: BTreeMap::new(),
            next_call: 0,
            next_port: 0,
            clients: Vec::new(),
            servers: Vec::new(),
            registration: Registration::default(),
            streams: BTreeMap::new(),
            outputs: VecDeque::new(),
            counters: Counters::default(),
        }
    }

    /// Takes one input. Time must not run backwards between calls.
    pub fn handle(&mut self, now: Duration, input: Input<'_>) {
        if !self.powered {
            match input {
                Input::Command(Command::Power(true)) => self.powered = true,
                Input::Command(Command::Power(false)) => {}
                Input::Command(_) => self.event(Event::Refused { why: Refusal::PoweredOff }),
                _ => {}
            }
            return;
        }
        match input {
            Input::SipDatagram { from, bytes } => self.on_datagram(now, from, bytes),
            Input::SipStream { stream, from, bytes } => self.on_stream(now, stream, from, bytes),
            Input::StreamClosed { stream } => {
                self.streams.remove(&stream);
            }
            Input::Rtp { port, from, bytes } => self.on_rtp(now, port, from, bytes),
            Input::Command(command) => self.on_command(now, command),
            Input::Timeout => self.run_timers(now),
        }
    }

    /// The next thing to do, in order; drain until `None`.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to give `Input::Timeout` at the latest.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        let clients = self.clients.iter().filter_map(Client::due_at);
        let servers = self.servers.iter().filter_map(Server::due_at);
        let calls = self.calls.values().filter_map(Call::due_at);
        clients.chain(servers).chain(calls).chain(self.registration.next_at).min()
    }

    /// The calls that are not over, oldest first.
    pub fn calls(&self) -> impl Iterator<Item = CallId> + '_ {
        self.calls.keys().copied()
    }

    /// Whether that call is up.
    #[must_use]
    pub fn is_established(&self, call: CallId) -> bool {
        self.calls.get(&call).is_some_and(Call::is_established)
    }

    /// What a call has sent and received so far; `None` once it is over.
    #[must_use]
    pub fn media(&self, call: CallId) -> Option<MediaReport> {
        self.calls.get(&call).map(Call::report)
    }

    /// How much of what a call lately received is that signature: 0 to 1. See [`crate::HEARD_SCORE_MIN`].
    #[must_use]
    pub fn heard(&self, call: CallId, signature: Signature) -> f64 {
        self.calls.get(&call).map_or(0.0, |call| call.listener.score(signature))
    }

    /// The signature that a call lately heard best, with its score.
    #[must_use]
    pub fn loudest(&self, call: CallId) -> Option<(Signature, f64)> {
        self.calls.get(&call)?.listener.loudest()
    }

    /// The last seconds that a call received, as `config.tape_s` allows, at 8,000 Hz.
    pub fn tape(&self, call: CallId) -> impl Iterator<Item = i16> + '_ {
        self.calls.get(&call).into_iter().flat_map(|call| call.listener.tape())
    }

    /// The synchronisation source a call sends under.
    #[must_use]
    pub fn ssrc(&self, call: CallId) -> Option<u32> {
        self.calls.get(&call).map(|call| call.sender.ssrc())
    }

    /// What was seen and of no use, since the phone was made.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Whether nothing at all is under way or remembered but the registration.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.calls.is_empty() && self.clients.is_empty() && self.servers.is_empty()
    }

    fn on_command(&mut self, now: Duration, command: Command) {
        let done = match command {
            Command::Register => {
                self.register(now);
                Ok(())
            }
            Command::Unregister => {
                self.unregister(now);
                Ok(())
            }
            Command::Dial(dial) => self.dial(now, *dial),
            Command::Ring { call, ringing } => self.ring(now, call, ringing),
            Command::Answer { call } => self.answer(now, call),
            Command::Reject { call, status, contact } => self.reject(now, call, status, contact),
            Command::HangUp { call, reason } => self.hang_up(now, call, reason),
            Command::Redirect { call, direction } => self.redirect(now, call, direction),
            Command::Refresh { call, update, offer } => self.refresh(now, call, update, offer),
            Command::Digits { call, digits } => self.with_call(call, |call| {
                if call.sender.dial(now, &digits) { Ok(()) } else { Err(Refusal::NoDigits) }
            }),
            Command::Mute { call, muted } => self.with_call(call, |call| {
                call.sender.set_muted(muted);
                Ok(())
            }),
            Command::Speak { call, voice } => self.with_call(call, |call| {
                call.sender.set_voice(voice);
                Ok(())
            }),
            Command::RtpMode { call, mode } => self.with_call(call, |call| {
                call.sender.set_mode(now, mode);
                Ok(())
            }),
            Command::Behave(behaviour) => {
                self.behaviour = behaviour;
                Ok(())
            }
            Command::Options => self.ask_options(now),
            Command::Power(on) => {
                if !on {
                    self.cut_power();
                }
                Ok(())
            }
        };
        if let Err(why) = done {
            self.event(Event::Refused { why });
        }
    }

    fn with_call(
        &mut self,
        call: CallId,
        act: impl FnOnce(&mut Call) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        act(self.calls.get_mut(&call).ok_or(Refusal::NoSuchCall)?)
    }

    fn cut_power(&mut self) {
        self.powered = false;
        self.calls.clear();
        self.clients.clear();
        self.servers.clear();
        self.streams.clear();
        self.registration = Registration::default();
        self.outputs.clear();
    }

    fn on_datagram(&mut self, now: Duration, from: SocketAddr, bytes: &[u8]) {
        // RFC 5626 §3.5.1 and common practice: datagrams of a few blank bytes keep NAT bindings open.
        if bytes.len() <= 4 {
            return;
        }
        match Message::parse(bytes) {
            Ok(message) => self.on_message(now, message, from, None),
            Err(_) => self.counters.malformed += 1,
        }
    }

    fn on_stream(&mut self, now: Duration, stream: StreamId, from: SocketAddr, bytes: &[u8]) {
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

    fn on_response(&mut self, now: Duration, branch: &str, response: &Message) {
        let method = response.cseq().map_or("", |(_, method)| method);
        let found =
            self.clients.iter().position(|client| client.branch == branch && client.method() == method);
        let (Some(at), Some(status)) = (found, response.status()) else {
            self.counters.unmatched_responses += 1;
            return;
        };
        let tag = tag_of(response, "To");
        let verdict = self.clients[at].on_response(now, status, tag.as_deref());
        let client = &self.clients[at];
        if client.invite && status >= 300 && verdict != Verdict::Absorb {
            let (ack, hop) = (client.failure_ack(response).print(), client.hop);
            self.transmit(hop, ack);
        } else if verdict == Verdict::AcknowledgeAgain {
            let again = client.acks.iter().find(|(have, ..)| Some(have) == tag.as_ref());
            if let Some((_, bytes, hop)) = again.cloned() {
                self.transmit(hop, bytes);
            }
        }
        if verdict == Verdict::Tell && !self.answer_challenge(now, at, response) {
            let (purpose, request) = (self.clients[at].purpose, self.clients[at].request.clone());
            self.conclude(now, purpose, branch, &request, Some(response));
        }
        self.clients.retain(|client| client.ends_at.is_none_or(|at| at > now));
    }

    /// Hands a response, or its absence, to whoever asked.
    fn conclude(
        &mut self,
        now: Duration,
        purpose: Purpose,
        branch: &str,
        request: &Message,
        response: Option<&Message>,
    ) {
        let status = response.and_then(Message::status).unwrap_or(408);
        match purpose {
            Purpose::Invite(call) => self.on_invite_response(now, call, branch, request, response),
            _ if status < 200 => {}
            Purpose::Refresh(call) => self.on_refresh_response(now, call, branch, request, response),
            Purpose::Farewell => {}
            Purpose::Register => self.on_registered(now, request, response),
            Purpose::Options => self.event(Event::OptionsAnswered { status }),
        }
    }

    /// RFC 3261 §22.2: sends the request again with credentials; false when there is nothing to add.
    fn answer_challenge(&mut self, now: Duration, at: usize, response: &Message) -> bool {
        let client = &self.clients[at];
        let (field, proxy) = match response.status() {
            Some(401) => ("WWW-Authenticate", false),
            Some(407) => ("Proxy-Authenticate", true),
            _ => return false,
        };
        // RFC 3261 §22.1: a CANCEL cannot be sent again, so it must not be challenged.
        if client.method() == "CANCEL" {
            return false;
        }
        let values = response.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(field));
        let challenge = Challenge::strongest(values.map(|(_, value)| value.as_str()));
        let Some(challenge) = challenge.filter(|_| self.config.credentials.is_some()) else { return false };
        let answered =
            client.request.header(if proxy { "Proxy-Authorization" } else { "Authorization" }).is_some();
        // A second refusal that is not about an old nonce means a wrong password, unless the credentials
        // were a guess of ours made from the registration's last nonce.
        let guessed = client.purpose == Purpose::Register && client.challenges == 0;
        if client.challenges == CHALLENGES_MAX || (answered && !challenge.stale && !guessed) {
            return false;
        }
        let (purpose, hop, challenges) = (client.purpose, client.hop, client.challenges + 1);
        let mut request = client.request.clone();
        let Some((number, method)) = request.cseq().map(|(number, method)| (number + 1, method.to_owned()))
        else {
            return false;
        };
        if !self.may_ask_again(purpose, number) {
            return false;
        }
        request.set("CSeq", format!("{number} {method}"));
        let nonce = Nonce { challenge, count: 1, proxy };
        self.authorize(&mut request, &nonce);
        if purpose == Purpose::Register {
            self.registration.remember(nonce);
        }
        self.start_client(now, request, hop, purpose, challenges)
    }

    /// Adds the credentials for a challenge.
    pub(crate) fn authorize(&mut self, request: &mut Message, nonce: &Nonce) {
        let client_nonce = self.token();
        let (Some(credentials), Start::Request { method, uri }) = (&self.config.credentials, &request.start)
        else {
            return;
        };
        let value = nonce.challenge.authorization(&Answer {
            user: &credentials.user,
            password: &credentials.password,
            method,
            uri,
            nonce_count: nonce.count,
            client_nonce: &client_nonce,
        });
        request.set(if nonce.proxy { "Proxy-Authorization" } else { "Authorization" }, value);
    }

    fn on_rtp(&mut self, now: Duration, port: usize, from: SocketAddr, bytes: &[u8]) {
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

    fn run_timers(&mut self, now: Duration) {
        let due = |at: Option<Duration>| at.is_some_and(|at| at <= now);
        // Each turn either moves a timer past `now` or removes its owner, so the loops end.
        while let Some(at) = self.clients.iter().position(|client| due(client.due_at())) {
            self.run_client(now, at);
        }
        while let Some(at) = self.servers.iter().position(|server| due(server.due_at())) {
            self.run_server(now, at);
        }
        let ids: Vec<CallId> =
            self.calls.values().filter(|call| due(call.due_at())).map(|call| call.id).collect();
        for id in ids {
            self.run_call(now, id);
            self.send_rtp(now, id);
        }
        if due(self.registration.next_at) {
            self.send_register(now);
        }
    }

    fn run_client(&mut self, now: Duration, at: usize) {
        let client = &mut self.clients[at];
        if client.ends_at.is_some_and(|at| at <= now) {
            let client = self.clients.remove(at);
            if matches!(client.state, ClientState::Calling | ClientState::Proceeding) {
                self.conclude(now, client.purpose, &client.branch, &client.request, None);
            }
            return;
        }
        let capped = !client.invite;
        if let Some(resend) = &mut client.resend {
            resend.advance(now, capped);
            let (hop, bytes) = (client.hop, client.request.print());
            self.transmit(hop, bytes);
        }
    }

    fn run_server(&mut self, now: Duration, at: usize) {
        let server = &mut self.servers[at];
        if server.ends_at.is_some_and(|at| at <= now) {
            self.servers.remove(at);
            return;
        }
        if let Some(resend) = &mut server.resend {
            resend.advance(now, true);
            let (hop, bytes) = (server.hop, server.response.clone());
            self.transmit(hop, bytes);
        }
    }

    fn send_rtp(&mut self, now: Duration, id: CallId) {
        let mut packets = Vec::new();
        if let Some(call) = self.calls.get_mut(&id) {
            let (port, to) = (call.port, call.session.agreement.and_then(|agreed| agreed.remote));
            while call.sender.poll_timeout().is_some_and(|at| at <= now) {
                let packet = call.sender.poll(now);
                packets.extend(packet.zip(to).map(|(bytes, to)| Output::Rtp { call: id, port, to, bytes }));
            }
        }
        packets.into_iter().for_each(|packet| self.output(packet));
    }

    /// Sends a new request; false when too many are under way.
    pub(crate) fn start_client(
        &mut self,
        now: Duration,
        mut request: Message,
        hop: Hop,
        purpose: Purpose,
        challenges: u8,
    ) -> bool {
        if self.clients.len() == CLIENTS_MAX {
            return false;
        }
        let branch = self.stamp(&mut request, hop);
        if let Purpose::Invite(call) = purpose {
            self.note_branch(call, &branch);
        }
        let bytes = request.print();
        let mut client = Client::new(now, branch, request, hop, purpose);
        client.challenges = challenges;
        self.clients.push(client);
        self.transmit(hop, bytes);
        true
    }

    /// Puts a fresh Via on top, in place of the last one.
    pub(crate) fn stamp(&mut self, request: &mut Message, hop: Hop) -> String {
        let branch = format!("z9hG4bK{}", self.token());
        let transport = if hop.is_reliable() { "TCP" } else { "UDP" };
        request.remove("Via");
        let via = format!("SIP/2.0/{transport} {};branch={branch};rport", self.config.address);
        request.headers.insert(0, ("Via".to_owned(), via));
        branch
    }

    /// Answers a request through its transaction.
    pub(crate) fn reply(&mut self, now: Duration, key: &ServerKey, response: &Message) {
        let Some(server) = self.servers.iter_mut().find(|server| server.key == *key) else { return };
        let bytes = response.print();
        server.on_sent(now, response.status().unwrap_or(500), bytes.clone());
        let hop = server.hop;
        if server.ends_at.is_some_and(|at| at <= now) {
            self.servers.retain(|server| server.key != *key);
        }
        self.transmit(hop, bytes);
    }

    pub(crate) fn transmit(&mut self, hop: Hop, bytes: Vec<u8>) {
        self.output(match hop {
            Hop::Udp(to) => Output::SipDatagram { to, bytes },
            Hop::Stream(stream) => Output::SipStream { stream, bytes },
        });
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.output(Output::Event(event));
    }

    fn output(&mut self, output: Output) {
        if self.outputs.len() == OUTPUTS_MAX {
            self.counters.dropped_outputs += 1;
        } else {
            self.outputs.push_back(output);
        }
    }

    pub(crate) fn server_hop(&self) -> Hop {
        match self.config.transport {
            Transport::Udp => Hop::Udp(self.config.server),
            Transport::Tcp => Hop::Stream(StreamId::OUTBOUND),
        }
    }

    /// Our `Contact` value.
    pub(crate) fn contact(&self) -> String {
        let parameter = match self.config.transport {
            Transport::Udp => "",
            Transport::Tcp => ";transport=tcp",
        };
        format!("<sip:{}@{}{parameter}>", self.config.user.as_str(), self.config.address)
    }

    /// A `From` value without its tag.
    pub(crate) fn own_name(&self, uri: Option<&str>, display: Option<&str>) -> String {
        let display = display.unwrap_or(self.config.display.as_str());
        let own = || format!("sip:{}@{}", self.config.user.as_str(), self.config.domain);
        let uri = uri.map_or_else(own, str::to_owned);
        if display.is_empty() { format!("<{uri}>") } else { format!("{} <{uri}>", quote(display)) }
    }

    pub(crate) fn token(&mut self) -> String {
        format!("{:016x}", self.random.next_u64())
    }

    pub(crate) fn random_u64(&mut self) -> u64 {
        self.random.next_u64()
    }

    pub(crate) fn call_id_host(&self) -> String {
        bare_host(self.config.address)
    }

    /// A new call's id, RTP address and sound; `None` when all addresses are taken.
    pub(crate) fn open_line(
        &mut self,
        voice: Option<crate::Voice>,
        mode: Option<crate::RtpMode>,
    ) -> Option<Opened> {
        let ports = self.config.rtp.len();
        let is_free = |port: &usize| self.calls.values().all(|call| call.port != *port);
        // The next one in turn: late packets of the last call must not reach this one.
        let port = (0..ports).map(|step| (self.next_port + step) % ports).find(is_free)?;
        self.next_port = port + 1;
        let id = CallId(self.next_call);
        self.next_call += 1;
        let (random, session_id) = (self.random.next_u64(), self.random.next_u64());
        Some(Opened {
            id,
            port,
            session: Session::new(
                self.config.rtp[port],
                session_id,
                &self.config.codecs,
                self.config.telephone_events,
            ),
            sender: Sender::new(
                random,
                voice.unwrap_or_else(|| self.config.voice.clone()),
                mode.unwrap_or(self.config.rtp_mode),
            ),
            listener: Listener::new(self.config.tape_s),
        })
    }
}

/// What every new call gets.
pub(crate) struct Opened {
    pub(crate) id: CallId,
    pub(crate) port: usize,
    pub(crate) session: Session,
    pub(crate) sender: Sender,
    pub(crate) listener: Listener,
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
