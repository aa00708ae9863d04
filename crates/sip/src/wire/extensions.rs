//! Typed headers of the extensions: RAck (RFC 3262), Session-Expires (4028), Replaces (3891), Reason (3326), and
//! Retry-After.

use std::borrow::Cow;

use bytes::Bytes;

use super::syntax::{
    decimal, decimal_saturating, eq_ignore_case, find_outside, is_lws, is_token, is_token_octet, skip_while,
    trim, trim_bytes, trimmed,
};
use super::{Malformed, Method, Params};

/// RAck (RFC 3262 §7.2): which reliable provisional response a PRACK acknowledges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RAck {
    /// The response's RSeq.
    pub rseq: u32,
    /// The CSeq number of the request it answered.
    pub cseq: u32,
    /// The method of the request it answered.
    pub method: Method,
}

/// Session-Expires (RFC 4028 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionExpires {
    /// The session interval in seconds; an overlong one reads as the largest.
    pub interval_s: u32,
    /// Who refreshes, if it is said.
    pub refresher: Option<Refresher>,
}

/// The side that refreshes a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresher {
    /// The one that sent the request.
    Uac,
    /// The one that answers it.
    Uas,
}

/// Replaces (RFC 3891 §6.1): the dialog that an INVITE takes the place of.
#[derive(Clone, PartialEq, Eq)]
pub struct Replaces {
    /// The dialog's Call-ID.
    pub call_id: Bytes,
    /// The tag that is local to whom this INVITE comes to.
    pub to_tag: Bytes,
    /// The tag of the other side.
    pub from_tag: Bytes,
    /// Only if the dialog is not confirmed yet.
    pub early_only: bool,
}

/// One value of a Reason header (RFC 3326).
#[derive(Clone)]
pub struct ReasonValue {
    protocol: Bytes,
    params: Params,
}

/// Retry-After (RFC 3261 §20.33).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryAfter {
    /// Seconds to wait.
    pub delay_s: u32,
}

impl RAck {
    /// Reads a header value.
    pub fn parse(raw: Bytes) -> Result<Self, Malformed> {
        let mut words = raw.split(|&octet| is_lws(octet)).filter(|word| !word.is_empty());
        let (Some(rseq), Some(cseq), Some(method), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(Malformed);
        };
        let number = |text| decimal(text).and_then(|number| u32::try_from(number).ok()).ok_or(Malformed);
        if !is_token(method) {
            return Err(Malformed);
        }
        Ok(Self {
            rseq: number(rseq)?,
            cseq: number(cseq)?,
            method: Method::from_token(raw.slice_ref(method)),
        })
    }
}

impl SessionExpires {
    /// Reads a header value.
    pub fn parse(raw: Bytes) -> Result<Self, Malformed> {
        let (value, params) = value_and_params(&raw)?;
        let interval_s = decimal_saturating(&value).ok_or(Malformed)?;
        let refresher = match params.value("refresher") {
            Some(side) if eq_ignore_case(side, b"uac") => Some(Refresher::Uac),
            Some(side) if eq_ignore_case(side, b"uas") => Some(Refresher::Uas),
            _ => None,
        };
        Ok(Self { interval_s, refresher })
    }
}

impl Replaces {
    /// Reads a header value.
    pub fn parse(raw: Bytes) -> Result<Self, Malformed> {
        let (call_id, params) = value_and_params(&raw)?;
        let tag = |name: &str| params.value_bytes(name).ok_or(Malformed);
        if call_id.is_empty() || call_id.iter().any(|&octet| is_lws(octet)) {
            return Err(Malformed);
        }
        Ok(Self {
            to_tag: tag("to-tag")?,
            from_tag: tag("from-tag")?,
            early_only: params.contains("early-only"),
            call_id,
        })
    }
}

impl ReasonValue {
    /// Reads one element of the header.
    pub fn parse(raw: Bytes) -> Result<Self, Malformed> {
        let (protocol, params) = value_and_params(&raw)?;
        if is_token(&protocol) { Ok(Self { protocol, params }) } else { Err(Malformed) }
    }

    /// `SIP`, `Q.850` or another, as it stands.
    pub fn protocol(&self) -> &[u8] {
        &self.protocol
    }

    /// The cause: a SIP status or a Q.850 cause, as the protocol says.
    pub fn cause(&self) -> Option<u16> {
        decimal(self.params.value("cause")?).and_then(|cause| u16::try_from(cause).ok())
    }

    /// The explanation. It is the peer's text.
    pub fn text(&self) -> Option<Cow<'_, [u8]>> {
        self.params.first("text")?.unquoted()
    }
}

impl RetryAfter {
    /// Reads a header value; the comment and the parameters are of no use here.
    pub fn parse(raw: &[u8]) -> Result<Self, Malformed> {
        let value = trim(raw);
        let end = skip_while(value, 0, |octet| octet.is_ascii_digit());
        if value.get(end).is_some_and(|&octet| is_token_octet(octet)) {
            return Err(Malformed);
        }
        decimal_saturating(&value[..end]).map(|delay_s| Self { delay_s }).ok_or(Malformed)
    }
}

/// Splits `value;name=value;…`.
pub(super) fn value_and_params(raw: &Bytes) -> Result<(Bytes, Params), Malformed> {
    let raw = trim_bytes(raw);
    let end = find_outside(&raw, 0, b';').unwrap_or(raw.len());
    Ok((raw.slice(trimmed(&raw, 0..end)), Params::parse(raw.slice(end..))?))
}

impl std::fmt::Debug for Replaces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Replaces(early only: {})", self.early_only)
    }
}

impl std::fmt::Debug for ReasonValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ReasonValue(cause: {:?})", self.cause())
    }
}
