//! Tests of the wire layer, by subject.

use bytes::Bytes;

use super::{Fault, Message, Refused, Request, Response, read_datagram};

mod framing;
mod headers;
mod limits;
mod printing;
mod properties;
mod sdp;
mod torture;
mod uris;

/// Text with `\n` for line ends, as octets with CR LF.
fn octets(text: &str) -> Bytes {
    Bytes::from(text.replace('\n', "\r\n"))
}

fn read(text: &str) -> Result<Message, Refused> {
    read_datagram(octets(text))
}

fn request(text: &str) -> Request {
    match read(text) {
        Ok(Message::Request(request)) => request,
        other => panic!("not a request: {other:?}"),
    }
}

fn response(text: &str) -> Response {
    match read(text) {
        Ok(Message::Response(response)) => response,
        other => panic!("not a response: {other:?}"),
    }
}

fn fault(text: &str) -> Option<Fault> {
    read(text).err().map(|refused| refused.fault)
}

/// A request with the headers it must have, and `more` before the empty line.
fn options_with(more: &str) -> String {
    format!(
        "OPTIONS sip:bob@example.com SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\nMax-Forwards: 70\n\
         From: <sip:alice@example.com>;tag=a\nTo: <sip:bob@example.com>\nCall-ID: c1\nCSeq: 1 OPTIONS\n{more}\n"
    )
}

/// The INVITE of RFC 3261 §24.2.
const INVITE: &str = "INVITE sip:bob@biloxi.com SIP/2.0
Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKnashds8
Max-Forwards: 70
To: Bob <sip:bob@biloxi.com>
From: Alice <sip:alice@atlanta.com>;tag=1928301774
Call-ID: a84b4c76e66710
CSeq: 314159 INVITE
Contact: <sip:alice@pc33.atlanta.com>
Content-Type: application/sdp
Content-Length: 5

v=0
";
