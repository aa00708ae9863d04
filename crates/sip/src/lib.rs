//! The SIP room: bytes to messages, transactions, dialogs, authentication, registrations.
//!
//! It must never know of sockets, the clock, name lookups, queues or media: all of those arrive as data.

pub mod wire;
