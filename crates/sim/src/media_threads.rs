//! The media threads in virtual time: real workers behind virtual sockets, or the timetable in their place.
//!
//! Knows: sockets by address. Must never know: whose they are.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use media::{Command, SocketKey, SocketKind, SocketOp, Verdict, Worker, WorkerEvent, WorkerSettings};

use crate::timetable::Timetable;

/// A datagram that leaves a media socket.
pub(crate) struct Sent {
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) bytes: Vec<u8>,
}

/// One media thread.
pub(crate) enum MediaThread {
    Worker(Box<WorkerThread>),
    Timetable(Timetable),
}

pub(crate) struct WorkerThread {
    worker: Worker,
    addresses: BTreeMap<SocketKey, SocketAddr>,
    keys: BTreeMap<SocketAddr, SocketKey>,
    /// What a connected socket lets in.
    only_from: BTreeMap<SocketKey, SocketAddr>,
}

impl MediaThread {
    pub(crate) fn new(now: Duration, settings: WorkerSettings, seed: [u8; 32], sounds: bool) -> Self {
        if sounds {
            Self::Worker(Box::new(WorkerThread {
                worker: Worker::new(now, settings, seed),
                addresses: BTreeMap::new(),
                keys: BTreeMap::new(),
                only_from: BTreeMap::new(),
            }))
        } else {
            Self::Timetable(Timetable::new(settings.silence))
        }
    }

    pub(crate) fn on_command(&mut self, now: Duration, command: Command) {
        match self {
            Self::Worker(thread) => {
                thread.worker.on_command(now, command);
                thread.work_sockets();
            }
            Self::Timetable(timetable) => timetable.on_command(now, command),
        }
    }

    pub(crate) fn on_packet(
        &mut self,
        now: Duration,
        from: SocketAddr,
        to: SocketAddr,
        bytes: &[u8],
    ) -> Option<Sent> {
        match self {
            Self::Worker(thread) => thread.on_packet(now, from, to, bytes),
            Self::Timetable(timetable) => {
                timetable.on_packet(to, bytes);
                None
            }
        }
    }

    pub(crate) fn poll(&mut self, now: Duration) -> Vec<Sent> {
        let mut sent = Vec::new();
        match self {
            Self::Worker(thread) => {
                let WorkerThread { worker, addresses, .. } = &mut **thread;
                worker.poll(now, &mut |key, to, bytes| {
                    sent.extend(addresses.get(&key).map(|from| Sent {
                        from: *from,
                        to,
                        bytes: bytes.to_vec(),
                    }));
                });
                thread.work_sockets();
            }
            Self::Timetable(timetable) => timetable.poll(now),
        }
        sent
    }

    pub(crate) fn poll_timeout(&self) -> Option<Duration> {
        match self {
            Self::Worker(thread) => thread.worker.poll_timeout(),
            Self::Timetable(timetable) => timetable.poll_timeout(),
        }
    }

    pub(crate) fn poll_event(&mut self) -> Option<WorkerEvent> {
        match self {
            Self::Worker(thread) => thread.worker.poll_event(),
            Self::Timetable(timetable) => timetable.poll_event(),
        }
    }

    /// Legs that are open.
    pub(crate) fn legs(&self) -> usize {
        match self {
            Self::Worker(thread) => thread.addresses.keys().filter(|key| key.kind == SocketKind::Rtp).count(),
            Self::Timetable(timetable) => timetable.legs(),
        }
    }
}

impl WorkerThread {
    fn work_sockets(&mut self) {
        while let Some(operation) = self.worker.poll_socket() {
            match operation {
                SocketOp::Open { key, address } => {
                    self.addresses.insert(key, address);
                    self.keys.insert(address, key);
                }
                SocketOp::Connect { key, to } => {
                    self.only_from.insert(key, to);
                }
                SocketOp::Disconnect { key } => {
                    self.only_from.remove(&key);
                }
                SocketOp::Close { key } => {
                    self.only_from.remove(&key);
                    if let Some(address) = self.addresses.remove(&key) {
                        self.keys.remove(&address);
                    }
                }
            }
        }
    }

    fn on_packet(&mut self, now: Duration, from: SocketAddr, to: SocketAddr, bytes: &[u8]) -> Option<Sent> {
        let key = *self.keys.get(&to)?;
        if self.only_from.get(&key).is_some_and(|only| *only != from) {
            return None;
        }
        let mut packet = bytes.to_vec();
        let verdict = self.worker.on_packet(now, key, from, &mut packet);
        self.work_sockets();
        let Verdict::Forward { socket, to, range } = verdict else { return None };
        let from = *self.addresses.get(&socket)?;
        Some(Sent { from, to, bytes: packet.get(range)?.to_vec() })
    }
}
