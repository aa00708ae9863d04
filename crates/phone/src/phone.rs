//! The telephone: its public door, its tables, its commands and timers, and what every part of it needs.
//!
//! What comes in goes by `arrivals`, its own requests by `requests`; what callers do is in `uac`, what
//! called phones do in `uas`. It must never read a clock or a socket.

use crate::address::quote;
use crate::call::Call;
use crate::config::{Behaviour, PhoneConfig, Transport, bare_host};
use crate::listening::{Listener, MediaReport};
use crate::registration::Registration;
use crate::rtp::Sender;
use crate::sdp::Session;
use crate::text::{Framer, Message};
use crate::transaction::{Client, Hop, Server, ServerKey};
use crate::voice::Signature;
use crate::{CallId, Command, Event, Input, Output, Refusal, StreamId};
use rand_chacha::ChaCha12Rng;
use rand_core::{Rng as _, SeedableRng as _};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

#[cfg(test)]
mod tests;

/// Outputs that may wait to be drained: no single input makes more than a few.
const OUTPUTS_MAX: usize = 4096;

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
    pub(crate) streams: BTreeMap<StreamId, Framer>,
    outputs: VecDeque<Output>,
    pub(crate) counters: Counters,
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

    pub(crate) fn output(&mut self, output: Output) {
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
