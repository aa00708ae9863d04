//! What people see of a running program: the live picture as JSON and as tables.
//!
//! Knows: how things are shown, in French and English. Must never know: SIP; and it never changes
//! anything: commands go through the engine's door.
//!
//! ```text
//! events ─► Projection ─► shape (serde, for programs) ─► table (for people)
//! ```

mod projection;
pub mod shape;
pub mod table;
mod text;

pub use projection::Projection;
pub use text::Tongue;

#[cfg(test)]
mod tests;
