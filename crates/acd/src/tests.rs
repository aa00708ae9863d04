//! Tests of the room, in virtual time.
//!
//! Knows: the door, and for the references also what is behind it. Must never know: the real clock.

mod contacts;
mod exhaustive;
mod game;
mod hours;
mod lines;
mod observer;
mod offers;
mod operators;
mod persistence;
mod properties;
pub(crate) mod reference;
mod reload;
mod scale;
mod world;
