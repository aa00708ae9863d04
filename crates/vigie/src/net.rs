//! SIP's sockets: datagrams and streams in, the endpoint's outputs out, names looked up.
//!
//! Knows: tokio, sockets, bounded queues. Must never know: what is in a message. A shared loop never awaits a peer: each
//! stream has tasks of its own and a bounded queue for what is to be written, and is closed when that is full.

mod datagrams;
mod names;
mod streams;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use call::Output;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::runtime::Handle;

use crate::config::Transport;
use crate::engine_thread::Doors;
use datagrams::Datagrams;
use streams::{Accepting, Streams};

/// Datagrams that the kernel may hold for us: a burst of a few thousand INVITEs while the engine is busy.
const RECEIVE_BUFFER_BYTES: usize = 4 << 20;
/// Connections that wait to be accepted.
const BACKLOG: i32 = 1_024;

/// A socket that could not be had.
#[derive(Debug)]
pub struct BindError {
    /// Which transport.
    pub transport: Transport,
    /// Which address.
    pub address: SocketAddr,
    /// Why not.
    pub error: io::Error,
}

impl std::fmt::Display for BindError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let transport = match self.transport {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
        };
        let remedy = match self.error.kind() {
            io::ErrorKind::AddrInUse => "another program uses that port; `ss -lunpt` shows which",
            io::ErrorKind::AddrNotAvailable => {
                "this machine has no such address; `ip addr` shows those it has"
            }
            io::ErrorKind::PermissionDenied => "ports below 1024 need the capability CAP_NET_BIND_SERVICE",
            _ => "see sip.listen in vigie.toml",
        };
        write!(f, "SIP over {transport} can't listen at {}: {} ({remedy})", self.address, self.error)
    }
}

impl std::error::Error for BindError {}

/// Bound sockets, before anything is read.
pub struct Bound {
    sockets: Vec<(Transport, SocketAddr, Socket)>,
}

impl Bound {
    /// Binds them all, or says which could not be.
    pub fn bind(listen: impl IntoIterator<Item = (Transport, SocketAddr)>) -> Result<Self, BindError> {
        let mut sockets: Vec<(Transport, SocketAddr, Socket)> = Vec::new();
        for (transport, address) in listen {
            let bound = bind(transport, address).map_err(|error| BindError { transport, address, error })?;
            sockets.push((transport, bound.0, bound.1));
        }
        Ok(Self { sockets })
    }

    /// Transport and real address of each, in the order of the configuration.
    pub fn addresses(&self) -> Vec<(Transport, SocketAddr)> {
        self.sockets.iter().map(|(transport, address, _)| (*transport, *address)).collect()
    }

    /// Starts reading, on this runtime.
    pub fn start(self, runtime: &Handle, doors: &Doors, streams_max: usize) -> io::Result<Net> {
        let _inside = runtime.enter();
        let counters = Arc::new(Counters::default());
        let mut datagrams = Datagrams::new(doors.clone(), counters.clone());
        let streams = Streams::new(runtime.clone(), doors.clone(), counters.clone(), streams_max);
        for (transport, address, socket) in self.sockets {
            match transport {
                Transport::Udp => datagrams.read(runtime, address, socket.into())?,
                Transport::Tcp => streams.accept(Accepting::new(socket.into())?),
            }
        }
        Ok(Net { datagrams, streams, names: names::Names::new(runtime.clone(), doors.clone()), counters })
    }
}

fn bind(transport: Transport, address: SocketAddr) -> io::Result<(SocketAddr, Socket)> {
    let (kind, protocol) = match transport {
        Transport::Udp => (Type::DGRAM, Protocol::UDP),
        Transport::Tcp => (Type::STREAM, Protocol::TCP),
    };
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
    if address.is_ipv6() {
        // `::` must not take IPv4's port away: each family is configured on its own.
        socket.set_only_v6(true)?;
    }
    match transport {
        // The kernel may grant less; what it grants is used.
        Transport::Udp => drop(socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES)),
        // A restart must not wait for the old connections' last timers.
        Transport::Tcp => socket.set_reuse_address(true)?,
    }
    socket.bind(&address.into())?;
    if transport == Transport::Tcp {
        socket.listen(BACKLOG)?;
    }
    socket.set_nonblocking(true)?;
    let bound = socket.local_addr()?.as_socket().unwrap_or(address);
    Ok((bound, socket))
}

/// What was dropped for want of room.
#[derive(Debug, Default)]
pub struct Counters {
    datagrams_dropped: AtomicU64,
    sends_failed: AtomicU64,
    streams_refused: AtomicU64,
    streams_too_slow: AtomicU64,
}

impl Counters {
    /// Datagrams that came while the engine's lane was full, since the last time this was asked.
    pub fn take_datagrams_dropped(&self) -> u64 {
        self.datagrams_dropped.swap(0, Ordering::Relaxed)
    }

    fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// The running network. Sending never blocks.
pub struct Net {
    datagrams: Datagrams,
    streams: Streams,
    names: names::Names,
    counters: Arc<Counters>,
}

impl Net {
    /// Carries out an output of the engine that is for sockets; others are not for here and are passed over.
    pub fn send(&mut self, output: Output) {
        match output {
            Output::Datagram { local, remote, bytes } => self.datagrams.send(local, remote, &bytes),
            Output::StreamConnect { stream, transport: sip::Transport::Tcp, remote } => {
                self.streams.connect(stream, remote);
            }
            Output::StreamWrite { stream, bytes } => self.streams.write(stream, bytes),
            Output::StreamClose { stream } => self.streams.close(stream),
            Output::Resolve { job, host } => self.names.resolve(job, host),
            Output::StreamConnect { .. }
            | Output::Media { .. }
            | Output::Fact(_)
            | Output::Reply { .. }
            | Output::Persist { .. } => {}
        }
    }

    /// What was dropped.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }
}

#[cfg(test)]
mod tests;
