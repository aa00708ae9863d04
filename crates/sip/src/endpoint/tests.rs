//! The endpoint against itself, and against hand-written messages, in virtual time.

mod calls;
mod faults;
mod legs;
mod outside;
mod registrar;
mod restore;
mod script;
mod world;
