//! UDP: one reading task a socket, sending straight from the engine's thread.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, UdpSocket as StdUdpSocket};
use std::sync::Arc;

use bytes::Bytes;
use tokio::net::UdpSocket;
use tokio::runtime::Handle;

use super::Counters;
use crate::engine_thread::Doors;

/// RFC 3261 §18.1.1: a UDP message is at most 65,535 bytes, headers of IP and UDP included.
const DATAGRAM_BYTES_MAX: usize = 65_535;

pub(super) struct Datagrams {
    doors: Doors,
    counters: Arc<Counters>,
    /// By bound address.
    sockets: BTreeMap<SocketAddr, StdUdpSocket>,
}

impl Datagrams {
    pub(super) fn new(doors: Doors, counters: Arc<Counters>) -> Self {
        Self { doors, counters, sockets: BTreeMap::new() }
    }

    pub(super) fn read(
        &mut self,
        runtime: &Handle,
        local: SocketAddr,
        socket: StdUdpSocket,
    ) -> io::Result<()> {
        let reading = UdpSocket::from_std(socket.try_clone()?)?;
        self.sockets.insert(local, socket);
        runtime.spawn(read(reading, local, self.doors.clone(), self.counters.clone()));
        Ok(())
    }

    /// A datagram that the kernel will not take now is lost, as the network might have lost it; SIP says it again.
    pub(super) fn send(&self, local: SocketAddr, remote: SocketAddr, bytes: &[u8]) {
        let sent = self.sockets.get(&local).map(|socket| socket.send_to(bytes, remote));
        if !matches!(sent, Some(Ok(_))) {
            Counters::count(&self.counters.sends_failed);
        }
    }
}

async fn read(socket: UdpSocket, local: SocketAddr, doors: Doors, counters: Arc<Counters>) {
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    loop {
        // Errors here are ICMP's word of an earlier datagram; they say nothing of the next one.
        let Ok((length, remote)) = socket.recv_from(&mut buffer).await else { continue };
        let bytes = Bytes::copy_from_slice(&buffer[..length]);
        if doors.try_network(sip::Input::Datagram { local, remote, bytes }).is_err() {
            Counters::count(&counters.datagrams_dropped);
        }
    }
}
