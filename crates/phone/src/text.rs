//! SIP messages as text: a deliberately plain parser and printer over owned strings.
//!
//! It knows the shape of a message (start line, headers, body) and how a byte stream is cut into
//! messages. It must never know what a method means, nor share a line with the `sip` room: a mistake
//! made on both sides of a call would otherwise cancel out and stay hidden.

use std::fmt::Write as _;

#[cfg(test)]
mod tests;

/// The largest message read or kept while a stream is being cut: no real phone call needs more.
pub(crate) const MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// The most headers kept of one message; a peer that sends more is not a telephone.
pub(crate) const HEADERS_MAX: usize = 128;

/// Why bytes were not a message. All of them are the peer's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextError {
    /// Larger than [`MESSAGE_BYTES_MAX`].
    TooLarge,
    /// More than [`HEADERS_MAX`] headers.
    TooManyHeaders,
    /// No valid request or status line.
    StartLine,
    /// A header line without a name or a colon.
    Header,
    /// No end of the head.
    Unfinished,
    /// `Content-Length` missing on a stream, repeated, unreadable or longer than the datagram.
    Length,
}

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Start {
    Request { method: String, uri: String },
    Response { status: u16, reason: String },
}

/// One message. Header names are kept in their long form; order is kept.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) start: Start,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Message {
    pub(crate) fn request(method: &str, uri: &str) -> Self {
        let start = Start::Request { method: method.to_owned(), uri: uri.to_owned() };
        Self { start, headers: Vec::with_capacity(16), body: Vec::new() }
    }

    pub(crate) fn response(status: u16, reason: &str) -> Self {
        let start = Start::Response { status, reason: reason.to_owned() };
        Self { start, headers: Vec::with_capacity(12), body: Vec::new() }
    }

    /// Parses one datagram.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, TextError> {
        if bytes.len() > MESSAGE_BYTES_MAX {
            return Err(TextError::TooLarge);
        }
        let bytes = skip_blank_lines(bytes);
        let head_len = head_length(bytes).ok_or(TextError::Unfinished)?;
        let mut message = parse_head(&bytes[..head_len])?;
        let body = &bytes[head_len..];
        // RFC 3261 §18.3: in a datagram Content-Length may cut the body short, never extend it.
        let body = match message.content_length()? {
            Some(length) => body.get(..length).ok_or(TextError::Length)?,
            None => body,
        };
        message.body = body.to_vec();
        Ok(message)
    }

    /// Prints the message; `Content-Length` is always written, last.
    pub(crate) fn print(&self) -> Vec<u8> {
        let mut head = String::with_capacity(512 + self.body.len());
        // Writing into a String cannot fail, so the results carry nothing.
        let _ = match &self.start {
            Start::Request { method, uri } => write!(head, "{method} {uri} SIP/2.0\r\n"),
            Start::Response { status, reason } => write!(head, "SIP/2.0 {status} {reason}\r\n"),
        };
        for (name, value) in self.headers.iter().filter(|(name, _)| name != "Content-Length") {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let _ = write!(head, "Content-Length: {}\r\n\r\n", self.body.len());
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }

    pub(crate) fn method(&self) -> Option<&str> {
        match &self.start {
            Start::Request { method, .. } => Some(method),
            Start::Response { .. } => None,
        }
    }

    pub(crate) fn status(&self) -> Option<u16> {
        match &self.start {
            Start::Response { status, .. } => Some(*status),
            Start::Request { .. } => None,
        }
    }

    /// The first value of a header, as written.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Every value of a list header, commas split.
    pub(crate) fn values(&self, name: &str) -> Vec<String> {
        self.headers
            .iter()
            .filter(|(have, _)| have.eq_ignore_ascii_case(name))
            .flat_map(|(_, value)| split_outside(value, ','))
            .map(str::to_owned)
            .collect()
    }

    pub(crate) fn push(&mut self, name: &str, value: impl Into<String>) {
        self.headers.push((name.to_owned(), value.into()));
    }

    /// Replaces the first header of that name, or adds it.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        let value = value.into();
        match self.headers.iter_mut().find(|(have, _)| have.eq_ignore_ascii_case(name)) {
            Some((_, have)) => *have = value,
            None => self.headers.push((name.to_owned(), value)),
        }
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.headers.retain(|(have, _)| !have.eq_ignore_ascii_case(name));
    }

    pub(crate) fn set_body(&mut self, content_type: &str, body: String) {
        self.set("Content-Type", content_type);
        self.body = body.into_bytes();
    }

    /// `CSeq` as number and method.
    pub(crate) fn cseq(&self) -> Option<(u32, &str)> {
        let (number, method) = self.header("CSeq")?.split_once(char::is_whitespace)?;
        Some((number.parse().ok()?, method.trim()))
    }

    pub(crate) fn call_id(&self) -> Option<&str> {
        self.header("Call-ID")
    }

    /// The body, when it is a session description.
    pub(crate) fn sdp(&self) -> Option<&str> {
        let kind = self.header("Content-Type")?;
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if self.body.is_empty() || !kind.eq_ignore_ascii_case("application/sdp") {
            return None;
        }
        std::str::from_utf8(&self.body).ok()
    }

    fn content_length(&self) -> Result<Option<usize>, TextError> {
        let mut found = None;
        for (_, value) in self.headers.iter().filter(|(name, _)| name == "Content-Length") {
            let length: usize = value.trim().parse().map_err(|_| TextError::Length)?;
            if found.is_some_and(|have| have != length) {
                return Err(TextError::Length);
            }
            found = Some(length);
        }
        Ok(found)
    }
}

/// Cuts a byte stream into messages (RFC 3261 §18.3).
#[derive(Default)]
pub(crate) struct Framer {
    bytes: Vec<u8>,
}

impl Framer {
    /// Adds received bytes; an error means that the stream can't be understood any more.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<(), TextError> {
        if self.bytes.len() + bytes.len() > 2 * MESSAGE_BYTES_MAX {
            return Err(TextError::TooLarge);
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// The next whole message, when there is one.
    pub(crate) fn next_message(&mut self) -> Result<Option<Message>, TextError> {
        let blank = self.bytes.len() - skip_blank_lines(&self.bytes).len();
        self.bytes.drain(..blank);
        let Some(head_len) = head_length(&self.bytes) else {
            return if self.bytes.len() > MESSAGE_BYTES_MAX { Err(TextError::TooLarge) } else { Ok(None) };
        };
        let mut message = parse_head(&self.bytes[..head_len])?;
        // RFC 3261 §18.3: on a stream the length is the only thing that ends a message.
        let length = message.content_length()?.ok_or(TextError::Length)?;
        if length > MESSAGE_BYTES_MAX {
            return Err(TextError::TooLarge);
        }
        if self.bytes.len() < head_len + length {
            return Ok(None);
        }
        message.body = self.bytes[head_len..head_len + length].to_vec();
        self.bytes.drain(..head_len + length);
        Ok(Some(message))
    }
}

/// Splits on `separator` where it is neither quoted nor within angle brackets; parts are trimmed.
pub(crate) fn split_outside(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut from) = (Vec::new(), 0);
    let (mut quoted, mut escaped, mut bracketed) = (false, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '<' if !quoted => bracketed = true,
            '>' if !quoted => bracketed = false,
            c if c == separator && !quoted && !bracketed => {
                parts.push(text[from..at].trim());
                from = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(text[from..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

/// RFC 3261 §7.5: empty lines before a start line are keep-alives.
fn skip_blank_lines(bytes: &[u8]) -> &[u8] {
    let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    &bytes[blank..]
}

/// The length of the head with its empty line.
fn head_length(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

fn parse_head(head: &[u8]) -> Result<Message, TextError> {
    let head = String::from_utf8_lossy(head);
    let mut lines = head.split("\r\n");
    let start = parse_start(lines.next().unwrap_or_default()).ok_or(TextError::StartLine)?;
    let mut headers: Vec<(String, String)> = Vec::with_capacity(16);
    for line in lines.take_while(|line| !line.is_empty()) {
        // RFC 3261 §7.3.1: a line that begins with white space continues the one before.
        if line.starts_with([' ', '\t']) {
            let (_, value) = headers.last_mut().ok_or(TextError::Header)?;
            value.push(' ');
            value.push_str(line.trim());
            continue;
        }
        if headers.len() == HEADERS_MAX {
            return Err(TextError::TooManyHeaders);
        }
        let (name, value) = line.split_once(':').ok_or(TextError::Header)?;
        let name = name.trim_end();
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(TextError::Header);
        }
        headers.push((long_name(name), value.trim().to_owned()));
    }
    Ok(Message { start, headers, body: Vec::new() })
}

fn parse_start(line: &str) -> Option<Start> {
    if let Some(rest) = line.strip_prefix("SIP/2.0 ") {
        let (status, reason) = rest.split_once(' ').unwrap_or((rest, ""));
        let status = status.parse().ok().filter(|status| (100..700).contains(status))?;
        return Some(Start::Response { status, reason: reason.to_owned() });
    }
    let mut words = line.split(' ');
    let (method, uri, version) = (words.next()?, words.next()?, words.next()?);
    let whole = words.next().is_none() && version == "SIP/2.0" && !method.is_empty() && uri.contains(':');
    whole.then(|| Start::Request { method: method.to_owned(), uri: uri.to_owned() })
}

/// RFC 3261 §7.3.3 and the registry: one-letter names stand for long ones.
fn long_name(name: &str) -> String {
    const SHORT: [(&str, &str); 14] = [
        ("a", "Accept-Contact"),
        ("c", "Content-Type"),
        ("e", "Content-Encoding"),
        ("f", "From"),
        ("i", "Call-ID"),
        ("k", "Supported"),
        ("l", "Content-Length"),
        ("m", "Contact"),
        ("o", "Event"),
        ("r", "Refer-To"),
        ("s", "Subject"),
        ("t", "To"),
        ("v", "Via"),
        ("x", "Session-Expires"),
    ];
    let long = SHORT.iter().find(|(short, _)| name.eq_ignore_ascii_case(short)).map(|(_, long)| *long);
    match long {
        Some(long) => long.to_owned(),
        None if name.eq_ignore_ascii_case("Content-Length") => "Content-Length".to_owned(),
        None => name.to_owned(),
    }
}
