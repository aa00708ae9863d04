//! A place for the demonstration: its directory, a free port, and what of the deployment this machine can do.
//!
//! Knows: the machine. Must never know: calls.

use std::fmt;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::config::{self, Deployment, MediaFrom, Problems};

/// Where softphones find it.
pub(crate) const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Where the simulated carrier calls from, as `seeds/demo/trunks.toml` says.
pub(crate) const CARRIER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
/// If the port is taken, the next ones are tried, two by two: RTP has no use for them, SIP leaves odd ones to TLS.
const PORTS_TRIED: u16 = 20;

/// Ports for sound, so that demonstrations side by side seldom meet: each has one of these blocks, by its SIP port.
const RTP_BLOCK_FIRST: u16 = 20_000;
const RTP_BLOCK_PORTS: u16 = 2_000;
const RTP_BLOCKS: u16 = 5;

/// Why there is no place.
#[derive(Debug)]
pub(crate) enum PlaceError {
    /// The port and its neighbours are taken.
    PortsTaken(u16),
    /// The directory.
    Directory(PathBuf, io::Error),
    /// Somebody else's file or directory has the name.
    NotOurs(PathBuf),
    /// The embedded deployment does not suit this machine.
    Deployment(Problems),
}

impl fmt::Display for PlaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PortsTaken(port) => {
                let last = port.saturating_add(2 * (PORTS_TRIED - 1));
                write!(
                    f,
                    "port {port} is taken on 127.0.0.1, and so is every other up to {last}; try --port 0"
                )
            }
            Self::Directory(path, error) => write!(f, "{} can't be made: {error}", path.display()),
            Self::NotOurs(path) => {
                write!(
                    f,
                    "{} belongs to somebody else; set TMPDIR to a directory of your own",
                    path.display()
                )
            }
            Self::Deployment(problems) => problems.fmt(f),
        }
    }
}

impl std::error::Error for PlaceError {}

/// The wished port if it is free, else the next one that is; 0 stays 0.
pub(crate) fn free_port(wished: u16) -> Result<u16, PlaceError> {
    if wished == 0 {
        return any_port().map_err(|_| PlaceError::PortsTaken(0));
    }
    let mut candidates = (0..PORTS_TRIED).filter_map(|step| wished.checked_add(2 * step));
    candidates.find(|port| is_free(*port)).ok_or(PlaceError::PortsTaken(wished))
}

fn any_port() -> io::Result<u16> {
    loop {
        let port = UdpSocket::bind((ADDRESS, 0))?.local_addr()?.port();
        if is_free(port) {
            return Ok(port);
        }
    }
}

fn is_free(port: u16) -> bool {
    let here = |ip: IpAddr| {
        let address = SocketAddr::new(ip, port);
        UdpSocket::bind(address).is_ok() && TcpListener::bind(address).is_ok()
    };
    here(ADDRESS) && (!has_ipv6() || here(IpAddr::V6(Ipv6Addr::LOCALHOST)))
}

fn has_ipv6() -> bool {
    UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_ok()
}

/// An empty directory that only this user may enter; what an earlier demonstration on this port left is removed.
pub(crate) fn directory(port: u16) -> Result<PathBuf, PlaceError> {
    let user = rustix::process::geteuid().as_raw();
    let path = std::env::temp_dir().join(format!("vigie-demo-{user}-{port}"));
    match fs::symlink_metadata(&path) {
        Ok(found) if !found.is_dir() || found.uid() != user => return Err(PlaceError::NotOurs(path)),
        Ok(_) => fs::remove_dir_all(&path).map_err(|error| PlaceError::Directory(path.clone(), error))?,
        Err(_) => {}
    }
    let made = fs::DirBuilder::new().mode(0o700).create(&path);
    made.map_err(|error| PlaceError::Directory(path.clone(), error))?;
    Ok(path)
}

/// The embedded deployment, on this port and without what this machine lacks. A softphone may name any address of this
/// machine and send from any other; on loopback all sound is this machine's, so it is believed.
pub(crate) fn deployment(directory: &Path, port: u16) -> Result<Deployment, PlaceError> {
    let mut deployment = config::demo::load(directory).map_err(PlaceError::Deployment)?;
    let ipv6 = has_ipv6();
    let node = &mut deployment.node;
    node.sip.listen.retain(|listen| ipv6 || listen.address.is_ipv4());
    node.sip.listen.iter_mut().for_each(|listen| listen.address.set_port(port));
    node.rtp.addresses.retain(|rtp| ipv6 || rtp.bind.is_ipv4());
    let first = RTP_BLOCK_FIRST + port / 2 % RTP_BLOCKS * RTP_BLOCK_PORTS;
    let from_here = MediaFrom::Networks(vec![IpNet::V4(Ipv4Net::default()), IpNet::V6(Ipv6Net::default())]);
    deployment.operators.iter_mut().for_each(|operator| operator.media_from = from_here.clone());
    deployment.trunks.iter_mut().for_each(|trunk| trunk.media_from = from_here.clone());
    node.rtp.ports = first..=first + RTP_BLOCK_PORTS - 1;
    Ok(deployment)
}

#[cfg(test)]
mod tests;
