//! Bodies: which part of a body is of a type. It knows nothing of what is in the part.

use bytes::Bytes;

use super::extensions::value_and_params;
use super::syntax::{eq_ignore_case, trim, unquote};
use super::{Head, HeaderId};

/// Parts of a multipart body beyond this are not looked at.
const PARTS_MAX: usize = 16;

/// RFC 2046 §5.1.1: a boundary is no longer than 70 octets.
const BOUNDARY_BYTES_MAX: usize = 70;

/// The body if it is of `media_type`, or the first part of that type in a multipart body (RFC 5621).
pub fn part_of_type(head: &Head, media_type: &str) -> Option<Bytes> {
    if head.body().is_empty() {
        return None;
    }
    let (kind, params) = head.content_type()?.ok()?;
    if eq_ignore_case(&kind, media_type.as_bytes()) {
        // RFC 3261 §20.12: an encoding that is not `identity` cannot be read as it stands.
        let is_encoded =
            head.tokens(HeaderId::ContentEncoding).any(|coding| !eq_ignore_case(coding, b"identity"));
        return (!is_encoded).then(|| head.body().clone());
    }
    if !kind.get(..10).is_some_and(|family| eq_ignore_case(family, b"multipart/")) {
        return None;
    }
    let boundary = unquote(params.value("boundary")?);
    Parts::new(head.body(), &boundary)?.take(PARTS_MAX).find_map(|part| {
        let (headers, content) = split_part(&part)?;
        part_is_of_type(headers, media_type).then(|| part.slice_ref(content))
    })
}

/// The parts between the delimiter lines of a multipart body (RFC 2046 §5.1.1).
struct Parts<'a> {
    body: &'a Bytes,
    delimiter: Vec<u8>,
    /// After the delimiter that the next part follows; `None` after the last.
    at: Option<usize>,
}

impl<'a> Parts<'a> {
    fn new(body: &'a Bytes, boundary: &[u8]) -> Option<Self> {
        if boundary.is_empty() || boundary.len() > BOUNDARY_BYTES_MAX {
            return None;
        }
        let delimiter = [b"\r\n--", boundary].concat();
        // The first delimiter may open the body, without the line break that belongs to the others.
        let at = if body.starts_with(&delimiter[2..]) {
            delimiter.len() - 2
        } else {
            memchr::memmem::find(body, &delimiter)? + delimiter.len()
        };
        Some(Self { body, delimiter, at: Some(at) })
    }
}

impl Iterator for Parts<'_> {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let at = self.at.take()?;
        let rest = &self.body[at..];
        if rest.starts_with(b"--") {
            return None;
        }
        // Whitespace may pad the delimiter line; the part begins with the line break that ends it, so that a part
        // without headers still shows its empty line.
        let line_end = memchr::memmem::find(rest, b"\r\n")?;
        let length = memchr::memmem::find(&rest[line_end..], &self.delimiter)?;
        self.at = Some(at + line_end + length + self.delimiter.len());
        Some(self.body.slice(at + line_end..at + line_end + length))
    }
}

/// Headers and content of a part that begins with the line break of its delimiter.
fn split_part(part: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memmem::find(part, b"\r\n\r\n")?;
    Some((&part[..end], &part[end + 4..]))
}

fn part_is_of_type(headers: &[u8], media_type: &str) -> bool {
    headers.split(|&octet| octet == b'\n').map(trim).any(|line| {
        let Some(colon) = memchr::memchr(b':', line) else { return false };
        HeaderId::from_name(trim(&line[..colon])) == HeaderId::ContentType
            && value_and_params(&Bytes::copy_from_slice(&line[colon + 1..]))
                .is_ok_and(|(kind, _)| eq_ignore_case(&kind, media_type.as_bytes()))
    })
}
