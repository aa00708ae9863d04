//! Streams: where messages end, keep-alives, and what makes a stream useless.

use super::super::{
    BODY_BYTES_MAX, Fault, Frame, HEAD_BYTES_MAX, HeaderId, Message, StreamFramer, is_keep_alive,
};
use super::{INVITE, octets, options_with};

fn frames(framer: &mut StreamFramer, octets: &[u8]) -> Vec<String> {
    framer.push(octets);
    std::iter::from_fn(|| framer.next_frame())
        .map(|frame| match frame {
            Frame::Message(Message::Request(request)) => {
                format!("{:?} {}", request.method(), request.body().len())
            }
            Frame::Message(Message::Response(response)) => format!("{}", response.status().code()),
            Frame::Refused(refused) => format!("refused: {}", refused.fault),
            Frame::Ping => "ping".to_owned(),
            Frame::Pong => "pong".to_owned(),
            Frame::Lost(refused) => format!("lost: {} {}", refused.fault, refused.request.is_some()),
        })
        .collect()
}

#[test]
fn messages_and_keep_alives_in_every_cut() {
    let invite = octets(INVITE);
    let options = octets(&options_with("Content-Length: 0\n"));
    let refused = octets(&options_with("Content-Length: 3\n").replace("CSeq: 1", "CSeq: x"));
    let stream =
        [&b"\r\n\r\n"[..], &invite, &options, &refused, b"abc", b"\r\n\r\n", &options, b"\r\n", &invite]
            .concat();
    let expected =
        ["ping", "INVITE 5", "OPTIONS 0", "refused: Malformed CSeq", "ping", "OPTIONS 0", "pong", "INVITE 5"];
    for chunk_bytes in 1..stream.len() {
        let mut framer = StreamFramer::new();
        let mut seen: Vec<_> =
            stream.chunks(chunk_bytes).flat_map(|chunk| frames(&mut framer, chunk)).collect();
        // A ping cut in two is first taken for a pong: a peer ignores the difference.
        if seen.len() > expected.len() {
            let mut at = 0;
            while at + 1 < seen.len() {
                if seen[at] == "pong" && seen[at + 1] == "ping" {
                    seen.remove(at);
                }
                at += 1;
            }
        }
        assert_eq!(seen, expected, "in {chunk_bytes}");
        assert!(!framer.is_partial());
    }
}

#[test]
fn a_lost_stream_says_so_once() {
    use Fault::{BodyTooLong, HeadOctets, Malformed, Missing, NotSip, Repeated};
    let length = HeaderId::ContentLength;
    let too_long = format!("l: {}\n", BODY_BYTES_MAX + 1);
    for (text, fault, answerable) in [
        (options_with(""), Missing(length), true),
        (options_with("l: x\n"), Malformed(length), true),
        (options_with("l: 0\nl: 0\n"), Repeated(length), true),
        (options_with("l: 0\nContent-Length: 10\n"), Repeated(length), true),
        (options_with(&too_long), BodyTooLong, true),
        (options_with("l: 0\nX: a\0b\n"), HeadOctets, true),
        ("GET / HTTP/1.1\nHost: x\n\n".to_owned(), NotSip, false),
        (options_with("").replace("OPTIONS", "ACK"), Missing(length), false),
    ] {
        let mut framer = StreamFramer::new();
        let more = octets(&options_with("l: 0\n"));
        let seen = frames(&mut framer, &[&octets(&text)[..], &more].concat());
        assert_eq!(seen, [format!("lost: {fault} {answerable}")], "{text}");
        assert!(frames(&mut framer, &more).is_empty());
        assert!(!framer.is_partial());
    }
}

#[test]
fn a_head_without_end_is_bounded() {
    let mut framer = StreamFramer::new();
    let mut pushed = 0;
    let line = [&b"X: "[..], &[b'a'; 995], b"\r\n"].concat();
    framer.push(&octets(&options_with("").replace("\n\n", "\n")));
    let lost = loop {
        framer.push(&line);
        pushed += line.len();
        if let Some(frame) = framer.next_frame() {
            break frame;
        }
        assert!(pushed <= HEAD_BYTES_MAX);
    };
    let Frame::Lost(refused) = lost else { panic!("{lost:?}") };
    assert_eq!(refused.fault, Fault::HeadTooLong);
    assert!(refused.request.is_some());
}

#[test]
fn a_message_waits_for_its_body() {
    let mut framer = StreamFramer::new();
    let invite = octets(INVITE);
    assert!(!framer.is_partial());
    assert!(frames(&mut framer, &invite[..invite.len() - 1]).is_empty());
    assert!(framer.is_partial());
    assert_eq!(frames(&mut framer, &invite[invite.len() - 1..]), ["INVITE 5"]);
}

#[test]
fn keep_alive_datagrams() {
    for (datagram, expected) in [
        (&b"\r\n\r\n"[..], true),
        (b"\r\n", true),
        (b"\0", true),
        (b"\0\0\0\0", true),
        (b"", true),
        (b"x", false),
    ] {
        assert_eq!(is_keep_alive(datagram), expected, "{datagram:?}");
    }
}
