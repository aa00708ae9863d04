//! The arithmetic of digest authentication, server side: RFC 7616, with RFC 8760's algorithms and RFC 2069's answer
//! without `qop` for old phones.
//!
//! Knows: credentials, and the parameters of an `Authorization` value. Must never know: who may do what.

use md5::Md5;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::nonce::push_hex;
use crate::door::{Algorithm, Credential};
use crate::wire::AuthParams;

/// Stand in for the secret of a user who does not exist. Their value does not matter: no answer is ever taken for
/// them.
const NOBODYS_SHA_256: &str = "0000000000000000000000000000000000000000000000000000000000000000";
const NOBODYS_MD5: &str = "00000000000000000000000000000000";

/// An `Authorization: Digest` value, taken apart.
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) struct Answer {
    pub(crate) username: String,
    pub(crate) realm: String,
    pub(crate) nonce: String,
    pub(crate) uri: String,
    pub(crate) response: String,
    pub(crate) algorithm: Option<String>,
    pub(crate) qop: Option<String>,
    pub(crate) cnonce: String,
    pub(crate) nc: String,
}

impl Answer {
    /// Reads credentials; none when they are of another scheme, or say no user or nonce, or say anything twice.
    pub(crate) fn read(params: &AuthParams) -> Option<Self> {
        let text =
            |name: &str| params.value(name).and_then(|value| String::from_utf8(value.into_owned()).ok());
        let ambiguous = ["username", "realm", "nonce", "uri", "response", "nc", "cnonce", "qop", "algorithm"]
            .iter()
            .any(|name| params.has_repeated(name));
        if !params.is_digest() || ambiguous {
            return None;
        }
        Some(Self {
            username: text("username")?,
            realm: text("realm")?,
            nonce: text("nonce")?,
            uri: text("uri")?,
            response: text("response")?.to_ascii_lowercase(),
            algorithm: text("algorithm"),
            qop: text("qop"),
            cnonce: text("cnonce").unwrap_or_default(),
            nc: text("nc").unwrap_or_default(),
        })
    }

    /// The algorithm that was used; none if we do not know it.
    pub(crate) fn algorithm(&self) -> Option<Algorithm> {
        match self.algorithm.as_deref() {
            None => Some(Algorithm::Md5),
            Some(name) if name.eq_ignore_ascii_case("md5") => Some(Algorithm::Md5),
            Some(name) if name.eq_ignore_ascii_case("sha-256") => Some(Algorithm::Sha256),
            Some(_) => None,
        }
    }

    /// The nonce count. An answer without `qop` has none: its nonce is good once.
    pub(crate) fn count(&self) -> Option<u32> {
        match self.qop {
            None => Some(1),
            Some(_) => u32::from_str_radix(&self.nc, 16).ok(),
        }
    }

    /// Whether this answer proves the credential. The work and the time are the same for a `credential` that is
    /// none: an unknown user cannot be told from a wrong password.
    pub(crate) fn proves(&self, realm: &str, method: &str, credential: Option<&Credential>) -> bool {
        let algorithm = self.algorithm().unwrap_or(Algorithm::Md5);
        let offered = credential.and_then(|credential| credential.ha1(algorithm));
        let secret = offered.unwrap_or(match algorithm {
            Algorithm::Sha256 => NOBODYS_SHA_256,
            Algorithm::Md5 => NOBODYS_MD5,
        });
        let request = hash(algorithm, &[method, self.uri.as_str()]);
        let expected = match self.qop.as_deref() {
            Some(qop) => hash(algorithm, &[secret, &self.nonce, &self.nc, &self.cnonce, qop, &request]),
            None => hash(algorithm, &[secret, &self.nonce, &request]),
        };
        let equal = bool::from(expected.as_bytes().ct_eq(self.response.as_bytes()));
        let protection = self.qop.as_deref().is_none_or(|qop| qop.eq_ignore_ascii_case("auth"));
        let known = offered.is_some() && self.algorithm().is_some();
        equal && known && protection && self.realm == realm
    }
}

/// HA1 (RFC 7616 §3.4.2), as hexadecimal digits.
pub(crate) fn ha1(algorithm: Algorithm, user: &str, realm: &str, password: &str) -> String {
    hash(algorithm, &[user, realm, password])
}

/// The name of an algorithm on the wire.
pub(crate) fn algorithm_name(algorithm: Algorithm) -> &'static [u8] {
    match algorithm {
        Algorithm::Sha256 => b"SHA-256",
        Algorithm::Md5 => b"MD5",
    }
}

/// The hash of the parts joined by colons, in hexadecimal digits.
fn hash(algorithm: Algorithm, parts: &[&str]) -> String {
    fn run<D: sha2::Digest>(parts: &[&str], text: &mut String) {
        let mut digest = D::new();
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                digest.update(b":");
            }
            digest.update(part.as_bytes());
        }
        push_hex(text, &digest.finalize());
    }
    let mut text = String::with_capacity(64);
    match algorithm {
        Algorithm::Sha256 => run::<Sha256>(parts, &mut text),
        Algorithm::Md5 => run::<Md5>(parts, &mut text),
    }
    text
}

#[cfg(test)]
pub(crate) mod tests;
