//! Where the next request of a dialog goes.
//!
//! Knows: route sets, targets, the flow that a peer uses, who registered anew. Must never know: what the request is.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::Endpoint;
use super::leg::Dialog;
use super::streams::Flow;
use super::transmit::{DEFAULT_PORT, Hop};
use crate::door::Transport;
use crate::wire::{Host, NameAddr, eq_ignore_case};

impl Endpoint {
    /// Where the next request of a dialog goes: the stream that the peer uses, the first route, or the target.
    pub(super) fn hop_for(&mut self, now: Duration, dialog: &Dialog) -> Option<Hop> {
        let flow = dialog.flow;
        let route = dialog.routes.first().and_then(|route| NameAddr::parse(route.clone()).ok());
        let next = route.as_ref().map_or(&dialog.target, NameAddr::uri).clone();
        let alive = matches!(flow, Flow::Stream { stream, .. } if self.streams.contains(stream));
        if route.is_none() && !alive {
            // A phone that registered anew, over another stream or from another port, is there now.
            if let Some(binding) = self.bindings.of_contact(&next) {
                return Some(Hop::Flow(binding.flow));
            }
        }
        if route.is_none() && dialog.keeps_flow && flow.transport() == Transport::Udp {
            return Some(Hop::Flow(flow));
        }
        let told = next.param("transport").and_then(|param| param.value);
        let transport = match told {
            Some(value) if eq_ignore_case(value, b"tcp") => Transport::Tcp,
            Some(value) if eq_ignore_case(value, b"udp") => Transport::Udp,
            _ => flow.transport(),
        };
        let port = next.port().unwrap_or(DEFAULT_PORT);
        match next.host() {
            _ if alive && route.is_none() => Some(Hop::Flow(flow)),
            Some(Host::Ip(address)) if alive && address == flow.remote().ip() => Some(Hop::Flow(flow)),
            Some(Host::Ip(address)) if is_beyond_reach(address, flow.remote().ip()) => Some(Hop::Flow(flow)),
            Some(Host::Ip(address)) => {
                let remote = SocketAddr::new(address, port);
                match (transport, flow) {
                    // From the socket that the peer knows.
                    (Transport::Udp, Flow::Datagram { local, .. }) if local.is_ipv4() == remote.is_ipv4() => {
                        Some(Hop::Flow(Flow::Datagram { local, remote }))
                    }
                    _ => Some(Hop::Flow(self.flow_to(now, transport, remote).unwrap_or(flow))),
                }
            }
            Some(Host::Name(name)) => {
                let host = String::from_utf8_lossy(name).as_ref().into();
                Some(Hop::Name { host, port, transport })
            }
            None => Some(Hop::Flow(flow)),
        }
    }
}

/// Whether an address that a peer gives as its own cannot be reached from here, because it means something only
/// where the peer is: private, loopback or unspecified, while the peer itself is seen elsewhere.
fn is_beyond_reach(told: IpAddr, seen: IpAddr) -> bool {
    let scope = |address: IpAddr| match address.to_canonical() {
        IpAddr::V4(address) if address.is_unspecified() => 0,
        IpAddr::V4(address) if address.is_loopback() => 1,
        IpAddr::V4(address) if address.is_private() || address.is_link_local() => 2,
        IpAddr::V6(address) if address.is_unspecified() => 0,
        IpAddr::V6(address) if address.is_loopback() => 1,
        IpAddr::V6(address) if address.is_unique_local() || address.is_unicast_link_local() => 2,
        IpAddr::V4(_) | IpAddr::V6(_) => 3,
    };
    scope(told) == 0 || scope(told) < scope(seen)
}
