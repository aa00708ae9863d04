//! `name-addr` and `addr-spec`: From, To, Contact, Route, Record-Route, Path, P-Asserted-Identity and their kin.

use bytes::Bytes;

use super::syntax::{find_outside, is_lws, skip_lws, skip_quoted, trim_bytes, trimmed, unquote};
use super::{Malformed, Params, Uri};

/// A URI with an optional display name and header parameters.
#[derive(Clone)]
pub struct NameAddr {
    raw: Bytes,
    display: Bytes,
    uri: Uri,
    params: Params,
}

/// The Contact headers of a message.
#[derive(Clone, Debug)]
pub enum Contacts {
    /// `*`: every binding (RFC 3261 §10.2.2).
    All,
    /// The listed ones, in their order; empty without a Contact header.
    Listed(Vec<NameAddr>),
}

impl NameAddr {
    /// Reads one element that is the whole of `raw`, whitespace at the ends aside.
    pub fn parse(raw: Bytes) -> Result<Self, Malformed> {
        let raw = trim_bytes(&raw);
        let bracket = if raw.first() == Some(&b'"') {
            let after = skip_lws(&raw, skip_quoted(&raw, 0)?);
            if raw.get(after) != Some(&b'<') {
                return Err(Malformed);
            }
            Some(after)
        } else {
            memchr::memchr(b'<', &raw)
        };
        match bracket {
            Some(open) => Self::parse_bracketed(raw, open),
            None => Self::parse_bare(raw),
        }
    }

    fn parse_bracketed(raw: Bytes, open: usize) -> Result<Self, Malformed> {
        let display = raw.slice(trimmed(&raw, 0..open));
        if display.first() != Some(&b'"') && !display.iter().all(|&octet| is_display_octet(octet)) {
            return Err(Malformed);
        }
        let close = memchr::memchr(b'>', &raw[open..]).ok_or(Malformed)? + open;
        let uri = Uri::parse(raw.slice(open + 1..close))?;
        let params = Params::parse(raw.slice(close + 1..))?;
        Ok(Self { display, uri, params, raw })
    }

    fn parse_bare(raw: Bytes) -> Result<Self, Malformed> {
        // RFC 3261 §20: without angle brackets, what follows the first semicolon belongs to the header, and a URI
        // with a comma, a question mark or a semicolon must be in brackets (RFC 4475 §3.1.2.13).
        let uri_end = find_outside(&raw, 0, b';').unwrap_or(raw.len());
        let uri = Uri::parse(raw.slice(trimmed(&raw, 0..uri_end)))?;
        if memchr::memchr2(b'?', b',', uri.as_bytes()).is_some() {
            return Err(Malformed);
        }
        let params = Params::parse(raw.slice(uri_end..))?;
        Ok(Self { display: Bytes::new(), uri, params, raw })
    }

    /// The display name without quotes and escapes. It may be any text, a caller's number among them.
    pub fn display_name(&self) -> std::borrow::Cow<'_, [u8]> {
        unquote(&self.display)
    }

    /// The URI.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The header parameters, those of the URI left out.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// The `tag` parameter of a From or To.
    pub fn tag(&self) -> Option<Bytes> {
        self.params.value_bytes("tag")
    }

    /// The `expires` parameter of a Contact, in seconds. A malformed one counts as absent, an overlong one as the
    /// largest (RFC 3261 §20.10).
    pub fn expires_s(&self) -> Option<u32> {
        super::syntax::decimal_saturating(self.params.value("expires")?)
    }

    /// The `q` parameter of a Contact in thousandths, 0 to 1000 (RFC 3261 §20.10); 1000 without a well-formed one.
    pub fn q_thousandths(&self) -> u16 {
        self.params.value("q").and_then(q_thousandths).unwrap_or(1000)
    }

    /// The element as it stands: to be relayed with
    /// [`MessageBuilder::copied`](super::MessageBuilder::copied).
    pub fn as_bytes(&self) -> &[u8] {
        &self.raw
    }

    /// A copy that no longer keeps the message's buffer alive.
    pub fn detached(&self) -> Self {
        // What was parsed once parses again; `self` itself is right too, only larger.
        Self::parse(Bytes::copy_from_slice(&self.raw)).unwrap_or_else(|_| self.clone())
    }
}

impl Contacts {
    /// The listed contacts; none for `*`.
    pub fn listed(&self) -> &[NameAddr] {
        match self {
            Self::All => &[],
            Self::Listed(contacts) => contacts,
        }
    }
}

/// RFC 3261 §25.1: an unquoted display name is tokens and whitespace. UTF-8 and the odd punctuation mark are met
/// there and do no harm; a separator that would change how the header is read is refused (RFC 4475 §3.1.2.15).
const fn is_display_octet(octet: u8) -> bool {
    (octet > b' ' && octet != 0x7f || is_lws(octet))
        && !matches!(octet, b',' | b';' | b'"' | b'\\' | b'>' | b':')
}

/// `0.5` is 500; up to three decimals.
pub(super) fn q_thousandths(text: &[u8]) -> Option<u16> {
    let (whole, decimals) = match memchr::memchr(b'.', text) {
        Some(point) => (&text[..point], &text[point + 1..]),
        None => (text, &text[text.len()..]),
    };
    if decimals.len() > 3 || !decimals.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let thousandths = (0..3)
        .fold(0_u16, |sum, place| sum * 10 + u16::from(decimals.get(place).map_or(0, |octet| octet - b'0')));
    match whole {
        b"0" => Some(thousandths),
        b"1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

impl std::fmt::Debug for NameAddr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NameAddr({} octets)", self.raw.len())
    }
}
