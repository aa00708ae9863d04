//! The worker door's machine: packets in, packets out, for the legs that one media thread owns.
//!
//! Knows: legs, bridges, time slots. Must never know: session descriptions, real sockets. Both legs of a bridge are
//! here, so nothing is locked; a packet that is relayed allocates nothing.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use rand_chacha::ChaCha12Rng;
use rand_core::{Rng, SeedableRng};

use crate::latch::{Judgement, Sight};
use crate::leg::{Action, Leg, Meaning, next_checkpoint};
use crate::playout::Playout;
use crate::rtcp::{self, REPORT_BYTES_MAX};
use crate::rtp_header::{self, HEADER_BYTES, RtpHeader};
use crate::slots::Slots;
use crate::{
    Command, LegId, SAMPLE_RATE_HZ, SocketKey, SocketKind, SocketOp, Verdict, WorkerEvent, WorkerSettings,
    g711,
};

/// Events that wait for the engine. Past this only those that must arrive are kept: at most one `Released` a leg
/// and one `PlayDone` a command.
const EVENTS_MAX: usize = 1024;
/// Samples of a playout frame.
const FRAME_SAMPLES: usize = 160;
/// A connected socket that heard nothing for so long is opened to all sources again: the kernel would hide a NAT's
/// new binding.
const DISCONNECT_AFTER: Duration = Duration::from_millis(500);

/// One media thread's state.
pub struct Worker {
    settings: WorkerSettings,
    random: ChaCha12Rng,
    legs: Vec<Option<Box<Leg>>>,
    free: Vec<u32>,
    /// For commands; packets come by index.
    index: BTreeMap<LegId, u32>,
    slots: Slots,
    /// Released legs that still say goodbye.
    closing: Vec<(u32, Box<Leg>)>,
    events: VecDeque<WorkerEvent>,
    events_lost: u64,
    sockets: VecDeque<SocketOp>,
}

impl Worker {
    /// An empty worker.
    pub fn new(now: Duration, settings: WorkerSettings, seed: [u8; 32]) -> Self {
        g711::warm_up();
        Self {
            settings,
            random: ChaCha12Rng::from_seed(seed),
            legs: Vec::new(),
            free: Vec::new(),
            index: BTreeMap::new(),
            slots: Slots::new(now),
            closing: Vec::new(),
            events: VecDeque::with_capacity(EVENTS_MAX),
            events_lost: 0,
            sockets: VecDeque::new(),
        }
    }

    /// From the engine. Follow with `poll_socket`, and with `poll` when `poll_timeout` says so.
    pub fn on_command(&mut self, now: Duration, command: Command) {
        match command {
            Command::Open { leg, address, media_from, position, latched } => {
                // A port may come back at once: what is closing lets go of it first.
                for (leg_index, leg) in std::mem::take(&mut self.closing) {
                    self.close(leg_index, &leg);
                }
                let leg = Leg::new(now, leg, media_from, position, latched, self.random.next_u32());
                self.open(now, leg, address);
            }
            Command::Configure { leg, stream, media_from } => {
                let Some(index) = self.index_of(leg) else { return };
                if let Some(leg) = self.leg_mut(index) {
                    leg.configure(now, stream, media_from);
                }
                self.refresh_bridge(index);
                self.follow_latch(index);
            }
            Command::Bridge { a, b } => self.bridge(a, b),
            Command::Unbridge { leg } => {
                if let Some(index) = self.index_of(leg) {
                    self.unbridge(index);
                }
            }
            Command::Play { leg, play } => self.play(now, leg, Playout::new(play)),
            Command::Stop { leg } => {
                if let Some(index) = self.index_of(leg) {
                    self.stop(index);
                }
            }
            Command::Release { leg } => self.release(leg),
            Command::Reconfigure { settings } => self.settings = settings,
            Command::SocketFailed { key } => {
                if let Some(leg) = self.leg_mut(key.leg).map(|leg| leg.id) {
                    self.tell(WorkerEvent::Trouble { leg, what: "the port could not be opened" });
                }
            }
        }
    }

    /// From a socket. `packet` is rewritten in place where it is forwarded.
    pub fn on_packet(
        &mut self,
        now: Duration,
        socket: SocketKey,
        from: SocketAddr,
        packet: &mut [u8],
    ) -> Verdict {
        let from = SocketAddr::new(from.ip().to_canonical(), from.port());
        if socket.kind == SocketKind::Rtcp || rtp_header::is_rtcp(packet) {
            return self.on_rtcp(now, socket, from, packet);
        }
        let Some(header) = RtpHeader::read(packet) else { return self.drop_packet(socket.leg) };
        match self.receive(now, socket.leg, from, packet, &header) {
            Ok(received) => self.forward(now, &received, packet, &header),
            Err(verdict) => verdict,
        }
    }

    /// What time brings: playout, reports, timers. Call at `poll_timeout`, or each millisecond.
    pub fn poll(&mut self, now: Duration, send: &mut dyn FnMut(SocketKey, SocketAddr, &[u8])) {
        for (index, mut leg) in std::mem::take(&mut self.closing) {
            self.report(now, index, &mut leg, true, send);
            self.close(index, &leg);
        }
        while let Some(tick) = self.slots.next_tick(now) {
            for position in 0..self.slots.playing(tick).len() {
                // The list shrinks only at the end of the tick.
                if let Some(&index) = self.slots.playing(tick).get(position) {
                    self.play_frame(Duration::from_millis(tick), index, send);
                }
            }
            let legs = &self.legs;
            self.slots.end_playing(tick, |index| {
                legs.get(index as usize).and_then(Option::as_ref).is_some_and(|leg| leg.playout.is_some())
            });
            for position in 0..self.slots.resident(tick).len() {
                if let Some(&index) = self.slots.resident(tick).get(position) {
                    self.keep_house(now, index, send);
                }
            }
        }
    }

    /// When `poll` is due.
    pub fn poll_timeout(&self) -> Option<Duration> {
        if !self.closing.is_empty() {
            return Some(Duration::ZERO);
        }
        self.slots.due()
    }

    /// For the engine.
    pub fn poll_event(&mut self) -> Option<WorkerEvent> {
        self.events.pop_front()
    }

    /// For the shell; in this order.
    pub fn poll_socket(&mut self) -> Option<SocketOp> {
        self.sockets.pop_front()
    }

    /// Events that were dropped because the engine didn't take them.
    pub fn events_lost(&self) -> u64 {
        self.events_lost
    }
}

/// What the first half of a packet's way settled.
struct Received {
    index: u32,
    partner: u32,
    action: Action,
    clock_hz: u32,
    sound: bool,
}

/// Packets.
impl Worker {
    /// Judges and counts; gives what is to be forwarded, or what becomes of the packet otherwise.
    fn receive(
        &mut self,
        now: Duration,
        index: u32,
        from: SocketAddr,
        packet: &[u8],
        header: &RtpHeader,
    ) -> Result<Received, Verdict> {
        let leg = self.legs.get_mut(index as usize).and_then(Option::as_mut);
        // Before their description there is nothing to judge by.
        let leg = leg.filter(|leg| leg.stream.is_some()).ok_or(Verdict::Drop)?;
        let sight = Sight {
            from,
            ssrc: header.ssrc,
            position: Some((header.sequence, header.timestamp)),
            vouched: false,
        };
        let locked = match leg.rtp.judge(now, &sight) {
            Judgement::Accept { locked } => locked,
            Judgement::Learn => return Err(Verdict::Consume),
            Judgement::Refuse(remedy) => {
                if leg.reject(from) {
                    let leg = leg.id;
                    self.tell(WorkerEvent::SourceRejected { leg, source: from, remedy });
                }
                return Err(Verdict::Drop);
            }
        };
        if !leg.tokens.take(now) {
            leg.count_dropped();
            return Err(Verdict::Drop);
        }
        leg.heard(now);
        let payload_type = usize::from(header.payload_type);
        let meaning = leg.meanings[payload_type];
        let (clock_hz, sound) = match meaning {
            Meaning::Unknown => {
                leg.count_dropped();
                (0, false)
            }
            Meaning::Sound { clock_hz } => (clock_hz, true),
            Meaning::Events { clock_hz } => (clock_hz, false),
        };
        if meaning != Meaning::Unknown {
            leg.reception.on_packet(now, header.ssrc, header.sequence, header.timestamp, clock_hz, sound);
        }
        let mut said = [None; 2];
        if matches!(meaning, Meaning::Events { .. }) {
            let payload = &packet[header.payload.clone()];
            said = leg.digits.on_event(now, header.ssrc, header.timestamp, clock_hz, payload);
        }
        let hears = leg.stream.as_ref().is_some_and(|stream| stream.receive);
        let received = leg.partner.filter(|_| hears).map(|partner| Received {
            index,
            partner,
            action: leg.actions[payload_type],
            clock_hz,
            sound,
        });
        let (id, as_signalled, connected) = (leg.id, leg.rtp.as_signalled(), leg.connected);
        for digit in said.into_iter().flatten() {
            self.tell(WorkerEvent::Digit { leg: id, digit });
        }
        if locked {
            self.tell(WorkerEvent::Latched { leg: id, source: from, as_signalled });
        }
        if locked || !connected {
            self.follow_latch(index);
        }
        received.ok_or(Verdict::Consume)
    }

    fn forward(
        &mut self,
        now: Duration,
        received: &Received,
        packet: &mut [u8],
        header: &RtpHeader,
    ) -> Verdict {
        let Some(to) = self.legs.get_mut(received.partner as usize).and_then(Option::as_mut) else {
            return Verdict::Consume;
        };
        let Some(destination) = to.rtp_destination().filter(|_| to.playout.is_none()) else {
            return Verdict::Consume;
        };
        let payload_type = match received.action {
            Action::Absorb => {
                to.outgoing.skip(header);
                return Verdict::Consume;
            }
            Action::Pass(payload_type) | Action::ToAlaw(payload_type) | Action::ToUlaw(payload_type) => {
                payload_type
            }
        };
        let Some(stamp) = to.outgoing.relay(now, header, received.clock_hz, received.sound) else {
            return self.drop_packet(received.index);
        };
        match received.action {
            Action::ToAlaw(_) => g711::ulaw_to_alaw(&mut packet[header.payload.clone()]),
            Action::ToUlaw(_) => g711::alaw_to_ulaw(&mut packet[header.payload.clone()]),
            Action::Absorb | Action::Pass(_) => {}
        }
        rtp_header::rewrite(packet, stamp.marker, payload_type, stamp.sequence, stamp.timestamp, stamp.ssrc);
        Verdict::Forward { socket: rtp_socket(received.partner), to: destination, range: 0..packet.len() }
    }

    fn on_rtcp(&mut self, now: Duration, socket: SocketKey, from: SocketAddr, packet: &[u8]) -> Verdict {
        let Some(ssrc) = rtcp::sender_ssrc(packet) else { return self.drop_packet(socket.leg) };
        let Some(leg) = self.legs.get_mut(socket.leg as usize).and_then(Option::as_mut) else {
            return Verdict::Drop;
        };
        let Some(stream) = &leg.stream else { return Verdict::Drop };
        let accepted = if socket.kind == SocketKind::Rtp {
            // RFC 5761: on the shared port the RTP source speaks, or the signalled one before it is known.
            let may_speak = leg.rtp.source().or(stream.remote) == Some(from);
            stream.rtcp_mux && may_speak
        } else {
            let vouched = leg.rtp.ssrc() == Some(ssrc)
                && leg.rtp.source().is_some_and(|source| source.ip() == from.ip());
            let sight = Sight { from, ssrc, position: None, vouched };
            match leg.rtcp_latch.judge(now, &sight) {
                Judgement::Accept { .. } => true,
                Judgement::Learn => return Verdict::Consume,
                Judgement::Refuse(remedy) => {
                    if leg.reject(from) {
                        let leg = leg.id;
                        self.tell(WorkerEvent::SourceRejected { leg, source: from, remedy });
                    }
                    return Verdict::Drop;
                }
            }
        };
        let our_ssrc = leg.outgoing.position().ssrc;
        if !accepted || !leg.tokens.take(now) || !leg.rtcp.on_packet(now, our_ssrc, packet) {
            leg.count_dropped();
            return Verdict::Drop;
        }
        leg.heard(now);
        Verdict::Consume
    }

    fn drop_packet(&mut self, index: u32) -> Verdict {
        if let Some(leg) = self.leg_mut(index) {
            leg.count_dropped();
        }
        Verdict::Drop
    }

    /// Connects the socket once the source is known and may not change.
    fn follow_latch(&mut self, index: u32) {
        let Some(leg) = self.leg_mut(index) else { return };
        let key = rtp_socket(index);
        // Where we send elsewhere than we hear from, or the source may roam, the kernel must not filter.
        let connect = leg.rtp.source().filter(|_| !leg.rtp.may_roam());
        match connect {
            Some(to) if !leg.connected && leg.heard_at.is_some() => {
                leg.connected = true;
                self.sockets.push_back(SocketOp::Connect { key, to });
            }
            None if leg.connected => {
                leg.connected = false;
                self.sockets.push_back(SocketOp::Disconnect { key });
            }
            _ => {}
        }
    }
}

/// Time.
impl Worker {
    fn play_frame(&mut self, now: Duration, index: u32, send: &mut dyn FnMut(SocketKey, SocketAddr, &[u8])) {
        let Some(leg) = self.legs.get_mut(index as usize).and_then(Option::as_mut) else { return };
        let voice = leg.voice();
        let destination = leg.rtp_destination();
        let packet_samples =
            leg.stream.as_ref().map_or(FRAME_SAMPLES, |stream| usize::from(stream.packet_samples));
        let Some(playout) = &mut leg.playout else { return };
        let mut frame = [0; FRAME_SAMPLES];
        playout.fill(voice.map(|(codec, _)| codec), &mut frame);
        if let (Some((_, payload_type)), Some(to)) = (voice, destination) {
            for sound in frame.chunks(packet_samples.clamp(1, FRAME_SAMPLES)) {
                let stamp = leg.outgoing.own(now, sound.len() as u32, SAMPLE_RATE_HZ, sound.len());
                let mut packet = [0; HEADER_BYTES + FRAME_SAMPLES];
                rtp_header::write(
                    &mut packet,
                    stamp.marker,
                    payload_type,
                    stamp.sequence,
                    stamp.timestamp,
                    stamp.ssrc,
                );
                packet[HEADER_BYTES..HEADER_BYTES + sound.len()].copy_from_slice(sound);
                send(rtp_socket(index), to, &packet[..HEADER_BYTES + sound.len()]);
            }
        }
        if playout.done() {
            let (leg_id, tag) = (leg.id, playout.tag());
            leg.playout = None;
            leg.outgoing.pause();
            self.tell(WorkerEvent::PlayDone { leg: leg_id, tag });
        }
    }

    /// What a leg needs ten times a second.
    fn keep_house(&mut self, now: Duration, index: u32, send: &mut dyn FnMut(SocketKey, SocketAddr, &[u8])) {
        let Some(mut leg) = self.legs.get_mut(index as usize).and_then(Option::take) else { return };
        let id = leg.id;
        if let Some(digit) = leg.digits.poll(now) {
            self.tell(WorkerEvent::Digit { leg: id, digit });
        }
        if let Some(since) = self.settings.silence.and_then(|limit| leg.silent(now, limit)) {
            self.tell(WorkerEvent::Silent { leg: id, since, ever: leg.heard_at.is_some() });
        }
        if now >= leg.rtcp.due() {
            self.report(now, index, &mut leg, false, send);
        }
        if now >= leg.checkpoint_due {
            leg.checkpoint_due = next_checkpoint(now);
            self.tell(WorkerEvent::Checkpoint { leg: id, checkpoint: leg.checkpoint(now) });
        }
        let quiet = leg.heard_at.is_none_or(|at| now.saturating_sub(at) >= DISCONNECT_AFTER);
        if leg.connected && quiet {
            leg.connected = false;
            self.sockets.push_back(SocketOp::Disconnect { key: rtp_socket(index) });
        }
        if let Some(place) = self.legs.get_mut(index as usize) {
            *place = Some(leg);
        }
    }

    fn report(
        &mut self,
        now: Duration,
        index: u32,
        leg: &mut Leg,
        bye: bool,
        send: &mut dyn FnMut(SocketKey, SocketAddr, &[u8]),
    ) {
        let Some((to, over_rtp)) = leg.rtcp_destination() else { return };
        let mut buffer = [0; REPORT_BYTES_MAX];
        let random = self.random.next_u32();
        let length = leg.rtcp.report(now, &leg.outgoing, &mut leg.reception, random, bye, &mut buffer);
        if length > 0 {
            let kind = if over_rtp { SocketKind::Rtp } else { SocketKind::Rtcp };
            send(SocketKey { leg: index, kind }, to, &buffer[..length]);
        }
    }
}

/// Legs.
impl Worker {
    fn open(&mut self, now: Duration, leg: Leg, address: SocketAddr) {
        if self.index.contains_key(&leg.id) {
            return;
        }
        let index = self.free.pop().unwrap_or_else(|| {
            self.legs.push(None);
            // A worker's ports bound its legs far below 2^32.
            (self.legs.len() - 1) as u32
        });
        self.index.insert(leg.id, index);
        self.slots.settle(now, index);
        if let Some(place) = self.legs.get_mut(index as usize) {
            *place = Some(Box::new(leg));
        }
        let rtcp_address = SocketAddr::new(address.ip(), address.port().saturating_add(1));
        self.sockets.push_back(SocketOp::Open { key: rtp_socket(index), address });
        self.sockets.push_back(SocketOp::Open { key: rtcp_socket(index), address: rtcp_address });
    }

    fn release(&mut self, id: LegId) {
        let Some(index) = self.index.remove(&id) else { return };
        self.unbridge(index);
        self.slots.leave(index);
        if let Some(leg) = self.legs.get_mut(index as usize).and_then(Option::take) {
            self.closing.push((index, leg));
        }
    }

    fn close(&mut self, index: u32, leg: &Leg) {
        self.sockets.push_back(SocketOp::Close { key: rtp_socket(index) });
        self.sockets.push_back(SocketOp::Close { key: rtcp_socket(index) });
        self.free.push(index);
        self.tell(WorkerEvent::Released { leg: leg.id, stats: leg.stats() });
    }

    fn bridge(&mut self, a: LegId, b: LegId) {
        let (Some(a), Some(b)) = (self.index_of(a), self.index_of(b)) else { return };
        if a == b {
            return;
        }
        for (index, partner) in [(a, b), (b, a)] {
            if self.leg_mut(index).is_some_and(|leg| leg.partner != Some(partner)) {
                self.unbridge(index);
            }
        }
        for (index, partner) in [(a, b), (b, a)] {
            self.stop(index);
            if let Some(leg) = self.leg_mut(index) {
                leg.partner = Some(partner);
            }
        }
        self.refresh_bridge(a);
    }

    fn unbridge(&mut self, index: u32) {
        let Some(partner) = self.leg_mut(index).and_then(|leg| leg.partner.take()) else { return };
        if let Some(partner) = self.leg_mut(partner) {
            partner.partner = None;
            partner.outgoing.pause();
        }
        if let Some(leg) = self.leg_mut(index) {
            leg.outgoing.pause();
        }
    }

    /// Works out anew what becomes of each payload type between the leg and its partner.
    fn refresh_bridge(&mut self, index: u32) {
        let Some(partner) = self.leg_mut(index).and_then(|leg| leg.partner) else { return };
        for (from, to) in [(index, partner), (partner, index)] {
            let stream = self.leg_mut(to).and_then(|leg| leg.stream.clone());
            if let Some(leg) = self.leg_mut(from) {
                leg.set_actions(stream.as_deref());
            }
        }
    }

    fn play(&mut self, now: Duration, id: LegId, playout: Playout) {
        let Some(index) = self.index_of(id) else { return };
        if playout.done() {
            let tag = playout.tag();
            self.stop(index);
            self.tell(WorkerEvent::PlayDone { leg: id, tag });
            return;
        }
        if let Some(leg) = self.leg_mut(index) {
            leg.playout = Some(playout);
            leg.outgoing.pause();
        }
        self.slots.start_playing(now, index);
    }

    fn stop(&mut self, index: u32) {
        if let Some(leg) = self.leg_mut(index)
            && leg.playout.take().is_some()
        {
            leg.outgoing.pause();
        }
    }

    fn index_of(&self, id: LegId) -> Option<u32> {
        self.index.get(&id).copied()
    }

    fn leg_mut(&mut self, index: u32) -> Option<&mut Leg> {
        self.legs.get_mut(index as usize)?.as_deref_mut()
    }

    fn tell(&mut self, event: WorkerEvent) {
        if self.events.len() < EVENTS_MAX || event.must_arrive() {
            self.events.push_back(event);
        } else {
            self.events_lost += 1;
        }
    }
}

fn rtp_socket(leg: u32) -> SocketKey {
    SocketKey { leg, kind: SocketKind::Rtp }
}

fn rtcp_socket(leg: u32) -> SocketKey {
    SocketKey { leg, kind: SocketKind::Rtcp }
}

#[cfg(test)]
mod tests;
