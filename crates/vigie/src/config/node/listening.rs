//! Where this machine listens, for SIP and for media, and what it tells its peers instead.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

use toml::Spanned;

use super::super::document::Span;
use super::super::reader::{Reader, quoted};
use super::super::target::{Transport, is_host_name};
use super::raw::{RawRtp, RawSip};

/// A caller's leg and an operator's, each with a port for RTP and one for RTCP.
const PORTS_A_CALL: usize = 4;

/// Where and as what SIP is spoken.
#[derive(Clone, Debug)]
pub struct Sip {
    /// The host part of our URIs and the realm of digest authentication.
    pub domain: String,
    /// Other domains that are ours.
    pub aliases: Vec<String>,
    /// The listening sockets; no address and port twice on one transport. Port 0: any free port.
    pub listen: Vec<Listen>,
}

/// One listening socket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Listen {
    /// UDP or TCP.
    pub transport: Transport,
    /// The address to bind.
    pub address: SocketAddr,
    /// What peers are told instead, behind a NAT or for a wildcard address. Never a wildcard.
    pub advertised: Option<IpAddr>,
}

/// Where media is received.
#[derive(Clone, Debug)]
pub struct Rtp {
    /// At most one address of each family.
    pub addresses: Vec<RtpAddress>,
    /// An even first port, an odd last one; free of SIP ports.
    pub ports: RangeInclusive<u16>,
}

/// One media address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RtpAddress {
    /// The address to bind.
    pub bind: IpAddr,
    /// The address in session descriptions; equals `bind` where there is no NAT. Never a wildcard.
    pub advertised: IpAddr,
}

pub(super) fn read_sip(reader: &mut Reader<'_>, sip: &RawSip, span: &Span) -> Sip {
    let mut domain_name = |value: &Spanned<String>| {
        if !is_host_name(value.get_ref()) && value.get_ref().parse::<IpAddr>().is_err() {
            reader.error(&value.span(), quoted(value.get_ref()), "a domain such as \"vigie.example.org\"");
        }
        value.get_ref().clone()
    };
    let domain = sip.domain.as_ref().map(&mut domain_name);
    let aliases = sip.aliases.iter().map(&mut domain_name).collect();
    if domain.is_none() {
        reader.missing(span, "domain", "the domain of this deployment, such as \"vigie.example.org\"");
    }
    let advertised = read_advertised(reader, &sip.advertised);
    let mut listen: Vec<Listen> = Vec::new();
    let udp = sip.listen_udp.iter().map(|value| (Transport::Udp, value));
    let tcp = sip.listen_tcp.iter().map(|value| (Transport::Tcp, value));
    for (transport, value) in udp.chain(tcp) {
        let Some(address) = reader.socket_address(value) else { continue };
        if let Some(other) =
            listen.iter().find(|other| other.transport == transport && overlap(other.address, address))
        {
            let found = format!("\"{address}\", which \"{}\" listens on already", other.address);
            reader.error(&value.span(), found, "each address and port once");
        }
        let public = advertised.iter().copied().find(|ip| ip.is_ipv4() == address.is_ipv4());
        if address.ip().is_unspecified() && public.is_none() {
            reader.error(
                &value.span(),
                format!("\"{address}\", from which peers can't tell where to answer"),
                "the address itself, or an address of that family in sip.advertised",
            );
        }
        listen.push(Listen { transport, address, advertised: public });
    }
    if sip.listen_udp.is_empty() && sip.listen_tcp.is_empty() {
        reader.missing(span, "listen_udp", "at least one address, such as [\"192.0.2.1:5060\"]");
    }
    Sip { domain: domain.unwrap_or_default(), aliases, listen }
}

/// Whether two sockets of one transport would claim the same packets. Port 0 is whatever is free.
fn overlap(a: SocketAddr, b: SocketAddr) -> bool {
    let same_ip = a.ip() == b.ip() || a.ip().is_unspecified() || b.ip().is_unspecified();
    a.port() != 0 && a.port() == b.port() && a.is_ipv4() == b.is_ipv4() && same_ip
}

/// What peers are told: at most one address of each family, none of them a wildcard.
fn read_advertised(reader: &mut Reader<'_>, values: &[Spanned<String>]) -> Vec<IpAddr> {
    let mut addresses: Vec<IpAddr> = Vec::new();
    for value in values {
        let Some(address) = reader.address(value) else { continue };
        if address.is_unspecified() {
            reader.error(&value.span(), quoted(value.get_ref()), "an address that peers can send to");
        }
        if addresses.iter().any(|other| other.is_ipv4() == address.is_ipv4()) {
            reader.error(
                &value.span(),
                format!("{} as another address of that family", quoted(value.get_ref())),
                "one IPv4 and one IPv6 address at most",
            );
        }
        addresses.push(address);
    }
    addresses
}

pub(super) fn read_rtp(
    reader: &mut Reader<'_>,
    rtp: &RawRtp,
    span: &Span,
    sip: &Sip,
    calls_max: usize,
) -> Rtp {
    let advertised = read_advertised(reader, &rtp.advertised);
    let mut addresses: Vec<RtpAddress> = Vec::new();
    match &rtp.addresses {
        Some(list) if !list.get_ref().is_empty() => {
            for value in list.get_ref() {
                let Some(bind) = reader.address(value) else { continue };
                if addresses.iter().any(|other| other.bind.is_ipv4() == bind.is_ipv4()) {
                    let found = format!("{} as another address of that family", quoted(value.get_ref()));
                    reader.error(&value.span(), found, "one IPv4 and one IPv6 address at most");
                }
                let public = advertised.iter().copied().find(|ip| ip.is_ipv4() == bind.is_ipv4());
                if bind.is_unspecified() && public.is_none() {
                    let found = format!("{}, to which no peer can send", quoted(value.get_ref()));
                    reader.error(
                        &value.span(),
                        found,
                        "the address itself, or one of that family in rtp.advertised",
                    );
                }
                addresses.push(RtpAddress { bind, advertised: public.unwrap_or(bind) });
            }
        }
        Some(list) => reader.error(&list.span(), "an empty list", "at least one address"),
        None => reader.missing(span, "addresses", "where media is received, such as [\"192.0.2.1\"]"),
    }
    let ports = read_ports(reader, rtp, span, sip, calls_max);
    Rtp { addresses, ports }
}

fn read_ports(
    reader: &mut Reader<'_>,
    rtp: &RawRtp,
    span: &Span,
    sip: &Sip,
    calls_max: usize,
) -> RangeInclusive<u16> {
    let port = |number: i64| u16::try_from(number).unwrap_or(u16::MAX);
    let first = port(reader.integer(&rtp.port_first, 20_000, 1_024..=65_534));
    let last = port(reader.integer(&rtp.port_last, 29_999, 1_025..=65_535));
    let first_span = rtp.port_first.as_ref().map_or_else(|| span.clone(), Spanned::span);
    let last_span = rtp.port_last.as_ref().map_or_else(|| span.clone(), Spanned::span);
    // RFC 3550 §11: RTP on an even port, RTCP on the odd one after it.
    if first % 2 == 1 {
        reader.error(&first_span, first.to_string(), "an even port: RTP takes the even one of each pair");
    }
    if last % 2 == 0 {
        reader.error(&last_span, last.to_string(), "an odd port: RTCP takes the odd one of each pair");
    }
    if last <= first {
        reader.error(&last_span, last.to_string(), format!("a port above port_first, which is {first}"));
        return first..=last;
    }
    let ports = usize::from(last - first) + 1;
    let needed = calls_max * PORTS_A_CALL;
    if ports < PORTS_A_CALL {
        reader.error(
            &last_span,
            format!("room for {ports} ports"),
            format!("at least {PORTS_A_CALL}: one call's"),
        );
    } else if ports < needed {
        let found = format!("{ports} ports, enough for {} calls", ports / PORTS_A_CALL);
        reader.warning(
            &last_span,
            found,
            format!("{needed} ports for the {calls_max} calls of admission.calls_max"),
        );
    }
    let taken: BTreeSet<u16> = sip.listen.iter().map(|listen| listen.address.port()).collect();
    for port in taken.into_iter().filter(|port| (first..=last).contains(port)) {
        reader.error(
            &first_span,
            format!("ports {first} to {last}, which hold SIP's {port}"),
            "ports free of SIP's",
        );
    }
    first..=last
}
