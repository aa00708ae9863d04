//! The shell around the engine: command line, configuration, sockets, threads, files. Protocol decisions are not made
//! here; they belong to the rooms.

pub mod check;
pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
pub mod engine_thread;
pub mod net;
pub mod settings;
pub mod state_file;
