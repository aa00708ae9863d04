//! Digest authentication, the client's side (RFC 2617, 7616, 8760): challenge in, answer out.
//!
//! It knows MD5 and SHA-256 with `qop=auth` or none. It must never keep a password longer than the
//! configuration does, nor decide whether to try again.

use crate::text::split_outside;
use md5::Md5;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

#[cfg(test)]
mod tests;

/// The hash a challenge asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Algorithm {
    Md5,
    Sha256,
}

impl Algorithm {
    fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    fn hex(self, text: &str) -> String {
        match self {
            Self::Md5 => hex(Md5::digest(text.as_bytes()).as_slice()),
            Self::Sha256 => hex(Sha256::digest(text.as_bytes()).as_slice()),
        }
    }
}

/// What a server asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    pub(crate) realm: String,
    pub(crate) nonce: String,
    pub(crate) opaque: Option<String>,
    pub(crate) algorithm: Algorithm,
    pub(crate) qop_auth: bool,
    pub(crate) stale: bool,
}

/// One answer's ingredients beside the challenge.
pub(crate) struct Answer<'a> {
    pub(crate) user: &'a str,
    pub(crate) password: &'a str,
    pub(crate) method: &'a str,
    pub(crate) uri: &'a str,
    pub(crate) nonce_count: u32,
    pub(crate) client_nonce: &'a str,
}

impl Challenge {
    /// A `WWW-Authenticate` or `Proxy-Authenticate` value; `None` when it isn't one we can answer.
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let (scheme, fields) = value.trim().split_once(char::is_whitespace)?;
        if !scheme.eq_ignore_ascii_case("Digest") {
            return None;
        }
        let mut challenge = Self {
            realm: String::new(),
            nonce: String::new(),
            opaque: None,
            // RFC 7616 §3.3: a missing algorithm is MD5.
            algorithm: Algorithm::Md5,
            qop_auth: false,
            stale: false,
        };
        for field in split_outside(fields, ',') {
            let (name, value) = field.split_once('=')?;
            let value = value.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "realm" => value.clone_into(&mut challenge.realm),
                "nonce" => value.clone_into(&mut challenge.nonce),
                "opaque" => challenge.opaque = Some(value.to_owned()),
                "stale" => challenge.stale = value.eq_ignore_ascii_case("true"),
                "qop" => challenge.qop_auth = value.split(',').any(|q| q.trim().eq_ignore_ascii_case("auth")),
                "algorithm" if value.eq_ignore_ascii_case("MD5") => challenge.algorithm = Algorithm::Md5,
                "algorithm" if value.eq_ignore_ascii_case("SHA-256") => {
                    challenge.algorithm = Algorithm::Sha256
                }
                "algorithm" => return None,
                _ => {}
            }
        }
        (!challenge.nonce.is_empty()).then_some(challenge)
    }

    /// The strongest answerable one of several.
    pub(crate) fn strongest<'a>(values: impl Iterator<Item = &'a str>) -> Option<Self> {
        values.filter_map(Self::parse).max_by_key(|challenge| challenge.algorithm)
    }

    /// The `Authorization` value.
    pub(crate) fn authorization(&self, answer: &Answer<'_>) -> String {
        let mut text = format!(
            "Digest username=\"{}\", realm=\"{}\", nonce=\"{}\", uri=\"{}\", response=\"{}\", algorithm={}",
            answer.user,
            self.realm,
            self.nonce,
            answer.uri,
            self.response(answer),
            self.algorithm.name()
        );
        if self.qop_auth {
            let _ =
                write!(text, ", qop=auth, nc={:08x}, cnonce=\"{}\"", answer.nonce_count, answer.client_nonce);
        }
        if let Some(opaque) = &self.opaque {
            let _ = write!(text, ", opaque=\"{opaque}\"");
        }
        text
    }

    /// RFC 7616 §3.4.1.
    pub(crate) fn response(&self, answer: &Answer<'_>) -> String {
        let hash = |text: &str| self.algorithm.hex(text);
        let identity = hash(&format!("{}:{}:{}", answer.user, self.realm, answer.password));
        let request = hash(&format!("{}:{}", answer.method, answer.uri));
        if self.qop_auth {
            let (count, client) = (answer.nonce_count, answer.client_nonce);
            hash(&format!("{identity}:{}:{count:08x}:{client}:auth:{request}", self.nonce))
        } else {
            // RFC 2617 §3.2.2.1: the older form, for servers that offer no qop.
            hash(&format!("{identity}:{}:{request}", self.nonce))
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
