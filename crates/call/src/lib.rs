//! The engine: joins SIP, media and distribution into calls.
//!
//! Knows: how a trunk call becomes a contact, how an offer becomes an operator's leg, who is bridged with whom, menus,
//! hold, feature codes, how a call ends and who ended it, and how it goes on after a restart. Must never know:
//! sockets, threads, files, SQL, HTTP, the clock. One deterministic machine on one thread: [`Engine::handle`] in,
//! [`Engine::poll_output`] out, [`Engine::poll_timeout`] for when to come back.

mod announcements;
mod arrival;
mod commands;
mod contact;
mod door;
mod ending;
mod engine;
mod exhausted;
mod feature;
mod lookup;
mod menu;
mod offers;
mod operators;
mod records;
mod reoffer;
mod restore;
mod settings;
mod words;

pub use door::{Actor, Command, Counts, Input, Output, Refused, Room};
pub use engine::Engine;
pub use settings::{
    AnswerMode, Dialled, Exhausted, FeatureAction, FeatureCode, LanguageMenu, LinePolicy, MediaFromPolicy,
    Name, NobodyEligible, OperatorPolicy, Refusal, Settings, TrunkPolicy,
};

#[cfg(test)]
mod tests;
