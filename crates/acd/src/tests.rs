//! Tests of the room, in virtual time.
//!
//! Knows: the door, and for the references also what is behind it. Must never know: the real clock.

mod observer;
mod offers;
mod properties;
pub(crate) mod reference;
mod world;
