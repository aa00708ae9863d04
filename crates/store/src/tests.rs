//! A journal that is closed, killed, locked out, flooded and tampered with.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use facts::event::{Caller, EndCause, EndProof, EndedBy, QueueCause};
use facts::{ContactId, Event, EventKind, Level, UnixMicros};
use tempfile::TempDir;

use super::*;

const SOON: Duration = Duration::from_secs(30);

fn directory() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    (directory, path)
}

fn open(path: &Path) -> (Journal, Opened) {
    Journal::open(&Options::at(path)).unwrap()
}

fn event(seq: u64, contact: u64, kind: EventKind) -> Event {
    Event {
        seq,
        at: UnixMicros(seq as i64 * 1_000_000),
        contact: (contact > 0).then_some(ContactId(contact)),
        kind,
    }
}

fn noise(seq: u64) -> Event {
    event(seq, 0, EventKind::TrunkAlive { trunk: "carrier".into() })
}

fn offered(seq: u64, contact: u64, line: &str) -> Event {
    let trunk_call_id = "=cmd()@gw".into();
    let kind = EventKind::Offered {
        trunk: "carrier".into(),
        line: line.into(),
        trunk_call_id,
        caller: Caller::Withheld,
        redirected: false,
    };
    event(seq, contact, kind)
}

fn ended(seq: u64, contact: u64) -> Event {
    event(seq, contact, EventKind::Ended { by: EndedBy::Caller, cause: EndCause::bare(EndProof::Bye) })
}

/// An abandoned call: four events.
fn call(first: u64, contact: u64, line: &str) -> [Event; 4] {
    let queued = EventKind::Queued {
        line: line.into(),
        level: Level::One,
        language: "fr".into(),
        priority: 0,
        cause: QueueCause::Arrived,
    };
    [
        offered(first, contact, line),
        event(first + 1, contact, EventKind::AnsweredByMachine),
        event(first + 2, contact, queued),
        ended(first + 3, contact),
    ]
}

fn append_all(journal: &Journal, events: impl IntoIterator<Item = Event>) {
    for event in events {
        assert_eq!(journal.append(event), Appended::Accepted);
    }
}

#[test]
fn what_is_appended_is_there_after_reopening() {
    let (_directory, path) = directory();
    let (journal, opened) = open(&path);
    assert_eq!((opened.next_seq, opened.next_contact, opened.open_contacts), (1, 1, 0));
    append_all(&journal, call(1, 7, "day"));
    journal.close(SOON).unwrap();

    let (journal, opened) = open(&path);
    assert_eq!((opened.next_seq, opened.next_contact, opened.broken), (5, 8, None));
    assert_eq!(journal.committed_seq(), 4);
    append_all(&journal, call(5, 8, "night"));
    journal.flush(SOON).unwrap();
    assert_eq!(journal.committed_seq(), 8);
    let queries = journal.queries().unwrap();
    let verified = queries.verify().unwrap();
    assert_eq!((verified.entries, verified.missing, verified.admitted), (8, 0, 0));
    assert_eq!(queries.events_of(ContactId(7)).unwrap(), call(1, 7, "day"));
    let record = queries.cdr(ContactId(7)).unwrap().unwrap();
    assert_eq!((record.outcome.as_str(), record.wait_ms, record.settled), ("abandoned", 1_000, true));
    assert_eq!(queries.cdr(ContactId(9)).unwrap(), None);
    let mut since = Vec::new();
    queries.events_since(UnixMicros(6_000_000), |event| since.push(event.seq)).unwrap();
    assert_eq!(since, [6, 7, 8]);
}

#[test]
fn every_kind_of_question_finds_its_records() {
    let (_directory, path) = directory();
    let (journal, _) = open(&path);
    for contact in 1..=6 {
        append_all(&journal, call(contact * 4, contact, if contact % 2 == 0 { "day" } else { "night" }));
    }
    journal.flush(SOON).unwrap();
    let queries = journal.queries().unwrap();
    let at = |second: i64| Some(UnixMicros(second * 1_000_000));
    let all = CdrFilter::default();
    let cases = [
        ("all", all.clone(), vec![1, 2, 3, 4, 5, 6]),
        ("since", CdrFilter { since: at(23), ..all.clone() }, vec![5, 6]),
        ("until", CdrFilter { until: at(11), ..all.clone() }, vec![1]),
        ("line", CdrFilter { line: Some("day".into()), ..all.clone() }, vec![2, 4, 6]),
        ("last", CdrFilter { limit: Some(2), ..all.clone() }, vec![5, 6]),
        ("last of a line", CdrFilter { limit: Some(1), line: Some("night".into()), ..all }, vec![5]),
    ];
    for (name, filter, expected) in cases {
        let found: Vec<_> = queries.cdrs(&filter).unwrap().iter().map(|record| record.contact).collect();
        assert_eq!(found, expected, "{name}");
    }
    assert_eq!(queries.cdr_count().unwrap(), 6);
}

#[test]
fn many_events_are_few_transactions() {
    let (_directory, path) = directory();
    let (journal, _) = open(&path);
    append_all(&journal, (1..=5_000).map(noise));
    journal.flush(SOON).unwrap();
    let stats = journal.stats();
    assert_eq!((stats.appended, stats.committed, stats.dropped), (5_000, 5_000, 0));
    assert!(stats.commits <= 100, "{} transactions", stats.commits);
}

#[test]
fn a_second_writer_is_refused() {
    let (_directory, path) = directory();
    let (journal, _) = open(&path);
    assert!(matches!(Journal::open(&Options::at(&path)), Err(StoreError::InUse { .. })));
    journal.close(SOON).unwrap();
    open(&path).0.close(SOON).unwrap();
}

#[test]
fn a_newer_schema_is_refused() {
    let (_directory, path) = directory();
    open(&path).0.close(SOON).unwrap();
    tamper(&path, "PRAGMA user_version = 99");
    let error = Journal::open(&Options::at(&path)).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
}

fn tamper(path: &Path, sql: &str) {
    rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn every_tampering_is_named() {
    let cases = [
        ("text", "UPDATE entry SET written = replace(written, 'carrier', 'career') WHERE seq = 30", 30),
        ("removed", "DELETE FROM entry WHERE seq = 30", 31),
        ("hash", "UPDATE entry SET hash = zeroblob(32) WHERE seq = 30", 30),
        ("short hash", "UPDATE entry SET hash = x'00' WHERE seq = 30", 30),
        (
            "inserted",
            "INSERT INTO entry SELECT 1000, at, contact, kind, written, hash FROM entry WHERE seq = 30",
            1000,
        ),
        ("no text", "UPDATE entry SET written = 'x' WHERE seq = 30", 30),
    ];
    for (name, sql, seq) in cases {
        let (_directory, path) = directory();
        let (journal, _) = open(&path);
        append_all(&journal, (1..=50).map(noise));
        journal.close(SOON).unwrap();
        tamper(&path, sql);
        match Queries::open(&path).unwrap().verify() {
            Err(VerifyError::Broken(broken, _)) => assert_eq!(broken.seq, seq, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
        // It is named on opening, and the helpline starts all the same.
        let (journal, opened) = open(&path);
        assert_eq!(opened.broken.map(|broken| broken.seq), Some(seq), "{name}");
        assert_eq!(journal.append(noise(opened.next_seq)), Appended::Accepted);
        journal.close(SOON).unwrap();
    }
}

/// Keeps the database from being written as long as it lives.
fn lock_out(path: &Path) -> rusqlite::Connection {
    let other = rusqlite::Connection::open(path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

#[test]
fn while_the_database_is_away_nothing_is_lost_and_order_is_kept() {
    let (_directory, path) = directory();
    let options = Options { backlog_max: 10, ..Options::at(&path) };
    let (journal, _) = Journal::open(&options).unwrap();
    append_all(&journal, (1..=5).map(noise));
    journal.flush(SOON).unwrap();
    let other = lock_out(&path);
    append_all(&journal, [noise(6)]);
    assert_eq!(journal.flush(SOON), Err(NotFlushed::Away));
    assert!(journal.stats().away);
    for seq in 7..=200 {
        assert_eq!(journal.append(noise(seq)), Appended::Spooled);
    }
    assert_eq!(journal.flush(SOON), Err(NotFlushed::Away));
    assert!(journal.stats().spooled > 100);
    assert_eq!(journal.committed_seq(), 5);
    drop(other);
    journal.flush(SOON).unwrap();
    append_all(&journal, (201..=210).map(noise));
    journal.flush(SOON).unwrap();
    let verified = journal.queries().unwrap().verify().unwrap();
    assert_eq!((verified.entries, verified.missing), (210, 0));
    assert_eq!((journal.stats().dropped, journal.stats().away), (0, false));
    assert!(!journal::beside(&path, "spool").exists());
}

#[test]
fn what_is_spooled_at_the_stop_is_there_after_the_start() {
    let (_directory, path) = directory();
    let options = Options { backlog_max: 10, ..Options::at(&path) };
    let (journal, _) = Journal::open(&options).unwrap();
    append_all(&journal, call(1, 1, "day").into_iter().take(3));
    journal.flush(SOON).unwrap();
    let other = lock_out(&path);
    journal.append(ended(4, 1));
    (5..=100).for_each(|seq| _ = journal.append(noise(seq)));
    assert_eq!(journal.close(SOON), Err(NotFlushed::Away));
    drop(other);

    let (journal, opened) = open(&path);
    assert_eq!((opened.next_seq, opened.open_contacts), (101, 0));
    let queries = journal.queries().unwrap();
    let verified = queries.verify().unwrap();
    assert_eq!((verified.entries, verified.missing), (100, 0));
    assert_eq!(queries.cdr_count().unwrap(), 1);
}

#[test]
fn a_spool_file_said_twice_is_written_once_and_a_torn_line_is_left_out() {
    let (_directory, path) = directory();
    let (journal, _) = open(&path);
    append_all(&journal, (1..=3).map(noise));
    journal.close(SOON).unwrap();
    let lines: String = (2..=5).map(|seq| facts::record::encode(&noise(seq)) + "\n").collect();
    std::fs::write(journal::beside(&path, "spool"), lines + "{\"v\":1,\"se").unwrap();
    let (journal, opened) = open(&path);
    assert_eq!(opened.next_seq, 6);
    assert_eq!(journal.queries().unwrap().verify().unwrap().entries, 5);
    assert_eq!(journal.stats().dropped, 0);
}

#[test]
fn past_every_bound_events_are_dropped_and_counted_and_the_gap_shows() {
    let (_directory, path) = directory();
    let options = Options { backlog_max: 4, spool_bytes_max: 2_000, ..Options::at(&path) };
    let (journal, _) = Journal::open(&options).unwrap();
    append_all(&journal, [noise(1)]);
    journal.flush(SOON).unwrap();
    let other = lock_out(&path);
    (2..=500).for_each(|seq| _ = journal.append(noise(seq)));
    assert_eq!(journal.flush(SOON), Err(NotFlushed::Away));
    drop(other);
    journal.flush(SOON).unwrap();
    journal.append(noise(501));
    journal.flush(SOON).unwrap();
    let stats = journal.stats();
    assert!(stats.dropped > 0);
    assert_eq!(stats.committed + stats.dropped, 501);
    assert_eq!(journal.queries().unwrap().verify().unwrap().missing, stats.dropped);
}

#[test]
fn a_full_queue_never_makes_the_engine_wait() {
    let (_directory, path) = directory();
    let options = Options { queue_max: 4, ..Options::at(&path) };
    let (journal, _) = Journal::open(&options).unwrap();
    let other = lock_out(&path);
    let mut seq = 0;
    let lost = loop {
        seq += 1;
        if let Appended::Dropped { total } = journal.append(noise(seq)) {
            break total;
        }
    };
    assert_eq!(lost, 1);
    drop(other);
    journal.flush(SOON).unwrap();
    let stats = journal.stats();
    assert_eq!(stats.committed + stats.dropped, stats.appended);
}

#[test]
fn a_number_that_is_not_new_is_refused() {
    let (_directory, path) = directory();
    let (journal, _) = open(&path);
    append_all(&journal, [noise(1), noise(2), noise(2), noise(1), noise(3)]);
    journal.flush(SOON).unwrap();
    assert_eq!((journal.stats().committed, journal.stats().dropped), (3, 2));
    assert_eq!(journal.queries().unwrap().verify().unwrap().entries, 3);
}

#[test]
fn a_record_that_waits_for_its_writing_up_survives_a_restart_and_is_one() {
    let (_directory, path) = directory();
    let (journal, _) = open(&path);
    let answered = EventKind::AnsweredByOperator {
        offer: None,
        operator: "amina".into(),
        employer: "association".into(),
        level: Level::One,
    };
    let writing = EventKind::WrapUpStarted { operator: "amina".into(), time_max: Duration::from_secs(60) };
    append_all(&journal, [offered(1, 1, "day"), event(2, 1, answered), ended(12, 1), event(13, 1, writing)]);
    journal.flush(SOON).unwrap();
    let queries = journal.queries().unwrap();
    assert!(!queries.cdr(ContactId(1)).unwrap().unwrap().settled);
    journal.close(SOON).unwrap();

    let (journal, _) = open(&path);
    let done =
        EventKind::WrapUpEnded { operator: "amina".into(), cause: facts::event::WrapUpEnd::ByOperator };
    append_all(&journal, [event(20, 1, done)]);
    journal.flush(SOON).unwrap();
    let record = queries.cdr(ContactId(1)).unwrap().unwrap();
    assert_eq!((record.settled, record.talk_ms, record.wrap_up_ms), (true, 10_000, 7_000));
    assert_eq!((record.operator.as_deref(), queries.cdr_count().unwrap()), (Some("amina"), 1));
}

const CHILD: &str = "VIGIE_STORE_TEST_JOURNAL";
const FLUSHED_BY_CHILD: u64 = 4 * 100 + 1;

/// Does nothing unless [`a_killed_process_loses_nothing_it_had_flushed`] starts it: then it writes until
/// it is killed.
#[test]
fn child_that_is_killed() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let (journal, _) = open(Path::new(&path));
    (0..100).for_each(|index| append_all(&journal, call(1 + index * 4, 1 + index, "day")));
    append_all(&journal, [offered(FLUSHED_BY_CHILD, 101, "night")]);
    journal.flush(SOON).unwrap();
    println!("flushed");
    for seq in FLUSHED_BY_CHILD + 1.. {
        journal.append(noise(seq));
    }
}

#[test]
fn a_killed_process_loses_nothing_it_had_flushed() {
    let (_directory, path) = directory();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::child_that_is_killed", "--nocapture"])
        .env(CHILD, &path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("flushed")));
    child.kill().unwrap();
    child.wait().unwrap();

    let (journal, opened) = open(&path);
    assert_eq!((opened.broken, opened.open_contacts, opened.next_contact), (None, 1, 102));
    assert!(opened.next_seq > FLUSHED_BY_CHILD);
    let queries = journal.queries().unwrap();
    assert_eq!(queries.cdr_count().unwrap(), 100);
    let missing = queries.verify().unwrap().missing;
    // The engine comes back without the contact it was in the middle of.
    let seq = opened.next_seq;
    append_all(
        &journal,
        [
            event(seq, 0, EventKind::EngineStarted { version: "2".into() }),
            event(seq + 1, 0, EventKind::EngineRestored { contacts: 0, lost: 1 }),
        ],
    );
    journal.flush(SOON).unwrap();
    let cut = queries.cdr(ContactId(101)).unwrap().unwrap();
    assert_eq!((cut.ended_by.as_str(), cut.end_proof.as_str()), ("vigie", "restart"));
    assert_eq!(queries.verify().unwrap().missing, missing);
}

#[test]
fn exports() {
    let (_directory, path) = directory();
    let (journal, _) = open(&path);
    append_all(&journal, call(1, 7, "day, \"night\""));
    journal.flush(SOON).unwrap();
    let records = journal.queries().unwrap().cdrs(&CdrFilter::default()).unwrap();
    let mut csv = Vec::new();
    write_csv(&records, &mut csv).unwrap();
    let csv = String::from_utf8(csv).unwrap();
    let mut lines = csv.lines();
    assert!(lines.next().unwrap().starts_with("contact,offered_at,queued_at,"));
    assert_eq!(
        lines.next().unwrap(),
        "7,1970-01-01T00:00:01.000Z,1970-01-01T00:00:03.000Z,,,1970-01-01T00:00:04.000Z,\
         \"day, \"\"night\"\"\",fr,1,carrier,'=cmd()@gw,,false,abandoned,,caller,bye,,,,,,0,1000,0,0,0,0,0,,false,true,true"
    );
    let mut json = Vec::new();
    write_json(&records, &mut json).unwrap();
    let read: CdrRecord = serde_json::from_slice(&json).unwrap();
    assert_eq!([read], records[..]);
}
