//! Via (RFC 3261 §20.42) with `received` and `rport` (RFC 3581).

use std::net::IpAddr;

use bytes::Bytes;

use super::syntax::{eq_ignore_case, is_lws, is_token_octet, skip_lws, skip_while, trim_bytes};
use super::uri::{host_end, port_of};
use super::{Host, Malformed, Params};

/// What a branch of an RFC 3261 element begins with (§8.1.1.7).
pub const MAGIC_COOKIE: &[u8] = b"z9hG4bK";

/// One Via element.
#[derive(Clone)]
pub struct Via {
    raw: Bytes,
    transport: Transport,
    host: Bytes,
    port: Option<u16>,
    params: Params,
}

/// The transport a Via names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
    /// WebSocket (RFC 7118).
    Ws,
    /// Secure WebSocket (RFC 7118).
    Wss,
    /// Any other; such a Via can be echoed but not sent to.
    Other,
}

impl Transport {
    /// The name as a Via prints it. `Other` is never printed by us and reads as UDP.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Udp | Self::Other => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Ws => "WS",
            Self::Wss => "WSS",
        }
    }

    /// Whether messages are framed by Content-Length on it.
    pub const fn is_stream(self) -> bool {
        matches!(self, Self::Tcp | Self::Tls)
    }

    /// Whether the transport delivers or breaks: no retransmissions on it (RFC 3261 §17).
    pub const fn is_reliable(self) -> bool {
        matches!(self, Self::Tcp | Self::Tls | Self::Ws | Self::Wss)
    }

    /// Reads the name in any letter case.
    pub fn from_name(name: &[u8]) -> Self {
        [Self::Udp, Self::Tcp, Self::Tls, Self::Ws, Self::Wss]
            .into_iter()
            .find(|transport| eq_ignore_case(name, transport.name().as_bytes()))
            .unwrap_or(Self::Other)
    }
}

impl Via {
    /// Reads one element that is the whole of `raw`, whitespace at the ends aside.
    pub fn parse(raw: Bytes) -> Result<Self, Malformed> {
        let raw = trim_bytes(&raw);
        // RFC 3261 §25.1: SLASH is *WS "/" *WS, and so for the colon before the port.
        let (protocol, at) = token_at(&raw, 0)?;
        let at = punctuation_at(&raw, at, b'/').ok_or(Malformed)?;
        let (version, at) = token_at(&raw, at)?;
        let at = punctuation_at(&raw, at, b'/').ok_or(Malformed)?;
        let (transport, at) = token_at(&raw, at)?;
        if !eq_ignore_case(protocol, b"SIP") || version != b"2.0" || !raw.get(at).copied().is_some_and(is_lws)
        {
            return Err(Malformed);
        }
        let transport = Transport::from_name(transport);
        let host_start = skip_lws(&raw, at);
        let host_end = host_end(&raw, host_start).ok_or(Malformed)?;
        let host = raw.slice(host_start..host_end);
        let (port, at) = match punctuation_at(&raw, host_end, b':') {
            Some(start) => {
                let end = skip_while(&raw, start, |octet| octet.is_ascii_digit());
                (Some(port_of(&raw[start..end]).ok_or(Malformed)?), end)
            }
            None => (None, host_end),
        };
        let params = Params::parse(raw.slice(at..))?;
        Ok(Self { transport, host, port, params, raw })
    }

    /// The transport.
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// The host of `sent-by`.
    pub fn host(&self) -> Host<'_> {
        Host::of_checked(&self.host)
    }

    /// The host of `sent-by` as it stands: part of a transaction's key (RFC 3261 §17.2.3).
    pub fn host_text(&self) -> &Bytes {
        &self.host
    }

    /// The port of `sent-by`, if one is written.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// The `branch` parameter.
    pub fn branch(&self) -> Option<Bytes> {
        self.params.value_bytes("branch")
    }

    /// Whether the branch begins with the magic cookie and goes on (RFC 3261 §17.2.3).
    pub fn has_rfc3261_branch(&self) -> bool {
        self.params.value("branch").is_some_and(|branch| {
            // RFC 3261 §8.1.1.7: compared as a token, that is without regard to letter case.
            branch.len() > MAGIC_COOKIE.len() && eq_ignore_case(&branch[..MAGIC_COOKIE.len()], MAGIC_COOKIE)
        })
    }

    /// The `received` parameter; an IPv6 address with or without brackets (RFC 5118 §4.5).
    pub fn received(&self) -> Option<IpAddr> {
        let text = std::str::from_utf8(self.params.value("received")?).ok()?;
        text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(text).parse().ok()
    }

    /// Whether an `rport` parameter asks for replies to the source port (RFC 3581 §4).
    pub fn wants_rport(&self) -> bool {
        self.params.first("rport").is_some_and(|param| param.value.is_none())
    }

    /// The value of the `rport` parameter.
    pub fn rport(&self) -> Option<u16> {
        self.params.value("rport").and_then(port_of)
    }

    /// The `maddr` parameter as it stands.
    pub fn maddr(&self) -> Option<&[u8]> {
        self.params.value("maddr")
    }

    /// The element as it stands.
    pub fn as_bytes(&self) -> &[u8] {
        &self.raw
    }
}

/// The token that begins at `at`, whitespace aside, and the position after it.
fn token_at(text: &[u8], at: usize) -> Result<(&[u8], usize), Malformed> {
    let start = skip_lws(text, at);
    let end = skip_while(text, start, is_token_octet);
    if start == end { Err(Malformed) } else { Ok((&text[start..end], end)) }
}

/// The position after `mark` and the whitespace around it, if `mark` is what comes next.
fn punctuation_at(text: &[u8], at: usize, mark: u8) -> Option<usize> {
    let at = skip_lws(text, at);
    (text.get(at) == Some(&mark)).then(|| skip_lws(text, at + 1))
}

impl std::fmt::Debug for Via {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Via({:?}, {} octets)", self.transport, self.raw.len())
    }
}
