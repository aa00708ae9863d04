//! The world: one engine, its media threads, a network, people with phones, and time that passes from event to event.
//!
//! Knows: the order of everything that happens. Must never know: the clock, threads, sockets; nor what ought to happen:
//! that is the checkers'.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use call::{Engine, Input, Output, Room, Settings};
use facts::event::EventKind;
use facts::{Event, Fact, Stamper, UnixMicros};
use media::LegId;

use crate::checkers::Checkers;
use crate::deployment::SERVER;
use crate::media_threads::{MediaThread, Sent};
use crate::network::{Links, Network};
use crate::person::{Act, Notice, Plan};
use crate::random::Dice;
use crate::station::{Role, Station, StationId};
use crate::trace::Trace;

/// What passes between the engine's thread and a media thread takes so long.
const THREAD_HOP: Duration = Duration::from_micros(100);
/// Sound needs so long to be noticed.
const NOTICE_DELAY: Duration = Duration::from_millis(40);
/// Wednesday, 4 November 2026, 00:00 in Paris: the wall clock at the beginning of every world.
pub const UNIX_MICROS_AT_EPOCH: i64 = 1_793_746_800_000_000;

/// What waits for its time.
enum Happening {
    EngineWakes,
    ThreadWakes(usize),
    StationWakes(StationId),
    Arrives { from: SocketAddr, to: SocketAddr, bytes: Bytes },
    ToThread { incarnation: u32, worker: usize, command: media::Command },
    FromThread { incarnation: u32, worker: usize, event: media::WorkerEvent },
    Notices(StationId, Notice),
    Acts(StationId, Act),
    Begins(Box<NewStation>),
    Commands(call::Command),
    Crashes(Crash),
    Restores,
}

/// A station that is set up when its time comes.
pub(crate) struct NewStation {
    pub(crate) role: Role,
    pub(crate) config: phone::PhoneConfig,
    pub(crate) person: Box<dyn crate::person::Person>,
    pub(crate) plans: Vec<Plan>,
}

/// How the program dies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Crash {
    /// In the middle of the next step that keeps anything: its records are written, nothing of it is sent.
    pub before_sending: bool,
    /// How long until it is back.
    pub down: Duration,
}

/// How a world is set up.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Everything random comes from this.
    pub seed: u64,
    /// The deployment.
    pub settings: Settings,
    /// The links of signalling.
    pub links: Links,
    /// The links of sound and digits.
    pub media_links: Links,
    /// With real media workers and real sound, or with the timetable.
    pub sounds: bool,
}

/// One engine and everything around it.
pub struct World {
    now: Duration,
    queue: BTreeMap<(Duration, u64), Happening>,
    next: u64,
    setup: Setup,
    engine: Option<Engine>,
    engine_wake: Option<Duration>,
    threads: Vec<MediaThread>,
    thread_wakes: Vec<Option<Duration>>,
    incarnation: u32,
    armed: Option<Crash>,
    seeds: Dice,
    signalling: Network,
    sound: Network,
    stations: BTreeMap<StationId, Station>,
    places: BTreeMap<SocketAddr, (StationId, Option<usize>)>,
    /// As the state file would keep them.
    state: BTreeMap<(Room, u64), Bytes>,
    stamper: Stamper,
    first_contact: u64,
    events: Vec<Event>,
    leg_stations: BTreeMap<LegId, StationId>,
    bridges: BTreeMap<LegId, LegId>,
    told_bridges: BTreeSet<(LegId, LegId)>,
    checkers: Checkers,
    trace: Trace,
    steps: u64,
    crashes: u32,
}

impl World {
    /// A world in which nothing has happened yet.
    pub fn new(setup: Setup) -> Self {
        let mut seeds = Dice::new(setup.seed, "engine");
        let engine = Engine::new(Duration::ZERO, setup.settings.clone(), seeds.seed(), 1);
        let mut world = Self {
            now: Duration::ZERO,
            queue: BTreeMap::new(),
            next: 0,
            engine: None,
            engine_wake: None,
            threads: Vec::new(),
            thread_wakes: Vec::new(),
            incarnation: 0,
            armed: None,
            seeds,
            signalling: Network::new(setup.links, setup.seed),
            sound: Network::new(setup.media_links, !setup.seed),
            stations: BTreeMap::new(),
            places: BTreeMap::new(),
            state: BTreeMap::new(),
            stamper: Stamper::new(UnixMicros(UNIX_MICROS_AT_EPOCH), 1),
            first_contact: 1,
            events: Vec::new(),
            leg_stations: BTreeMap::new(),
            bridges: BTreeMap::new(),
            told_bridges: BTreeSet::new(),
            checkers: Checkers::new(&setup.settings.plan),
            trace: Trace::new(),
            steps: 0,
            crashes: 0,
            setup,
        };
        world.start(engine);
        world
    }

    // ---- what a story does

    /// The time.
    pub fn now(&self) -> Duration {
        self.now
    }

    /// A new station, at once.
    pub fn add_station(
        &mut self,
        role: Role,
        config: phone::PhoneConfig,
        person: Box<dyn crate::person::Person>,
    ) -> StationId {
        let id = StationId(u32::try_from(self.stations.len()).unwrap_or(u32::MAX));
        let mut dice = Dice::new(self.setup.seed ^ (u64::from(id.0) << 32), "person");
        let phone = phone::Phone::new(config.clone(), dice.seed());
        if let Role::Caller { .. } = &role {
            self.checkers.privacy.learn(&config);
        }
        self.place(id, &config);
        let station = Station {
            role,
            phone,
            events: Vec::new(),
            call_id: None,
            vanished: false,
            person,
            dice,
            config,
            wake: None,
            phones: 1,
        };
        self.stations.insert(id, station);
        id
    }

    /// The same later on, with plans to begin with.
    pub(crate) fn add_station_at(&mut self, at: Duration, station: NewStation) {
        self.later(at, Happening::Begins(Box::new(station)));
    }

    /// Somebody does something with a phone now.
    pub fn command(&mut self, station: StationId, command: phone::Command) {
        self.act(station, Act::Phone(command));
    }

    /// A person makes plans.
    pub(crate) fn plan(&mut self, station: StationId, plans: Vec<Plan>) {
        for plan in plans {
            self.later(self.now + plan.after, Happening::Acts(station, plan.act));
        }
    }

    /// Somebody commands at the control socket, at that time.
    pub fn control_at(&mut self, at: Duration, command: call::Command) {
        self.later(at, Happening::Commands(command));
    }

    /// The program dies at that time.
    pub fn crash_at(&mut self, at: Duration, crash: Crash) {
        self.later(at, Happening::Crashes(crash));
    }

    /// A new configuration.
    pub fn reload(&mut self, settings: Settings) {
        self.checkers.plan(&settings.plan);
        self.setup.settings = settings.clone();
        self.step(Input::Reload(Box::new(settings)));
    }

    /// Other links from now on.
    pub fn links(&mut self, links: Links) {
        self.signalling.become_like(links);
    }

    /// Time passes.
    pub fn run_for(&mut self, time: Duration) {
        self.run_until(self.now + time);
    }

    /// Time passes up to there.
    pub fn run_until(&mut self, until: Duration) {
        while let Some(entry) = self.queue.first_entry().filter(|entry| entry.key().0 <= until) {
            let ((at, _), happening) = entry.remove_entry();
            self.now = at;
            self.happen(happening);
        }
        self.now = self.now.max(until);
    }

    /// A station.
    pub fn station(&self, id: StationId) -> &Station {
        &self.stations[&id]
    }

    /// All of them.
    pub fn stations(&self) -> impl Iterator<Item = (StationId, &Station)> {
        self.stations.iter().map(|(id, station)| (*id, station))
    }

    /// Everything that the engine said happened.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The engine; none while the program is down.
    pub fn engine(&self) -> Option<&Engine> {
        self.engine.as_ref()
    }

    /// The checkers, with what they saw.
    pub fn checkers(&self) -> &Checkers {
        &self.checkers
    }

    /// Everything is over: the checkers have their last word.
    pub fn finish(&mut self) {
        let mut checkers = std::mem::take(&mut self.checkers);
        checkers.finish(self);
        self.checkers = checkers;
    }

    /// One number over everything that the engine said.
    pub fn trace_hash(&self) -> u64 {
        self.trace.hash()
    }

    pub(crate) fn counters(&self) -> (u64, u64, u64, u32) {
        (self.steps, self.signalling.sent, self.signalling.lost, self.crashes)
    }

    pub(crate) fn state(&self) -> &BTreeMap<(Room, u64), Bytes> {
        &self.state
    }

    pub(crate) fn open_legs(&self) -> usize {
        self.threads.iter().map(MediaThread::legs).sum()
    }

    pub(crate) fn setup(&self) -> &Setup {
        &self.setup
    }

    // ---- what happens

    fn later(&mut self, at: Duration, happening: Happening) {
        self.next += 1;
        self.queue.insert((at.max(self.now), self.next), happening);
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::EngineWakes => {
                if self.engine_wake == Some(self.now) {
                    self.engine_wake = None;
                    self.engine_wakes();
                }
            }
            Happening::ThreadWakes(worker) => self.thread_wakes(worker),
            Happening::StationWakes(id) => self.station_wakes(id),
            Happening::Arrives { from, to, bytes } => self.arrives(from, to, bytes),
            Happening::ToThread { incarnation, worker, command } if incarnation == self.incarnation => {
                if let Some(thread) = self.threads.get_mut(worker) {
                    thread.on_command(self.now, command);
                    self.after_thread(worker);
                }
            }
            Happening::FromThread { incarnation, worker, event } if incarnation == self.incarnation => {
                self.step(Input::Media { worker, event });
            }
            Happening::ToThread { .. } | Happening::FromThread { .. } => {}
            Happening::Notices(id, notice) => self.notice(id, &notice),
            Happening::Acts(id, act) => self.act(id, act),
            Happening::Begins(new) => {
                let NewStation { role, config, person, plans } = *new;
                let id = self.add_station(role, config, person);
                self.plan(id, plans);
            }
            Happening::Commands(command) => {
                self.step(Input::Command { token: 0, actor: call::Actor::LocalControl, command });
            }
            Happening::Crashes(crash) if crash.before_sending => self.armed = Some(crash),
            Happening::Crashes(crash) => self.crash(crash),
            Happening::Restores => self.restore(),
        }
    }

    fn engine_wakes(&mut self) {
        let due = self.engine.as_ref().and_then(Engine::poll_timeout);
        if due.is_some_and(|at| at <= self.now) {
            self.step(Input::Timeout);
        } else {
            self.wake_engine();
        }
    }

    fn wake_engine(&mut self) {
        let Some(at) = self.engine.as_ref().and_then(Engine::poll_timeout) else { return };
        let at = at.max(self.now);
        if self.engine_wake.is_none_or(|wake| at < wake) {
            self.engine_wake = Some(at);
            self.later(at, Happening::EngineWakes);
        }
    }

    fn arrives(&mut self, from: SocketAddr, to: SocketAddr, bytes: Bytes) {
        if to == SERVER {
            self.step(Input::Sip(sip::Input::Datagram { local: to, remote: from, bytes }));
        } else if let Some((id, port)) = self.places.get(&to).copied() {
            let Some(station) = self.stations.get_mut(&id) else { return };
            let input = match port {
                None => phone::Input::SipDatagram { from, bytes: &bytes },
                Some(port) => phone::Input::Rtp { port, from, bytes: &bytes },
            };
            station.phone.handle(self.now, input);
            self.after_phone(id);
        } else if to.ip() == SERVER.ip() {
            for worker in 0..self.threads.len() {
                let sent = self.threads[worker].on_packet(self.now, from, to, &bytes);
                self.send_sound(sent);
                self.after_thread(worker);
            }
        }
    }

    // ---- the engine

    fn start(&mut self, engine: Engine) {
        let settings = &self.setup.settings.media;
        let worker_settings = media::WorkerSettings { silence: settings.silence };
        self.threads = (0..settings.workers)
            .map(|_| {
                let seed = self.seeds.seed();
                MediaThread::new(self.now, worker_settings.clone(), seed, self.setup.sounds)
            })
            .collect();
        self.thread_wakes = vec![None; self.threads.len()];
        self.engine = Some(engine);
        self.engine_wake = None;
        self.stamp(Fact {
            now: self.now,
            contact: None,
            kind: EventKind::EngineStarted { version: "simulated".into() },
        });
        self.collect();
        self.step(Input::Wall { unix_micros_at_epoch: UNIX_MICROS_AT_EPOCH });
    }

    fn step(&mut self, input: Input) {
        let Some(engine) = &mut self.engine else { return };
        self.steps += 1;
        engine.handle(self.now, input);
        self.collect();
    }

    /// As the engine's thread does: what is kept is kept before anything is sent.
    fn collect(&mut self) {
        let Some(engine) = &mut self.engine else { return };
        let outputs: Vec<Output> = std::iter::from_fn(|| engine.poll_output()).collect();
        self.trace.number(self.now.as_nanos() as u64);
        let mut to_send = Vec::with_capacity(outputs.len());
        let mut kept = false;
        for output in outputs {
            self.checkers.output(self.now, &output);
            match output {
                Output::Persist { room, key, record } => {
                    kept = true;
                    self.trace.number(u64::from(room.number()) ^ key.rotate_left(8));
                    self.trace.bytes(record.as_deref().unwrap_or_default());
                    match record {
                        Some(record) => self.state.insert((room, key), record),
                        None => self.state.remove(&(room, key)),
                    };
                }
                Output::Fact(fact) => self.stamp(fact),
                output => to_send.push(output),
            }
        }
        self.checkers.step_over(self.now);
        if kept && let Some(crash) = self.armed.take() {
            return self.crash(crash);
        }
        for output in to_send {
            self.carry_out(output);
        }
        self.wake_engine();
    }

    fn stamp(&mut self, fact: Fact) {
        if let (Some(contact), EventKind::Offered { .. }) = (fact.contact, &fact.kind) {
            self.first_contact = self.first_contact.max(contact.0 + 1);
        }
        let now = self.now;
        let event = self.stamper.stamp(fact);
        let written = facts::record::encode(&event);
        self.trace.bytes(written.as_bytes());
        self.checkers.event(now, &event, &written);
        self.events.push(event);
    }

    fn carry_out(&mut self, output: Output) {
        use std::fmt::Write as _;
        match output {
            Output::Datagram { local, remote, bytes } => {
                self.trace.bytes(&bytes);
                if let Some((id, _)) = self.places.get(&remote)
                    && let Role::Operator { .. } = self.stations[id].role
                {
                    self.checkers.privacy.message_to_operator(self.now, &bytes);
                }
                self.send(local, remote, bytes);
            }
            Output::Media { worker, command } => {
                // Writing to a hash never fails.
                let _ = write!(self.trace, "{command:?}");
                self.follow_bridges(&command);
                let incarnation = self.incarnation;
                let happening = Happening::ToThread { incarnation, worker, command };
                self.later(self.now + THREAD_HOP, happening);
            }
            other => {
                let _ = write!(self.trace, "{other:?}");
            }
        }
    }

    fn send(&mut self, from: SocketAddr, to: SocketAddr, bytes: Bytes) {
        for delay in self.signalling.carry().into_iter().flatten() {
            self.later(self.now + delay, Happening::Arrives { from, to, bytes: bytes.clone() });
        }
    }

    // ---- media

    /// Whoever hears whom is told so, by the legs' addresses.
    fn follow_bridges(&mut self, command: &media::Command) {
        match command {
            media::Command::Configure { leg, stream, .. } => {
                let station = stream.remote.and_then(|remote| self.places.get(&remote));
                if let Some((station, _)) = station {
                    self.leg_stations.insert(*leg, *station);
                }
                // Where the trunk's INVITE held no offer, her address comes after the bridge.
                if let Some(other) = self.bridges.get(leg).copied() {
                    self.tell_bridged(*leg, other);
                }
            }
            media::Command::Bridge { a, b } => {
                if self.bridges.get(a) == Some(b) {
                    return;
                }
                self.bridges.insert(*a, *b);
                self.bridges.insert(*b, *a);
                self.tell_bridged(*a, *b);
            }
            media::Command::Unbridge { leg } | media::Command::Release { leg } => {
                let Some(other) = self.bridges.remove(leg) else { return };
                self.bridges.remove(&other);
                self.told_bridges.retain(|(a, b)| ![*a, *b].contains(leg));
                for leg in [*leg, other] {
                    if let Some(station) = self.leg_stations.get(&leg).copied() {
                        self.later(self.now + NOTICE_DELAY, Happening::Notices(station, Notice::Parted));
                    }
                }
            }
            _ => {}
        }
    }

    /// Both are told once, when both are known.
    fn tell_bridged(&mut self, a: LegId, b: LegId) {
        let stations = [a, b].map(|leg| self.leg_stations.get(&leg).copied());
        let [Some(one), Some(other)] = stations else { return };
        if !self.told_bridges.insert((a.min(b), a.max(b))) {
            return;
        }
        let roles = [&self.stations[&one].role, &self.stations[&other].role];
        self.checkers.bridged(self.now, [(one, roles[0]), (other, roles[1])]);
        for station in [one, other] {
            self.later(self.now + NOTICE_DELAY, Happening::Notices(station, Notice::Connected));
        }
    }

    fn thread_wakes(&mut self, worker: usize) {
        if self.thread_wakes.get(worker).copied().flatten() != Some(self.now) {
            return;
        }
        self.thread_wakes[worker] = None;
        let sent = self.threads[worker].poll(self.now);
        self.send_sound(sent);
        self.after_thread(worker);
    }

    fn after_thread(&mut self, worker: usize) {
        while let Some(event) = self.threads[worker].poll_event() {
            let incarnation = self.incarnation;
            let happening = Happening::FromThread { incarnation, worker, event };
            self.later(self.now + THREAD_HOP, happening);
        }
        let Some(at) = self.threads[worker].poll_timeout() else { return };
        let at = at.max(self.now);
        if self.thread_wakes[worker].is_none_or(|wake| at < wake) {
            self.thread_wakes[worker] = Some(at);
            self.later(at, Happening::ThreadWakes(worker));
        }
    }

    fn send_sound(&mut self, packets: impl IntoIterator<Item = Sent>) {
        for Sent { from, to, bytes } in packets {
            let bytes = Bytes::from(bytes);
            for delay in self.sound.carry().into_iter().flatten() {
                self.later(self.now + delay, Happening::Arrives { from, to, bytes: bytes.clone() });
            }
        }
    }

    // ---- people and phones

    fn place(&mut self, id: StationId, config: &phone::PhoneConfig) {
        self.places.insert(config.address, (id, None));
        for (port, address) in config.rtp.iter().enumerate() {
            self.places.insert(*address, (id, Some(port)));
        }
    }

    fn station_wakes(&mut self, id: StationId) {
        let Some(station) = self.stations.get_mut(&id) else { return };
        if station.wake != Some(self.now) {
            return;
        }
        station.wake = None;
        station.phone.handle(self.now, phone::Input::Timeout);
        self.after_phone(id);
    }

    fn notice(&mut self, id: StationId, notice: &Notice) {
        let Some(station) = self.stations.get_mut(&id) else { return };
        let plans = station.person.notices(self.now, notice, &mut station.dice);
        self.plan(id, plans);
    }

    fn act(&mut self, id: StationId, act: Act) {
        match act {
            Act::Phone(command) => {
                let Some(station) = self.stations.get_mut(&id) else { return };
                if let phone::Command::Power(false) = command {
                    station.vanished = true;
                    self.checkers.lost_its_memory(id);
                }
                if let phone::Command::Dial(dial) = &command {
                    self.checkers.privacy.learn_dial(dial);
                }
                station.phone.handle(self.now, phone::Input::Command(command));
                self.after_phone(id);
            }
            Act::Remember(reminder) => self.notice(id, &Notice::Reminder(reminder)),
            Act::TakeAnotherPhone => self.take_another_phone(id),
        }
    }

    /// The same person with another phone at another address; the old one is never heard of again.
    fn take_another_phone(&mut self, id: StationId) {
        let Some(station) = self.stations.get_mut(&id) else { return };
        self.places.retain(|_, (of, _)| *of != id);
        self.checkers.lost_its_memory(id);
        let shift = |address: SocketAddr| {
            let std::net::IpAddr::V4(v4) = address.ip() else { return address };
            let [a, b, c, d] = v4.octets();
            SocketAddr::new([a, b, c.wrapping_add(1), d].into(), address.port())
        };
        station.config.address = shift(station.config.address);
        for address in &mut station.config.rtp {
            *address = shift(*address);
        }
        station.phones = station.phones.saturating_add(1);
        station.phone = phone::Phone::new(station.config.clone(), station.dice.seed());
        station.wake = None;
        let config = station.config.clone();
        self.place(id, &config);
    }

    fn after_phone(&mut self, id: StationId) {
        let mut plans = Vec::new();
        while let Some(station) = self.stations.get_mut(&id) {
            let Some(output) = station.phone.poll_output() else { break };
            match output {
                phone::Output::SipDatagram { to, bytes } => {
                    station.note_call_id(&bytes);
                    let from = station.config.address;
                    self.send(from, to, bytes.into());
                }
                phone::Output::Rtp { port, to, bytes, .. } => {
                    let from = station.config.rtp.get(port).copied();
                    self.send_sound(from.map(|from| Sent { from, to, bytes }));
                }
                phone::Output::Event(event) => {
                    station.events.push((self.now, event.clone()));
                    self.checkers.phone(self.now, id, &station.role, &event);
                    plans.extend(station.person.notices(self.now, &Notice::Phone(event), &mut station.dice));
                }
                // Worlds have no streams.
                phone::Output::SipStream { .. } | phone::Output::CloseStream { .. } => {}
            }
        }
        self.plan(id, plans);
        let Some(station) = self.stations.get_mut(&id) else { return };
        let Some(at) = station.phone.poll_timeout() else { return };
        let at = at.max(self.now);
        if station.wake.is_none_or(|wake| at < wake) {
            station.wake = Some(at);
            self.later(at, Happening::StationWakes(id));
        }
    }
}

/// The program dies and comes back.
impl World {
    fn crash(&mut self, crash: Crash) {
        if self.engine.take().is_none() {
            return;
        }
        self.crashes += 1;
        self.incarnation += 1;
        self.threads.clear();
        self.thread_wakes.clear();
        self.engine_wake = None;
        self.armed = None;
        self.checkers.crashed(self.now);
        self.later(self.now + crash.down, Happening::Restores);
    }

    fn restore(&mut self) {
        let records: Vec<(Room, u64, Bytes)> =
            self.state.iter().map(|((room, key), record)| (*room, *key, record.clone())).collect();
        let engine = Engine::restore(
            self.now,
            self.setup.settings.clone(),
            self.seeds.seed(),
            self.first_contact,
            UNIX_MICROS_AT_EPOCH,
            records,
        );
        self.start(engine);
    }
}
