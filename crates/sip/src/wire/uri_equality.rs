//! When two URIs are the same: RFC 3261 §19.1.4. It decides which binding a REGISTER touches.

use super::params::Param;
use super::syntax::eq_ignore_case;
use super::uri::{escape_at, escaped_eq_ignore_case};
use super::{Host, Scheme, Uri};

pub(super) fn equivalent(left: &Uri, right: &Uri) -> bool {
    match (left.scheme(), right.scheme()) {
        (Scheme::Sip, Scheme::Sip) | (Scheme::Sips, Scheme::Sips) => equivalent_sip(left, right),
        (Scheme::Tel, Scheme::Tel) => equivalent_tel(left, right),
        (Scheme::Other, Scheme::Other) => left.as_bytes() == right.as_bytes(),
        // RFC 3261 §19.1.4: a SIP and a SIPS URI are never equivalent.
        _ => false,
    }
}

fn equivalent_sip(left: &Uri, right: &Uri) -> bool {
    let users_match = match (left.user_info(), right.user_info()) {
        (Some(left), Some(right)) => escaped_eq(left, right, false),
        (None, None) => true,
        _ => false,
    };
    users_match
        && Host::of_checked(left.host_text()).is_same(&Host::of_checked(right.host_text()))
        // RFC 3261 §19.1.4: a URI without a port does not match one that names the default port.
        && left.port() == right.port()
        && params_match(left, right)
        && params_match(right, left)
        && headers_match(left, right)
        && headers_match(right, left)
}

/// Whether each of `left`'s parameters allows `right`.
fn params_match(left: &Uri, right: &Uri) -> bool {
    left.params().all(|param| match find(right.params(), param.name) {
        Some(other) => match (param.value, other.value) {
            (Some(value), Some(other)) => escaped_eq(value, other, true),
            (None, None) => true,
            _ => false,
        },
        // RFC 3261 §19.1.4: these in only one URI never match, even with a default value; others are ignored.
        None => !["user", "ttl", "method", "maddr", "transport"]
            .iter()
            .any(|name| escaped_eq_ignore_case(param.name, name.as_bytes())),
    })
}

/// RFC 3261 §19.1.4: header components are never ignored.
fn headers_match(left: &Uri, right: &Uri) -> bool {
    left.headers().all(|header| {
        find(right.headers(), header.name).is_some_and(|other| {
            escaped_eq(header.value.unwrap_or_default(), other.value.unwrap_or_default(), false)
        })
    })
}

fn find<'a>(mut params: impl Iterator<Item = Param<'a>>, name: &[u8]) -> Option<Param<'a>> {
    params.find(|param| escaped_eq(param.name, name, true))
}

/// RFC 3966 §4: visual separators count for nothing, parameters match in any order and letter case.
fn equivalent_tel(left: &Uri, right: &Uri) -> bool {
    let digits = |uri: &Uri| -> Vec<u8> {
        let number = uri.tel_number().unwrap_or_default();
        let is_separator = |octet: u8| matches!(octet, b'-' | b'.' | b'(' | b')');
        number.iter().filter(|&&octet| !is_separator(octet)).map(u8::to_ascii_lowercase).collect()
    };
    let params_match = |left: &Uri, right: &Uri| {
        left.params().all(|param| {
            find(right.params(), param.name).is_some_and(|other| {
                eq_ignore_case(param.value.unwrap_or_default(), other.value.unwrap_or_default())
            })
        })
    };
    digits(left) == digits(right) && params_match(left, right) && params_match(right, left)
}

/// Compares with escapes resolved, except those of reserved octets: `%40` in a user part is not an `@`, but `%41` is
/// an `A` (RFC 3261 §19.1.4).
fn escaped_eq(left: &[u8], right: &[u8], ignore_case: bool) -> bool {
    let fold = |unit: Unit| if ignore_case { unit.to_lower() } else { unit };
    Units(left).map(fold).eq(Units(right).map(fold))
}

#[derive(PartialEq)]
enum Unit {
    Plain(u8),
    Escaped(u8),
}

impl Unit {
    fn to_lower(&self) -> Self {
        match self {
            Self::Plain(octet) => Self::Plain(octet.to_ascii_lowercase()),
            Self::Escaped(octet) => Self::Escaped(*octet),
        }
    }
}

struct Units<'a>(&'a [u8]);

impl Iterator for Units<'_> {
    type Item = Unit;

    fn next(&mut self) -> Option<Unit> {
        let (&first, rest) = self.0.split_first()?;
        let Some(octet) = escape_at(self.0) else {
            self.0 = rest;
            return Some(Unit::Plain(first));
        };
        self.0 = &self.0[3..];
        let is_reserved =
            matches!(octet, b';' | b'/' | b'?' | b':' | b'@' | b'&' | b'=' | b'+' | b'$' | b',');
        Some(if is_reserved { Unit::Escaped(octet) } else { Unit::Plain(octet) })
    }
}
