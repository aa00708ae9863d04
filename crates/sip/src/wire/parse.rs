//! One pass over the octets of a head: start line, header table, and the first fault met.
//!
//! It goes on past a fault as far as it can, so that a reply to a faulty request can still be addressed.

use bytes::Bytes;
use smallvec::SmallVec;

use super::message::{FieldSpan, Head};
use super::syntax::{eq_ignore_case, is_token, trimmed};
use super::{Fault, HeaderId, Message, Refused, Status, validate};

/// No start line and headers longer than this: spans are 16 bits wide, and a longer head is an attack.
pub const HEAD_BYTES_MAX: usize = u16::MAX as usize;

/// No more header fields than this. The longest real messages have below a hundred; thousands only cost time.
pub const HEADERS_MAX: usize = 512;

/// Reads a message that came whole: a datagram or a WebSocket message. Octets beyond Content-Length are discarded
/// (RFC 3261 §18.3). Ask [`is_keep_alive`](super::is_keep_alive) first.
pub fn read_datagram(octets: Bytes) -> Result<Message, Refused> {
    // RFC 3261 §7.5: empty lines before the start line are ignored.
    let start = octets.iter().take_while(|octet| matches!(octet, b'\r' | b'\n')).count();
    let (draft, head_end) = read_head(&octets.slice(start..));
    validate::check(draft, octets.slice(start + head_end..), Length::Datagram)
}

/// What decides how long the body is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    /// The datagram's end, or a Content-Length within it.
    Datagram,
    /// Content-Length alone; the framer has cut the body by it.
    Stream,
}

/// A head as it was read, faults included.
pub(super) struct Draft {
    pub(super) start: StartLine,
    pub(super) head: Head,
    pub(super) fault: Option<Fault>,
}

pub(super) enum StartLine {
    /// The method is a token; the Request-URI is not checked yet.
    Request { method: Bytes, uri: Bytes },
    /// `None` when it is not a status line that can be used.
    Response(Option<(Status, Bytes)>),
    /// Not SIP.
    Neither,
}

/// Reads a head and says where the body begins.
pub(super) fn read_head(octets: &Bytes) -> (Draft, usize) {
    let mut reader = Reader { octets, at: 0, fault: None };
    let start = match reader.line() {
        Some(line) => reader.start_line(line),
        None => StartLine::Neither,
    };
    let mut fields = SmallVec::new();
    if !matches!(start, StartLine::Neither) {
        reader.fields(&mut fields);
    }
    let end = reader.at;
    let raw = octets.slice(..end.min(HEAD_BYTES_MAX));
    (Draft { start, head: Head { raw, fields, body: Bytes::new() }, fault: reader.fault }, end)
}

struct Reader<'a> {
    octets: &'a Bytes,
    at: usize,
    fault: Option<Fault>,
}

impl Reader<'_> {
    /// The next line without its end. `None` at the end of the octets or of what a head may take.
    fn line(&mut self) -> Option<std::ops::Range<usize>> {
        let start = self.at;
        let limit = self.octets.len().min(HEAD_BYTES_MAX);
        let mut at = start;
        loop {
            let rest = self.octets.get(at..limit)?;
            let found = memchr::memchr3(b'\r', b'\n', 0, rest);
            // A CR that is the last octet within the limit may be half of a line end: the line is cut there too.
            let is_cut =
                limit < self.octets.len() && found.is_none_or(|at| rest[at] == b'\r' && at + 1 == rest.len());
            let Some(found) = found.filter(|_| !is_cut) else {
                self.note(if is_cut { Fault::HeadTooLong } else { Fault::HeadOctets });
                self.at = limit;
                return None;
            };
            at += found;
            match self.octets[at] {
                b'\r' if at + 1 < limit && self.octets[at + 1] == b'\n' => {
                    self.at = at + 2;
                    return Some(start..at);
                }
                b'\n' => {
                    // Elements that take a bare LF for a line end and those that don't would read two different
                    // messages: the line ends here, and the message is refused.
                    self.note(Fault::HeadOctets);
                    self.at = at + 1;
                    return Some(start..at);
                }
                // RFC 3261 §25.1: a quoted pair may be any octet up to 0x7f but CR and LF (RFC 4475 §3.1.1.2).
                0 if at > start && self.octets[at - 1] == b'\\' => at += 1,
                _ => {
                    self.note(Fault::HeadOctets);
                    at += 1;
                }
            }
        }
    }

    fn note(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
    }

    fn fields(&mut self, fields: &mut SmallVec<[FieldSpan; super::message::INLINE_FIELDS]>) {
        while let Some(line) = self.line() {
            if line.is_empty() {
                return;
            }
            let mut end = line.end;
            // RFC 3261 §7.3.1: a line that begins with whitespace continues the field before it.
            while matches!(self.octets.get(self.at), Some(b' ' | b'\t')) {
                match self.line() {
                    Some(folded) => end = folded.end,
                    None => return,
                }
            }
            if fields.len() == HEADERS_MAX {
                self.note(Fault::TooManyHeaders);
                return;
            }
            match self.field(line, end) {
                Some(span) => fields.push(span),
                None => self.note(Fault::HeaderLine),
            }
        }
    }

    fn field(&self, line: std::ops::Range<usize>, end: usize) -> Option<FieldSpan> {
        let colon = memchr::memchr(b':', &self.octets[line.clone()])? + line.start;
        let mut name_end = colon;
        while name_end > line.start && matches!(self.octets[name_end - 1], b' ' | b'\t') {
            name_end -= 1;
        }
        let name = &self.octets[line.start..name_end];
        if !is_token(name) {
            return None;
        }
        let value = trimmed(self.octets, colon + 1..end);
        let offset = |at: usize| u16::try_from(at).ok();
        Some(FieldSpan {
            id: HeaderId::from_name(name),
            name_start: offset(line.start)?,
            name_end: offset(name_end)?,
            value_start: offset(value.start)?,
            value_end: offset(value.end)?,
        })
    }

    fn start_line(&mut self, line: std::ops::Range<usize>) -> StartLine {
        let line = self.octets.slice(line);
        if is_version_like(&line) { self.status_line(&line) } else { self.request_line(&line) }
    }

    /// RFC 3261 §7.2: `SIP/2.0 SP 3DIGIT SP reason`.
    fn status_line(&mut self, line: &Bytes) -> StartLine {
        let mut words = line.splitn(3, |&octet| octet == b' ');
        let (version, code) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        // A status line cut short after its code is read: the phrase is for people.
        let reason = words.next().map(|reason| line.slice_ref(reason)).unwrap_or_default();
        if !eq_ignore_case(version, b"SIP/2.0") {
            self.note(Fault::Version);
            return StartLine::Response(None);
        }
        // Exactly three digits, so that no number can wrap into a status (RFC 4475 §3.1.2.19).
        let status = match code {
            [hundreds @ b'1'..=b'6', tens @ b'0'..=b'9', units @ b'0'..=b'9'] => {
                let digit = |octet: &u8| u16::from(octet - b'0');
                Status::new(digit(hundreds) * 100 + digit(tens) * 10 + digit(units))
            }
            _ => None,
        };
        if status.is_none() {
            self.note(Fault::StartLine);
        }
        StartLine::Response(status.map(|status| (status, reason)))
    }

    /// RFC 3261 §7.1: `Method SP Request-URI SP SIP-Version`, with whitespace nowhere else.
    fn request_line(&mut self, line: &Bytes) -> StartLine {
        let content = trimmed(line, 0..line.len());
        let text = &line[content.clone()];
        let (Some(first), Some(last)) = (memchr::memchr(b' ', text), memchr::memrchr(b' ', text)) else {
            return StartLine::Neither;
        };
        let (method, version) = (&text[..first], &text[last + 1..]);
        if !is_token(method) || !is_version_like(version) {
            return StartLine::Neither;
        }
        // RFC 4475 §3.1.2.16: the version is judged before anything that a later version may have changed.
        if !eq_ignore_case(version, b"SIP/2.0") {
            self.note(Fault::Version);
        }
        let uri = text.get(first + 1..last).unwrap_or_default();
        let has_stray = content.len() != line.len() || uri.is_empty();
        if has_stray || memchr::memchr2(b' ', b'\t', uri).is_some() {
            self.note(Fault::StartLine);
        }
        StartLine::Request { method: line.slice_ref(method), uri: line.slice_ref(uri) }
    }
}

fn is_version_like(text: &[u8]) -> bool {
    text.len() > 4 && eq_ignore_case(&text[..4], b"SIP/")
}
