//! Messages in, messages out; streams cut anywhere.

use super::*;

const INVITE: &str = "INVITE sip:3919@192.0.2.9 SIP/2.0\r\nv: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1,\r\n SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK2\r\nf: \"a, \\\"b\\\" <c>\" <sip:a@b>;tag=1\r\nTo: <sip:3919@192.0.2.9>\r\ni: x@y\r\nCSeq: 7   INVITE\r\nl: 4\r\n\r\nbody";

#[test]
fn compact_folded_and_listed_headers_are_read() {
    let message = Message::parse(INVITE.as_bytes()).unwrap();
    assert_eq!(message.method(), Some("INVITE"));
    assert_eq!(
        message.values("via"),
        ["SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1", "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK2"]
    );
    assert_eq!(message.cseq(), Some((7, "INVITE")));
    assert_eq!(message.call_id(), Some("x@y"));
    assert_eq!(message.body, b"body");
    assert_eq!(message.values("From").len(), 1, "the comma is quoted");
}

#[test]
fn what_is_printed_is_read_back() {
    let message = Message::parse(INVITE.as_bytes()).unwrap();
    let mut again = Message::parse(&message.print()).unwrap();
    again.remove("Content-Length");
    let mut message = message;
    message.remove("Content-Length");
    assert!(again == message);
}

#[test]
fn bad_messages_are_refused_with_the_reason() {
    let table: [(&str, TextError); 6] = [
        ("INVITE sip:a@b SIP/2.0\r\nTo: x\r\n", TextError::Unfinished),
        ("INVITE sip:a@b\r\n\r\n", TextError::StartLine),
        ("SIP/2.0 99 No\r\n\r\n", TextError::StartLine),
        ("INVITE sip:a@b SIP/2.0\r\nno colon\r\n\r\n", TextError::Header),
        ("INVITE sip:a@b SIP/2.0\r\nl: 5\r\n\r\nbody", TextError::Length),
        ("INVITE sip:a@b SIP/2.0\r\nl: 4\r\nContent-Length: 3\r\n\r\nbody", TextError::Length),
    ];
    for (text, expected) in table {
        assert_eq!(Message::parse(text.as_bytes()).err(), Some(expected), "{text}");
    }
    let many = format!("OPTIONS sip:a SIP/2.0\r\n{}\r\n", "X: y\r\n".repeat(HEADERS_MAX + 1));
    assert_eq!(Message::parse(many.as_bytes()).err(), Some(TextError::TooManyHeaders));
    assert_eq!(Message::parse(&vec![b'x'; MESSAGE_BYTES_MAX + 1]).err(), Some(TextError::TooLarge));
}

#[test]
fn a_stream_may_be_cut_anywhere() {
    let stream = format!("\r\n\r\n{INVITE}\r\n\r\n{INVITE}");
    for size in 1..stream.len() {
        let mut framer = Framer::default();
        let mut found = 0;
        for part in stream.as_bytes().chunks(size) {
            framer.push(part).unwrap();
            while let Some(message) = framer.next_message().unwrap() {
                assert_eq!(message.body, b"body");
                found += 1;
            }
        }
        assert_eq!(found, 2, "cut every {size} bytes");
    }
}

#[test]
fn a_stream_without_a_length_cannot_be_followed() {
    let mut framer = Framer::default();
    framer.push(b"OPTIONS sip:a SIP/2.0\r\nTo: x\r\n\r\n").unwrap();
    assert_eq!(framer.next_message().err(), Some(TextError::Length));
    let mut framer = Framer::default();
    assert_eq!(framer.push(&vec![b'x'; 2 * MESSAGE_BYTES_MAX + 1]), Err(TextError::TooLarge));
}
