//! The door for events: append without waiting, flush, close.
//!
//! Knows: the bounded queue, the lock, the writer thread. Must never do: block in [`Journal::append`].

use std::fmt;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use facts::Event;
use facts::chain::Broken;

use crate::error::StoreError;
use crate::spool::SPOOL_BYTES_MAX;
use crate::writer::{Message, Writer};

/// Events on their way to the writer: half a minute of a storm of a thousand a second, about 10 MB.
const QUEUE_MAX: usize = 32_768;

/// Events kept in memory while the database is away, before the spool file takes over.
const BACKLOG_MAX: usize = 65_536;

/// The writer waits this long for more before it commits: a commit is a sync of the disk, and ten a second are what a
/// small machine does beside its calls. It is also what a power cut may cost the journal; after a mere crash, whoever
/// kept what was not committed hands it in again.
const GROUP_WAIT: Duration = Duration::from_millis(100);

/// How a journal is kept.
#[derive(Debug, Clone)]
pub struct Options {
    /// The database file. Beside it: `.lock`, and `.spool` when it is away.
    pub path: PathBuf,
    /// Events on their way to the writer.
    pub queue_max: usize,
    /// Events in memory while the database is away.
    pub backlog_max: usize,
    /// Bytes in the spool file.
    pub spool_bytes_max: u64,
    /// How long the writer waits for more before it commits.
    pub group_wait: Duration,
}

impl Options {
    /// The defaults, for a journal at this path.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            queue_max: QUEUE_MAX,
            backlog_max: BACKLOG_MAX,
            spool_bytes_max: SPOOL_BYTES_MAX,
            group_wait: GROUP_WAIT,
        }
    }
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// It will be in the next transaction.
    Accepted,
    /// The database is away; it is kept in memory or in the spool file.
    Spooled,
    /// There was no room: it is lost. The journal shows the gap; say
    /// [`facts::EventKind::OverflowDropped`] when there is room again.
    Dropped {
        /// How many were lost since the journal was opened.
        total: u64,
    },
}

/// What a journal held when it was opened.
#[derive(Debug)]
pub struct Opened {
    /// The number the next event must bear.
    pub next_seq: u64,
    /// Greater than every contact's id there is.
    pub next_contact: u64,
    /// Contacts that were not over when the program last stopped.
    pub open_contacts: usize,
    /// The first entry near the end that does not fit, if one does not. The journal goes on all the
    /// same: a helpline does not stop answering because somebody touched a file.
    pub broken: Option<Broken>,
}

/// Counters, for `status` and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JournalStats {
    /// Events handed in.
    pub appended: u64,
    /// Events in the database.
    pub committed: u64,
    /// Transactions.
    pub commits: u64,
    /// Events that went through the spool file.
    pub spooled: u64,
    /// Events lost.
    pub dropped: u64,
    /// The database is away.
    pub away: bool,
}

/// Not everything is in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotFlushed {
    /// The database is away; what it lacks is in the spool file as far as there was room.
    Away,
    /// It took too long.
    TimedOut,
    /// The writer is gone.
    Stopped,
}

impl fmt::Display for NotFlushed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Away => "the journal's database is away; events are spooled",
            Self::TimedOut => "the journal's database is too slow",
            Self::Stopped => "the journal's writer has stopped",
        })
    }
}

impl std::error::Error for NotFlushed {}

/// What the writer tells the door.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) appended: AtomicU64,
    pub(crate) committed: AtomicU64,
    pub(crate) committed_seq: AtomicU64,
    pub(crate) commits: AtomicU64,
    pub(crate) spooled: AtomicU64,
    pub(crate) dropped: AtomicU64,
    pub(crate) away: AtomicBool,
    /// Somebody waits for the writer.
    pub(crate) hurry: AtomicBool,
}

/// The journal, as who appends sees it. Clones share one journal.
#[derive(Debug, Clone)]
pub struct Journal {
    queue: SyncSender<Message>,
    shared: Arc<Shared>,
    path: Arc<Path>,
    thread: Arc<Thread>,
}

/// Keeps the lock as long as the writer may write.
#[derive(Debug)]
struct Thread {
    sleeper: std::thread::Thread,
    handle: std::sync::Mutex<Option<JoinHandle<()>>>,
}

impl Journal {
    /// Opens or makes a journal, verifies its tail, takes back its spool file, and starts its writer.
    pub fn open(options: &Options) -> Result<(Self, Opened), StoreError> {
        let lock = lock(&options.path)?;
        let shared = Arc::new(Shared::default());
        let (writer, opened) = Writer::open(options, Arc::clone(&shared))?;
        let (queue, messages) = sync_channel(options.queue_max);
        let handle = start(writer, messages, lock)
            .map_err(|source| StoreError::File { path: options.path.clone(), source })?;
        let sleeper = handle.thread().clone();
        let thread = Arc::new(Thread { sleeper, handle: std::sync::Mutex::new(Some(handle)) });
        Ok((Self { queue, shared, path: options.path.as_path().into(), thread }, opened))
    }

    /// Hands an event in. Never waits.
    pub fn append(&self, event: Event) -> Appended {
        self.shared.appended.fetch_add(1, Ordering::Relaxed);
        match self.queue.try_send(Message::Event(event)) {
            Ok(()) if self.shared.away.load(Ordering::Relaxed) => Appended::Spooled,
            Ok(()) => Appended::Accepted,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                Appended::Dropped { total: self.shared.dropped.fetch_add(1, Ordering::Relaxed) + 1 }
            }
        }
    }

    /// Waits, up to `time_max`, until everything handed in before is in the database.
    pub fn flush(&self, time_max: Duration) -> Result<(), NotFlushed> {
        let deadline = Instant::now() + time_max;
        let (done, answer) = sync_channel(1);
        let mut message = Message::Flush(done);
        loop {
            match self.queue.try_send(message) {
                Ok(()) => break,
                Err(TrySendError::Disconnected(_)) => return Err(NotFlushed::Stopped),
                Err(TrySendError::Full(_)) if Instant::now() >= deadline => return Err(NotFlushed::TimedOut),
                Err(TrySendError::Full(back)) => message = back,
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        self.hurry();
        match answer.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(true) => Ok(()),
            Ok(false) => Err(NotFlushed::Away),
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => Err(NotFlushed::TimedOut),
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => Err(NotFlushed::Stopped),
        }
    }

    /// Writes what was handed in and stops the writer, for all clones. What the database would not take
    /// in time is in the spool file.
    pub fn close(self, time_max: Duration) -> Result<(), NotFlushed> {
        let flushed = self.flush(time_max);
        let told = self.queue.try_send(Message::Stop).is_ok();
        self.hurry();
        if told
            && flushed != Err(NotFlushed::TimedOut)
            && let Some(handle) = self.thread.handle.lock().ok().and_then(|mut handle| handle.take())
            && handle.join().is_err()
        {
            return Err(NotFlushed::Stopped);
        }
        flushed
    }

    /// Wakes the writer while it waits for more events.
    fn hurry(&self) {
        self.shared.hurry.store(true, Ordering::Release);
        self.thread.sleeper.unpark();
    }

    /// The number of the last event that the database has for good: 0 if it has none. What comes after
    /// it must be kept elsewhere (the state file) by who cannot afford to lose it in a crash.
    pub fn committed_seq(&self) -> u64 {
        self.shared.committed_seq.load(Ordering::Acquire)
    }

    /// Counters.
    pub fn stats(&self) -> JournalStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        JournalStats {
            appended: read(&self.shared.appended),
            committed: read(&self.shared.committed),
            commits: read(&self.shared.commits),
            spooled: read(&self.shared.spooled),
            dropped: read(&self.shared.dropped),
            away: self.shared.away.load(Ordering::Relaxed),
        }
    }

    /// A connection of its own for queries; they never disturb the writer.
    pub fn queries(&self) -> Result<crate::Queries, StoreError> {
        crate::Queries::open(&self.path)
    }
}

fn start(writer: Writer, messages: Receiver<Message>, lock: File) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name("journal".into()).spawn(move || {
        writer.run(&messages);
        drop(lock);
    })
}

/// Two writers would tear the chain. The system gives the lock back when a process dies.
fn lock(path: &Path) -> Result<File, StoreError> {
    let lock_path = beside(path, "lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock_path)
        .map_err(StoreError::file(&lock_path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(StoreError::File { path: lock_path, source }),
    }
}

/// `journal.db` → `journal.db.lock`.
pub(crate) fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}
