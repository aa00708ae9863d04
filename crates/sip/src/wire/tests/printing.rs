//! What is printed: replies, requests, and that nothing handed in can leave its line.

use std::net::SocketAddr;

use bytes::Bytes;

use super::super::*;
use super::{INVITE, options_with, request};

fn source(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn text(octets: &[u8]) -> String {
    String::from_utf8(octets.to_vec()).expect("text").replace("\r\n", "\n")
}

#[test]
fn a_reply_in_full() {
    let invite = request(INVITE);
    let reply =
        MessageBuilder::reply_to(&invite, source("192.0.2.1:5060"), Status::RINGING, Some(b"a6c85cf"))
            .allow(&[Method::Invite, Method::Bye])
            .finish();
    assert_eq!(
        text(&reply),
        "SIP/2.0 180 Ringing\nVia: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKnashds8;received=192.0.2.1\n\
         From: Alice <sip:alice@atlanta.com>;tag=1928301774\nTo: Bob <sip:bob@biloxi.com>;tag=a6c85cf\n\
         Call-ID: a84b4c76e66710\nCSeq: 314159 INVITE\nAllow: INVITE, BYE\nContent-Length: 0\n\n"
    );
}

#[test]
fn a_request_in_full() {
    let to = Uri::parse_text("sip:bob@biloxi.com;transport=tcp?Subject=x").expect("a URI");
    let from = Uri::parse_text("sip:line@[2001:db8::1]").expect("a URI");
    let tag = [Param { name: b"tag", value: Some(b"88") }];
    let odd = [Param { name: b"x", value: Some(b"a b\"") }, Param { name: b"flag", value: None }];
    let printed = MessageBuilder::request(&Method::Invite, &to)
        .via(Transport::Tcp, "[2001:db8::1]:5060", b"abc")
        .max_forwards(70)
        .address(HeaderId::From, &Address { display: Some("Ligne \"3\""), uri: &from, params: &tag })
        .address(HeaderId::To, &Address { display: None, uri: &to.without_headers(), params: &[] })
        .call_id(b"c@h")
        .cseq(7, &Method::Invite)
        .address(HeaderId::Contact, &Address { display: None, uri: &from, params: &odd })
        .list(HeaderId::Supported, ["timer", "path"])
        .number(HeaderId::Expires, u64::from(u32::MAX))
        .digest(
            HeaderId::Authorization,
            &[AuthField::Quoted("username", b"a\"b"), AuthField::Token("nc", b"00000001")],
        )
        .named("X-Line", "3919")
        .finish_with("application/sdp", b"v=0\r\n");
    assert_eq!(
        text(&printed),
        "INVITE sip:bob@biloxi.com;transport=tcp SIP/2.0\n\
         Via: SIP/2.0/TCP [2001:db8::1]:5060;rport;branch=z9hG4bKabc\nMax-Forwards: 70\n\
         From: \"Ligne \\\"3\\\"\" <sip:line@[2001:db8::1]>;tag=88\nTo: <sip:bob@biloxi.com;transport=tcp>\n\
         Call-ID: c@h\nCSeq: 7 INVITE\nContact: <sip:line@[2001:db8::1]>;x=\"a b\\\"\";flag\n\
         Supported: timer, path\nExpires: 4294967295\nAuthorization: Digest username=\"a\\\"b\", nc=00000001\n\
         X-Line: 3919\nContent-Type: application/sdp\nContent-Length: 5\n\nv=0\n"
    );
    assert!(read_datagram(printed).is_ok());
}

#[test]
fn the_topmost_via_of_a_reply() {
    // RFC 3261 §18.2.1, RFC 3581 §4, RFC 5118 §4.5.
    for (via, from, expected) in [
        ("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1", "192.0.2.1:5060", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1"),
        (
            "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1",
            "192.0.2.1:9",
            "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1;received=192.0.2.1",
        ),
        (
            "SIP/2.0/UDP 10.1.1.1:4540;rport;branch=z9hG4bK1",
            "192.0.2.1:9988",
            "SIP/2.0/UDP 10.1.1.1:4540;rport=9988;branch=z9hG4bK1;received=192.0.2.1",
        ),
        (
            "SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bK1",
            "192.0.2.1:9988",
            "SIP/2.0/UDP 192.0.2.1;rport=9988;branch=z9hG4bK1;received=192.0.2.1",
        ),
        (
            "SIP/2.0/UDP 10.0.0.1;received=203.0.113.9;branch=z9hG4bK1",
            "192.0.2.1:9",
            "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1;received=192.0.2.1",
        ),
        (
            "SIP/2.0/UDP h ; branch = z9hG4bK1 , SIP/2.0/TCP x",
            "[2001:db8::9:255]:5060",
            "SIP/2.0/UDP h;branch=z9hG4bK1;received=2001:db8::9:255 , SIP/2.0/TCP x",
        ),
        ("SIP/2.0/UDP 192.0.2.1", "[::ffff:192.0.2.1]:5060", "SIP/2.0/UDP 192.0.2.1"),
        ("SIP/2.0/UDP [2001:db8::1]", "[2001:db8::1]:5060", "SIP/2.0/UDP [2001:db8::1]"),
        (
            "SIP/2.0/UDP\n h;x=\"a,\\\"b\";branch=z9hG4bK1,\n\tSIP/2.0/UDP i",
            "192.0.2.1:5060",
            "SIP/2.0/UDP   h;x=\"a,\\\"b\";branch=z9hG4bK1;received=192.0.2.1,  \tSIP/2.0/UDP i",
        ),
    ] {
        let asked = request(&options_with("").replace("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1", via));
        let reply = MessageBuilder::reply_to(&asked, source(from), Status::OK, None).finish();
        let printed = text(&reply);
        let line = printed.lines().find_map(|line| line.strip_prefix("Via: "));
        assert_eq!(line, Some(expected), "{via}");
        let Ok(Message::Response(read)) = read_datagram(reply) else { panic!("{via}") };
        assert_eq!(read.vias().count(), asked.vias().count());
    }
}

#[test]
fn a_tag_is_added_once_and_where_it_can_be() {
    let tagged =
        request(&options_with("").replace("<sip:bob@example.com>\n", "<sip:bob@example.com>;tag=b\n"));
    let reply =
        MessageBuilder::reply_to(&tagged, source("192.0.2.1:5060"), Status::OK, Some(b"mine")).finish();
    assert!(!text(&reply).contains("mine"));
    let bare = request(&options_with("").replace("To: <sip:bob@example.com>", "To: sip:bob@example.com"));
    let reply = MessageBuilder::reply_to(&bare, source("192.0.2.1:5060"), Status::OK, Some(b"mine")).finish();
    assert!(text(&reply).contains("To: sip:bob@example.com;tag=mine\n"));
}

#[test]
fn replies_to_faulty_requests() {
    for (more, from, to, expected) in [
        ("no colon\n", "", "", "SIP/2.0 400 Malformed Header Line\n"),
        ("", "SIP/2.0\nVia", "SIP/9.1\nVia", "SIP/2.0 505 Version Not Supported\n"),
        ("", "<sip:bob@example.com>\n", "\"Bob <sip:bob@example.com>\n", "SIP/2.0 400 Malformed To\n"),
        ("", "Call-ID: c1\n", "", "SIP/2.0 400 Missing Call-ID\n"),
        ("", ";branch=z9hG4bK1", ";;", "SIP/2.0 400 Malformed Via\n"),
        ("X: a\u{b}\0\n", "", "", "SIP/2.0 400 Bare CR, LF or NUL in Message Head\n"),
    ] {
        let asked =
            if from.is_empty() { options_with(more) } else { options_with(more).replacen(from, to, 1) };
        let refused = super::read(&asked).expect_err(&asked);
        let faulty = refused.request.expect("answerable");
        let reply =
            MessageBuilder::reply_to_faulty(&faulty, source("192.0.2.1:5060"), refused.fault, Some(b"t"))
                .finish();
        assert!(text(&reply).starts_with(expected), "{asked}: {}", text(&reply));
    }
}

#[test]
fn nothing_handed_in_leaves_its_line() {
    const EVIL: &[u8] = b"x\r\nEvil: 1\r\n\r\nBYE\0\n\rEvil: 2";
    let evil_text = std::str::from_utf8(EVIL).expect("text");
    let uri = Uri::parse_text("sip:a@b").expect("a URI");
    let evil = [Param { name: EVIL, value: Some(EVIL) }];
    let asked = request(&options_with(""));
    let source = source("192.0.2.1:5060");
    let builders = [
        MessageBuilder::request(&Method::Other(Bytes::from_static(EVIL)), &uri),
        MessageBuilder::response(Status::OK, evil_text),
        MessageBuilder::reply_to(&asked, source, Status::OK, Some(EVIL)),
        MessageBuilder::response(Status::OK, "").via(Transport::Udp, evil_text, EVIL),
        MessageBuilder::response(Status::OK, "")
            .address(HeaderId::From, &Address { display: Some(evil_text), uri: &uri, params: &evil }),
        MessageBuilder::response(Status::OK, "").call_id(EVIL),
        MessageBuilder::response(Status::OK, "").cseq(1, &Method::Other(Bytes::from_static(EVIL))),
        MessageBuilder::response(Status::OK, "").header(HeaderId::Subject, EVIL),
        MessageBuilder::response(Status::OK, "").copied(HeaderId::Subject, EVIL),
        MessageBuilder::response(Status::OK, "").named("X", EVIL).named(evil_text, "y"),
        MessageBuilder::response(Status::OK, "").list(HeaderId::Supported, [EVIL]),
        MessageBuilder::response(Status::OK, "").digest(
            HeaderId::WwwAuthenticate,
            &[AuthField::Quoted(evil_text, EVIL), AuthField::Token(evil_text, EVIL)],
        ),
    ];
    for builder in builders {
        let printed = builder.finish_with(evil_text, b"");
        let head = &printed[..printed.len() - 4];
        assert!(printed.ends_with(b"\r\n\r\n"));
        assert!(memchr::memmem::find(head, b"\r\n\r\n").is_none(), "{printed:?}");
        assert!(!head.split(|&octet| octet == b'\n').any(|line| line.starts_with(b"Evil")), "{printed:?}");
        let line_ends = memchr::memmem::find_iter(head, b"\r\n").count();
        assert_eq!(memchr::memchr2_iter(b'\r', b'\n', head).count(), 2 * line_ends, "{printed:?}");
    }
}

#[test]
fn a_relayed_header_keeps_its_octets() {
    let asked =
        request(&options_with("Record-Route: <sip:p1;lr>,\n <sip:p2;lr>\nRecord-Route: <sip:p3;lr>\n"));
    let reply = MessageBuilder::reply_to(&asked, source("192.0.2.1:5060"), Status::OK, None)
        .copied_all(HeaderId::RecordRoute, asked.head())
        .finish();
    assert!(text(&reply).contains("Record-Route: <sip:p1;lr>,   <sip:p2;lr>\nRecord-Route: <sip:p3;lr>\n"));
}
