//! The worker door's machine: packets in, packets out, for the legs that one media thread owns.
//!
//! Knows: streams, sources, playout. Must never know: session descriptions, real sockets.

use std::net::SocketAddr;
use std::time::Duration;

use crate::{Command, SocketKey, SocketOp, Verdict, WorkerEvent, WorkerSettings};

/// One media thread's state.
pub struct Worker {
    settings: WorkerSettings,
}

impl Worker {
    /// An empty worker.
    pub fn new(_now: Duration, settings: WorkerSettings, _seed: [u8; 32]) -> Self {
        Self { settings }
    }
    /// From the engine.
    pub fn on_command(&mut self, _now: Duration, command: Command) {
        if let Command::Reconfigure { settings } = command {
            self.settings = settings;
        }
    }
    /// From a socket.
    pub fn on_packet(
        &mut self,
        _now: Duration,
        _socket: SocketKey,
        _from: SocketAddr,
        _packet: &mut [u8],
    ) -> Verdict {
        Verdict::Drop
    }
    /// What time brings: playout, RTCP, timers.
    pub fn poll(&mut self, _now: Duration, _send: &mut dyn FnMut(SocketKey, SocketAddr, &[u8])) {}
    /// When `poll` is due.
    pub fn poll_timeout(&self) -> Option<Duration> {
        None
    }
    /// For the engine.
    pub fn poll_event(&mut self) -> Option<WorkerEvent> {
        None
    }
    /// For the shell.
    pub fn poll_socket(&mut self) -> Option<SocketOp> {
        None
    }
}
