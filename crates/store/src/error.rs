//! What can go wrong with a journal, whose fault it is, and what a person can do.

use std::fmt;
use std::path::{Path, PathBuf};

use facts::record::Unreadable;

/// A journal that cannot be opened, written or read.
#[derive(Debug)]
pub enum StoreError {
    /// Another process has it.
    InUse {
        /// The journal.
        path: PathBuf,
    },
    /// A newer program made it.
    Newer {
        /// The journal.
        path: PathBuf,
        /// Its schema's version.
        found: i64,
    },
    /// The file system refused.
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The database refused.
    Database {
        /// What was being done.
        doing: &'static str,
        /// Why.
        source: rusqlite::Error,
    },
    /// Something in it cannot be read: it was damaged or changed.
    Damaged {
        /// The entry or record.
        what: String,
        /// Why.
        detail: String,
    },
}

impl StoreError {
    pub(crate) fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::File { path: path.to_owned(), source }
    }

    pub(crate) fn database(doing: &'static str) -> impl FnOnce(rusqlite::Error) -> Self {
        move |source| Self::Database { doing, source }
    }

    pub(crate) fn unreadable_entry(seq: u64) -> impl FnOnce(Unreadable) -> Self {
        move |unreadable| Self::Damaged { what: format!("entry {seq}"), detail: unreadable.to_string() }
    }

    /// What a person can do.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::InUse { .. } => "stop the other program, or give this one another data directory",
            Self::Newer { .. } => "run the version that made it, or a later one",
            Self::File { .. } => {
                "check that the directory exists, has room, and belongs to the program's user"
            }
            Self::Database { .. } => "check the disk; move the journal away to begin a new one",
            Self::Damaged { .. } => "run the verification, keep the file for the inquiry, restore a backup",
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse { path } => write!(f, "the journal {} is in use by another process", path.display()),
            Self::Newer { path, found } => {
                write!(
                    f,
                    "the journal {} has schema version {found}, newer than this program",
                    path.display()
                )
            }
            Self::File { path, source } => write!(f, "{}: {source}", path.display()),
            Self::Database { doing, source } => write!(f, "{doing}: {source}"),
            Self::Damaged { what, detail } => write!(f, "{what}: {detail}"),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File { source, .. } => Some(source),
            Self::Database { source, .. } => Some(source),
            Self::InUse { .. } | Self::Newer { .. } | Self::Damaged { .. } => None,
        }
    }
}
