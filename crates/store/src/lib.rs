//! The durable journal: events go in and stay, records and queries come out.
//!
//! Knows: SQLite, files, one writer thread, and what to keep when the disk is away. Must never know:
//! how anything is decided. Must never do: make who appends wait.
//!
//! ```text
//! append ─► bounded queue ─► writer thread ─► one transaction: entries, their hashes, records
//!                                 │ (database away)
//!                                 └─► memory ─► spool file ─► the same, later, in the same order
//! ```

mod error;
mod export;
mod journal;
mod queries;
mod record;
mod schema;
mod spool;
mod writer;

pub use error::StoreError;
pub use export::{write_csv, write_json};
pub use journal::{Appended, Journal, JournalStats, NotFlushed, Opened, Options};
pub use queries::{CdrFilter, Queries, Verified, VerifyError};
pub use record::{
    CdrRecord, LegRecord, LevelTwoRecord, OfferRecord, PartRecord, StreamRecord, TransferRecord,
};

#[cfg(test)]
mod tests;
