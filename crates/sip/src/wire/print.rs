//! Messages to octets.
//!
//! Whatever text is handed in, a value cannot leave its line: no method here writes a CR, LF or NUL that was given
//! to it, but for the quoted NULs of a header that is echoed as the peer wrote it.

use std::net::SocketAddr;

use bytes::{BufMut, Bytes, BytesMut};

use super::params::Param;
use super::syntax::{Elements, eq_ignore_case, is_token, is_token_octet};
use super::{
    FaultyRequest, Head, HeaderField, HeaderId, MAGIC_COOKIE, Method, NameAddr, Request, Status, Transport,
    Uri, Via,
};

/// What a common message takes, so that the buffer seldom grows.
const MESSAGE_BYTES_USUAL: usize = 1024;

/// Writes one message, header by header, in the order of the calls. Content-Length comes of itself.
#[must_use]
pub struct MessageBuilder {
    out: BytesMut,
}

/// An address to print in From, To, Contact or Route: `"display" <uri>;params`.
#[derive(Clone, Copy)]
pub struct Address<'a> {
    /// The display name, without quotes.
    pub display: Option<&'a str>,
    /// The URI; it stands in angle brackets.
    pub uri: &'a Uri,
    /// Header parameters. A value that is no token is quoted.
    pub params: &'a [Param<'a>],
}

/// One parameter of a challenge or of credentials.
#[derive(Clone, Copy)]
pub enum AuthField<'a> {
    /// `name="value"`.
    Quoted(&'a str, &'a [u8]),
    /// `name=value`, where the value is a token or a number.
    Token(&'a str, &'a [u8]),
}

impl MessageBuilder {
    /// Begins a request. A Request-URI has no headers: those of `uri` are left out.
    pub fn request(method: &Method, uri: &Uri) -> Self {
        let mut builder = Self::empty();
        builder.put_token(method.as_bytes());
        builder.out.put_u8(b' ');
        builder.out.put_slice(uri.without_headers().as_bytes());
        builder.out.put_slice(b" SIP/2.0\r\n");
        builder
    }

    /// Begins the reply to a request that came from `source`: Via as RFC 3261 §18.2.1 and RFC 3581 §4 want it, From,
    /// To (with `to_tag` if the request's has none), Call-ID, CSeq. A 100 takes no tag.
    pub fn reply_to(request: &Request, source: SocketAddr, status: Status, to_tag: Option<&[u8]>) -> Self {
        let to_has_tag = request.to().params().contains("tag");
        let mut builder = Self::empty();
        builder.put_status_line(status, status.reason().as_bytes());
        builder.put_echoes(request.head(), Some(request.via()), source, to_tag.filter(|_| !to_has_tag));
        builder
    }

    /// Begins the reply to a request that was refused: the same headers, as far as they are there. The reason phrase
    /// says what is wrong.
    pub fn reply_to_faulty(
        request: &FaultyRequest,
        source: SocketAddr,
        fault: super::Fault,
        to_tag: Option<&[u8]>,
    ) -> Self {
        let lacks_tag =
            request.head.address(HeaderId::To).is_some_and(|to| to.is_ok_and(|to| to.tag().is_none()));
        let mut builder = Self::empty();
        builder.put_status_line(fault.status(), fault.to_string().as_bytes());
        builder.put_echoes(&request.head, request.via.as_ref(), source, to_tag.filter(|_| lacks_tag));
        builder
    }

    /// Begins a response with nothing but its status line.
    pub fn response(status: Status, reason: &str) -> Self {
        let mut builder = Self::empty();
        builder.put_status_line(status, reason.as_bytes());
        builder
    }

    /// Our own Via: `SIP/2.0/UDP sent_by;rport;branch=z9hG4bK…`. `branch` comes without the cookie.
    pub fn via(mut self, transport: Transport, sent_by: &str, branch: &[u8]) -> Self {
        self.put_name(HeaderId::Via);
        self.out.put_slice(b"SIP/2.0/");
        self.out.put_slice(transport.name().as_bytes());
        self.out.put_u8(b' ');
        self.put_text(sent_by.as_bytes());
        self.out.put_slice(b";rport;branch=");
        self.out.put_slice(MAGIC_COOKIE);
        self.put_token(branch);
        self.end_line()
    }

    /// An address header: From, To, Contact, Route, Record-Route, Refer-To, P-Asserted-Identity, …
    pub fn address(mut self, id: HeaderId, address: &Address<'_>) -> Self {
        self.put_name(id);
        if let Some(display) = address.display {
            self.put_quoted(display.as_bytes());
            self.out.put_u8(b' ');
        }
        self.out.put_u8(b'<');
        self.out.put_slice(address.uri.as_bytes());
        self.out.put_u8(b'>');
        for param in address.params {
            self.put_param(param);
        }
        self.end_line()
    }

    /// An address header that relays an address as it came.
    pub fn name_addr(self, id: HeaderId, address: &NameAddr) -> Self {
        self.copied(id, address.as_bytes())
    }

    /// `Contact: *` (RFC 3261 §10.2.2).
    pub fn contact_all(self) -> Self {
        self.header(HeaderId::Contact, b"*")
    }

    /// Call-ID.
    pub fn call_id(self, call_id: &[u8]) -> Self {
        self.header(HeaderId::CallId, call_id)
    }

    /// CSeq.
    pub fn cseq(mut self, sequence: u32, method: &Method) -> Self {
        self.put_name(HeaderId::CSeq);
        self.put_number(u64::from(sequence));
        self.out.put_u8(b' ');
        self.put_token(method.as_bytes());
        self.end_line()
    }

    /// Max-Forwards.
    pub fn max_forwards(self, hops: u8) -> Self {
        self.number(HeaderId::MaxForwards, u64::from(hops))
    }

    /// A header with a number: Expires, Min-Expires, RSeq, Retry-After, …
    pub fn number(mut self, id: HeaderId, number: u64) -> Self {
        self.put_name(id);
        self.put_number(number);
        self.end_line()
    }

    /// A header with a text. Control characters in it become spaces. `Other` has no name to print: see
    /// [`named`](Self::named).
    pub fn header(mut self, id: HeaderId, value: impl AsRef<[u8]>) -> Self {
        self.put_name(id);
        self.put_text(value.as_ref());
        self.end_line()
    }

    /// A header without an id. A name that is no token writes nothing.
    pub fn named(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        if !is_token(name.as_bytes()) {
            return self;
        }
        self.out.put_slice(name.as_bytes());
        self.out.put_slice(b": ");
        self.put_text(value.as_ref());
        self.end_line()
    }

    /// A header with a list of tokens: Supported, Require, Unsupported, Accept, …
    pub fn list<T: AsRef<[u8]>>(mut self, id: HeaderId, items: impl IntoIterator<Item = T>) -> Self {
        self.put_name(id);
        let mut separator: &[u8] = b"";
        for item in items {
            self.out.put_slice(separator);
            self.put_text(item.as_ref());
            separator = b", ";
        }
        self.end_line()
    }

    /// Allow.
    pub fn allow(self, methods: &[Method]) -> Self {
        self.list(HeaderId::Allow, methods.iter().map(Method::as_bytes))
    }

    /// A challenge or credentials, always of the scheme Digest.
    pub fn digest(mut self, id: HeaderId, fields: &[AuthField<'_>]) -> Self {
        self.put_name(id);
        self.out.put_slice(b"Digest");
        let mut separator: &[u8] = b" ";
        for field in fields {
            self.out.put_slice(separator);
            match field {
                AuthField::Quoted(name, value) => {
                    self.put_token(name.as_bytes());
                    self.out.put_u8(b'=');
                    self.put_quoted(value);
                }
                AuthField::Token(name, value) => {
                    self.put_token(name.as_bytes());
                    self.out.put_u8(b'=');
                    self.put_token(value);
                }
            }
            separator = b", ";
        }
        self.end_line()
    }

    /// A header value that came in a message, as it stands; folds become spaces.
    pub fn copied(mut self, id: HeaderId, value: &[u8]) -> Self {
        self.put_name(id);
        self.put_unfolded(value);
        self.end_line()
    }

    /// A field of a message, under its own name if it has no id; folds become spaces.
    pub fn relayed(mut self, field: &HeaderField<'_>) -> Self {
        match field.id {
            HeaderId::Other => {
                self.put_token(field.name);
                self.out.put_slice(b": ");
            }
            known => self.put_name(known),
        }
        self.put_unfolded(field.value);
        self.end_line()
    }

    /// Every field of `head` with this id, as they stand: Record-Route into a response, Path, Timestamp, …
    pub fn copied_all(mut self, id: HeaderId, head: &Head) -> Self {
        for value in head.all(id) {
            self = self.copied(id, value);
        }
        self
    }

    /// Ends the message without a body.
    pub fn finish(self) -> Bytes {
        self.finish_bytes(b"")
    }

    /// Ends the message with a body.
    pub fn finish_with(self, content_type: &str, body: &[u8]) -> Bytes {
        self.header(HeaderId::ContentType, content_type).finish_bytes(body)
    }

    fn finish_bytes(mut self, body: &[u8]) -> Bytes {
        self.put_name(HeaderId::ContentLength);
        self.put_number(u64::try_from(body.len()).unwrap_or(u64::MAX));
        self.out.put_slice(b"\r\n\r\n");
        self.out.put_slice(body);
        self.out.freeze()
    }
}

impl MessageBuilder {
    fn empty() -> Self {
        Self { out: BytesMut::with_capacity(MESSAGE_BYTES_USUAL) }
    }

    fn put_status_line(&mut self, status: Status, reason: &[u8]) {
        self.out.put_slice(b"SIP/2.0 ");
        self.put_number(u64::from(status.code()));
        self.out.put_u8(b' ');
        self.put_text(reason);
        self.out.put_slice(b"\r\n");
    }

    /// RFC 3261 §8.2.6.2: the headers a response takes from its request.
    fn put_echoes(&mut self, head: &Head, top: Option<&Via>, source: SocketAddr, to_tag: Option<&[u8]>) {
        for (index, value) in head.all(HeaderId::Via).filter(|value| !value.is_empty()).enumerate() {
            self.put_name(HeaderId::Via);
            match top {
                Some(top) if index == 0 => {
                    let end = Elements::new(value).next().map_or(value.len(), |element| element.end);
                    self.put_top_via(top, source);
                    self.put_unfolded(&value[end..]);
                }
                _ => self.put_unfolded(value),
            }
            self.out.put_slice(b"\r\n");
        }
        for id in [HeaderId::From, HeaderId::To, HeaderId::CallId, HeaderId::CSeq] {
            let Some(value) = head.first(id) else { continue };
            self.put_name(id);
            self.put_unfolded(value);
            if let Some(tag) = to_tag.filter(|_| id == HeaderId::To) {
                self.put_param(&Param { name: b"tag", value: Some(tag) });
            }
            self.out.put_slice(b"\r\n");
        }
    }

    /// RFC 3261 §18.2.1: `received` when the sender's address is not what its Via says; RFC 3581 §4: `rport` and
    /// `received` when it asks for them.
    fn put_top_via(&mut self, via: &Via, source: SocketAddr) {
        let address = source.ip().to_canonical();
        let wants_rport = via.wants_rport();
        if !wants_rport && via.host().ip() == Some(address) {
            return self.put_unfolded(via.as_bytes());
        }
        let before_params = via.as_bytes().len() - via.params().as_bytes().len();
        self.put_unfolded(&via.as_bytes()[..before_params]);
        for param in via.params().iter().filter(|param| !eq_ignore_case(param.name, b"received")) {
            self.out.put_u8(b';');
            self.put_unfolded(param.name);
            if wants_rport && eq_ignore_case(param.name, b"rport") {
                self.out.put_u8(b'=');
                self.put_number(u64::from(source.port()));
            } else if let Some(value) = param.value {
                self.out.put_u8(b'=');
                self.put_unfolded(value);
            }
        }
        self.out.put_slice(b";received=");
        self.put_text(address.to_string().as_bytes());
    }

    fn put_name(&mut self, id: HeaderId) {
        self.out.put_slice(id.name().as_bytes());
        self.out.put_slice(b": ");
    }

    fn end_line(mut self) -> Self {
        self.out.put_slice(b"\r\n");
        self
    }

    fn put_number(&mut self, number: u64) {
        // The longest `u64` has twenty digits.
        let mut digits = [0_u8; 20];
        let mut start = digits.len();
        let mut rest = number;
        loop {
            start -= 1;
            digits[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.out.put_slice(&digits[start..]);
    }

    /// Octets that are no part of a token become hyphens.
    fn put_token(&mut self, token: &[u8]) {
        self.out.extend(token.iter().map(|&octet| if is_token_octet(octet) { octet } else { b'-' }));
    }

    /// Control characters become spaces.
    fn put_text(&mut self, text: &[u8]) {
        self.out.extend(
            text.iter().map(|&octet| if octet.is_ascii_control() && octet != b'\t' { b' ' } else { octet }),
        );
    }

    fn put_quoted(&mut self, text: &[u8]) {
        self.out.put_u8(b'"');
        for &octet in text {
            match octet {
                b'"' | b'\\' => self.out.put_slice(&[b'\\', octet]),
                control if control.is_ascii_control() => self.out.put_u8(b' '),
                plain => self.out.put_u8(plain),
            }
        }
        self.out.put_u8(b'"');
    }

    fn put_param(&mut self, param: &Param<'_>) {
        self.out.put_u8(b';');
        self.put_token(param.name);
        let Some(value) = param.value else { return };
        self.out.put_u8(b'=');
        if is_token(value) { self.out.put_slice(value) } else { self.put_quoted(value) }
    }

    /// Text of a message that was read: the only CR and LF in it are folds.
    fn put_unfolded(&mut self, text: &[u8]) {
        let mut rest = text;
        while let Some(line_break) = memchr::memchr2(b'\r', b'\n', rest) {
            self.out.put_slice(&rest[..line_break]);
            self.out.put_u8(b' ');
            rest = &rest[line_break + 1..];
        }
        self.out.put_slice(rest);
    }
}

// Addresses and credentials are in all of these: their length is all that may be shown.
impl std::fmt::Debug for MessageBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MessageBuilder({} octets)", self.out.len())
    }
}

impl std::fmt::Debug for Address<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Address({:?})", self.uri)
    }
}

impl std::fmt::Debug for AuthField<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Self::Quoted(name, _) | Self::Token(name, _)) = self;
        write!(f, "AuthField({name})")
    }
}
