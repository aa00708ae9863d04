//! Addresses: URIs, name-addrs and Via values, and the wrapper that keeps numbers out of `Debug`.
//!
//! It knows how to take an address apart and to find the IP literal in it. It must never resolve a
//! name: a phone that is told a host name sends to its configured server.

use crate::text::split_outside;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

#[cfg(test)]
mod tests;

/// Text that may hold a person's number: a URI or a display name. `Debug` masks its digits, so that it
/// cannot leak by way of a log or a failed assertion; [`Private::as_str`] is the only way to the text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Private(String);

impl Private {
    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: Into<String>> From<T> for Private {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A host's address is no number; without a host every digit counts as private.
        let (user, host) = match self.0.rfind('@') {
            Some(at) => self.0.split_at(at),
            None => (self.0.as_str(), ""),
        };
        let masked: String = user.chars().map(|c| if c.is_numeric() { '•' } else { c }).collect();
        write!(f, "{masked}{host}")
    }
}

/// A `From`, `To`, `Contact` or `Route` value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NameAddr {
    pub(crate) display: String,
    pub(crate) uri: String,
    pub(crate) tag: Option<String>,
}

impl NameAddr {
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let value = value.trim();
        let (display, uri, parameters) = match bracket(value) {
            Some(open) => {
                let close = open + value[open..].find('>')?;
                (unquote(value[..open].trim()), value[open + 1..close].to_owned(), &value[close + 1..])
            }
            // RFC 3261 §20.10: without brackets, parameters belong to the header.
            None => {
                let end = value.find(';').unwrap_or(value.len());
                (String::new(), value[..end].to_owned(), &value[end..])
            }
        };
        uri.contains(':').then(|| Self { display, uri, tag: parameter(parameters, "tag").map(str::to_owned) })
    }
}

/// The top Via of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Via {
    pub(crate) sent_by: String,
    pub(crate) branch: String,
    pub(crate) rport: bool,
}

impl Via {
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let (protocol, rest) = value.trim().split_once(char::is_whitespace)?;
        if !protocol.to_ascii_uppercase().starts_with("SIP/2.0/") {
            return None;
        }
        let (sent_by, parameters) = rest.find(';').map_or((rest, ""), |at| rest.split_at(at));
        let branch = parameter(parameters, "branch").unwrap_or_default().to_owned();
        Some(Self {
            sent_by: sent_by.trim().to_owned(),
            branch,
            rport: split_outside(parameters, ';').iter().any(|p| p.eq_ignore_ascii_case("rport")),
        })
    }

    /// RFC 3261 §18.2.2: the port to answer to when `rport` was not asked for.
    pub(crate) fn port(&self) -> u16 {
        host_port(&self.sent_by).1.unwrap_or(5060)
    }

    pub(crate) fn host(&self) -> &str {
        host_port(&self.sent_by).0
    }
}

/// The value of `;name=value`, or an empty string for `;name`.
pub(crate) fn parameter<'a>(parameters: &'a str, name: &str) -> Option<&'a str> {
    split_outside(parameters, ';').into_iter().find_map(|part| {
        let (have, value) = part.split_once('=').unwrap_or((part, ""));
        have.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"'))
    })
}

/// Where a URI points, when its host is an IP literal.
pub(crate) fn uri_socket(uri: &str) -> Option<SocketAddr> {
    let (scheme, rest) = uri.split_once(':')?;
    if !scheme.eq_ignore_ascii_case("sip") {
        return None;
    }
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let end = rest.find([';', '?']).unwrap_or(rest.len());
    let (host, port) = host_port(&rest[..end]);
    Some(SocketAddr::new(host_ip(host)?, port.unwrap_or(5060)))
}

/// A host as an IP address, with or without the brackets of IPv6.
pub(crate) fn host_ip(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// A display name as a quoted string.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars().filter(|c| !c.is_control()) {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

fn host_port(text: &str) -> (&str, Option<u16>) {
    let text = text.trim();
    let host_end = text.rfind(']').map_or(0, |at| at + 1);
    match text[host_end..].rfind(':') {
        Some(colon) => (&text[..host_end + colon], text[host_end + colon + 1..].trim().parse().ok()),
        None => (text, None),
    }
}

/// The opening bracket, skipping one inside a quoted display name.
fn bracket(value: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in value.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '<' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

fn unquote(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return text.to_owned();
    };
    let (mut plain, mut escaped) = (String::with_capacity(inner.len()), false);
    for c in inner.chars() {
        match c {
            '\\' if !escaped => escaped = true,
            c => {
                plain.push(c);
                escaped = false;
            }
        }
    }
    plain
}
