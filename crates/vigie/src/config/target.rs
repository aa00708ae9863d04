//! Where a peer is reached, and where its media may come from: the few network words that trunks and phones share.
//! Must never know: DNS, sockets.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;
use serde::Deserialize;
use serde::de::{SeqAccess, Visitor};
use toml::Spanned;

use super::reader::{Reader, quoted};

/// How SIP travels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
}

pub(super) const TRANSPORTS: &[(&str, Transport)] = &[("udp", Transport::Udp), ("tcp", Transport::Tcp)];

/// A next hop.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// Host name or address, without brackets.
    pub host: String,
    /// Port, where one is written.
    pub port: Option<u16>,
    /// UDP or TCP.
    pub transport: Transport,
}

impl Target {
    pub(super) fn parse(text: &str, transport: Transport) -> Option<Self> {
        if text.parse::<Ipv6Addr>().is_ok() {
            return Some(Self { host: text.to_owned(), port: None, transport });
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !host.ends_with(':') => (host, Some(port.parse().ok().filter(|p| *p > 0)?)),
            _ => (text, None),
        };
        let host = match host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
            Some(inner) => inner.parse::<Ipv6Addr>().is_ok().then_some(inner)?,
            None => is_host_name(host).then_some(host)?,
        };
        Some(Self { host: host.to_owned(), port, transport })
    }

    /// The address, where the host is one and not a name.
    pub fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

/// RFC 1123 §2.1: letters, digits and hyphens between dots. An address such as `300.1.2.3` is no host name either.
pub(super) fn is_host_name(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let looks_like_address = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    text.len() <= 253
        && text.split('.').all(label)
        && (!looks_like_address || text.parse::<std::net::Ipv4Addr>().is_ok())
}

/// From where a peer's media is believed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MediaFrom {
    /// The address in its session description only.
    Signalled,
    /// The address that its registration came from (a phone behind NAT).
    Registration,
    /// Any address in these networks (a carrier's media farm, a VPN).
    Networks(Vec<IpNet>),
}

/// `"signalled"`, `"registration"` or a list of networks.
#[derive(Clone, Debug)]
pub(super) enum RawMediaFrom {
    Word(String),
    Networks(Vec<Spanned<String>>),
}

impl<'de> Deserialize<'de> for RawMediaFrom {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = RawMediaFrom;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"signalled\", \"registration\" or a list of networks")
            }

            fn visit_str<E>(self, text: &str) -> Result<RawMediaFrom, E> {
                Ok(RawMediaFrom::Word(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<RawMediaFrom, A::Error> {
                let mut networks = Vec::new();
                while let Some(network) = elements.next_element()? {
                    networks.push(network);
                }
                Ok(RawMediaFrom::Networks(networks))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl MediaFrom {
    /// Reads the field; `registers` tells whether the peer has a registration to go by.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        raw: &Option<Spanned<RawMediaFrom>>,
        registers: bool,
    ) -> MediaFrom {
        let default = if registers { MediaFrom::Registration } else { MediaFrom::Signalled };
        let Some(raw) = raw else { return default };
        match raw.get_ref() {
            RawMediaFrom::Networks(networks) if networks.is_empty() => {
                reader.error(
                    &raw.span(),
                    "an empty list",
                    "at least one network; no media would ever be believed",
                );
                default
            }
            RawMediaFrom::Networks(networks) => {
                MediaFrom::Networks(networks.iter().filter_map(|network| reader.network(network)).collect())
            }
            RawMediaFrom::Word(word) if word == "signalled" => MediaFrom::Signalled,
            RawMediaFrom::Word(word) if word == "registration" && registers => MediaFrom::Registration,
            RawMediaFrom::Word(word) if word == "registration" => {
                let expected = "\"signalled\" or a list of networks; this peer does not register";
                reader.error(&raw.span(), quoted(word), expected);
                default
            }
            RawMediaFrom::Word(word) => {
                let expected =
                    "\"signalled\", \"registration\" or a list of networks such as [\"192.0.2.0/24\"]";
                reader.error(&raw.span(), quoted(word), expected);
                default
            }
        }
    }
}

#[cfg(test)]
mod tests;
