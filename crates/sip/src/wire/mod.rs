//! The wire layer: octets to messages and back.
//!
//! It knows the grammar of SIP (RFC 3261 §25 and the extensions named at each header) and nothing of
//! transactions, dialogs or peers. A message is parsed in one pass over its `Bytes`; what it holds are slices of
//! that buffer, and a typed header is parsed when it is asked for. A [`Request`] or a [`Response`] that exists has
//! passed [`validate`]: its Via, From, To, Call-ID and CSeq are well-formed and need no further check.
//!
//! Nothing of a peer's text reaches `Debug` or `Display` output here: a URI's user part is a caller's number.

mod address;
mod auth;
mod body;
mod error;
mod extensions;
mod framing;
mod header_id;
mod message;
mod method;
mod params;
mod parse;
mod print;
mod status;
mod syntax;
mod uri;
mod uri_equality;
mod validate;
mod via;

pub use address::{Contacts, NameAddr};
pub use auth::AuthParams;
pub use body::part_of_type;
pub use error::{Fault, FaultyRequest, Malformed, Refused};
pub use extensions::{RAck, ReasonValue, Refresher, Replaces, RetryAfter, SessionExpires};
pub use framing::{BODY_BYTES_MAX, Frame, StreamFramer, is_keep_alive};
pub use header_id::HeaderId;
pub use message::{CSeq, Core, Head, HeaderField, Message, Request, Response};
pub use method::Method;
pub use params::{PARAMS_MAX, Param, Params};
pub use parse::{HEAD_BYTES_MAX, HEADERS_MAX, read_datagram};
pub use print::{Address, AuthField, MessageBuilder};
pub use status::{Status, StatusClass};
pub use syntax::{eq_ignore_case, is_token, unquote};
pub use uri::{Host, Scheme, Uri};
pub use via::{MAGIC_COOKIE, Transport, Via};

#[cfg(test)]
mod tests;
