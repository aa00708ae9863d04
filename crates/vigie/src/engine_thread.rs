//! The engine's thread: inputs in, one step after the other, records written before anything is sent.
//!
//! Knows: the order of things in a step, the clock, batching. Must never decide: what an input means is the engine's.
//!
//! Three lanes lead in, each bounded and with room of its own, so that a flood of datagrams delays neither media events
//! nor an administrator's command.

use std::collections::VecDeque;
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use call::{Actor, Command, Engine, Input, Output, Refused};
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded, select};
use facts::event::{Alarm, EventKind, Queue};
use facts::{Event, Fact, Stamper, UnixMicros, record};

use crate::clock;
use crate::state_file::{EVENT_ROOM, Entry, StateFile};
use crate::vital::VitalThread;

/// Datagrams and stream pieces that may wait: half a second of the most that one thread can serve.
pub const NETWORK_LANE_MAX: usize = 16_384;
/// Media events that may wait: one of each kind for every leg of a full node.
pub const MEDIA_LANE_MAX: usize = 65_536;
/// Commands that may wait; people give them.
const CONTROL_LANE_MAX: usize = 1_024;
/// Inputs that share one write of records; more would delay the first one's answer.
const BATCH_MAX: usize = 64;
/// How often the wall clock is compared with what the engine believes.
const WALL_CHECK_EVERY: Duration = Duration::from_secs(1);
/// A wall clock that moved less than this is not worth a word.
const WALL_STEP_MIN_MICROS: u64 = 50_000;
/// How often the state file is written anew at most: where that fails for want of room, it is work for nothing.
const REWRITE_EVERY: Duration = Duration::from_secs(1);
/// Events that the state file keeps for a journal that is away. It holds so many in memory; what comes after them is in
/// its spool file.
const EVENTS_NOT_COMMITTED_MAX: usize = 131_072;

/// What is said to the engine beside the network and the media workers.
pub enum Control {
    /// A command; the answer comes by the closure, on the engine's thread.
    Command {
        /// Who.
        actor: Actor,
        /// What.
        command: Command,
        /// Takes the answer; must not block.
        reply: Box<dyn FnOnce(Result<(), Refused>) + Send>,
    },
    /// No new calls.
    Drain,
    /// How many calls live; must not block.
    Calls(Box<dyn FnOnce(usize) + Send>),
    /// A fact of the shell's own, for the journal.
    Fact(EventKind),
    /// End what lives, and the thread.
    Stop,
}

/// The ways in.
#[derive(Clone)]
pub struct Doors {
    network: Sender<sip::Input>,
    media: Sender<(usize, media::WorkerEvent)>,
    control: Sender<Control>,
}

impl Doors {
    /// A datagram; when the lane is full it is dropped, as the network might have, and counted by the caller.
    pub fn try_network(&self, input: sip::Input) -> Result<(), sip::Input> {
        self.network.try_send(input).map_err(TrySendError::into_inner)
    }

    /// The media lane.
    pub fn media(&self) -> &Sender<(usize, media::WorkerEvent)> {
        &self.media
    }

    /// A fact of the shell's own, if there is room for it; may be called on any thread.
    pub fn try_fact(&self, kind: EventKind) {
        // What is told this way is a sum that was exceeded already; a lane that is full of commands says more than it.
        let _ = self.control.try_send(Control::Fact(kind));
    }

    /// A command or a word of the shell's; waits if need be.
    pub fn control(&self, control: Control) {
        // An engine that is gone needs no more words.
        let _ = self.control.send(control);
    }
}

/// Where a step's outputs go. None of it may block.
pub trait Outlets: Send {
    /// To the network: everything of [`Output`] that is for sockets and name look-ups.
    fn network(&mut self, output: Output);
    /// To a media worker.
    fn media(&mut self, worker: usize, command: media::Command);
    /// To the journal and every figure.
    fn event(&mut self, event: Event);
    /// The number of the last event that the journal has for good.
    fn committed(&self) -> u64;
}

/// The lanes, before the thread runs.
pub struct Lanes {
    network: Receiver<sip::Input>,
    media: Receiver<(usize, media::WorkerEvent)>,
    control: Receiver<Control>,
}

#[cfg(test)]
impl Lanes {
    /// What came from the network.
    pub(crate) fn network_for_tests(&self) -> &Receiver<sip::Input> {
        &self.network
    }
}

/// Makes the lanes and the doors into them.
pub fn lanes() -> (Doors, Lanes) {
    let (network_in, network) = bounded(NETWORK_LANE_MAX);
    let (media_in, media) = bounded(MEDIA_LANE_MAX);
    let (control_in, control) = bounded(CONTROL_LANE_MAX);
    (Doors { network: network_in, media: media_in, control: control_in }, Lanes { network, media, control })
}

/// Starts the thread. `engine` may hold outputs already (from its making or restoring); `first` is said before them.
pub fn start(
    engine: Engine,
    lanes: Lanes,
    outlets: Box<dyn Outlets>,
    state: StateFile,
    next_seq: u64,
    first: Vec<EventKind>,
) -> std::io::Result<JoinHandle<()>> {
    let epoch_micros = clock::unix_micros_at_epoch();
    let thread = EngineThread {
        engine,
        outlets,
        state,
        stamper: Stamper::new(UnixMicros(epoch_micros), next_seq),
        epoch_micros,
        wall_checked_at: Duration::ZERO,
        events_not_committed: VecDeque::new(),
        replies: VecDeque::new(),
        next_token: 0,
        entries: Vec::new(),
        outputs: Vec::new(),
        events: Vec::new(),
        state_is_away: false,
        rewrite_at: Duration::ZERO,
    };
    std::thread::Builder::new().name("engine".into()).spawn(move || {
        let _vital = VitalThread::begin();
        thread.run(&lanes, first);
    })
}

type Reply = Box<dyn FnOnce(Result<(), Refused>) + Send>;

struct EngineThread {
    engine: Engine,
    outlets: Box<dyn Outlets>,
    state: StateFile,
    stamper: Stamper,
    epoch_micros: i64,
    wall_checked_at: Duration,
    /// Events on their way into the journal; a compacted state file still holds them.
    events_not_committed: VecDeque<(u64, Bytes)>,
    replies: VecDeque<(u64, Reply)>,
    next_token: u64,
    entries: Vec<Entry>,
    outputs: Vec<Output>,
    events: Vec<Event>,
    state_is_away: bool,
    /// When the state file may be written anew again.
    rewrite_at: Duration,
}

impl EngineThread {
    fn run(mut self, lanes: &Lanes, first: Vec<EventKind>) {
        for kind in first {
            self.stamp(Fact { now: clock::engine_now(), contact: None, kind });
        }
        self.collect();
        self.engine.handle(clock::engine_now(), Input::Wall { unix_micros_at_epoch: self.epoch_micros });
        self.collect();
        self.deliver();
        let mut running = true;
        while running {
            let now = clock::engine_now();
            let wait = self.engine.poll_timeout().map_or(WALL_CHECK_EVERY, |at| at.saturating_sub(now));
            select! {
                recv(lanes.control) -> control => running = control.is_ok_and(|control| self.control(control)),
                recv(lanes.media) -> event => if let Ok((worker, event)) = event {
                    self.step(Input::Media { worker, event });
                },
                recv(lanes.network) -> input => if let Ok(input) = input {
                    self.step(Input::Sip(input));
                },
                default(wait.min(WALL_CHECK_EVERY)) => {}
            }
            running &= self.take_more(lanes);
            self.check_wall();
            let now = clock::engine_now();
            if self.engine.poll_timeout().is_some_and(|at| at <= now) {
                self.step(Input::Timeout);
            }
            self.deliver();
            self.compact_if_worth();
        }
    }

    /// What else has come meanwhile shares this step's write; media and control before the network.
    fn take_more(&mut self, lanes: &Lanes) -> bool {
        let mut running = true;
        for _ in 0..BATCH_MAX {
            if let Ok(control) = lanes.control.try_recv() {
                running &= self.control(control);
            } else if let Ok((worker, event)) = lanes.media.try_recv() {
                self.step(Input::Media { worker, event });
            } else if let Ok(input) = lanes.network.try_recv() {
                self.step(Input::Sip(input));
            } else {
                break;
            }
        }
        running
    }

    fn step(&mut self, input: Input) {
        self.engine.handle(clock::engine_now(), input);
        self.collect();
    }

    fn control(&mut self, control: Control) -> bool {
        match control {
            Control::Command { actor, command, reply } => {
                let token = self.next_token;
                self.next_token += 1;
                self.replies.push_back((token, reply));
                self.step(Input::Command { token, actor, command });
            }
            Control::Drain => self.step(Input::Drain),
            Control::Calls(reply) => reply(self.engine.counts().calls),
            Control::Fact(kind) => self.stamp(Fact { now: clock::engine_now(), contact: None, kind }),
            Control::Stop => {
                self.step(Input::Stop);
                return false;
            }
        }
        true
    }

    /// Takes the engine's outputs apart: what is kept, what is said, what is sent.
    fn collect(&mut self) {
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Persist { room, key, record } => {
                    self.entries.push(Entry { room: room.number(), key, record });
                }
                Output::Fact(fact) => self.stamp(fact),
                output => self.outputs.push(output),
            }
        }
    }

    fn stamp(&mut self, fact: Fact) {
        let event = self.stamper.stamp(fact);
        let written = Bytes::from(record::encode(&event));
        self.entries.push(Entry { room: EVENT_ROOM, key: event.seq, record: Some(written.clone()) });
        if self.events_not_committed.len() < EVENTS_NOT_COMMITTED_MAX {
            self.events_not_committed.push_back((event.seq, written));
        }
        self.events.push(event);
    }

    /// Writes first, then sends: what a peer has seen, a restart remembers.
    fn deliver(&mut self) {
        self.write_state();
        for event in self.events.drain(..) {
            self.outlets.event(event);
        }
        for output in self.outputs.drain(..) {
            match output {
                Output::Media { worker, command } => self.outlets.media(worker, command),
                Output::Reply { token, result } => {
                    if let Some(at) = self.replies.iter().position(|(known, _)| *known == token)
                        && let Some((_, reply)) = self.replies.remove(at)
                    {
                        reply(result);
                    }
                }
                output => self.outlets.network(output),
            }
        }
    }

    fn write_state(&mut self) {
        let result = self.state.append(&self.entries);
        self.entries.clear();
        self.tell_of_state(result.err());
    }

    /// Says when the state file begins to lack something, and when it no longer does.
    fn tell_of_state(&mut self, error: Option<std::io::Error>) {
        let away = self.state.lacks_a_step();
        if away == self.state_is_away {
            return;
        }
        self.state_is_away = away;
        if let Some(error) = error {
            tracing::error!(%error, "the state file can't be written: a restart now would lose calls");
        }
        let kind = EventKind::Alarm { alarm: Alarm::StateNotPersisted, raised: away };
        self.stamp(Fact { now: clock::engine_now(), contact: None, kind });
    }

    fn compact_if_worth(&mut self) {
        let committed = self.outlets.committed();
        while self.events_not_committed.front().is_some_and(|(seq, _)| *seq <= committed) {
            self.events_not_committed.pop_front();
        }
        let now = clock::engine_now();
        let due = self.state.lacks_a_step() || self.state.is_worth_compacting();
        if !due || now < self.rewrite_at {
            return;
        }
        self.rewrite_at = now + REWRITE_EVERY;
        let records = self.engine.records().into_iter();
        let live =
            records.map(|(room, key, record)| Entry { room: room.number(), key, record: Some(record) });
        let events = self.events_not_committed.iter();
        let events =
            events.map(|(seq, event)| Entry { room: EVENT_ROOM, key: *seq, record: Some(event.clone()) });
        if let Err(error) = self.state.compact(live.chain(events)) {
            tracing::error!(%error, "the state file can't be written anew; this is tried again");
        }
        self.tell_of_state(None);
    }

    /// The wall clock may be set; deadlines do not care, opening hours and dates do.
    fn check_wall(&mut self) {
        let now = clock::engine_now();
        if now < self.wall_checked_at + WALL_CHECK_EVERY {
            return;
        }
        self.wall_checked_at = now;
        let epoch_micros = clock::unix_micros_at_epoch();
        if epoch_micros.abs_diff(self.epoch_micros) > WALL_STEP_MIN_MICROS {
            self.epoch_micros = epoch_micros;
            self.stamper.set_epoch(UnixMicros(epoch_micros));
            self.step(Input::Wall { unix_micros_at_epoch: epoch_micros });
        }
    }
}

/// A bound that was reached, as a fact.
pub fn overflow(queue: Queue, count: u64) -> EventKind {
    EventKind::OverflowDropped { queue, count }
}
