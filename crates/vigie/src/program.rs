//! A running vigie: everything put together, in the order in which it depends on each other.
//!
//! Knows: who is given what. Must never decide: anything about calls.

mod logging;
mod outlets;
mod reports;

use std::fmt;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;
use std::time::Duration;

use call::{Engine, Room};
use console::Projection;
use facts::event::{Digest, EventKind, Queue};
use facts::kpi::Thresholds;
use facts::{Event, UnixMicros, record};
use sha2::Digest as _;
use store::{Journal, Opened, Options, StoreError};
use tokio::runtime::Runtime;

use crate::clock;
use crate::config::{self, Deployment, Transport};
use crate::control;
use crate::engine_thread::{self, Control, Doors, overflow};
use crate::media_threads::MediaThreads;
use crate::net::{BindError, Bound, Counters};
use crate::settings;
use crate::state_file::{EVENT_ROOM, Left, StateError, StateFile, entropy};

pub use logging::init as init_logging;
use outlets::ShellOutlets;
use reports::ShellReports;

/// Threads of the network shell: they carry bytes between sockets and the engine's lane and do nothing else.
const NETWORK_THREADS: usize = 2;
/// How long a stop waits for the journal's last commit.
const JOURNAL_CLOSE_MAX: Duration = Duration::from_secs(10);
/// How often bounds that were reached are told, and midnight is looked for.
const HOUSEKEEPING_EVERY: Duration = Duration::from_secs(1);

/// Why it does not start.
#[derive(Debug)]
pub enum StartError {
    /// A socket.
    Bind(BindError),
    /// The state file.
    State(StateError),
    /// The journal.
    Store(StoreError),
    /// The key file of the pseudonyms is not there.
    NoPseudonymKey,
    /// Something of the machine's.
    Io(&'static str, io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bind(error) => error.fmt(f),
            Self::State(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
            Self::NoPseudonymKey => f.write_str(
                "the key file of the callers' pseudonyms does not exist; see state.pseudonym_key_file",
            ),
            Self::Io(what, error) => write!(f, "{what}: {error}"),
        }
    }
}

impl std::error::Error for StartError {}

/// A running vigie inside this process.
pub struct Program {
    doors: Doors,
    engine: JoinHandle<()>,
    runtime: Runtime,
    journal: Journal,
    projection: Arc<Projection>,
    addresses: Vec<(Transport, SocketAddr)>,
    control_socket: std::path::PathBuf,
}

impl Program {
    /// Binds sockets, opens journal and state, takes up what was left, and answers calls from then on.
    pub fn start(deployment: Deployment) -> Result<Self, StartError> {
        // Journal, state and socket are this user's alone.
        rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
        let state = &deployment.node.state;
        let (state_file, left) = StateFile::open(&state.live_directory).map_err(StartError::State)?;
        if let Some(directory) = state.journal.parent() {
            fs::create_dir_all(directory)
                .map_err(|error| StartError::Io("the journal's directory", error))?;
        }
        let (journal, opened) = Journal::open(&Options::at(&state.journal)).map_err(StartError::Store)?;
        if let Some(broken) = &opened.broken {
            tracing::error!(%broken, "the journal's chain is broken: somebody or something changed it");
        }
        let (next_seq, next_contact) = catch_up(&journal, &left, &opened);
        let pseudonymiser = settings::pseudonymiser(&deployment).ok_or(StartError::NoPseudonymKey)?;
        let listen = deployment.node.sip.listen.iter().map(|listen| (listen.transport, listen.address));
        let bound = Bound::bind(listen).map_err(StartError::Bind)?;
        let addresses = bound.addresses();

        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let listen = sip_listen(&deployment, &addresses);
        let settings = settings::settings(&deployment, listen, pseudonymiser, workers);
        let media_settings = settings.media.clone();
        let mut seed = [0; 32];
        entropy(&mut seed)
            .map_err(|error| StartError::Io("the machine's source of random numbers", error))?;
        let engine = Engine::restore(
            clock::engine_now(),
            settings,
            seed,
            next_contact,
            clock::unix_micros_at_epoch(),
            rooms(left),
        );

        let projection = Arc::new(projection(&deployment, &journal));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(NETWORK_THREADS)
            .thread_name("network")
            .enable_all()
            .build()
            .map_err(|error| StartError::Io("the network threads", error))?;
        let (doors, lanes) = engine_thread::lanes();
        let streams_max = deployment.node.admission.streams_max;
        let net = bound
            .start(runtime.handle(), &doors, streams_max)
            .map_err(|error| StartError::Io("reading from the SIP sockets", error))?;
        let counters = net.counters().clone();
        let media = MediaThreads::start(&media_settings, doors.media().clone())
            .map_err(|error| StartError::Io("the media threads", error))?;
        let outlets = ShellOutlets::new(net, media, journal.clone(), projection.clone(), doors.clone());
        let first = vec![
            EventKind::EngineStarted { version: env!("CARGO_PKG_VERSION").into() },
            EventKind::ConfigLoaded { hash: fingerprint(&deployment.directory) },
        ];
        let engine = engine_thread::start(engine, lanes, Box::new(outlets), state_file, next_seq, first)
            .map_err(|error| StartError::Io("the engine's thread", error))?;

        let reports = ShellReports::new(projection.clone(), &deployment);
        runtime.spawn(housekeeping(doors.clone(), counters, projection.clone(), deployment.node.time_zone));
        let control_socket = state.control_socket.clone();
        let program = Self { doors, engine, runtime, journal, projection, addresses, control_socket };
        program.serve_control(Arc::new(reports))?;
        Ok(program)
    }

    fn serve_control(&self, reports: Arc<dyn control::Reports>) -> Result<(), StartError> {
        let _inside = self.runtime.enter();
        let serving = control::Serving::bind(&self.control_socket)
            .map_err(|error| StartError::Io("the control socket", error))?;
        self.runtime.spawn(serving.serve(self.doors.clone(), reports));
        Ok(())
    }

    /// Where SIP is listened for, with real ports, in the order of the configuration.
    pub fn sip_addresses(&self) -> &[(Transport, SocketAddr)] {
        &self.addresses
    }

    /// The live picture.
    pub fn projection(&self) -> &Arc<Projection> {
        &self.projection
    }

    /// A command, by the same door as all others. Waits for the answer.
    pub fn command(&self, actor: call::Actor, command: call::Command) -> Result<(), call::Refused> {
        let (reply, answer) = sync_channel(1);
        let reply = Box::new(move |result| {
            // The asker waits below; there is room for one answer.
            let _ = reply.try_send(result);
        });
        self.doors.control(Control::Command { actor, command, reply });
        answer.recv().unwrap_or(Err(call::Refused::NotYours))
    }

    /// No new calls from now on.
    pub fn drain(&self) {
        self.doors.control(Control::Drain);
    }

    /// How many calls live.
    pub fn live_calls(&self) -> usize {
        let (reply, answer) = sync_channel(1);
        let reply = Box::new(move |calls| {
            // As above.
            let _ = reply.try_send(calls);
        });
        self.doors.control(Control::Calls(reply));
        answer.recv().unwrap_or(0)
    }

    /// Ends what lives and everything else; returns when the journal has it all.
    pub fn stop(self) {
        self.doors.control(Control::Stop);
        if self.engine.join().is_err() {
            tracing::error!("the engine's thread ended by a panic");
        }
        // The socket's file; nobody answers there any more.
        let _ = fs::remove_file(&self.control_socket);
        self.runtime.shutdown_timeout(Duration::from_secs(1));
        if let Err(error) = self.journal.close(JOURNAL_CLOSE_MAX) {
            tracing::error!(%error, "the journal could not be closed in order; the next start takes up what it lacks");
        }
    }
}

/// Events that the program before had said and the journal does not have: in order, before any new one.
///
/// Returns the next event's number and the next contact's.
fn catch_up(journal: &Journal, left: &Left, opened: &Opened) -> (u64, u64) {
    let mut next = opened.next_seq;
    let mut next_contact = opened.next_contact;
    for ((room, seq), written) in &left.records {
        if *room != EVENT_ROOM || *seq < next {
            continue;
        }
        let event = std::str::from_utf8(written).ok().and_then(|text| record::decode(text).ok());
        match event {
            Some(event) => {
                next = event.seq + 1;
                next_contact = next_contact.max(event.contact.map_or(0, |contact| contact.0 + 1));
                journal.append(event);
            }
            None => tracing::error!(seq, "an event left by the program before can't be read"),
        }
    }
    (next, next_contact)
}

fn rooms(left: Left) -> impl Iterator<Item = (Room, u64, bytes::Bytes)> {
    left.records.into_iter().filter_map(|((room, key), record)| Some((Room::from_number(room)?, key, record)))
}

fn sip_listen(deployment: &Deployment, addresses: &[(Transport, SocketAddr)]) -> Vec<sip::Listen> {
    let configured = deployment.node.sip.listen.iter();
    configured
        .zip(addresses)
        .map(|(listen, (transport, address))| sip::Listen {
            transport: settings::transport(*transport),
            address: *address,
            advertised: listen.advertised.map(|ip| SocketAddr::new(ip, address.port())),
        })
        .collect()
}

/// The live picture as the journal knows it: today's events so far.
fn projection(deployment: &Deployment, journal: &Journal) -> Projection {
    let projection = Projection::new(Thresholds::default());
    for line in &deployment.lines {
        projection.expect_line(&line.name, &line.display);
    }
    for trunk in &deployment.trunks {
        projection.expect_trunk(&trunk.name);
    }
    for operator in &deployment.operators {
        projection.expect_operator(&operator.name, &operator.employer.name);
    }
    let midnight = reports::midnight_before(unix_now(), deployment.node.time_zone);
    projection.new_day(midnight);
    let mut today: Vec<Event> = Vec::new();
    let read =
        journal.queries().and_then(|queries| queries.events_since(midnight, |event| today.push(event)));
    if let Err(error) = read {
        tracing::warn!(%error, "today's figures begin now: the journal can't be read");
    }
    projection.apply(&today);
    projection
}

/// What configuration is in force, as a fact: the digest of its files.
fn fingerprint(directory: &Path) -> Digest {
    let mut hash = sha2::Sha256::new();
    for file in config::FILES {
        hash.update(file.as_bytes());
        hash.update(fs::read(directory.join(file)).unwrap_or_default());
    }
    Digest(hash.finalize().into())
}

fn unix_now() -> UnixMicros {
    UnixMicros(clock::unix_micros_at_epoch()).plus(clock::engine_now())
}

async fn housekeeping(
    doors: Doors,
    counters: Arc<Counters>,
    projection: Arc<Projection>,
    time_zone: chrono_tz::Tz,
) {
    let mut day = reports::midnight_before(unix_now(), time_zone);
    let mut every = tokio::time::interval(HOUSEKEEPING_EVERY);
    loop {
        every.tick().await;
        let dropped = counters.take_datagrams_dropped();
        if dropped > 0 {
            doors.try_fact(overflow(Queue::Datagrams, dropped));
        }
        let today = reports::midnight_before(unix_now(), time_zone);
        if today > day {
            day = today;
            projection.new_day(today);
        }
    }
}
