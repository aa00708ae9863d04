//! The writer thread: everything queued since the last commit is one transaction.
//!
//! Knows: the order events have, the chain's head, the fold to records, and where events wait when the
//! database is away. Must never do: write an event twice, or out of order.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use facts::cdr::{CdrFold, CdrStep};
use facts::chain::{self, Broken, Verifier};
use facts::event::Digest;
use facts::{Event, record};
use rusqlite::{Connection, OptionalExtension, params};

use crate::error::StoreError;
use crate::journal::{Opened, Options, Shared, beside};
use crate::queries;
use crate::record::CdrRecord;
use crate::schema;
use crate::spool::Spool;

/// Entries in one transaction: the database's log and a reader's patience have bounds too.
const BATCH_MAX: usize = 4_096;

/// Entries verified on opening: what a crash can have torn, read in a few milliseconds.
const TAIL_ENTRIES: u64 = 1_000;

/// While the database is away it is tried again this often.
const RETRY: Duration = Duration::from_millis(500);

/// The mark from which unfinished contacts are folded again is moved after this many entries: it may lag,
/// it only makes opening read more.
const HORIZON_ENTRIES: u64 = 1_000;

/// What the writer is told.
#[derive(Debug)]
pub(crate) enum Message {
    /// Write this.
    Event(Event),
    /// Say true when everything before this is in the database, false if it cannot be.
    Flush(SyncSender<bool>),
    /// Write everything and stop.
    Stop,
}

pub(crate) struct Writer {
    connection: Connection,
    shared: Arc<Shared>,
    group_wait: Duration,
    backlog_max: usize,
    fold: CdrFold,
    head: Digest,
    last_seq: u64,
    horizon_at: u64,
    /// Folded and hashed, not committed.
    prepared: Vec<Prepared>,
    /// Not yet looked at.
    backlog: VecDeque<Event>,
    /// Behind the backlog.
    spool: Spool,
    retry_at: Option<Instant>,
}

struct Prepared {
    event: Event,
    written: String,
    hash: Digest,
    records: Vec<CdrRecord>,
}

impl Writer {
    pub(crate) fn open(options: &Options, shared: Arc<Shared>) -> Result<(Self, Opened), StoreError> {
        let connection = schema::open_writer(&options.path)?;
        let last: Option<(i64, Vec<u8>)> = connection
            .query_row("SELECT seq, hash FROM entry ORDER BY seq DESC LIMIT 1", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()
            .map_err(StoreError::database("reading the last entry"))?;
        let (last_seq, head) = match last {
            Some((seq, hash)) => (seq as u64, digest(&hash).unwrap_or(chain::GENESIS)),
            None => (0, chain::GENESIS),
        };
        let broken = verify_tail(&connection, last_seq)?;
        let mut fold = CdrFold::new();
        let from = mark(&connection, "horizon")?.unwrap_or(0);
        queries::for_each_event(&connection, "seq >= ?1", from as i64, |event| {
            match event {
                Ok(event) => drop(fold.apply(&event)),
                // A helpline starts even if somebody touched its journal; the verification names the entry.
                Err(error) => tracing::error!(%error, "an entry of the journal was left out"),
            }
            Ok(())
        })?;
        let mut writer = Self {
            connection,
            shared,
            group_wait: options.group_wait,
            backlog_max: options.backlog_max,
            fold,
            head,
            last_seq,
            horizon_at: last_seq,
            prepared: Vec::new(),
            backlog: VecDeque::new(),
            spool: Spool::open(&beside(&options.path, "spool"), options.spool_bytes_max),
            retry_at: None,
        };
        // What a process before this one spooled comes before anything new, and its numbers too.
        while !writer.settled_to_database() {
            if !writer.commit() {
                return Err(StoreError::Damaged {
                    what: "spool file".into(),
                    detail: "the database refuses what the spool file holds".into(),
                });
            }
        }
        writer.shared.dropped.store(0, Ordering::Relaxed);
        writer.shared.committed_seq.store(writer.last_seq, Ordering::Release);
        let opened = Opened {
            next_seq: writer.last_seq + 1,
            next_contact: next_contact(&writer.connection)?,
            open_contacts: writer.fold.open_contacts(),
            broken,
        };
        Ok((writer, opened))
    }

    pub(crate) fn run(mut self, messages: &Receiver<Message>) {
        let mut waiting = Vec::new();
        loop {
            let stop = self.gather(messages, &mut waiting);
            self.write_all();
            let done = self.settled_to_database();
            for flush in waiting.drain(..) {
                // Who asked may have stopped waiting.
                let _ = flush.send(done);
            }
            if stop {
                break;
            }
        }
        self.stop();
    }

    /// Takes what is queued, waiting for the first and a little for more. True: stop after this.
    fn gather(&mut self, messages: &Receiver<Message>, waiting: &mut Vec<SyncSender<bool>>) -> bool {
        let first = match self.retry_at {
            None => messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(retry_at) => messages.recv_timeout(retry_at.saturating_duration_since(Instant::now())),
        };
        let mut next = match first {
            Ok(message) => message,
            Err(RecvTimeoutError::Timeout) => return false,
            Err(RecvTimeoutError::Disconnected) => {
                self.retry_at = None;
                return true;
            }
        };
        if matches!(next, Message::Event(_)) {
            self.rest();
        }
        let mut taken = 0;
        loop {
            match next {
                Message::Event(event) => self.keep(event),
                Message::Flush(flush) => {
                    waiting.push(flush);
                    self.retry_at = None;
                    return false;
                }
                Message::Stop => {
                    self.retry_at = None;
                    return true;
                }
            }
            taken += 1;
            if taken == BATCH_MAX {
                return false;
            }
            match messages.try_recv() {
                Ok(message) => next = message,
                // If the door is gone, the next round hears of it.
                Err(_) => return false,
            }
        }
    }

    /// Lets more come. The writer sleeps instead of waiting at the queue, so that an event costs neither it nor
    /// the engine a system call; who is in a hurry wakes it.
    fn rest(&self) {
        let until = Instant::now() + self.group_wait;
        while !self.shared.hurry.swap(false, Ordering::Acquire) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            std::thread::park_timeout(left);
        }
    }

    /// An event waits in memory, or behind those in the spool file.
    fn keep(&mut self, event: Event) {
        if self.backlog.len() < self.backlog_max && self.spool.is_empty() {
            self.backlog.push_back(event);
            return;
        }
        let refused = self.spool.put(std::iter::once(event));
        self.shared.spooled.fetch_add(1 - refused, Ordering::Relaxed);
        self.shared.dropped.fetch_add(refused, Ordering::Relaxed);
    }

    fn settled_to_database(&self) -> bool {
        self.prepared.is_empty() && self.backlog.is_empty() && self.spool.is_empty()
    }

    /// Writes as long as there is something and the database takes it.
    fn write_all(&mut self) {
        if self.retry_at.is_some_and(|retry_at| Instant::now() < retry_at) {
            return;
        }
        while !self.settled_to_database() {
            if self.commit() {
                self.retry_at = None;
                if self.shared.away.swap(false, Ordering::Relaxed) {
                    tracing::info!("the journal's database is back");
                }
            } else {
                self.retry_at = Some(Instant::now() + RETRY);
                self.shared.away.store(true, Ordering::Relaxed);
                return;
            }
        }
        self.retry_at = None;
    }

    /// One transaction. False: the database would not; what was prepared stays prepared.
    fn commit(&mut self) -> bool {
        self.prepare();
        let horizon = self.horizon_due();
        match write(&mut self.connection, &self.prepared, horizon) {
            Ok(()) => {
                self.shared.committed.fetch_add(self.prepared.len() as u64, Ordering::Relaxed);
                self.shared.commits.fetch_add(1, Ordering::Relaxed);
                self.shared.committed_seq.store(self.last_seq, Ordering::Release);
                self.prepared.clear();
                if horizon.is_some() {
                    self.horizon_at = self.last_seq;
                }
                if self.backlog.is_empty() {
                    self.spool.committed();
                }
                true
            }
            Err(error) => {
                if self.retry_at.is_none() {
                    tracing::error!(%error, "the journal's database is away; events are spooled");
                }
                false
            }
        }
    }

    /// Numbers in order, folds and hashes the next batch, each event once.
    fn prepare(&mut self) {
        if !self.prepared.is_empty() {
            return;
        }
        if self.backlog.is_empty() && !self.spool.is_empty() {
            self.backlog.extend(self.spool.take(BATCH_MAX));
        }
        while self.prepared.len() < BATCH_MAX {
            let Some(event) = self.backlog.pop_front() else { break };
            if event.seq <= self.last_seq {
                // A spool file that was committed, but not removed before a crash, says things twice. Any
                // other event with an old number is a fault of who numbers them.
                self.shared.dropped.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(seq = event.seq, last = self.last_seq, "an event's number is not new");
                continue;
            }
            let written = record::encode(&event);
            self.head = chain::link(&self.head, &written);
            self.last_seq = event.seq;
            let records = self.fold.apply(&event).iter().map(cdr_record).collect();
            self.prepared.push(Prepared { event, written, hash: self.head, records });
        }
    }

    fn horizon_due(&self) -> Option<u64> {
        (self.last_seq >= self.horizon_at + HORIZON_ENTRIES)
            .then(|| self.fold.horizon().unwrap_or(self.last_seq + 1))
    }

    fn stop(mut self) {
        let left = self.prepared.drain(..).map(|prepared| prepared.event).chain(self.backlog.drain(..));
        let left: Vec<_> = left.collect();
        if !left.is_empty() {
            let refused = self.spool.put_before(&left);
            self.shared.dropped.fetch_add(refused, Ordering::Relaxed);
            return;
        }
        let horizon = self.fold.horizon().unwrap_or(self.last_seq + 1);
        if let Err(error) = write(&mut self.connection, &[], Some(horizon)) {
            tracing::warn!(%error, "the journal's mark was not moved; opening it will read more");
        }
    }
}

fn cdr_record(step: &CdrStep) -> CdrRecord {
    CdrRecord::new(step.cdr(), matches!(step, CdrStep::Settled(_)))
}

fn write(connection: &mut Connection, prepared: &[Prepared], horizon: Option<u64>) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    {
        let mut entry = transaction.prepare_cached(
            "INSERT INTO entry (seq, at, contact, kind, written, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        // A settled record is final: events folded again after a crash must not replace it.
        let mut cdr = transaction.prepare_cached(
            "INSERT INTO cdr (contact, settled, line, outcome, operator, offered_at, ended_at, record)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (contact) DO UPDATE SET settled = excluded.settled, line = excluded.line,
             outcome = excluded.outcome, operator = excluded.operator, offered_at = excluded.offered_at,
             ended_at = excluded.ended_at, record = excluded.record WHERE cdr.settled = 0",
        )?;
        for Prepared { event, written, hash, records } in prepared {
            entry.execute(params![
                event.seq as i64,
                event.at.0,
                event.contact.map(|contact| contact.0 as i64),
                record::kind_name(&event.kind),
                written,
                hash.0,
            ])?;
            for record in records {
                cdr.execute(params![
                    record.contact as i64,
                    record.settled,
                    record.line,
                    record.outcome,
                    record.operator,
                    record.offered_at_us,
                    record.ended_at_us,
                    record.to_json(),
                ])?;
            }
        }
    }
    if let Some(horizon) = horizon {
        transaction.execute(
            "INSERT INTO mark (name, value) VALUES ('horizon', ?1)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            [horizon as i64],
        )?;
    }
    transaction.commit()
}

fn verify_tail(connection: &Connection, last_seq: u64) -> Result<Option<Broken>, StoreError> {
    let from = last_seq.saturating_sub(TAIL_ENTRIES);
    let before: Option<Vec<u8>> = connection
        .query_row("SELECT hash FROM entry WHERE seq < ?1 ORDER BY seq DESC LIMIT 1", [from as i64], |row| {
            row.get(0)
        })
        .optional()
        .map_err(StoreError::database("reading the chain"))?;
    let head = before.and_then(|hash| digest(&hash)).unwrap_or(chain::GENESIS);
    queries::verify_from(connection, from, Verifier::new(head)).map(|(_, broken)| broken)
}

fn mark(connection: &Connection, name: &str) -> Result<Option<u64>, StoreError> {
    connection
        .query_row("SELECT value FROM mark WHERE name = ?1", [name], |row| row.get::<_, i64>(0))
        .optional()
        .map(|value| value.map(|value| value as u64))
        .map_err(StoreError::database("reading the journal's marks"))
}

fn next_contact(connection: &Connection) -> Result<u64, StoreError> {
    connection
        .query_row("SELECT max(contact) FROM entry WHERE contact IS NOT NULL", [], |row| {
            row.get::<_, Option<i64>>(0)
        })
        .map(|last| last.map_or(1, |last| last as u64 + 1))
        .map_err(StoreError::database("reading the last contact"))
}

pub(crate) fn digest(bytes: &[u8]) -> Option<Digest> {
    bytes.try_into().ok().map(Digest)
}
