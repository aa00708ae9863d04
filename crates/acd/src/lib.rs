//! The automatic call distributor: who is offered which contact, when, and why.
//!
//! Knows: lines, operators, contacts, offers, policies, opening hours. Must never know: SIP, URIs, numbers, RTP, threads,
//! the clock. It is one pure machine, [`Acd`]: `handle(now, input)`, then `poll_output` until it is empty, then wait until
//! `poll_timeout` or the next input.

mod acd;
mod back_off;
mod contact;
pub mod door;
mod fit;
pub mod hours;
mod line;
mod offer;
mod operator;
pub mod proof;
mod queue;
mod records;
mod rings;
mod strategy;
mod timers;

#[cfg(test)]
mod tests;

pub use acd::Acd;
pub use door::*;
pub use records::Restored;
