//! URIs: `sip:` and `sips:` in full, `tel:` as far as its number, any other scheme kept opaque.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytes::Bytes;

use super::Malformed;
use super::params::{PARAMS_MAX, Param};
use super::syntax::{decimal, eq_ignore_case, is_visible};

/// A URI, checked once, kept as the slice it came in. It has no whitespace, no control character and no `<`, `>` or
/// `"` in it, so it can be printed between angle brackets as it is.
#[derive(Clone)]
pub struct Uri {
    raw: Bytes,
    scheme: Scheme,
    /// Where the part after the scheme's colon begins.
    rest: u16,
    /// For `sip` and `sips`: the octet after the `@`, and 0 without one. The host begins there or at `rest`.
    after_at: u16,
    /// End of the user, at the password's colon or at the `@`.
    user_end: u16,
    /// End of the host (brackets included), of host and port, and of the parameters.
    host_end: u16,
    port_end: u16,
    params_end: u16,
    port: Option<u16>,
}

/// What kind of URI it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `sip:`
    Sip,
    /// `sips:`
    Sips,
    /// `tel:` (RFC 3966).
    Tel,
    /// Any other.
    Other,
}

/// The host of a `sip:` URI or of a Via.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Host<'a> {
    /// A domain name, as it stands.
    Name(&'a [u8]),
    /// An IPv4 address, or an IPv6 address out of its brackets.
    Ip(IpAddr),
}

impl Uri {
    /// Reads a URI that is the whole of `raw`.
    pub fn parse(raw: Bytes) -> Result<Self, Malformed> {
        if raw.len() > usize::from(u16::MAX) || !raw.iter().all(|&octet| is_uri_octet(octet)) {
            return Err(Malformed);
        }
        let colon = memchr::memchr(b':', &raw).ok_or(Malformed)?;
        let name = &raw[..colon];
        let is_scheme_octet =
            |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'-' | b'.');
        if !name.first().is_some_and(u8::is_ascii_alphabetic) || !name.iter().all(is_scheme_octet) {
            return Err(Malformed);
        }
        let scheme = match () {
            () if eq_ignore_case(name, b"sip") => Scheme::Sip,
            () if eq_ignore_case(name, b"sips") => Scheme::Sips,
            () if eq_ignore_case(name, b"tel") => Scheme::Tel,
            () => Scheme::Other,
        };
        let end = offset(raw.len());
        let rest = offset(colon + 1);
        let mut uri = Self {
            scheme,
            rest,
            after_at: 0,
            user_end: rest,
            host_end: end,
            port_end: end,
            params_end: end,
            port: None,
            raw,
        };
        match scheme {
            Scheme::Sip | Scheme::Sips => uri.read_sip()?,
            Scheme::Tel => uri.read_tel()?,
            Scheme::Other if uri.raw.len() == colon + 1 => return Err(Malformed),
            Scheme::Other => {}
        }
        Ok(uri)
    }

    /// Like [`parse`](Self::parse), from text that outlives no buffer.
    pub fn parse_text(text: &str) -> Result<Self, Malformed> {
        Self::parse(Bytes::copy_from_slice(text.as_bytes()))
    }

    /// The kind of URI.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Whether it is `sip:` or `sips:`.
    pub fn is_sip(&self) -> bool {
        matches!(self.scheme, Scheme::Sip | Scheme::Sips)
    }

    /// The user part as it stands, escapes included and the password left out.
    pub fn user(&self) -> Option<&[u8]> {
        (self.after_at != 0).then(|| &self.raw[usize::from(self.rest)..usize::from(self.user_end)])
    }

    /// The user part with its escapes resolved. It is data: never to be parsed as a URI again (RFC 4475 §3.1.1.3).
    pub fn user_unescaped(&self) -> Option<Cow<'_, [u8]>> {
        self.user().map(unescape)
    }

    /// The number of a `tel:` URI as it stands, visual separators included.
    pub fn tel_number(&self) -> Option<&[u8]> {
        (self.scheme == Scheme::Tel).then(|| &self.raw[usize::from(self.rest)..usize::from(self.port_end)])
    }

    /// The host of a `sip:` or `sips:` URI.
    pub fn host(&self) -> Option<Host<'_>> {
        self.is_sip().then(|| Host::of_checked(self.host_text()))
    }

    /// The port, if one is written.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The URI's own parameters, in their order, with names and values as they stand.
    pub fn params(&self) -> impl Iterator<Item = Param<'_>> {
        split_params(&self.raw[usize::from(self.port_end)..usize::from(self.params_end)], b';')
    }

    /// The URI parameter of that name.
    pub fn param(&self, name: &str) -> Option<Param<'_>> {
        self.params().find(|param| escaped_eq_ignore_case(param.name, name.as_bytes()))
    }

    /// Whether it has the `lr` parameter: a loose router (RFC 3261 §19.1.1).
    pub fn is_loose_router(&self) -> bool {
        self.param("lr").is_some()
    }

    /// The headers after `?`, in their order, escapes included.
    pub fn headers(&self) -> impl Iterator<Item = Param<'_>> {
        let headers = &self.raw[usize::from(self.params_end)..];
        split_params(headers, b'&')
    }

    /// Whether it has headers after `?`.
    pub fn has_headers(&self) -> bool {
        self.is_sip() && usize::from(self.params_end) < self.raw.len()
    }

    /// The URI without its headers: what may stand as a Request-URI (RFC 3261 §19.1.1, table 1).
    pub fn without_headers(&self) -> Self {
        let mut uri = self.clone();
        uri.raw.truncate(usize::from(self.params_end));
        uri
    }

    /// The octets.
    pub fn as_bytes(&self) -> &[u8] {
        &self.raw
    }

    /// A copy that no longer keeps the message's buffer alive: for what outlives the message by much.
    pub fn detached(&self) -> Self {
        Self { raw: Bytes::copy_from_slice(&self.raw), ..self.clone() }
    }

    /// Whether the two URIs are equivalent (RFC 3261 §19.1.4; for `tel:` RFC 3966 §4; octet by octet for others).
    pub fn is_equivalent(&self, other: &Self) -> bool {
        super::uri_equality::equivalent(self, other)
    }

    pub(super) fn host_text(&self) -> &[u8] {
        let start = if self.after_at == 0 { self.rest } else { self.after_at };
        &self.raw[usize::from(start)..usize::from(self.host_end)]
    }

    /// User and password as they stand.
    pub(super) fn user_info(&self) -> Option<&[u8]> {
        (self.after_at != 0).then(|| &self.raw[usize::from(self.rest)..usize::from(self.after_at) - 1])
    }
}

impl Uri {
    fn read_sip(&mut self) -> Result<(), Malformed> {
        let text = &self.raw[..];
        let rest = usize::from(self.rest);
        let mut host_start = rest;
        // An `@` may stand nowhere else unescaped, so it divides the URI before `;` and `?` do: both may stand in
        // the user part (RFC 4475 §3.1.1.9).
        if let Some(at) = memchr::memchr(b'@', &text[rest..]).map(|at| at + rest) {
            let user_end = memchr::memchr(b':', &text[rest..at]).map_or(at, |colon| colon + rest);
            let password = &text[(user_end + 1).min(at)..at];
            if user_end == rest
                || !escaped_all(&text[rest..user_end], is_user_octet)
                || !escaped_all(password, is_password_octet)
            {
                return Err(Malformed);
            }
            host_start = at + 1;
            self.user_end = offset(user_end);
            self.after_at = offset(host_start);
        }
        let host_end = host_end(text, host_start).ok_or(Malformed)?;
        let mut at = host_end;
        if text.get(at) == Some(&b':') {
            let port_end = text[at + 1..].iter().take_while(|octet| octet.is_ascii_digit()).count() + at + 1;
            self.port = Some(port_of(&text[at + 1..port_end]).ok_or(Malformed)?);
            at = port_end;
        }
        self.host_end = offset(host_end);
        self.port_end = offset(at);
        let params_end = memchr::memchr(b'?', &text[at..]).map_or(text.len(), |mark| mark + at);
        self.params_end = offset(params_end);
        check_params(&text[at..params_end])?;
        match text.get(params_end + 1..) {
            None => Ok(()),
            Some(headers) => check_headers(headers),
        }
    }

    fn read_tel(&mut self) -> Result<(), Malformed> {
        let rest = usize::from(self.rest);
        let number_end =
            memchr::memchr(b';', &self.raw[rest..]).map_or(self.raw.len(), |semicolon| semicolon + rest);
        let number = &self.raw[rest..number_end];
        // RFC 3966 §3: digits (hexadecimal ones, `*` and `#` in a local number) with visual separators.
        let is_number_octet = |octet: &u8| {
            octet.is_ascii_hexdigit() || matches!(octet, b'*' | b'#' | b'-' | b'.' | b'(' | b')')
        };
        let digits = number.strip_prefix(b"+").unwrap_or(number);
        if !digits.iter().any(|&octet| octet.is_ascii_hexdigit() || matches!(octet, b'*' | b'#'))
            || !digits.iter().all(is_number_octet)
        {
            return Err(Malformed);
        }
        self.port_end = offset(number_end);
        check_params(&self.raw[number_end..])
    }
}

impl<'a> Host<'a> {
    /// Reads a host: a name, an IPv4 address, or an IPv6 address in brackets.
    pub fn parse(text: &'a [u8]) -> Result<Self, Malformed> {
        if host_end(text, 0) == Some(text.len()) { Ok(Self::of_checked(text)) } else { Err(Malformed) }
    }

    /// The address, if the host is one.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Ip(address) => Some(*address),
            Self::Name(_) => None,
        }
    }

    /// The domain name, if the host is one.
    pub fn name(&self) -> Option<&'a [u8]> {
        match self {
            Self::Name(name) => Some(name),
            Self::Ip(_) => None,
        }
    }

    /// Whether both name the same host: names without regard to letter case, addresses by value.
    pub fn is_same(&self, other: &Host<'_>) -> bool {
        match (self, other) {
            (Self::Name(left), Host::Name(right)) => eq_ignore_case(left, right),
            (Self::Ip(left), Host::Ip(right)) => left == right,
            _ => false,
        }
    }

    pub(super) fn of_checked(text: &'a [u8]) -> Self {
        let address = std::str::from_utf8(text).ok().and_then(|text| {
            match text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
                Some(inner) => inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
                None => text.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
            }
        });
        address.map_or(Self::Name(text), Self::Ip)
    }
}

/// Where the host that begins at `start` ends; `None` if there is none.
pub(super) fn host_end(text: &[u8], start: usize) -> Option<usize> {
    if text.get(start) == Some(&b'[') {
        let close = memchr::memchr(b']', &text[start..])? + start;
        let inner = std::str::from_utf8(&text[start + 1..close]).ok()?;
        return inner.parse::<Ipv6Addr>().ok().map(|_| close + 1);
    }
    let is_name_octet = |octet: &&u8| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'_');
    let length = text.get(start..)?.iter().take_while(is_name_octet).count();
    (length > 0).then_some(start + length)
}

/// A port in decimal, 0 to 65535.
pub(super) fn port_of(digits: &[u8]) -> Option<u16> {
    decimal(digits).and_then(|port| u16::try_from(port).ok())
}

/// The octet that `%HH` at the head of `text` stands for.
pub(super) fn escape_at(text: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = text else { return None };
    let digit = |octet: u8| char::from(octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(*high)? << 4 | digit(*low)?)
}

/// `text` with every `%HH` resolved.
fn unescape(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'%', text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let (octet, length) = escape_at(rest).map_or((rest[0], 1), |octet| (octet, 3));
        plain.push(octet);
        at += length;
    }
    Cow::Owned(plain)
}

/// Compares `text`, which may hold escapes, with `plain`, without regard to letter case.
pub(super) fn escaped_eq_ignore_case(text: &[u8], plain: &[u8]) -> bool {
    eq_ignore_case(&unescape(text), plain)
}

/// Whether every octet is one that `accepts`, or part of a well-formed escape.
fn escaped_all(text: &[u8], accepts: fn(u8) -> bool) -> bool {
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'%' if escape_at(&text[at..]).is_some() => at += 3,
            b'%' => return false,
            octet if accepts(octet) => at += 1,
            _ => return false,
        }
    }
    true
}

/// The parts of `text` between separators; the octet before the first one is skipped.
fn split_params(text: &[u8], separator: u8) -> impl Iterator<Item = Param<'_>> {
    text.get(1..).into_iter().flat_map(move |parts| parts.split(move |&octet| octet == separator)).map(
        |part| match memchr::memchr(b'=', part) {
            Some(equals) => Param { name: &part[..equals], value: Some(&part[equals + 1..]) },
            None => Param { name: part, value: None },
        },
    )
}

/// `text` is empty or begins with the semicolon before the first parameter.
fn check_params(text: &[u8]) -> Result<(), Malformed> {
    if !text.is_empty() && text[0] != b';' {
        return Err(Malformed);
    }
    let mut count = 0;
    for param in split_params(text, b';') {
        count += 1;
        let value_holds = match param.value {
            // RFC 3261 §25.1: pvalue is 1*paramchar.
            Some(value) => !value.is_empty() && escaped_all(value, is_param_octet),
            None => true,
        };
        if count > PARAMS_MAX
            || param.name.is_empty()
            || !escaped_all(param.name, is_param_octet)
            || !value_holds
        {
            return Err(Malformed);
        }
    }
    Ok(())
}

fn check_headers(text: &[u8]) -> Result<(), Malformed> {
    let mut count = 0;
    for part in text.split(|&octet| octet == b'&') {
        count += 1;
        // RFC 3261 §25.1: header = hname "=" hvalue, and only the value may be empty.
        let equals = memchr::memchr(b'=', part).ok_or(Malformed)?;
        let (name, value) = (&part[..equals], &part[equals + 1..]);
        if count > PARAMS_MAX
            || name.is_empty()
            || !escaped_all(name, is_header_octet)
            || !escaped_all(value, is_header_octet)
        {
            return Err(Malformed);
        }
    }
    Ok(())
}

const fn is_unreserved(octet: u8) -> bool {
    octet.is_ascii_alphanumeric()
        || matches!(octet, b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')')
}

fn is_user_octet(octet: u8) -> bool {
    // `#` must be escaped by the letter of RFC 3261 §25.1, but telephones dial feature codes with it as it is.
    is_unreserved(octet) || matches!(octet, b'&' | b'=' | b'+' | b'$' | b',' | b';' | b'?' | b'/' | b'#')
}

fn is_password_octet(octet: u8) -> bool {
    is_unreserved(octet) || matches!(octet, b'&' | b'=' | b'+' | b'$' | b',')
}

fn is_param_octet(octet: u8) -> bool {
    is_unreserved(octet) || matches!(octet, b'[' | b']' | b'/' | b':' | b'&' | b'+' | b'$')
}

fn is_header_octet(octet: u8) -> bool {
    is_unreserved(octet) || matches!(octet, b'[' | b']' | b'/' | b'?' | b':' | b'+' | b'$')
}

/// No URI of any scheme may hold these unescaped, and they would end it where it is printed.
const fn is_uri_octet(octet: u8) -> bool {
    is_visible(octet) && octet.is_ascii() && !matches!(octet, b'<' | b'>' | b'"')
}

/// An offset in a text that [`Uri::parse`] has found to be short enough.
fn offset(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}

impl std::fmt::Debug for Uri {
    // The user part is a caller's number.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Uri({:?}, {} octets)", self.scheme, self.raw.len())
    }
}

impl std::fmt::Debug for Host<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => write!(f, "Name({} octets)", name.len()),
            Self::Ip(IpAddr::V4(_)) => f.write_str("IPv4"),
            Self::Ip(IpAddr::V6(_)) => f.write_str("IPv6"),
        }
    }
}
