//! What can be wrong with a message, and what may be answered. It must never hold text of the peer.

use super::{Head, HeaderId, Method, Status, Via};

/// A header value or a URI that does not follow its grammar. Which one, the caller knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("does not follow its grammar")
    }
}

impl std::error::Error for Malformed {}

/// The peer's error in a message. `Display` is the reason phrase of the reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The octets are not a SIP message at all: silence.
    NotSip,
    /// The head exceeds [`HEAD_BYTES_MAX`](super::HEAD_BYTES_MAX).
    HeadTooLong,
    /// The body exceeds [`BODY_BYTES_MAX`](super::BODY_BYTES_MAX).
    BodyTooLong,
    /// More than [`HEADERS_MAX`](super::HEADERS_MAX) header fields.
    TooManyHeaders,
    /// The start line has stray whitespace, or a method or status that is none.
    StartLine,
    /// The version is not SIP/2.0.
    Version,
    /// The Request-URI does not follow its grammar, or carries headers.
    RequestUri,
    /// A header line without a name and a colon.
    HeaderLine,
    /// A bare CR, bare LF or NUL in the head, or no empty line after it.
    HeadOctets,
    /// A header that must be there is not.
    Missing(HeaderId),
    /// A header that may be there once is there twice.
    Repeated(HeaderId),
    /// The header's value does not follow its grammar, or its number is out of range.
    Malformed(HeaderId),
    /// CSeq names another method than the start line.
    MethodMismatch,
    /// Fewer octets follow than Content-Length promises.
    BodyTruncated,
}

impl Fault {
    /// The status of the reply, if one is due: see [`Refused::request`] for whether it can be addressed.
    pub fn status(self) -> Status {
        match self {
            Self::Version => Status::VERSION_NOT_SUPPORTED,
            Self::HeadTooLong | Self::TooManyHeaders => Status::MESSAGE_TOO_LARGE,
            Self::BodyTooLong => Status::REQUEST_ENTITY_TOO_LARGE,
            _ => Status::BAD_REQUEST,
        }
    }
}

impl std::fmt::Display for Fault {
    // RFC 3261 §21.4.1: the reason phrase should identify the syntax problem in more detail.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotSip => f.write_str("Not SIP"),
            Self::HeadTooLong => f.write_str("Message Head Too Large"),
            Self::BodyTooLong => f.write_str("Request Entity Too Large"),
            Self::TooManyHeaders => f.write_str("Too Many Header Fields"),
            Self::StartLine => f.write_str("Malformed Start Line"),
            Self::Version => f.write_str("Version Not Supported"),
            Self::RequestUri => f.write_str("Malformed Request-URI"),
            Self::HeaderLine => f.write_str("Malformed Header Line"),
            Self::HeadOctets => f.write_str("Bare CR, LF or NUL in Message Head"),
            Self::Missing(id) => write!(f, "Missing {}", id.name()),
            Self::Repeated(id) => write!(f, "Repeated {}", id.name()),
            Self::Malformed(id) => write!(f, "Malformed {}", id.name()),
            Self::MethodMismatch => f.write_str("CSeq Method Differs From Request Method"),
            Self::BodyTruncated => f.write_str("Body Shorter Than Content-Length"),
        }
    }
}

impl std::error::Error for Fault {}

/// A message that is not to be processed.
#[derive(Clone, Debug)]
pub struct Refused {
    /// What is wrong with it.
    pub fault: Fault,
    /// What a reply can be built from with
    /// [`MessageBuilder::reply_to_faulty`](super::MessageBuilder::reply_to_faulty). `None` when nothing may be
    /// answered: octets that are no request, a response, an ACK, a request without a Via.
    pub request: Option<Box<FaultyRequest>>,
}

/// As much of a refused request as was read.
#[derive(Clone, Debug)]
pub struct FaultyRequest {
    /// The headers; any of them may be malformed.
    pub head: Head,
    /// The method.
    pub method: Method,
    /// The topmost Via, if that one is well-formed. Without it a reply can only go to where the request came from.
    pub via: Option<Via>,
}
