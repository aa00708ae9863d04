//! The shell around the engine: command line, configuration, sockets, threads, files. Protocol decisions are not made
//! here; they belong to the rooms.

pub mod ask;
pub mod check;
pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
pub mod demo;
pub mod engine_thread;
pub mod media_threads;
pub mod net;
pub mod program;
pub mod run;
pub mod settings;
pub mod state_file;
mod vital;
