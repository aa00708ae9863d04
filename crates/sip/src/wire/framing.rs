//! Messages out of a stream of octets (RFC 3261 §18.3), and the keep-alives between them (RFC 5626 §3.5.1).
//!
//! It knows no sockets: octets are pushed in, frames are taken out, and what waits is bounded.

use bytes::{Buf, Bytes, BytesMut};

use super::parse::{Draft, Length, StartLine, read_head};
use super::validate::{self, content_length};
use super::{Fault, HEAD_BYTES_MAX, HeaderId, Message, Refused};

/// No body longer than this over a stream: what waits for its end is held in memory for each connection.
pub const BODY_BYTES_MAX: usize = 65_536;

/// What a stream yields.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "nearly every frame is a message, and is taken apart at once")]
pub enum Frame {
    /// A message.
    Message(Message),
    /// A message that is not to be processed. The stream goes on: where the message ends is known.
    Refused(Refused),
    /// The peer's keep-alive: to be answered with one CR LF.
    Ping,
    /// The answer to our keep-alive.
    Pong,
    /// Where the next message begins cannot be known: answer if an answer can be addressed, then close. Nothing more
    /// comes out of this framer.
    Lost(Refused),
}

/// Cuts a stream into messages.
#[derive(Default)]
pub struct StreamFramer {
    buffer: BytesMut,
    /// The buffer up to here holds no end of a head.
    scanned: usize,
    /// A head that waits for its body of so many octets.
    waiting: Option<(Draft, usize)>,
    /// A lone CR LF was just taken: a second one makes it a ping.
    after_line_break: bool,
    is_lost: bool,
}

impl StreamFramer {
    /// An empty framer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in what was read. Take frames out until there are none before pushing again: then no more waits than
    /// one message and the octets of one push.
    pub fn push(&mut self, octets: &[u8]) {
        if !self.is_lost {
            self.buffer.extend_from_slice(octets);
        }
    }

    /// The next frame, if it is whole.
    pub fn next_frame(&mut self) -> Option<Frame> {
        if self.is_lost {
            return None;
        }
        if self.waiting.is_none() {
            if let Some(keep_alive) = self.keep_alive() {
                return Some(keep_alive);
            }
            if let Some(lost) = self.head()? {
                return Some(lost);
            }
        }
        self.body()
    }

    /// Whether part of a message has come and the rest has not. A peer must not leave it so for long.
    pub fn is_partial(&self) -> bool {
        !self.is_lost && (self.waiting.is_some() || !self.buffer.is_empty())
    }

    fn keep_alive(&mut self) -> Option<Frame> {
        if !self.buffer.starts_with(b"\r\n") {
            if self.buffer.first().is_some_and(|&octet| octet != b'\r') {
                self.after_line_break = false;
            }
            return None;
        }
        if self.buffer.starts_with(b"\r\n\r\n") {
            self.buffer.advance(4);
            self.after_line_break = false;
            return Some(Frame::Ping);
        }
        self.buffer.advance(2);
        // RFC 5626 §3.5.1: a double CR LF is a ping, a single one a pong. A ping may come in two reads.
        self.after_line_break = !self.after_line_break;
        Some(if self.after_line_break { Frame::Pong } else { Frame::Ping })
    }

    /// Looks for the end of a head. `None`: not there yet; `Some(None)`: it is read and waits for its body.
    fn head(&mut self) -> Option<Option<Frame>> {
        const HEAD_END: &[u8] = b"\r\n\r\n";
        let from = self.scanned.min(self.buffer.len());
        let Some(found) = memchr::memmem::find(&self.buffer[from..], HEAD_END) else {
            // The end may be cut through: look again at its first octets.
            self.scanned = self.buffer.len().saturating_sub(HEAD_END.len() - 1);
            return (self.buffer.len() > HEAD_BYTES_MAX).then(|| {
                let octets = self.buffer.split().freeze();
                let (draft, _) = read_head(&octets);
                Some(self.lose(draft, Fault::HeadTooLong))
            });
        };
        let head_octets = self.buffer.split_to(from + found + HEAD_END.len()).freeze();
        self.scanned = 0;
        let (draft, _) = read_head(&head_octets);
        let is_sip = !matches!(draft.start, StartLine::Neither);
        let length = match (content_length(&draft.head), draft.fault) {
            _ if !is_sip => Err(Fault::NotSip),
            // A head that was not read to its end may hide a second Content-Length.
            (_, Some(fault @ (Fault::HeadOctets | Fault::HeadTooLong | Fault::TooManyHeaders))) => Err(fault),
            (Ok(Some(length)), _) if length > BODY_BYTES_MAX => Err(Fault::BodyTooLong),
            (Ok(Some(length)), _) => Ok(length),
            // RFC 3261 §20.14: over a stream the header must be used; without it the message has no end.
            (Ok(None), _) => Err(Fault::Missing(HeaderId::ContentLength)),
            (Err(fault), _) => Err(fault),
        };
        match length {
            Ok(length) => {
                self.waiting = Some((draft, length));
                Some(None)
            }
            Err(fault) => Some(Some(self.lose(draft, fault))),
        }
    }

    fn body(&mut self) -> Option<Frame> {
        let (draft, length) = self.waiting.take()?;
        if self.buffer.len() < length {
            self.waiting = Some((draft, length));
            return None;
        }
        let body = self.buffer.split_to(length).freeze();
        Some(match validate::check(draft, body, Length::Stream) {
            Ok(message) => Frame::Message(message),
            Err(refused) => Frame::Refused(refused),
        })
    }

    fn lose(&mut self, mut draft: Draft, fault: Fault) -> Frame {
        self.is_lost = true;
        self.buffer = BytesMut::new();
        draft.fault = Some(fault);
        match validate::check(draft, Bytes::new(), Length::Stream) {
            Err(refused) => Frame::Lost(refused),
            // A draft with a fault never passes; if it did, closing without an answer is still right.
            Ok(_) => Frame::Lost(Refused { fault, request: None }),
        }
    }
}

/// Whether a datagram is a keep-alive: line breaks, or the few NULs and blanks some phones send.
pub fn is_keep_alive(datagram: &[u8]) -> bool {
    const KEEP_ALIVE_BYTES_MAX: usize = 8;
    datagram.len() <= KEEP_ALIVE_BYTES_MAX
        && datagram.iter().all(|octet| matches!(octet, b'\r' | b'\n' | b' ' | b'\t' | 0))
}

impl std::fmt::Debug for StreamFramer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StreamFramer({} octets wait, lost: {})", self.buffer.len(), self.is_lost)
    }
}
