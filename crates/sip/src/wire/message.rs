//! A message that was read: its header table, its typed headers on demand, its body.

use bytes::Bytes;
use smallvec::SmallVec;

use super::address::Contacts;
use super::auth::AuthParams;
use super::extensions::{RAck, ReasonValue, Replaces, RetryAfter, SessionExpires, value_and_params};
use super::syntax::{Elements, decimal, decimal_saturating, eq_ignore_case, is_lws, is_token};
use super::{HeaderId, Malformed, Method, NameAddr, Params, Status, Uri, Via};

/// A message that has passed the checks of this layer.
#[derive(Clone, Debug)]
pub enum Message {
    /// A request.
    Request(Request),
    /// A response.
    Response(Response),
}

/// A well-formed request. Its headers are those of [`Head`].
#[derive(Clone, Debug)]
pub struct Request {
    pub(super) head: Head,
    pub(super) core: Core,
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) max_forwards: Option<u8>,
}

/// A well-formed response. Its headers are those of [`Head`].
#[derive(Clone)]
pub struct Response {
    pub(super) head: Head,
    pub(super) core: Core,
    pub(super) status: Status,
    pub(super) reason: Bytes,
}

/// The headers every message must have (RFC 3261 §8.1.1), read and checked.
#[derive(Clone)]
pub struct Core {
    /// The topmost Via.
    pub via: Via,
    /// From.
    pub from: NameAddr,
    /// To.
    pub to: NameAddr,
    /// Call-ID, compared octet by octet.
    pub call_id: Bytes,
    /// CSeq.
    pub cseq: CSeq,
}

/// CSeq (RFC 3261 §20.16).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CSeq {
    /// Below 2^31.
    pub sequence: u32,
    /// The method of the request.
    pub method: Method,
}

/// The header fields and the body of a message, as slices of what came in.
#[derive(Clone)]
pub struct Head {
    /// Start line and headers.
    pub(super) raw: Bytes,
    pub(super) fields: SmallVec<[FieldSpan; INLINE_FIELDS]>,
    pub(super) body: Bytes,
}

/// What a common INVITE carries fits without an allocation.
pub(super) const INLINE_FIELDS: usize = 32;

/// Where a field's name and value stand in the head, which is shorter than 64 KB.
#[derive(Clone, Copy)]
pub(super) struct FieldSpan {
    pub(super) id: HeaderId,
    pub(super) name_start: u16,
    pub(super) name_end: u16,
    pub(super) value_start: u16,
    pub(super) value_end: u16,
}

/// One header field.
#[derive(Clone, Copy)]
pub struct HeaderField<'a> {
    /// Which header.
    pub id: HeaderId,
    /// The name as it stands, maybe a compact form.
    pub name: &'a [u8],
    /// The value as it stands, without whitespace at its ends; folds (CR LF and whitespace) may be in it.
    pub value: &'a [u8],
}

impl Message {
    /// Headers and body.
    pub fn head(&self) -> &Head {
        match self {
            Self::Request(request) => request,
            Self::Response(response) => response,
        }
    }

    /// The headers every message has.
    pub fn core(&self) -> &Core {
        match self {
            Self::Request(request) => &request.core,
            Self::Response(response) => &response.core,
        }
    }
}

macro_rules! core_getters {
    ($message:ident) => {
        impl $message {
            /// The headers every message has.
            pub fn core(&self) -> &Core {
                &self.core
            }

            /// The topmost Via.
            pub fn via(&self) -> &Via {
                &self.core.via
            }

            /// From.
            pub fn from(&self) -> &NameAddr {
                &self.core.from
            }

            /// To.
            pub fn to(&self) -> &NameAddr {
                &self.core.to
            }

            /// Call-ID.
            pub fn call_id(&self) -> &Bytes {
                &self.core.call_id
            }

            /// CSeq.
            pub fn cseq(&self) -> &CSeq {
                &self.core.cseq
            }

            /// Headers and body.
            pub fn head(&self) -> &Head {
                &self.head
            }
        }

        impl std::ops::Deref for $message {
            type Target = Head;

            fn deref(&self) -> &Head {
                &self.head
            }
        }
    };
}

core_getters!(Request);
core_getters!(Response);

impl Request {
    /// The method; CSeq names the same.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The Request-URI, of any scheme; a `sip:` one has no headers.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Max-Forwards, if there is one.
    pub fn max_forwards(&self) -> Option<u8> {
        self.max_forwards
    }
}

impl Response {
    /// The status.
    pub fn status(&self) -> Status {
        self.status
    }

    /// The reason phrase as it stands; it may be empty. It is the peer's text.
    pub fn reason_phrase(&self) -> &Bytes {
        &self.reason
    }
}

impl Head {
    /// Every field in its order.
    pub fn fields(&self) -> impl DoubleEndedIterator<Item = HeaderField<'_>> {
        self.fields.iter().map(|span| self.field(span))
    }

    /// The value of the first field with this id.
    pub fn first(&self, id: HeaderId) -> Option<&[u8]> {
        self.all(id).next()
    }

    /// The value of the first field with this id, as a slice that shares the message's buffer.
    pub fn first_bytes(&self, id: HeaderId) -> Option<Bytes> {
        self.first(id).map(|value| self.raw.slice_ref(value))
    }

    /// Whether there is a field with this id.
    pub fn has(&self, id: HeaderId) -> bool {
        self.fields.iter().any(|span| span.id == id)
    }

    /// The values of every field with this id, in their order, each as it stands: it may be a list.
    pub fn all(&self, id: HeaderId) -> impl Iterator<Item = &[u8]> {
        self.fields.iter().filter(move |span| span.id == id).map(|span| self.field(span).value)
    }

    /// The values of every field of that name, for headers without an id.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.fields().filter(|field| eq_ignore_case(field.name, name.as_bytes())).map(|field| field.value)
    }

    /// The elements of every field with this id, split at commas: fields and lists are one order (RFC 3261 §7.3.1).
    /// A field with an empty value has no element; an empty element between commas is handed out.
    pub fn elements(&self, id: HeaderId) -> impl Iterator<Item = Bytes> {
        self.all(id)
            .filter(|value| !value.is_empty())
            .flat_map(move |value| Elements::new(value).map(|range| self.raw.slice_ref(&value[range])))
    }

    /// The body; empty without one.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The session description: the body, or the part of a multipart body, that is `application/sdp`.
    pub fn sdp(&self) -> Option<Bytes> {
        super::part_of_type(self, "application/sdp")
    }

    fn field(&self, span: &FieldSpan) -> HeaderField<'_> {
        HeaderField {
            id: span.id,
            name: &self.raw[usize::from(span.name_start)..usize::from(span.name_end)],
            value: &self.raw[usize::from(span.value_start)..usize::from(span.value_end)],
        }
    }
}

/// Typed headers, parsed when asked for. `None` stands for a header that is not there, `Err` for a malformed one.
impl Head {
    /// Every Via, topmost first.
    pub fn vias(&self) -> impl Iterator<Item = Result<Via, Malformed>> {
        self.elements(HeaderId::Via).map(Via::parse)
    }

    /// The addresses of a header that lists them: Route, Record-Route, Path, Service-Route, P-Asserted-Identity,
    /// P-Preferred-Identity, Diversion, History-Info, in their order.
    pub fn addresses(&self, id: HeaderId) -> impl Iterator<Item = Result<NameAddr, Malformed>> {
        self.elements(id).map(NameAddr::parse)
    }

    /// The address of a header that holds one: Refer-To, Referred-By, Reply-To.
    pub fn address(&self, id: HeaderId) -> Option<Result<NameAddr, Malformed>> {
        self.first_bytes(id).map(NameAddr::parse)
    }

    /// Contact.
    pub fn contacts(&self) -> Result<Contacts, Malformed> {
        if self.has_contact_star() {
            return Ok(Contacts::All);
        }
        self.addresses(HeaderId::Contact).collect::<Result<_, _>>().map(Contacts::Listed)
    }

    /// RFC 3261 §20.10: `*` stands alone; beside another contact it is an address that cannot be read.
    pub(super) fn has_contact_star(&self) -> bool {
        let mut values = self.all(HeaderId::Contact);
        values.next() == Some(b"*") && values.next().is_none()
    }

    /// A list of tokens: Allow, Supported, Require, Proxy-Require, Unsupported, Accept without its parameters, and so
    /// on. Empty elements are left out, the letter case is kept.
    pub fn tokens(&self, id: HeaderId) -> impl Iterator<Item = &[u8]> {
        self.all(id).flat_map(|value| {
            Elements::new(value).filter_map(|range| {
                let element = &value[range];
                let end = element.iter().position(|&octet| octet == b';').unwrap_or(element.len());
                let token = super::syntax::trim(&element[..end]);
                (!token.is_empty()).then_some(token)
            })
        })
    }

    /// Whether a list of tokens holds `token`, in any letter case.
    pub fn lists(&self, id: HeaderId, token: &str) -> bool {
        self.tokens(id).any(|listed| eq_ignore_case(listed, token.as_bytes()))
    }

    /// Whether Supported or Require names the option tag.
    pub fn supports(&self, option: &str) -> bool {
        self.lists(HeaderId::Supported, option) || self.lists(HeaderId::Require, option)
    }

    /// Whether Accept allows a body type such as `application/sdp`. RFC 3261 §20.1: without the header it is
    /// `application/sdp` that is accepted; an empty header accepts nothing.
    pub fn accepts(&self, media_type: &str) -> bool {
        if !self.has(HeaderId::Accept) {
            return eq_ignore_case(media_type.as_bytes(), b"application/sdp");
        }
        let family = media_type.split('/').next().unwrap_or_default().as_bytes();
        self.tokens(HeaderId::Accept).any(|range| {
            eq_ignore_case(range, media_type.as_bytes())
                || range == b"*/*"
                || range.strip_suffix(b"/*").is_some_and(|range| eq_ignore_case(range, family))
        })
    }

    /// A header that holds a number of seconds: Expires, Min-Expires, Flow-Timer. Too large a number reads as the
    /// largest, and one that is malformed as absent (RFC 3261 §20.19).
    pub fn seconds(&self, id: HeaderId) -> Option<u32> {
        self.first(id).and_then(decimal_saturating)
    }

    /// Min-SE (RFC 4028 §5), in seconds.
    pub fn min_se_s(&self) -> Option<Result<u32, Malformed>> {
        let value = self.first_bytes(HeaderId::MinSe)?;
        Some(value_and_params(&value).and_then(|(value, _)| decimal_saturating(&value).ok_or(Malformed)))
    }

    /// Session-Expires.
    pub fn session_expires(&self) -> Option<Result<SessionExpires, Malformed>> {
        self.first_bytes(HeaderId::SessionExpires).map(SessionExpires::parse)
    }

    /// RSeq (RFC 3262 §7.1).
    pub fn rseq(&self) -> Option<Result<u32, Malformed>> {
        let number = decimal(self.first(HeaderId::RSeq)?).and_then(|number| u32::try_from(number).ok());
        Some(number.ok_or(Malformed))
    }

    /// RAck.
    pub fn rack(&self) -> Option<Result<RAck, Malformed>> {
        self.first_bytes(HeaderId::RAck).map(RAck::parse)
    }

    /// Replaces.
    pub fn replaces(&self) -> Option<Result<Replaces, Malformed>> {
        self.first_bytes(HeaderId::Replaces).map(Replaces::parse)
    }

    /// Reason.
    pub fn reasons(&self) -> impl Iterator<Item = Result<ReasonValue, Malformed>> {
        self.elements(HeaderId::Reason).map(ReasonValue::parse)
    }

    /// Retry-After.
    pub fn retry_after(&self) -> Option<Result<RetryAfter, Malformed>> {
        self.first(HeaderId::RetryAfter).map(RetryAfter::parse)
    }

    /// Whether Privacy asks for `value`: `id`, `user`, `header`, `session`, `none` or `critical` (RFC 3323 §4.2).
    pub fn asks_privacy(&self, value: &str) -> bool {
        self.all(HeaderId::Privacy).any(|line| {
            // RFC 3323 §4.2 divides the values by semicolons; commas are met too.
            line.split(|&octet| matches!(octet, b';' | b',') || is_lws(octet))
                .any(|asked| eq_ignore_case(asked, value.as_bytes()))
        })
    }

    /// Challenges or credentials: WWW-Authenticate, Proxy-Authenticate, Authorization, Proxy-Authorization,
    /// Authentication-Info is not among them. One field is one value (RFC 3261 §7.3.1).
    pub fn auths(&self, id: HeaderId) -> impl Iterator<Item = Result<AuthParams, Malformed>> {
        self.all(id).map(|value| AuthParams::parse(self.raw.slice_ref(value)))
    }

    /// The type of the body, such as `application/sdp`, and its parameters.
    pub fn content_type(&self) -> Option<Result<(Bytes, Params), Malformed>> {
        self.first_bytes(HeaderId::ContentType).map(|value| value_and_params(&value))
    }
}

impl CSeq {
    /// Reads a header value.
    pub fn parse(raw: Bytes) -> Result<Self, Malformed> {
        let mut words = raw.split(|&octet| is_lws(octet)).filter(|word| !word.is_empty());
        let (Some(sequence), Some(method), None) = (words.next(), words.next(), words.next()) else {
            return Err(Malformed);
        };
        // RFC 3261 §8.1.1.5: the number must be less than 2**31.
        let sequence = decimal(sequence)
            .and_then(|number| u32::try_from(number).ok())
            .filter(|&number| number < 1 << 31)
            .ok_or(Malformed)?;
        if !is_token(method) {
            return Err(Malformed);
        }
        Ok(Self { sequence, method: Method::from_token(raw.slice_ref(method)) })
    }
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Response({}, {:?}, {:?})", self.status.code(), self.core, self.head)
    }
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Core({:?}, {:?})", self.via, self.cseq)
    }
}

impl std::fmt::Debug for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Head({} fields, {} octets, body {})", self.fields.len(), self.raw.len(), self.body.len())
    }
}

impl std::fmt::Debug for HeaderField<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}({} octets)", self.id, self.value.len())
    }
}
