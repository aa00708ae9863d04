//! The control door: legs, their descriptions and ports, what plays and who is bridged; no packets.
//!
//! Knows: both doors' types, the machines for descriptions and ports. Must never know: sockets, packets, SIP.
//! Every change of a leg ends with its record persisted, so that a restart finds all that was promised.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rand_chacha::ChaCha12Rng;
use rand_core::{Rng, SeedableRng};

use crate::description::{self, Format};
use crate::offer_answer::{Preferences, Proposal, Session, voice_codec};
use crate::ports::Ports;
use crate::printing::{self, Version};
use crate::record;
use crate::{
    Allocate, Allocated, Checkpoint, Command, Counts, Direction, Event, Input, LegId, MediaError, MediaFrom,
    Name, Negotiated, Output, Play, Playlist, Settings, StreamPosition, VoiceCodec, WorkerEvent,
    WorkerSettings,
};

/// Leg names are reserved in blocks, so that the counter is persisted rarely and no name comes twice.
const LEG_IDS_RESERVED: u64 = 1024;
/// Names of missing prompts that are remembered as told.
const MISSING_TOLD_MAX: usize = 256;
/// What a restart skips of a leg's sequence: more than a leg may send between two checkpoints, and little enough
/// for a receiver to take it for loss.
const SEQUENCE_JUMP: u16 = 400;
/// The same for the timestamp, beside the time that passed.
const TIMESTAMP_JUMP: Duration = Duration::from_millis(200);

/// The engine's side of the media plane.
pub struct Control {
    settings: Settings,
    workers: usize,
    random: ChaCha12Rng,
    ports: Ports,
    legs: BTreeMap<LegId, Leg>,
    /// Released legs whose account is still to come.
    releasing: BTreeSet<LegId>,
    next_leg: u64,
    reserved_legs: u64,
    next_play: u32,
    missing_told: BTreeSet<Name>,
    outputs: VecDeque<Output>,
}

/// One leg as the engine's thread keeps it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Leg {
    pub(crate) worker: usize,
    pub(crate) port: u16,
    pub(crate) ipv6: bool,
    pub(crate) media_from: MediaFrom,
    pub(crate) partner_hint: Option<LegId>,
    /// Its own preference, instead of the settings'; mostly empty.
    pub(crate) codecs: Vec<VoiceCodec>,
    pub(crate) session: Session,
    pub(crate) version: Version,
    /// Our last proposal: RFC 3264 §8 wants a new version only for a changed description.
    pub(crate) proposed: Option<Proposal>,
    pub(crate) bridged: Option<LegId>,
    pub(crate) playing: Option<Playing>,
    pub(crate) position: StreamPosition,
    pub(crate) checkpoint: Option<Checkpoint>,
}

/// A playlist under the name by which its worker reports it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Playing {
    pub(crate) number: u32,
    pub(crate) playlist: Playlist,
}

impl Control {
    /// An empty media plane.
    pub fn new(_now: Duration, settings: Settings, seed: [u8; 32]) -> Self {
        let workers = settings.workers.max(1);
        Self {
            ports: Ports::new(&settings.ports, workers),
            settings,
            workers,
            random: ChaCha12Rng::from_seed(seed),
            legs: BTreeMap::new(),
            releasing: BTreeSet::new(),
            next_leg: 1,
            reserved_legs: 1,
            next_play: 1,
            missing_told: BTreeSet::new(),
            outputs: VecDeque::new(),
        }
    }

    /// Takes new settings. The number of workers and the port range are those of the start: threads own their
    /// blocks for life, and a running call keeps its ports.
    pub fn reconfigure(&mut self, _now: Duration, settings: Settings) {
        self.settings = settings;
        self.missing_told.clear();
        for worker in 0..self.workers {
            let settings = self.worker_settings();
            self.command(worker, Command::Reconfigure { settings });
        }
    }

    /// What each worker starts with.
    pub fn worker_settings(&self) -> WorkerSettings {
        WorkerSettings { silence: self.settings.silence }
    }

    /// A new leg: our answer to their offer, or our offer.
    pub fn allocate(&mut self, now: Duration, request: Allocate) -> Result<Allocated, MediaError> {
        let partner = request.partner.and_then(|partner| self.legs.get(&partner));
        let partner_voice = partner.and_then(|partner| partner.session.voice()).cloned();
        let partner_worker = partner.map(|partner| partner.worker);
        let mut session = Session::new();
        let codecs = request.codecs;
        let preferences = preferences(&self.settings, &codecs, partner_voice.as_ref(), None);
        let (proposal, ipv6) = match &request.offer {
            Some(offer) => {
                let proposal = session.offered(&description::read(offer)?, &preferences)?;
                let theirs = session.agreed.as_ref().and_then(|agreed| agreed.rtp);
                // On hold from the start by 0.0.0.0, the family stays ours to choose.
                (proposal, theirs.map_or(self.settings.local_v4.is_none(), |theirs| theirs.is_ipv6()))
            }
            None => {
                let available = if request.ipv6 { preferences.ipv6 } else { preferences.ipv4 };
                if !available {
                    return Err(MediaError::NotAcceptable("no media address of this family is configured"));
                }
                (session.offer(&preferences, Direction::SendRecv), request.ipv6)
            }
        };
        let (worker, port) = self.take_port(now, partner_worker)?;
        let id = self.name_leg();
        let leg = Leg {
            worker,
            port,
            ipv6,
            media_from: request.media_from,
            partner_hint: request.partner,
            codecs,
            session,
            version: Version { session: self.random.next_u32() >> 1, version: 0 },
            proposed: None,
            bridged: None,
            playing: None,
            position: StreamPosition {
                ssrc: self.random.next_u32(),
                // RFC 3550 §5.1: both start at random.
                sequence: self.random.next_u32() as u16,
                timestamp: self.random.next_u32(),
            },
            checkpoint: None,
        };
        self.open(id, &leg, leg.position, (None, None));
        self.legs.insert(id, leg);
        self.configure(id);
        let sdp = self.describe(id, proposal)?;
        self.persist(id);
        Ok(Allocated { leg: id, sdp })
    }

    /// Their answer to our offer: early media too, and again with the final answer.
    pub fn answered(
        &mut self,
        _now: Duration,
        leg: LegId,
        sdp: &Bytes,
        media_from: Option<MediaFrom>,
    ) -> Result<Negotiated, MediaError> {
        let state = self.legs.get_mut(&leg).ok_or(MediaError::NoSuchLeg)?;
        let preferences = preferences(&self.settings, &state.codecs, None, Some(state.ipv6));
        state.session.answered(&description::read(sdp)?, &preferences)?;
        if let Some(media_from) = media_from {
            state.media_from = media_from;
        }
        self.configure(leg);
        self.persist(leg);
        self.negotiated(leg).ok_or(MediaError::NoSuchLeg)
    }

    /// Their new offer; our answer. If it is refused, what was agreed stays.
    pub fn reoffered(
        &mut self,
        _now: Duration,
        leg: LegId,
        sdp: &Bytes,
    ) -> Result<(Bytes, Negotiated), MediaError> {
        let partner = self.partner_voice(leg);
        let state = self.legs.get_mut(&leg).ok_or(MediaError::NoSuchLeg)?;
        let preferences = preferences(&self.settings, &state.codecs, partner.as_ref(), Some(state.ipv6));
        let proposal = state.session.offered(&description::read(sdp)?, &preferences)?;
        self.configure(leg);
        let sdp = self.describe(leg, proposal)?;
        self.persist(leg);
        let negotiated = self.negotiated(leg).ok_or(MediaError::NoSuchLeg)?;
        Ok((sdp, negotiated))
    }

    /// Our new offer; `direction` as we state it.
    pub fn offer(&mut self, _now: Duration, leg: LegId, direction: Direction) -> Result<Bytes, MediaError> {
        let partner = self.partner_voice(leg);
        let state = self.legs.get_mut(&leg).ok_or(MediaError::NoSuchLeg)?;
        let preferences = preferences(&self.settings, &state.codecs, partner.as_ref(), Some(state.ipv6));
        let proposal = state.session.offer(&preferences, direction);
        let sdp = self.describe(leg, proposal)?;
        self.persist(leg);
        Ok(sdp)
    }

    /// What was negotiated last.
    pub fn negotiated(&self, leg: LegId) -> Option<Negotiated> {
        self.legs.get(&leg)?.session.negotiated()
    }

    /// Each hears the other, whoever they heard before; stops what plays to them.
    pub fn bridge(&mut self, _now: Duration, a: LegId, b: LegId) {
        let (Some(one), Some(other)) = (self.legs.get(&a), self.legs.get(&b)) else { return };
        if a == b {
            return;
        }
        if one.worker != other.worker {
            for leg in [a, b] {
                self.trouble(leg, "the two legs live on different media threads: allocate with `partner`");
            }
            return;
        }
        let worker = one.worker;
        for (leg, partner) in [(a, b), (b, a)] {
            let before = self.legs.get_mut(&leg).and_then(|leg| leg.bridged.replace(partner));
            if let Some(left) = before.filter(|&before| before != partner) {
                self.part(left);
            }
            if let Some(leg) = self.legs.get_mut(&leg) {
                leg.playing = None;
            }
        }
        self.command(worker, Command::Bridge { a, b });
        for leg in [a, b] {
            self.persist(leg);
        }
        self.check_codecs(a, b);
    }

    /// Ends the leg's bridge.
    pub fn unbridge(&mut self, _now: Duration, leg: LegId) {
        let Some(state) = self.legs.get_mut(&leg) else { return };
        let (worker, Some(partner)) = (state.worker, state.bridged.take()) else { return };
        self.command(worker, Command::Unbridge { leg });
        self.part(partner);
        self.persist(leg);
    }

    /// Plays, instead of what it played. The bridge towards the leg pauses until the list is done or stopped.
    pub fn play(&mut self, _now: Duration, leg: LegId, playlist: Playlist) {
        let Some(state) = self.legs.get_mut(&leg) else { return };
        let worker = state.worker;
        let silent = state.session.voice().is_some_and(|voice| voice_codec(voice).is_none());
        let number = self.next_play;
        self.next_play = self.next_play.wrapping_add(1);
        state.playing = Some(Playing { number, playlist: playlist.clone() });
        let mut play = self.prepare(leg, &playlist, number);
        play.start = self.start_of(&play);
        self.command(worker, Command::Play { leg, play });
        if silent {
            self.trouble(leg, "the call's codec only passes through: prompts and music can't be heard on it");
        }
        self.persist(leg);
    }

    /// Stops playing.
    pub fn stop(&mut self, _now: Duration, leg: LegId) {
        let Some(state) = self.legs.get_mut(&leg) else { return };
        if state.playing.take().is_none() {
            return;
        }
        let worker = state.worker;
        self.command(worker, Command::Stop { leg });
        self.persist(leg);
    }

    /// Ends the leg. Its port rests at once; its account comes as `Released`.
    pub fn release(&mut self, now: Duration, leg: LegId) {
        let Some(state) = self.legs.remove(&leg) else { return };
        if let Some(partner) = state.bridged {
            self.part(partner);
        }
        self.ports.give_back(now, state.port, self.settings.quarantine);
        self.releasing.insert(leg);
        self.command(state.worker, Command::Release { leg });
        for key in [record::leg_key(leg), record::checkpoint_key(leg)] {
            self.outputs.push_back(Output::Persist { key, record: None });
        }
    }

    /// What comes in.
    pub fn handle(&mut self, now: Duration, input: Input) {
        match input {
            Input::Timeout => self.ports.wake(now),
            Input::Worker { event, .. } => self.on_worker(event),
        }
    }

    /// What goes out; drain after every call.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When `Input::Timeout` is due.
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.ports.due()
    }

    /// What is live.
    pub fn counts(&self) -> Counts {
        Counts { legs: self.legs.len(), ports: self.ports.taken(), quarantined: self.ports.resting() }
    }

    /// Everything worth keeping, as `Output::Persist` said it piece by piece.
    pub fn records(&self) -> Vec<(u64, Bytes)> {
        let mut records = Vec::with_capacity(1 + 2 * self.legs.len());
        if self.reserved_legs > 1 {
            records.push(record::write_counter(self.reserved_legs));
        }
        for (&id, leg) in &self.legs {
            records.push((record::leg_key(id), record::write_leg(leg)));
            if let Some(checkpoint) = &leg.checkpoint {
                records.push((record::checkpoint_key(id), record::write_checkpoint(checkpoint)));
            }
        }
        records
    }

    /// From those records. Unreadable ones are skipped: a lost leg is better than a program that can't start. The
    /// commands that rebuild the workers come out of `poll_output`.
    pub fn restore(
        now: Duration,
        settings: Settings,
        seed: [u8; 32],
        records: impl IntoIterator<Item = (u64, Bytes)>,
    ) -> Self {
        let mut control = Self::new(now, settings, seed);
        let kept = record::read_all(records);
        control.next_leg = kept.reserved_legs.max(control.next_leg);
        control.reserved_legs = control.next_leg;
        for (id, mut leg) in kept.legs {
            if !control.ports.claim(leg.port) {
                continue;
            }
            leg.worker %= control.workers;
            control.next_leg = control.next_leg.max(id.0 + 1);
            control.legs.insert(id, leg);
        }
        control.reserved_legs = control.reserved_legs.max(control.next_leg);
        let ids: Vec<LegId> = control.legs.keys().copied().collect();
        for &id in &ids {
            control.reopen(now, id);
        }
        for &id in &ids {
            control.rejoin(id);
        }
        for &id in &ids {
            control.replay(id);
        }
        control
    }
}

/// Steps that several doors share.
impl Control {
    fn name_leg(&mut self) -> LegId {
        if self.next_leg == self.reserved_legs {
            self.reserved_legs = self.next_leg.saturating_add(LEG_IDS_RESERVED);
            let (key, record) = record::write_counter(self.reserved_legs);
            self.outputs.push_back(Output::Persist { key, record: Some(record) });
        }
        let id = LegId(self.next_leg);
        self.next_leg += 1;
        id
    }

    /// The partner's worker, or the one with the fewest legs that has a port.
    fn take_port(&mut self, now: Duration, partner: Option<usize>) -> Result<(usize, u16), MediaError> {
        let mut workers: Vec<usize> = match partner {
            Some(partner) => vec![partner],
            None => (0..self.workers).collect(),
        };
        workers.sort_by_key(|&worker| self.ports.taken_of(worker));
        workers
            .into_iter()
            .find_map(|worker| Some((worker, self.ports.take(now, worker, &mut self.random)?)))
            .ok_or(MediaError::NoPorts)
    }

    fn open(
        &mut self,
        id: LegId,
        leg: &Leg,
        position: StreamPosition,
        latched: (Option<SocketAddr>, Option<SocketAddr>),
    ) {
        let (v4, v6) = (self.settings.local_v4.map(IpAddr::V4), self.settings.local_v6.map(IpAddr::V6));
        let Some(local) = (if leg.ipv6 { v6 } else { v4 }) else {
            return self.trouble(id, "the media address of this leg's family is no longer configured");
        };
        let command = Command::Open {
            leg: id,
            address: SocketAddr::new(local, leg.port),
            media_from: leg.media_from.clone(),
            position,
            latched,
        };
        self.command(leg.worker, command);
    }

    /// Tells the worker what is agreed.
    fn configure(&mut self, id: LegId) {
        let Some(leg) = self.legs.get(&id) else { return };
        let Some(stream) = leg.session.stream() else { return };
        let command =
            Command::Configure { leg: id, stream: Arc::new(stream), media_from: leg.media_from.clone() };
        self.command(leg.worker, command);
    }

    /// Prints our side, with a new version if it changed.
    fn describe(&mut self, id: LegId, proposal: Proposal) -> Result<Bytes, MediaError> {
        let leg = self.legs.get_mut(&id).ok_or(MediaError::NoSuchLeg)?;
        if leg.proposed.as_ref() != Some(&proposal) {
            leg.version.version += 1;
        }
        let settings = &self.settings;
        let address = if leg.ipv6 {
            settings.advertised_v6.or(settings.local_v6).map(IpAddr::V6)
        } else {
            settings.advertised_v4.or(settings.local_v4).map(IpAddr::V4)
        };
        let address =
            address.ok_or(MediaError::NotAcceptable("no media address of this family is configured"))?;
        let sdp = printing::print(&proposal, leg.version, address, leg.port);
        leg.proposed = Some(proposal);
        Ok(sdp)
    }

    /// The voice codec of the leg that this one is, or will be, bridged with.
    fn partner_voice(&self, leg: LegId) -> Option<Format> {
        let leg = self.legs.get(&leg)?;
        let partner = leg.bridged.or(leg.partner_hint)?;
        self.legs.get(&partner)?.session.voice().cloned()
    }

    /// The other side of a bridge that ended.
    fn part(&mut self, leg: LegId) {
        if let Some(state) = self.legs.get_mut(&leg) {
            state.bridged = None;
            self.persist(leg);
        }
    }

    /// A bridge in which nothing can be heard is said at once, not found in a packet capture.
    fn check_codecs(&mut self, a: LegId, b: LegId) {
        let voice = |leg: LegId| self.legs.get(&leg).and_then(|leg| leg.session.voice());
        let (Some(one), Some(other)) = (voice(a), voice(b)) else { return };
        let shared = one.is(&other.name) && one.clock_hz == other.clock_hz
            || voice_codec(one).is_some() && voice_codec(other).is_some();
        if !shared {
            for leg in [a, b] {
                self.trouble(leg, "the two legs have no codec in common: neither hears the other");
            }
        }
    }

    fn prepare(&mut self, leg: LegId, playlist: &Playlist, number: u32) -> Play {
        let mut prompts = Vec::with_capacity(playlist.prompts.len());
        for name in &playlist.prompts {
            match self.settings.prompts.prompt(name) {
                Some(prompt) => prompts.push(prompt.clone()),
                None => {
                    if self.missing_told.len() < MISSING_TOLD_MAX && self.missing_told.insert(name.clone()) {
                        self.trouble(leg, "a prompt is not in the prompt book");
                    }
                }
            }
        }
        Play { prompts, repeat: playlist.repeat, gap: playlist.gap, tag: number, start: (0, 0) }
    }

    /// Music starts elsewhere for each caller, so that those who wait together don't hear it in step; what is
    /// repeated with a pause is speech, and starts at its beginning.
    fn start_of(&mut self, play: &Play) -> (u32, u32) {
        let total: usize = play.prompts.iter().map(|prompt| prompt.samples()).sum();
        if !play.repeat || !play.gap.is_zero() || total == 0 {
            return (0, 0);
        }
        let mut sample = (self.random.next_u64() % total as u64) as usize;
        for (index, prompt) in play.prompts.iter().enumerate() {
            if sample < prompt.samples() {
                return (index as u32, sample as u32);
            }
            sample -= prompt.samples();
        }
        (0, 0)
    }

    fn on_worker(&mut self, event: WorkerEvent) {
        match event {
            WorkerEvent::Released { leg, stats } => {
                if self.releasing.remove(&leg) {
                    self.outputs.push_back(Output::Event(Event::Released { leg, stats }));
                }
            }
            WorkerEvent::PlayDone { leg, tag: number } => {
                let Some(state) = self.legs.get_mut(&leg) else { return };
                // A list that was stopped or replaced while this was on its way isn't done.
                if let Some(playing) = state.playing.take_if(|playing| playing.number == number) {
                    let tag = playing.playlist.tag;
                    self.outputs.push_back(Output::Event(Event::PlayDone { leg, tag }));
                    self.persist(leg);
                }
            }
            WorkerEvent::Checkpoint { leg, checkpoint } => {
                if let Some(state) = self.legs.get_mut(&leg) {
                    state.checkpoint = Some(checkpoint);
                    let record = Some(record::write_checkpoint(&checkpoint));
                    self.outputs.push_back(Output::Persist { key: record::checkpoint_key(leg), record });
                }
            }
            WorkerEvent::Digit { leg, digit } => self.tell(leg, Event::Digit { leg, digit }),
            WorkerEvent::Latched { leg, source, as_signalled } => {
                self.tell(leg, Event::Latched { leg, source, as_signalled });
            }
            WorkerEvent::SourceRejected { leg, source, remedy } => {
                self.tell(leg, Event::SourceRejected { leg, source, remedy });
            }
            WorkerEvent::Silent { leg, since, ever } => self.tell(leg, Event::Silent { leg, since, ever }),
            WorkerEvent::Trouble { leg, what } => self.tell(leg, Event::Trouble { leg, what }),
        }
    }

    /// Only of legs that live: the engine has forgotten the others.
    fn tell(&mut self, leg: LegId, event: Event) {
        if self.legs.contains_key(&leg) {
            self.outputs.push_back(Output::Event(event));
        }
    }

    fn trouble(&mut self, leg: LegId, what: &'static str) {
        self.outputs.push_back(Output::Event(Event::Trouble { leg, what }));
    }

    fn command(&mut self, worker: usize, command: Command) {
        self.outputs.push_back(Output::Command { worker, command });
    }

    fn persist(&mut self, id: LegId) {
        if let Some(leg) = self.legs.get(&id) {
            let record = Some(record::write_leg(leg));
            self.outputs.push_back(Output::Persist { key: record::leg_key(id), record });
        }
    }
}

/// After a restart.
impl Control {
    fn reopen(&mut self, now: Duration, id: LegId) {
        let Some(mut leg) = self.legs.get(&id).cloned() else { return };
        let (position, at) = match &leg.checkpoint {
            Some(checkpoint) => (checkpoint.position, checkpoint.at),
            None => (leg.position, now),
        };
        let clock_hz = leg.session.voice().map_or(8000, |voice| voice.clock_hz);
        let passed = now.saturating_sub(at) + TIMESTAMP_JUMP;
        let units = (passed.as_micros() * u128::from(clock_hz) / 1_000_000) as u32;
        // Never a number twice: what went out after the last checkpoint is not known.
        let position = StreamPosition {
            ssrc: position.ssrc,
            sequence: position.sequence.wrapping_add(SEQUENCE_JUMP),
            timestamp: position.timestamp.wrapping_add(units),
        };
        let latched = leg.checkpoint.as_ref().map_or((None, None), |kept| (kept.latched, kept.latched_rtcp));
        self.open(id, &leg, position, latched);
        // A second restart before the next checkpoint must jump from here.
        let kept = leg.checkpoint.map_or(
            Checkpoint { at: now, position, latched: None, latched_rtcp: None, played: None },
            |kept| Checkpoint { at: now, position, ..kept },
        );
        leg.checkpoint = Some(kept);
        let record = Some(record::write_checkpoint(&kept));
        self.outputs.push_back(Output::Persist { key: record::checkpoint_key(id), record });
        self.legs.insert(id, leg);
        self.configure(id);
    }

    fn rejoin(&mut self, id: LegId) {
        let Some((worker, Some(partner))) = self.legs.get(&id).map(|leg| (leg.worker, leg.bridged)) else {
            return;
        };
        let mutual = self.legs.get(&partner).is_some_and(|other| other.bridged == Some(id));
        if !mutual {
            if let Some(leg) = self.legs.get_mut(&id) {
                leg.bridged = None;
            }
            self.persist(id);
        } else if id < partner {
            self.command(worker, Command::Bridge { a: id, b: partner });
        }
    }

    fn replay(&mut self, id: LegId) {
        let Some(leg) = self.legs.get(&id) else { return };
        let Some(playing) = leg.playing.clone() else { return };
        let (worker, played) = (leg.worker, leg.checkpoint.and_then(|checkpoint| checkpoint.played));
        self.next_play = self.next_play.max(playing.number.wrapping_add(1));
        let mut play = self.prepare(id, &playing.playlist, playing.number);
        play.start = played.unwrap_or((0, 0));
        self.command(worker, Command::Play { leg: id, play });
    }
}

fn preferences<'a>(
    settings: &'a Settings,
    codecs: &'a [VoiceCodec],
    partner: Option<&'a Format>,
    ipv6: Option<bool>,
) -> Preferences<'a> {
    Preferences {
        codecs: if codecs.is_empty() { &settings.codecs } else { codecs },
        partner,
        ipv4: settings.local_v4.is_some() && ipv6 != Some(true),
        ipv6: settings.local_v6.is_some() && ipv6 != Some(false),
    }
}
