//! Reading a journal: records, events, and whether the chain fits.
//!
//! Knows: SQL that reads. Has a connection of its own that cannot write, so a slow report never makes the
//! writer wait.

use std::fmt;
use std::path::Path;

use facts::chain::{self, Broken, Verifier};
use facts::event::Digest;
use facts::{ContactId, Event, LineName, UnixMicros, record};
use rusqlite::{Connection, OptionalExtension, params};

use crate::error::StoreError;
use crate::record::CdrRecord;
use crate::schema;
use crate::writer::digest;

/// Records in one answer when the question names no number.
const LIMIT_DEFAULT: u32 = 1_000;

/// Which records. The default is the last thousand of all lines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CdrFilter {
    /// Ended at or after this.
    pub since: Option<UnixMicros>,
    /// Ended before this.
    pub until: Option<UnixMicros>,
    /// Of this line.
    pub line: Option<LineName>,
    /// The last so many.
    pub limit: Option<u32>,
}

/// A journal whose chain was walked from end to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Entries that fit, up to the first that does not.
    pub entries: u64,
    /// Numbers missing between them: events lost before they were written.
    pub missing: u64,
    /// How many of these the journal itself admits.
    pub admitted: u64,
    /// The hash of the last entry that fits: write it down elsewhere, and nobody can cut the end off.
    pub head: Digest,
}

/// A journal that is not as it was written.
#[derive(Debug)]
pub enum VerifyError {
    /// The first entry that does not fit, and what came before it.
    Broken(Broken, Verified),
    /// It cannot be read at all.
    Store(StoreError),
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(broken, verified) => write!(f, "{broken} (the {} before it fit)", verified.entries),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for VerifyError {}

impl From<StoreError> for VerifyError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// A reader of a journal, of this process or another's.
#[derive(Debug)]
pub struct Queries {
    connection: Connection,
}

impl Queries {
    /// Opens a journal to read. It must have been made.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        schema::open_reader(path).map(|connection| Self { connection })
    }

    /// Records, in the order in which contacts ended; with a limit, the last ones.
    pub fn cdrs(&self, filter: &CdrFilter) -> Result<Vec<CdrRecord>, StoreError> {
        let doing = "reading records";
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT contact, record FROM cdr
                 WHERE ended_at >= ?1 AND ended_at < ?2 AND (?3 IS NULL OR line = ?3)
                 ORDER BY ended_at DESC, contact DESC LIMIT ?4",
            )
            .map_err(StoreError::database(doing))?;
        let rows = statement
            .query_map(
                params![
                    filter.since.map_or(i64::MIN, |since| since.0),
                    filter.until.map_or(i64::MAX, |until| until.0),
                    filter.line.as_ref().map(LineName::as_str),
                    filter.limit.unwrap_or(LIMIT_DEFAULT),
                ],
                |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)),
            )
            .map_err(StoreError::database(doing))?;
        let mut records = Vec::new();
        for row in rows {
            let (contact, json) = row.map_err(StoreError::database(doing))?;
            records.push(CdrRecord::from_json(contact as u64, &json)?);
        }
        records.reverse();
        Ok(records)
    }

    /// One contact's record.
    pub fn cdr(&self, contact: ContactId) -> Result<Option<CdrRecord>, StoreError> {
        let json: Option<String> = self
            .connection
            .query_row("SELECT record FROM cdr WHERE contact = ?1", [contact.0 as i64], |row| row.get(0))
            .optional()
            .map_err(StoreError::database("reading a record"))?;
        json.map(|json| CdrRecord::from_json(contact.0, &json)).transpose()
    }

    /// How many records there are.
    pub fn cdr_count(&self) -> Result<u64, StoreError> {
        self.connection
            .query_row("SELECT count(*) FROM cdr", [], |row| row.get::<_, i64>(0))
            .map(|count| count as u64)
            .map_err(StoreError::database("counting records"))
    }

    /// Everything that happened to a contact.
    pub fn events_of(&self, contact: ContactId) -> Result<Vec<Event>, StoreError> {
        let mut events = Vec::new();
        for_each_event(&self.connection, "contact = ?1", contact.0 as i64, |event| {
            events.push(event?);
            Ok(())
        })?;
        Ok(events)
    }

    /// Everything that happened at or after an instant, in order: to fold a board again after a restart.
    pub fn events_since(&self, since: UnixMicros, mut each: impl FnMut(Event)) -> Result<(), StoreError> {
        // The first number, not each date: the wall clock may have been set back since.
        let first: Option<i64> = self
            .connection
            .query_row("SELECT min(seq) FROM entry WHERE at >= ?1", [since.0], |row| row.get(0))
            .map_err(StoreError::database("reading the journal"))?;
        match first {
            Some(first) => for_each_event(&self.connection, "seq >= ?1", first, |event| {
                each(event?);
                Ok(())
            }),
            None => Ok(()),
        }
    }

    /// Walks the whole chain.
    pub fn verify(&self) -> Result<Verified, VerifyError> {
        let (verifier, broken) = verify_from(&self.connection, 0, Verifier::new(chain::GENESIS))?;
        let verified = Verified {
            entries: verifier.entries(),
            missing: verifier.missing(),
            admitted: verifier.admitted(),
            head: verifier.head(),
        };
        match broken {
            None => Ok(verified),
            Some(broken) => Err(VerifyError::Broken(broken, verified)),
        }
    }
}

/// Calls `each` with every event of which `condition` on `?1` holds, in order; what cannot be read is an
/// error that `each` may pass over.
pub(crate) fn for_each_event(
    connection: &Connection,
    condition: &'static str,
    value: i64,
    mut each: impl FnMut(Result<Event, StoreError>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let doing = "reading events";
    let mut statement = connection
        .prepare_cached(&format!("SELECT seq, written FROM entry WHERE {condition} ORDER BY seq"))
        .map_err(StoreError::database(doing))?;
    let mut rows = statement.query([value]).map_err(StoreError::database(doing))?;
    while let Some(row) = rows.next().map_err(StoreError::database(doing))? {
        let seq: i64 = row.get(0).map_err(StoreError::database(doing))?;
        let written =
            row.get_ref(1).and_then(|value| Ok(value.as_str()?)).map_err(StoreError::database(doing))?;
        each(record::decode(written).map_err(StoreError::unreadable_entry(seq as u64)))?;
    }
    Ok(())
}

/// Walks the chain from a number on.
pub(crate) fn verify_from(
    connection: &Connection,
    from: u64,
    mut verifier: Verifier,
) -> Result<(Verifier, Option<Broken>), StoreError> {
    let doing = "verifying the chain";
    let mut statement = connection
        .prepare_cached("SELECT seq, written, hash FROM entry WHERE seq >= ?1 ORDER BY seq")
        .map_err(StoreError::database(doing))?;
    let mut rows = statement.query([from as i64]).map_err(StoreError::database(doing))?;
    while let Some(row) = rows.next().map_err(StoreError::database(doing))? {
        let seq: i64 = row.get(0).map_err(StoreError::database(doing))?;
        let written: String = row.get(1).map_err(StoreError::database(doing))?;
        let hash: Vec<u8> = row.get(2).map_err(StoreError::database(doing))?;
        // A hash of another length is no hash at all; none equals this one.
        let hash = digest(&hash).unwrap_or(chain::GENESIS);
        if let Err(broken) = verifier.entry(seq as u64, &written, &hash) {
            return Ok((verifier, Some(broken)));
        }
    }
    Ok((verifier, None))
}
