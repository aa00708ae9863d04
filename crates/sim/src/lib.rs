//! The simulator: an engine in a world of virtual time, virtual network, callers, operators and faults, watched by
//! checkers.
//!
//! Knows: how to run a helpline's day in a second, again and again exactly alike. Must never know: tokio, sockets, real
//! time. The engine inside is the one that answers real calls; the phones outside understand SIP and RTP by their own
//! means, so that a mistake of one is not shared by the other.
//!
//! ```
//! let mut scenario = sim::Scenario::helpline_day();
//! scenario.lasts = std::time::Duration::from_secs(3600);
//! let report = sim::run(1, &scenario);
//! assert!(report.is_clean(), "{report}");
//! ```

mod caller;
mod checkers;
pub mod deployment;
mod media_threads;
mod network;
mod operator;
mod person;
mod random;
mod report;
mod run;
mod scenario;
mod station;
mod timetable;
mod trace;
mod world;

pub use caller::{Caller, Temper};
pub use checkers::{Checkers, Outcomes, Violation};
pub use network::Links;
pub use operator::{Habits, Operator};
pub use person::{Act, Nobody, Notice, Person, Plan, Reminder, Thought};
pub use random::Dice;
pub use report::Report;
pub use run::{caller_config, operator_config, run};
pub use scenario::{Burst, Scenario};
pub use station::{Role, Station, StationId};
pub use world::{Crash, Setup, UNIX_MICROS_AT_EPOCH, World};
