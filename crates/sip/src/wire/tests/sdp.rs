//! Finding the session description in a body.

use super::{options_with, request};

#[test]
fn by_type_and_part() {
    let multipart = |boundary: &str, body: &str| {
        (format!("Content-Type: multipart/mixed;boundary={boundary}\n"), body.to_owned())
    };
    let single = |headers: &str, body: &str| (headers.to_owned(), body.to_owned());
    for ((headers, body), expected) in [
        (single("Content-Type: application/sdp\n", "v=0\n"), Some("v=0\r\n")),
        (single("c: Application/SDP; charset=utf-8\n", "v=0\n"), Some("v=0\r\n")),
        (single("c: application/sdp\ne: gzip\n", "v=0\n"), None),
        (single("c: application/sdp\ne: identity\n", "v=0\n"), Some("v=0\r\n")),
        (single("c: application/sdp\n", ""), None),
        (single("", "v=0\n"), None),
        (single("c: text/plain\n", "v=0\n"), None),
        (
            multipart(
                "b1",
                "--b1\nContent-Type: text/plain\n\nhello\n--b1\nContent-Type: application/sdp\n\nv=0\nb=1\n\n--b1--\n",
            ),
            Some("v=0\r\nb=1\r\n"),
        ),
        (multipart("\"b 1\"", "preamble\n--b 1 \nc: application/sdp;x=y\n\nv=0\n--b 1--"), Some("v=0")),
        (multipart("b1", "--b1\n\nno headers\n--b1\nc: application/sdp\n\nv=0\n--b1--"), Some("v=0")),
        (multipart("b1", "--b1\nc: application/sdp\n\nv=0\n"), None),
        (multipart("b1", "--b1--\n--b1\nc: application/sdp\n\nv=0\n--b1--"), None),
        (multipart("", "--b1\n"), None),
        (single("c: multipart/mixed\n", "--b1\n"), None),
    ] {
        let read = request(&(options_with(&headers) + &body));
        assert_eq!(read.sdp().as_deref(), expected.map(str::as_bytes), "{headers}{body}");
    }
}
