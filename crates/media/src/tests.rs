//! The whole room: control and worker together, against peers that are strict about what they hear.

mod attacks;
mod continuity;
mod media_plane;
mod oracle;
mod restart;
mod rig;
