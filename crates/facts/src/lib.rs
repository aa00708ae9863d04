//! What happened, as data: the typed events every other figure is derived from.
//!
//! Knows: the event types, their written form and hash chain, the folds from events to call detail
//! records, live board and key figures, and how a caller's number becomes a pseudonym.
//! Must never know: any of the rooms that produce events or keep them, sockets, files, the clock.

pub mod board;
pub mod cdr;
pub mod chain;
pub mod event;
mod hex;
pub mod ids;
pub mod kpi;
pub mod number;
pub mod pseudonym;
pub mod record;
pub mod sanitise;
pub mod time;
pub mod word;

pub use board::Board;
pub use cdr::{Cdr, CdrFold, CdrStep, Outcome};
pub use event::{Event, EventKind, Fact};
pub use ids::{
    Account, CallerPseudonym, ContactId, EmployerName, Language, Level, LineName, OfferId, OperatorName,
    TrunkCallId, TrunkName,
};
pub use number::{CallerNumber, NumberingPlan};
pub use pseudonym::{PseudonymKey, Pseudonymiser};
pub use time::{Stamper, UnixMicros};
