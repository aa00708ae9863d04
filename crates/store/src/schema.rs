//! The database's tables and how a connection is set up. Knows SQL; must never know events' meaning.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::error::StoreError;

/// Changed when a table does.
const SCHEMA_VERSION: i64 = 1;

/// `entry.written` is what the hash vouches for; its other columns repeat what queries look for.
/// `cdr.record` is the whole record; its other columns likewise.
const SCHEMA: &str = "
CREATE TABLE entry (
    seq     INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    contact INTEGER,
    kind    TEXT NOT NULL,
    written TEXT NOT NULL,
    hash    BLOB NOT NULL
) STRICT;
CREATE INDEX entry_of_contact ON entry (contact, seq) WHERE contact IS NOT NULL;
CREATE INDEX entry_at ON entry (at);
CREATE TABLE cdr (
    contact    INTEGER PRIMARY KEY,
    settled    INTEGER NOT NULL,
    line       TEXT NOT NULL,
    outcome    TEXT NOT NULL,
    operator   TEXT,
    offered_at INTEGER NOT NULL,
    ended_at   INTEGER NOT NULL,
    record     TEXT NOT NULL
) STRICT;
CREATE INDEX cdr_ended_at ON cdr (ended_at, contact);
CREATE INDEX cdr_of_line ON cdr (line, ended_at);
CREATE TABLE mark (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT;
";

/// How long a connection waits for a lock before it counts the database as away.
const BUSY_MAX: Duration = Duration::from_millis(250);

/// The writer's connection; makes the tables when there are none.
pub(crate) fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(path).map_err(StoreError::database("opening the journal"))?;
    let set_up = |connection: &Connection| -> rusqlite::Result<()> {
        connection.busy_timeout(BUSY_MAX)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // Group commit makes a sync a transaction affordable, and a journal is for the day the power fails.
        connection.pragma_update(None, "synchronous", "FULL")?;
        Ok(())
    };
    set_up(&connection).map_err(StoreError::database("setting up the journal"))?;
    match version(&connection)? {
        0 => {
            let create = format!("BEGIN;{SCHEMA}PRAGMA user_version = {SCHEMA_VERSION};COMMIT;");
            connection
                .execute_batch(&create)
                .map_err(StoreError::database("creating the journal's tables"))?;
        }
        SCHEMA_VERSION => {}
        found => return Err(StoreError::Newer { path: path.to_owned(), found }),
    }
    Ok(connection)
}

/// A connection that cannot write.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)
        .map_err(StoreError::database("opening the journal to read"))?;
    connection.busy_timeout(BUSY_MAX).map_err(StoreError::database("setting up the journal"))?;
    match version(&connection)? {
        SCHEMA_VERSION => Ok(connection),
        found => Err(StoreError::Newer { path: path.to_owned(), found }),
    }
}

fn version(connection: &Connection) -> Result<i64, StoreError> {
    connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(StoreError::database("reading the journal's version"))
}
