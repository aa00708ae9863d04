//! A bench: control, its workers and peers, in virtual time.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::oracle::Receiver;
use crate::*;

pub(super) const FRAME: Duration = Duration::from_millis(20);

pub(super) struct Rig {
    pub(super) now: Duration,
    pub(super) control: Control,
    pub(super) workers: Vec<Worker>,
    pub(super) events: Vec<Event>,
    /// What `Persist` said, replayed.
    pub(super) records: BTreeMap<u64, Bytes>,
    /// Open sockets of each worker: key to address and filter.
    pub(super) sockets: BTreeMap<(usize, SocketKey), (SocketAddr, Option<SocketAddr>)>,
    pub(super) heard: BTreeMap<SocketAddr, Receiver>,
    pub(super) rtcp_heard: Vec<(SocketAddr, Vec<u8>)>,
}

/// A phone: where it is, and its stream.
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    pub(super) ours: SocketAddr,
    pub(super) ssrc: u32,
    pub(super) sequence: u16,
    pub(super) timestamp: u32,
    pub(super) payload_type: u8,
}

pub(super) fn settings() -> Settings {
    let mut prompts = PromptBook::new();
    prompts.insert_samples("greeting", &tone(4000, 1000)).unwrap();
    prompts.insert_samples("menu", &tone(1600, 2000)).unwrap();
    prompts.insert_samples("music", &tone(24_000, 3000)).unwrap();
    Settings {
        workers: 2,
        ports: 20_000..=20_199,
        local_v4: Some("192.0.2.1".parse().unwrap()),
        local_v6: Some("2001:db8::1".parse().unwrap()),
        advertised_v4: None,
        advertised_v6: None,
        codecs: vec![VoiceCodec::Pcma, VoiceCodec::Pcmu],
        quarantine: Duration::from_secs(5),
        silence: Some(Duration::from_secs(20)),
        prompts: Arc::new(prompts),
    }
}

pub(super) fn tone(samples: usize, level: i16) -> Vec<i16> {
    (0..samples).map(|n| if n % 20 < 10 { level } else { -level }).collect()
}

pub(super) fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A plain offer of `formats` from `address`.
pub(super) fn sdp(address: SocketAddr, formats: &str, extra: &str) -> Bytes {
    let family = if address.is_ipv4() { "IP4" } else { "IP6" };
    let (ip, port) = (address.ip(), address.port());
    format!(
        "v=0\r\no=peer 1 1 IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP \
         {formats}\r\na=rtpmap:101 telephone-event/8000\r\n{extra}"
    )
    .into()
}

/// The address that one of our descriptions names.
pub(super) fn address_in(sdp: &Bytes) -> SocketAddr {
    let text = std::str::from_utf8(sdp).unwrap();
    let ip = text.lines().find_map(|line| line.strip_prefix("c=IN IP")).unwrap()[2..].parse().unwrap();
    let port = text
        .lines()
        .filter_map(|line| line.strip_prefix("m=audio "))
        .filter_map(|line| line.split(' ').next()?.parse().ok())
        .find(|&port| port != 0)
        .unwrap();
    SocketAddr::new(ip, port)
}

impl Rig {
    pub(super) fn new() -> Self {
        Self::with(settings())
    }

    pub(super) fn with(settings: Settings) -> Self {
        let now = Duration::from_secs(1000);
        let control = Control::new(now, settings.clone(), [7; 32]);
        let workers = (0..settings.workers)
            .map(|worker| Worker::new(now, control.worker_settings(), [worker as u8; 32]))
            .collect();
        Self {
            now,
            control,
            workers,
            events: Vec::new(),
            records: BTreeMap::new(),
            sockets: BTreeMap::new(),
            heard: BTreeMap::new(),
            rtcp_heard: Vec::new(),
        }
    }

    /// A leg whose peer is at `at` and offered `formats`.
    pub(super) fn caller(&mut self, at: &str, formats: &str, media_from: MediaFrom) -> (LegId, Peer) {
        let at = address(at);
        let request = Allocate {
            media_from,
            offer: Some(sdp(at, formats, "")),
            partner: None,
            ipv6: false,
            codecs: Vec::new(),
        };
        let Allocated { leg, sdp } = self.control.allocate(self.now, request).unwrap();
        self.settle();
        let payload_type = self.control.negotiated(leg).unwrap().payload_type;
        (leg, Peer::new(at, address_in(&sdp), payload_type))
    }

    /// A leg that we offered to, and whose peer at `at` answered `formats`.
    pub(super) fn callee(&mut self, at: &str, formats: &str, partner: Option<LegId>) -> (LegId, Peer) {
        let request = Allocate {
            media_from: MediaFrom::Signalled,
            offer: None,
            partner,
            ipv6: false,
            codecs: Vec::new(),
        };
        let Allocated { leg, sdp: offer } = self.control.allocate(self.now, request).unwrap();
        let at = address(at);
        let negotiated = self.control.answered(self.now, leg, &sdp(at, formats, ""), None).unwrap();
        self.settle();
        (leg, Peer::new(at, address_in(&offer), negotiated.payload_type))
    }

    /// Carries commands, events and socket operations until nothing moves.
    pub(super) fn settle(&mut self) {
        loop {
            let mut moved = false;
            while let Some(output) = self.control.poll_output() {
                moved = true;
                match output {
                    Output::Command { worker, command } => self.workers[worker].on_command(self.now, command),
                    Output::Event(event) => self.events.push(event),
                    Output::Persist { key, record: Some(record) } => {
                        self.records.insert(key, record);
                    }
                    Output::Persist { key, record: None } => {
                        self.records.remove(&key);
                    }
                }
            }
            for worker in 0..self.workers.len() {
                moved |= self.settle_worker(worker);
            }
            if !moved {
                break;
            }
        }
    }

    fn settle_worker(&mut self, worker: usize) -> bool {
        let mut moved = false;
        let mut sent = VecDeque::new();
        if self.workers[worker].poll_timeout().is_some_and(|due| due <= self.now) {
            self.workers[worker].poll(self.now, &mut |socket, to, packet: &[u8]| {
                sent.push_back((socket, to, packet.to_vec()));
            });
        }
        for (socket, to, packet) in sent {
            self.deliver(worker, socket, to, &packet);
        }
        while let Some(op) = self.workers[worker].poll_socket() {
            moved = true;
            match op {
                SocketOp::Open { key, address } => {
                    let before = self.sockets.insert((worker, key), (address, None));
                    assert!(before.is_none(), "{key:?} was open");
                }
                SocketOp::Connect { key, to } => self.sockets.get_mut(&(worker, key)).unwrap().1 = Some(to),
                SocketOp::Disconnect { key } => self.sockets.get_mut(&(worker, key)).unwrap().1 = None,
                SocketOp::Close { key } => assert!(self.sockets.remove(&(worker, key)).is_some()),
            }
        }
        while let Some(event) = self.workers[worker].poll_event() {
            moved = true;
            self.control.handle(self.now, Input::Worker { worker, event });
        }
        moved
    }

    fn deliver(&mut self, worker: usize, socket: SocketKey, to: SocketAddr, packet: &[u8]) {
        assert!(self.sockets.contains_key(&(worker, socket)), "sent from a closed socket");
        if socket.kind == SocketKind::Rtcp || (192..=223).contains(&packet[1]) {
            self.rtcp_heard.push((to, packet.to_vec()));
        } else {
            self.heard.entry(to).or_default().hear(self.now, packet);
        }
    }

    /// Time passes, a millisecond at a time.
    pub(super) fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while self.now < until {
            self.now += Duration::from_millis(1);
            if self.control.poll_timeout().is_some_and(|due| due <= self.now) {
                self.control.handle(self.now, Input::Timeout);
            }
            self.settle();
        }
    }

    /// A packet arrives at one of our ports; a filtered socket drops what the kernel would.
    pub(super) fn arrive(&mut self, from: SocketAddr, to: SocketAddr, packet: &[u8]) -> Option<Verdict> {
        self.settle();
        let (&(worker, key), &(_, filter)) = self.sockets.iter().find(|(_, (address, _))| *address == to)?;
        if filter.is_some_and(|filter| filter != from) {
            return None;
        }
        let mut buffer = packet.to_vec();
        let verdict = self.workers[worker].on_packet(self.now, key, from, &mut buffer);
        if let Verdict::Forward { socket, to, range } = &verdict {
            self.deliver(worker, *socket, *to, &buffer[range.clone()]);
        }
        self.settle();
        Some(verdict)
    }

    /// The peers talk, 20 ms a packet.
    pub(super) fn talk(&mut self, peers: &mut [&mut Peer], frames: usize) {
        for _ in 0..frames {
            for peer in peers.iter_mut() {
                let packet = peer.packet();
                self.arrive(peer.address, peer.ours, &packet);
            }
            self.pass(FRAME);
        }
    }

    pub(super) fn heard_by(&self, peer: &Peer) -> &Receiver {
        self.heard.get(&peer.address).expect("the peer heard nothing")
    }

    pub(super) fn heard_nothing(&self, at: SocketAddr) -> bool {
        self.heard.get(&at).is_none_or(|receiver| receiver.packets.is_empty())
    }

    pub(super) fn playlist(prompts: &[&str], repeat: bool) -> Playlist {
        let prompts = prompts.iter().map(|&name| name.into()).collect();
        Playlist { prompts, repeat, gap: Duration::ZERO, tag: 9 }
    }
}

impl Peer {
    pub(super) fn new(address: SocketAddr, ours: SocketAddr, payload_type: u8) -> Self {
        let ssrc = u32::from(address.port()) * 65_537;
        Self { address, ours, ssrc, sequence: 65_500, timestamp: 4_294_960_000, payload_type }
    }

    /// The next packet of sound.
    pub(super) fn packet(&mut self) -> Vec<u8> {
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(160);
        rtp(self.payload_type, self.sequence, self.timestamp, self.ssrc, &[self.ssrc as u8 | 1; 160])
    }

    /// A packet of a telephone event that began at the present timestamp.
    pub(super) fn event(&mut self, event: u8, end: bool, duration: u16) -> Vec<u8> {
        self.sequence = self.sequence.wrapping_add(1);
        let [high, low] = duration.to_be_bytes();
        let payload = [event, if end { 0x8a } else { 0x0a }, high, low];
        rtp(101, self.sequence, self.timestamp, self.ssrc, &payload)
    }
}

pub(super) fn rtp(payload_type: u8, sequence: u16, timestamp: u32, ssrc: u32, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, payload_type];
    packet.extend(sequence.to_be_bytes());
    packet.extend(timestamp.to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.extend(payload);
    packet
}
