//! What a message must satisfy before anything above this layer sees it (RFC 3261 §8.2 and §16.3 step 1, RFC 4475).
//!
//! Only what every element must be able to read is judged here. Whether a method, an extension or a body type is
//! supported depends on who asks, and is not known here.

use bytes::Bytes;

use super::message::{CSeq, Core, Head, Message, Request, Response};
use super::parse::{Draft, Length, StartLine};
use super::syntax::{decimal, is_lws};
use super::{Fault, FaultyRequest, HeaderId, Malformed, Method, NameAddr, Refused, Uri, Via};

/// Turns a head and the octets after it into a message, or says what is wrong and how to answer.
pub(super) fn check(draft: Draft, after_head: Bytes, length: Length) -> Result<Message, Refused> {
    let Draft { start, mut head, fault } = draft;
    let body = take_body(&head, after_head, length);
    let fault = fault.map_or(Ok(()), Err);
    match start {
        StartLine::Neither => Err(Refused { fault: Fault::NotSip, request: None }),
        StartLine::Response(status_line) => {
            let checked = fault.and_then(|()| {
                let (status, reason) = status_line.ok_or(Fault::StartLine)?;
                let core = core(&head)?;
                Ok((status, reason, core, body?))
            });
            // RFC 3261 §18.1.2: a response that cannot be read is discarded.
            let (status, reason, core, body) = checked.map_err(|fault| Refused { fault, request: None })?;
            head.body = body;
            Ok(Message::Response(Response { head, core, status, reason }))
        }
        StartLine::Request { method, uri } => {
            let method = Method::from_token(method);
            match fault.and_then(|()| request(&head, &method, uri)).and_then(|parts| Ok((parts, body?))) {
                Ok(((uri, core, max_forwards), body)) => {
                    head.body = body;
                    Ok(Message::Request(Request { head, core, method, uri, max_forwards }))
                }
                Err(fault) => Err(refuse(fault, head, method)),
            }
        }
    }
}

/// Content-Length, if there is one. Two of them, even alike, are a fault: an element that takes the other one would
/// see the next message begin elsewhere.
pub(super) fn content_length(head: &Head) -> Result<Option<usize>, Fault> {
    let Some(value) = single(head, HeaderId::ContentLength)? else { return Ok(None) };
    let length = decimal(&value).and_then(|length| usize::try_from(length).ok());
    length.map(Some).ok_or(Fault::Malformed(HeaderId::ContentLength))
}

fn take_body(head: &Head, after_head: Bytes, length: Length) -> Result<Bytes, Fault> {
    match (content_length(head)?, length) {
        // RFC 3261 §18.3: too short a datagram is refused, octets beyond the length are discarded.
        (Some(octets), _) if octets > after_head.len() => Err(Fault::BodyTruncated),
        (Some(octets), _) => Ok(after_head.slice(..octets)),
        (None, Length::Datagram) => Ok(after_head),
        // RFC 3261 §20.14: over a stream the header must be used.
        (None, Length::Stream) => Err(Fault::Missing(HeaderId::ContentLength)),
    }
}

fn request(head: &Head, method: &Method, uri: Bytes) -> Result<(Uri, Core, Option<u8>), Fault> {
    let uri = Uri::parse(uri).map_err(|_| Fault::RequestUri)?;
    // RFC 3261 §19.1.1: headers must not stand in a Request-URI (RFC 4475 §3.1.2.11).
    if uri.has_headers() {
        return Err(Fault::RequestUri);
    }
    let core = core(head)?;
    // RFC 3261 §8.1.1.5: the method must match that of the request.
    if core.cseq.method != *method {
        return Err(Fault::MethodMismatch);
    }
    let max_forwards = single(head, HeaderId::MaxForwards)?
        .map(|value| decimal(&value).and_then(|hops| u8::try_from(hops).ok()))
        .map(|hops| hops.ok_or(Fault::Malformed(HeaderId::MaxForwards)))
        .transpose()?;
    // These decide where the dialog's next requests go: a peer that cannot write them must hear so now.
    if !head.has_contact_star() {
        addresses(head, HeaderId::Contact)?;
    }
    for id in [HeaderId::Route, HeaderId::RecordRoute, HeaderId::Path] {
        addresses(head, id)?;
    }
    Ok((uri, core, max_forwards))
}

/// Reads a list of addresses through without keeping it.
fn addresses(head: &Head, id: HeaderId) -> Result<(), Fault> {
    head.addresses(id).try_for_each(|address| address.map(drop)).map_err(|Malformed| Fault::Malformed(id))
}

fn core(head: &Head) -> Result<Core, Fault> {
    no_repeats(head)?;
    let via = vias(head)?;
    let address = |id| {
        let value = single(head, id)?.ok_or(Fault::Missing(id))?;
        NameAddr::parse(value).map_err(|Malformed| Fault::Malformed(id))
    };
    let from = address(HeaderId::From)?;
    let to = address(HeaderId::To)?;
    let call_id = single(head, HeaderId::CallId)?.ok_or(Fault::Missing(HeaderId::CallId))?;
    if call_id.is_empty() || call_id.iter().any(|&octet| is_lws(octet) || octet.is_ascii_control()) {
        return Err(Fault::Malformed(HeaderId::CallId));
    }
    let cseq = single(head, HeaderId::CSeq)?.ok_or(Fault::Missing(HeaderId::CSeq))?;
    let cseq = CSeq::parse(cseq).map_err(|Malformed| Fault::Malformed(HeaderId::CSeq))?;
    Ok(Core { via, from, to, call_id, cseq })
}

/// The topmost Via; every other one must be well-formed too, since all are echoed.
fn vias(head: &Head) -> Result<Via, Fault> {
    let malformed = |Malformed| Fault::Malformed(HeaderId::Via);
    let mut vias = head.vias();
    let top = vias.next().ok_or(Fault::Missing(HeaderId::Via))?.map_err(malformed)?;
    for via in vias {
        via.map_err(malformed)?;
    }
    // RFC 4475 §3.2.1: the cookie alone names no transaction, and every such request would be taken for the same.
    if top.params().value("branch").is_some_and(|branch| branch.eq_ignore_ascii_case(super::MAGIC_COOKIE)) {
        return Err(Fault::Malformed(HeaderId::Via));
    }
    Ok(top)
}

fn no_repeats(head: &Head) -> Result<(), Fault> {
    let mut seen = 0_u128;
    for field in head.fields().filter(|field| field.id.is_single()) {
        let bit = 1_u128 << field.id as u8;
        if seen & bit != 0 {
            return Err(Fault::Repeated(field.id));
        }
        seen |= bit;
    }
    Ok(())
}

/// The value of a header that may occur once.
fn single(head: &Head, id: HeaderId) -> Result<Option<Bytes>, Fault> {
    let mut values = head.all(id);
    let first = values.next();
    if values.next().is_some() {
        return Err(Fault::Repeated(id));
    }
    Ok(first.map(|value| head.raw.slice_ref(value)))
}

fn refuse(fault: Fault, head: Head, method: Method) -> Refused {
    // RFC 3261 §17.1.1.3: an ACK is never answered. Without a Via there is nobody to answer.
    if method == Method::Ack || !head.has(HeaderId::Via) {
        return Refused { fault, request: None };
    }
    let via = head.vias().next().and_then(Result::ok);
    Refused { fault, request: Some(Box::new(FaultyRequest { head, method, via })) }
}

const _: () = assert!(HeaderId::KNOWN.len() < 128, "`no_repeats` keeps a bit for each header");
