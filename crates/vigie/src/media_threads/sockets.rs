//! The sockets of one media thread.
//!
//! Knows: UDP sockets, epoll. Must never know: legs beyond their keys.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use media::{SocketKey, SocketKind, SocketOp};
use rustix::event::epoll;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, connect, connect_unspec, recvfrom,
    send, sendto, socket_with, sockopt,
};

/// RFC 3246, RFC 4594 §4.1: telephony is forwarded first.
const DSCP_EF: u8 = 46 << 2;
/// Two seconds of sound: what is older is of no use to anybody.
const RECEIVE_BUFFER_BYTES: usize = 64 * 1024;

/// The sockets by key, and the epoll that watches them.
pub(super) struct Sockets {
    epoll: OwnedFd,
    /// RTP and RTCP of each leg's index.
    pairs: Vec<[Option<Socket>; 2]>,
}

struct Socket {
    fd: OwnedFd,
    connected: Option<SocketAddr>,
}

/// What a read gave.
pub(super) enum Read {
    /// A packet of this many bytes.
    Packet(SocketAddr, usize),
    /// Nothing, or nothing that can be used.
    Nothing,
}

impl Sockets {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?, pairs: Vec::new() })
    }

    pub(super) fn epoll(&self) -> &OwnedFd {
        &self.epoll
    }

    /// Does what the worker asks. An error of `Open` is to be told to it.
    pub(super) fn apply(&mut self, op: SocketOp) -> io::Result<()> {
        match op {
            SocketOp::Open { key, address } => self.open(key, address)?,
            SocketOp::Connect { key, to } => {
                if let Some(socket) = self.socket_mut(key) {
                    // Without a route there is nothing to filter; sending will be counted as failed.
                    socket.connected = connect(&socket.fd, &to).is_ok().then_some(to);
                }
            }
            SocketOp::Disconnect { key } => {
                if let Some(socket) = self.socket_mut(key) {
                    socket.connected = None;
                    let _ = connect_unspec(&socket.fd);
                }
            }
            SocketOp::Close { key } => {
                if let Some(pair) = self.pairs.get_mut(key.leg as usize) {
                    // Closing takes it out of the epoll set.
                    pair[slot(key.kind)] = None;
                }
            }
        }
        Ok(())
    }

    /// One packet into `buffer`.
    pub(super) fn read(&self, key: SocketKey, buffer: &mut [u8]) -> Read {
        let Some(socket) = self.socket(key) else { return Read::Nothing };
        let room = buffer.len();
        match recvfrom(&socket.fd, buffer, RecvFlags::TRUNC) {
            // An error that the network reported about an earlier packet comes here too, and is of no use.
            Ok((_, length, Some(from))) if length <= room => match SocketAddr::try_from(from) {
                Ok(from) => Read::Packet(from, length),
                Err(_) => Read::Nothing,
            },
            Ok(_) | Err(_) => Read::Nothing,
        }
    }

    /// Sends; false if the kernel did not take it.
    pub(super) fn send(&self, key: SocketKey, to: SocketAddr, packet: &[u8]) -> bool {
        let Some(socket) = self.socket(key) else { return false };
        let put = || {
            // Where the socket is connected the kernel knows the route; an address would have it looked up again.
            if socket.connected == Some(to) {
                send(&socket.fd, packet, SendFlags::empty())
            } else {
                sendto(&socket.fd, packet, SendFlags::empty(), &to)
            }
        };
        match put() {
            // The error is of an earlier packet (a port that was not open then), this one was not sent.
            Err(Errno::CONNREFUSED) => put().is_ok(),
            sent => sent.is_ok(),
        }
    }

    fn open(&mut self, key: SocketKey, address: SocketAddr) -> io::Result<()> {
        let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = socket_with(family, SocketType::DGRAM, flags, None)?;
        if address.is_ipv4() {
            // A network that forbids marking still carries the call.
            let _ = sockopt::set_ip_tos(&socket, DSCP_EF);
        } else {
            sockopt::set_ipv6_v6only(&socket, true)?;
            let _ = sockopt::set_ipv6_tclass(&socket, u32::from(DSCP_EF));
        }
        let _ = sockopt::set_socket_recv_buffer_size(&socket, RECEIVE_BUFFER_BYTES);
        bind(&socket, &address)?;
        epoll::add(&self.epoll, &socket, epoll::EventData::new_u64(data_of(key)), epoll::EventFlags::IN)?;
        let leg = key.leg as usize;
        if self.pairs.len() <= leg {
            self.pairs.resize_with(leg + 1, || [None, None]);
        }
        self.pairs[leg][slot(key.kind)] = Some(Socket { fd: socket, connected: None });
        Ok(())
    }

    fn socket(&self, key: SocketKey) -> Option<&Socket> {
        self.pairs.get(key.leg as usize)?[slot(key.kind)].as_ref()
    }

    fn socket_mut(&mut self, key: SocketKey) -> Option<&mut Socket> {
        self.pairs.get_mut(key.leg as usize)?[slot(key.kind)].as_mut()
    }
}

/// The key as epoll keeps it.
fn data_of(key: SocketKey) -> u64 {
    u64::from(key.leg) << 1 | u64::from(key.kind == SocketKind::Rtcp)
}

/// And back.
pub(super) fn key_of(data: u64) -> Option<SocketKey> {
    let kind = if data & 1 == 0 { SocketKind::Rtp } else { SocketKind::Rtcp };
    Some(SocketKey { leg: u32::try_from(data >> 1).ok()?, kind })
}

fn slot(kind: SocketKind) -> usize {
    match kind {
        SocketKind::Rtp => 0,
        SocketKind::Rtcp => 1,
    }
}
