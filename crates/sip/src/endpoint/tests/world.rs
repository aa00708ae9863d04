//! Several endpoints on a simulated network that loses, doubles and reorders datagrams by a seed.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use rand_chacha::ChaCha12Rng;
use rand_core::{Rng, SeedableRng};

use crate::*;

/// What a link does to datagrams, in percent.
#[derive(Clone, Copy, Default)]
pub(super) struct Weather {
    pub(super) lost: u64,
    pub(super) doubled: u64,
    /// Up to so many milliseconds late.
    pub(super) late_ms: u64,
}

pub(super) struct Node {
    pub(super) endpoint: Endpoint,
    pub(super) address: SocketAddr,
    pub(super) settings: Settings,
    pub(super) events: Vec<Event>,
    pub(super) records: BTreeMap<u64, Bytes>,
    /// Unplugged: nothing comes or goes.
    pub(super) gone: bool,
    next_accepted: u64,
}

enum Delivery {
    Datagram { from: SocketAddr, to: SocketAddr, bytes: Bytes },
    Stream { node: usize, input: Input },
}

pub(super) struct World {
    pub(super) now: Duration,
    pub(super) nodes: Vec<Node>,
    pub(super) weather: Weather,
    entropy: ChaCha12Rng,
    air: BTreeMap<(Duration, u64), Delivery>,
    order: u64,
    /// The two ends of each stream: (node, its name for it).
    streams: BTreeMap<(usize, StreamId), (usize, StreamId)>,
    /// Everything sent, for tests that look.
    pub(super) sent: Vec<(SocketAddr, SocketAddr, Bytes)>,
}

const LATENCY: Duration = Duration::from_millis(10);

impl World {
    pub(super) fn new(seed: u64, nodes: Vec<Settings>) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let mut entropy = ChaCha12Rng::from_seed(bytes);
        let nodes = nodes
            .into_iter()
            .map(|settings| {
                let mut seed = [0; 32];
                entropy.fill_bytes(&mut seed);
                Node {
                    endpoint: Endpoint::new(Duration::ZERO, settings.clone(), seed),
                    address: settings.listen[0].address,
                    settings,
                    events: Vec::new(),
                    records: BTreeMap::new(),
                    gone: false,
                    next_accepted: 1,
                }
            })
            .collect();
        let mut world = Self {
            now: Duration::ZERO,
            nodes,
            weather: Weather::default(),
            entropy,
            air: BTreeMap::new(),
            order: 0,
            streams: BTreeMap::new(),
            sent: Vec::new(),
        };
        world.drain_all();
        world
    }

    /// Lets a node do something, and carries what comes of it.
    pub(super) fn act<T>(&mut self, node: usize, act: impl FnOnce(&mut Endpoint, Duration) -> T) -> T {
        let value = act(&mut self.nodes[node].endpoint, self.now);
        self.drain(node);
        value
    }

    fn drain_all(&mut self) {
        for node in 0..self.nodes.len() {
            self.drain(node);
        }
    }

    fn percent(&mut self, chance: u64) -> bool {
        self.entropy.next_u64() % 100 < chance
    }

    fn put(&mut self, after: Duration, delivery: Delivery) {
        self.order += 1;
        self.air.insert((self.now + after, self.order), delivery);
    }

    fn drain(&mut self, node: usize) {
        while let Some(output) = self.nodes[node].endpoint.poll_output() {
            match output {
                Output::Datagram { local, remote, bytes } => {
                    self.sent.push((local, remote, bytes.clone()));
                    let copies = 1 + usize::from(self.percent(self.weather.doubled));
                    for _ in 0..copies {
                        let late = self.weather.late_ms.max(1);
                        let late = Duration::from_millis(self.entropy.next_u64() % late);
                        if !self.nodes[node].gone && !self.percent(self.weather.lost) {
                            let delivery =
                                Delivery::Datagram { from: local, to: remote, bytes: bytes.clone() };
                            self.put(LATENCY + late, delivery);
                        }
                    }
                }
                Output::StreamConnect { stream, transport, remote } => {
                    self.connect(node, stream, transport, remote)
                }
                Output::StreamWrite { stream, bytes } => {
                    self.sent.push((self.nodes[node].address, self.nodes[node].address, bytes.clone()));
                    if let Some((other, name)) = self.streams.get(&(node, stream)).copied() {
                        self.put(
                            LATENCY,
                            Delivery::Stream {
                                node: other,
                                input: Input::StreamData { stream: name, bytes },
                            },
                        );
                    }
                }
                Output::StreamClose { stream } => self.close(node, stream),
                Output::Resolve { job, host } => {
                    let addresses = host.strip_prefix("node").and_then(|n| n.parse::<usize>().ok());
                    let addresses = addresses.map(|n| self.nodes[n].address.ip()).into_iter().collect();
                    self.put(LATENCY, Delivery::Stream { node, input: Input::Resolved { job, addresses } });
                }
                Output::Event(event) => self.nodes[node].events.push(event),
                Output::Persist { key, record } => {
                    match record {
                        Some(record) => self.nodes[node].records.insert(key, record),
                        None => self.nodes[node].records.remove(&key),
                    };
                }
            }
        }
    }

    fn connect(&mut self, node: usize, stream: StreamId, transport: Transport, remote: SocketAddr) {
        let local = SocketAddr::new(self.nodes[node].address.ip(), 40_000 + (self.order as u16 % 1_000));
        let found = self.nodes.iter().position(|other| {
            !other.gone
                && other
                    .settings
                    .listen
                    .iter()
                    .any(|listen| listen.transport == Transport::Tcp && listen.address == remote)
        });
        let Some(other) = found else {
            return self.put(LATENCY, Delivery::Stream { node, input: Input::StreamClosed { stream } });
        };
        let name = StreamId(self.nodes[other].next_accepted);
        self.nodes[other].next_accepted += 2;
        self.streams.insert((node, stream), (other, name));
        self.streams.insert((other, name), (node, stream));
        let opened = Input::StreamOpened { stream, transport, local, remote };
        self.put(LATENCY, Delivery::Stream { node, input: opened });
        let accepted = Input::StreamOpened { stream: name, transport, local: remote, remote: local };
        self.put(LATENCY, Delivery::Stream { node: other, input: accepted });
    }

    pub(super) fn close(&mut self, node: usize, stream: StreamId) {
        if let Some((other, name)) = self.streams.remove(&(node, stream)) {
            self.streams.remove(&(other, name));
            self.put(LATENCY, Delivery::Stream { node: other, input: Input::StreamClosed { stream: name } });
        }
    }

    /// Breaks every stream of a node, as its restart would.
    pub(super) fn break_streams(&mut self, node: usize) {
        let mine: Vec<StreamId> =
            self.streams.keys().filter(|(owner, _)| *owner == node).map(|(_, stream)| *stream).collect();
        for stream in mine {
            self.close(node, stream);
        }
    }

    /// Stops a node and starts it again from its records.
    pub(super) fn restart(&mut self, node: usize) {
        self.break_streams(node);
        let mut seed = [0; 32];
        self.entropy.fill_bytes(&mut seed);
        let records = self.nodes[node].records.clone();
        let settings = self.nodes[node].settings.clone();
        self.nodes[node].endpoint = Endpoint::restore(self.now, settings, seed, records);
        self.drain(node);
    }

    /// Runs until `until`, or until nothing is left to happen.
    pub(super) fn run_until(&mut self, until: Duration) {
        loop {
            let delivery = self.air.first_key_value().map(|((at, _), _)| *at);
            let timer = self.nodes.iter().filter_map(|node| node.endpoint.poll_timeout()).min();
            let Some(at) = delivery.into_iter().chain(timer).min().filter(|at| *at <= until) else { break };
            self.now = self.now.max(at);
            while let Some(entry) = self.air.first_entry().filter(|entry| entry.key().0 <= self.now) {
                match entry.remove() {
                    Delivery::Datagram { from, to, bytes } => {
                        let found =
                            self.nodes.iter().position(|node| {
                                !node.gone
                                    && node.settings.listen.iter().any(|listen| {
                                        listen.transport == Transport::Udp && listen.address == to
                                    })
                            });
                        if let Some(node) = found {
                            self.act(node, |endpoint, now| {
                                endpoint.handle(now, Input::Datagram { local: to, remote: from, bytes })
                            });
                        }
                    }
                    Delivery::Stream { node, input } => {
                        self.act(node, |endpoint, now| endpoint.handle(now, input))
                    }
                }
            }
            for node in 0..self.nodes.len() {
                if self.nodes[node].endpoint.poll_timeout().is_some_and(|at| at <= self.now) {
                    self.act(node, |endpoint, now| endpoint.handle(now, Input::Timeout));
                }
            }
        }
        self.now = until;
    }

    pub(super) fn run_ms(&mut self, ms: u64) {
        self.run_until(self.now + Duration::from_millis(ms));
    }

    pub(super) fn run_s(&mut self, s: u64) {
        self.run_ms(s * 1_000);
    }

    /// Takes what a node was told.
    pub(super) fn events(&mut self, node: usize) -> Vec<Event> {
        std::mem::take(&mut self.nodes[node].events)
    }

    /// The one incoming leg that a node was told of.
    pub(super) fn incoming(&mut self, node: usize) -> Incoming {
        self.events(node)
            .into_iter()
            .find_map(|event| match event {
                Event::Incoming(incoming) => Some(incoming),
                _ => None,
            })
            .expect("a call came in")
    }

    pub(super) fn counts(&self, node: usize) -> Counts {
        self.nodes[node].endpoint.counts()
    }
}

pub(super) fn udp(address: &str) -> Listen {
    Listen { transport: Transport::Udp, address: address.parse().unwrap(), advertised: None }
}

pub(super) fn tcp(address: &str) -> Listen {
    Listen { transport: Transport::Tcp, address: address.parse().unwrap(), advertised: None }
}

pub(super) fn target(host: &str, transport: Transport) -> Target {
    Target { host: host.into(), port: Some(5060), transport, user: None }
}

pub(super) fn settings(listen: Vec<Listen>) -> Settings {
    Settings {
        listen,
        domain: "vigie.example.org".into(),
        aliases: Vec::new(),
        trunks: Vec::new(),
        accounts: Vec::new(),
        limits: Limits::default(),
        product: Some("Vigie".into()),
    }
}

pub(super) fn trunk(name: &str, host: &str, transport: Transport) -> Trunk {
    Trunk {
        name: name.into(),
        networks: host
            .parse()
            .map(|address: std::net::IpAddr| vec![(address, if address.is_ipv4() { 32 } else { 128 })])
            .unwrap_or_default(),
        credential: None,
        target: Some(target(host, transport)),
        keep_alive: None,
        identity: Identity::default(),
    }
}

/// The centre (node 0), a carrier (node 1), and a phone at a fixed address (node 2), all over one transport.
pub(super) fn centre(seed: u64, transport: Transport) -> World {
    centre_at(seed, transport, ["10.0.0.1", "10.0.0.2", "10.0.0.3"])
}

/// The same, at these addresses.
pub(super) fn centre_at(seed: u64, transport: Transport, at: [&str; 3]) -> World {
    let listen = |host: &str| {
        let address = std::net::SocketAddr::new(host.parse().unwrap(), 5060).to_string();
        vec![udp(&address), tcp(&address)]
    };
    let mut centre = settings(listen(at[0]));
    centre.trunks.push(trunk("carrier", at[1], transport));
    centre.accounts.push(Account {
        name: "g2".into(),
        credential: None,
        fixed: Some(target(at[2], transport)),
    });
    let mut carrier = settings(listen(at[1]));
    carrier.trunks.push(trunk("centre", at[0], transport));
    let mut phone = settings(listen(at[2]));
    phone.trunks.push(trunk("centre", at[0], transport));
    World::new(seed, vec![centre, carrier, phone])
}

pub(super) const OFFER: &[u8] =
    b"v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";
pub(super) const ANSWER: &[u8] =
    b"v=0\r\no=- 2 2 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 5000 RTP/AVP 8\r\n";

pub(super) fn offer() -> Bytes {
    Bytes::from_static(OFFER)
}

pub(super) fn answer() -> Bytes {
    Bytes::from_static(ANSWER)
}

pub(super) fn to_trunk(trunk: &str, user: &str) -> Invite {
    Invite {
        to: Callee::Trunk { trunk: trunk.into(), user: user.into() },
        from_display: "".into(),
        from_user: "0600000000".into(),
        offer: Some(offer()),
        headers: Vec::new(),
    }
}

pub(super) fn to_account(account: &str) -> Invite {
    Invite {
        to: Callee::Account(account.into()),
        from_display: "Line 3919, \"fr\"".into(),
        from_user: "3919".into(),
        offer: Some(offer()),
        headers: vec![
            ("Alert-Info".into(), "<urn:alert:service:normal>".into()),
            ("Via".into(), "evil".into()),
        ],
    }
}

/// A short name for an event, for comparing sequences.
pub(super) fn brief(events: &[Event]) -> Vec<String> {
    events
        .iter()
        .map(|event| match event {
            Event::Incoming(_) => "incoming".to_owned(),
            Event::Progress { status, sdp, .. } => {
                format!("progress {status}{}", if sdp.is_some() { " sdp" } else { "" })
            }
            Event::Answered { sdp, .. } => format!("answered{}", if sdp.is_some() { " sdp" } else { "" }),
            Event::Failed { status, device_gone, .. } => {
                format!("failed {status}{}", if *device_gone { " gone" } else { "" })
            }
            Event::Acknowledged { sdp, .. } => {
                format!("acknowledged{}", if sdp.is_some() { " sdp" } else { "" })
            }
            Event::Reoffer { sdp, .. } => format!("reoffer{}", if sdp.is_some() { " sdp" } else { "" }),
            Event::ReofferAnswered { sdp, .. } => {
                format!("reoffer answered{}", if sdp.is_some() { " sdp" } else { "" })
            }
            Event::ReofferFailed { status, .. } => format!("reoffer failed {status}"),
            Event::Alive { .. } => "alive".to_owned(),
            Event::Ended { by, reason, .. } => match reason {
                Some(reason) => format!("ended {by:?} {};{}", reason.protocol, reason.cause),
                None => format!("ended {by:?}"),
            },
            Event::Digit { digit, .. } => format!("digit {digit}"),
            Event::Bindings { account, contacts, change } => {
                format!("bindings {account} {contacts} {change:?}")
            }
            Event::TrunkAlive { alive, .. } => format!("trunk alive {alive}"),
            Event::Notice(notice) => format!("notice {}", notice_name(notice)),
        })
        .collect()
}

fn notice_name(notice: &Notice) -> &'static str {
    match notice {
        Notice::UnknownSource { .. } => "unknown source",
        Notice::AuthenticationFailed { .. } => "authentication failed",
        Notice::Limited { bound, .. } => bound,
        Notice::Malformed { .. } => "malformed",
        Notice::RecordUnreadable { .. } => "record unreadable",
    }
}
