//! The SIP room: bytes to messages, transactions, dialogs, authentication, registrations.
//!
//! It must never know of sockets, the clock, name lookups, queues or media: all of those arrive as data.

mod door;
mod endpoint;
mod guard;
mod index;
mod timer;
mod transaction;
pub mod wire;

pub use door::*;
pub use endpoint::Endpoint;
