//! Start lines, the header table and typed headers, by example.

use bytes::Bytes;

use super::super::*;
use super::{INVITE, fault, octets, options_with, request, response};

fn slice(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

#[test]
fn the_invite_of_rfc_3261() {
    let invite = request(INVITE);
    assert_eq!(invite.method(), &Method::Invite);
    assert_eq!(invite.uri().as_bytes(), b"sip:bob@biloxi.com");
    assert_eq!(invite.via().transport(), Transport::Udp);
    assert_eq!(invite.via().host().name(), Some(&b"pc33.atlanta.com"[..]));
    assert!(invite.via().has_rfc3261_branch());
    assert_eq!(invite.to().display_name(), &b"Bob"[..]);
    assert_eq!(invite.to().tag(), None);
    assert_eq!(invite.from().tag().as_deref(), Some(&b"1928301774"[..]));
    assert_eq!(&invite.call_id()[..], b"a84b4c76e66710");
    assert_eq!(invite.cseq(), &CSeq { sequence: 314_159, method: Method::Invite });
    assert_eq!(invite.max_forwards(), Some(70));
    assert_eq!(invite.sdp().as_deref(), Some(&b"v=0\r\n"[..]));
}

#[test]
fn status_lines() {
    let rest =
        "\nVia: SIP/2.0/UDP h\nFrom: <sip:a@b>;tag=1\nTo: <sip:c@d>;tag=2\nCall-ID: x\nCSeq: 1 INVITE\n\n";
    for (line, code, phrase) in [
        ("SIP/2.0 200 OK", 200, "OK"),
        ("SIP/2.0 180 Ringing", 180, "Ringing"),
        ("sip/2.0 100 ", 100, ""),
        ("SIP/2.0 486", 486, ""),
        ("SIP/2.0 603 Non, merci  bien ", 603, "Non, merci  bien "),
        ("SIP/2.0 699 x", 699, "x"),
    ] {
        let read = response(&format!("{line}{rest}"));
        assert_eq!(read.status().code(), code, "{line}");
        assert_eq!(&read.reason_phrase()[..], phrase.as_bytes(), "{line}");
    }
    for line in [
        "SIP/2.0 099 x",
        "SIP/2.0 700 x",
        "SIP/2.0 20 x",
        "SIP/2.0 2000 x",
        "SIP/2.0  200 OK",
        "SIP/2.0 +20 x",
        "SIP/2.0",
        "SIP/3.0 200 OK",
        "SIP/2.0 4294967301 x",
    ] {
        let refused = super::read(&format!("{line}{rest}")).expect_err(line);
        assert!(refused.request.is_none(), "{line}: a response is never answered");
    }
}

#[test]
fn request_lines() {
    let rest = options_with("");
    let rest = rest.split_once('\n').expect("lines").1;
    for (line, expected) in [
        ("OPTIONS sip:a@b SIP/2.0", None),
        ("OPTIONS sip:a@b sip/2.0", None),
        ("OPTIONS  sip:a@b SIP/2.0", Some(Fault::StartLine)),
        ("OPTIONS sip:a@b  SIP/2.0", Some(Fault::StartLine)),
        ("OPTIONS sip:a@b SIP/2.0 ", Some(Fault::StartLine)),
        ("OPTIONS sip:a@b; lr SIP/2.0", Some(Fault::StartLine)),
        ("OPTIONS SIP/2.0", Some(Fault::StartLine)),
        ("OPTIONS <sip:a@b> SIP/2.0", Some(Fault::RequestUri)),
        ("OPTIONS sip:a@b?Route=x SIP/2.0", Some(Fault::RequestUri)),
        ("OPTIONS sip:2001:db8::1 SIP/2.0", Some(Fault::RequestUri)),
        ("OPTIONS sip:a@b SIP/2.1", Some(Fault::Version)),
        ("OPTIONS sip:a@b SIP/7.0", Some(Fault::Version)),
        ("OPTIONS sip:a@b HTTP/1.1", Some(Fault::NotSip)),
        ("OPT(IONS sip:a@b SIP/2.0", Some(Fault::NotSip)),
        ("GET / HTTP/1.0", Some(Fault::NotSip)),
        ("hello", Some(Fault::NotSip)),
        ("options sip:a@b SIP/2.0", Some(Fault::MethodMismatch)),
    ] {
        assert_eq!(fault(&format!("{line}\n{rest}")), expected, "{line}");
    }
}

#[test]
fn header_names_in_every_form() {
    for id in HeaderId::KNOWN {
        let name = id.name();
        assert_eq!(HeaderId::from_name(name.as_bytes()), *id);
        assert_eq!(HeaderId::from_name(name.to_ascii_uppercase().as_bytes()), *id);
        assert_eq!(HeaderId::from_name(name.to_ascii_lowercase().as_bytes()), *id);
    }
    for (compact, id) in [
        ("v", HeaderId::Via),
        ("F", HeaderId::From),
        ("t", HeaderId::To),
        ("i", HeaderId::CallId),
        ("m", HeaderId::Contact),
        ("l", HeaderId::ContentLength),
        ("c", HeaderId::ContentType),
        ("e", HeaderId::ContentEncoding),
        ("k", HeaderId::Supported),
        ("s", HeaderId::Subject),
        ("o", HeaderId::Event),
        ("u", HeaderId::AllowEvents),
        ("r", HeaderId::ReferTo),
        ("b", HeaderId::ReferredBy),
        ("x", HeaderId::SessionExpires),
        ("a", HeaderId::AcceptContact),
        ("y", HeaderId::Identity),
        ("z", HeaderId::Other),
        ("", HeaderId::Other),
        ("X-A-Header-With-A-Very-Long-Name", HeaderId::Other),
    ] {
        assert_eq!(HeaderId::from_name(compact.as_bytes()), id, "{compact}");
    }
}

#[test]
fn the_table_keeps_order_folds_and_unknown_headers() {
    let text = options_with(
        "X-One: a\nROUTE: <sip:1;lr>, <sip:2;lr>\nx-one :\n b\n\tc  \nRoute: <sip:3;lr>\nX-Empty:\n",
    );
    let read = request(&text);
    let ones: Vec<_> = read.named("X-ONE").collect();
    assert_eq!(ones, [&b"a"[..], b"b\r\n\tc"]);
    assert_eq!(read.named("x-empty").next(), Some(&b""[..]));
    let routes: Vec<_> = read.addresses(HeaderId::Route).map(|route| route.expect("well-formed")).collect();
    let uris: Vec<_> = routes.iter().map(|route| route.uri().as_bytes().to_vec()).collect();
    assert_eq!(uris, [b"sip:1;lr".to_vec(), b"sip:2;lr".to_vec(), b"sip:3;lr".to_vec()]);
    assert_eq!(read.fields().count(), 11);
    assert!(read.fields.len() <= read.fields.inline_size(), "a common request takes no allocation");
}

#[test]
fn faults_by_header() {
    use Fault::{HeadOctets, HeaderLine, Malformed, MethodMismatch, Missing, Repeated};
    use HeaderId as H;
    let base = options_with("");
    let swap = |from: &str, to: &str| {
        assert!(base.contains(from), "{from}");
        base.replace(from, to)
    };
    for (text, expected) in [
        (swap("Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\n", ""), Missing(H::Via)),
        (swap("From: <sip:alice@example.com>;tag=a\n", ""), Missing(H::From)),
        (swap("To: <sip:bob@example.com>\n", ""), Missing(H::To)),
        (swap("Call-ID: c1\n", ""), Missing(H::CallId)),
        (swap("CSeq: 1 OPTIONS\n", ""), Missing(H::CSeq)),
        (swap("Call-ID: c1", "Call-ID: c1\ni: c1"), Repeated(H::CallId)),
        (swap("Call-ID: c1", "Call-ID: c 1"), Malformed(H::CallId)),
        (swap("Call-ID: c1", "Call-ID:"), Malformed(H::CallId)),
        (swap("CSeq: 1 ", "CSeq: 2147483648 "), Malformed(H::CSeq)),
        (swap("CSeq: 1 ", "CSeq: 36893488147419103232 "), Malformed(H::CSeq)),
        (swap("CSeq: 1 ", "CSeq: -1 "), Malformed(H::CSeq)),
        (swap("CSeq: 1 OPTIONS", "CSeq: 1"), Malformed(H::CSeq)),
        (swap("CSeq: 1 OPTIONS", "CSeq: 1 OPTIONS x"), Malformed(H::CSeq)),
        (swap("CSeq: 1 OPTIONS", "CSeq: 1 options"), MethodMismatch),
        (swap("Max-Forwards: 70", "Max-Forwards: 256"), Malformed(H::MaxForwards)),
        (swap("Max-Forwards: 70", "Max-Forwards: many"), Malformed(H::MaxForwards)),
        (swap("Max-Forwards: 70", "Max-Forwards: 70\nMax-Forwards: 70"), Repeated(H::MaxForwards)),
        (swap("<sip:bob@example.com>\n", "\"Bob <sip:bob@example.com>\n"), Malformed(H::To)),
        (swap("From: <", "From: Bell, A <"), Malformed(H::From)),
        (swap(";tag=a", ";tag=a, <sip:b@c>"), Malformed(H::From)),
        (swap(";branch=z9hG4bK1", ";branch=z9hG4bK"), Malformed(H::Via)),
        (swap(";branch=z9hG4bK1", ";;"), Malformed(H::Via)),
        (swap(";branch=z9hG4bK1", ";branch=z9hG4bK1,"), Malformed(H::Via)),
        (swap("SIP/2.0/UDP 192", "SIP/3.0/UDP 192"), Malformed(H::Via)),
        (swap("192.0.2.1;", "2001:db8::1;"), Malformed(H::Via)),
        (swap("192.0.2.1;", "192.0.2.1:70000;"), Malformed(H::Via)),
        (options_with("Contact: *, <sip:a@b>\n"), Malformed(H::Contact)),
        (options_with("Contact: <sip:a@b>, *\n"), Malformed(H::Contact)),
        (options_with("Contact: *\nContact: <sip:a@b>\n"), Malformed(H::Contact)),
        (options_with("Contact: *\nContact: *\n"), Malformed(H::Contact)),
        (options_with("Contact: sip:a@b?Route=x\n"), Malformed(H::Contact)),
        (options_with("Contact: <sip:a@b>;;\n"), Malformed(H::Contact)),
        (options_with("Route: sip\n"), Malformed(H::Route)),
        (options_with("Record-Route: <sip:a@b>,,<sip:c@d>\n"), Malformed(H::RecordRoute)),
        (options_with("no colon\n"), HeaderLine),
        (options_with("a b: c\n"), HeaderLine),
        (options_with(": c\n"), HeaderLine),
        (options_with("X: a\0b\n"), HeadOctets),
        (options_with("l: 0\nContent-Length: 0\n"), Repeated(H::ContentLength)),
        (options_with("l: 0\nContent-Length: 5\n"), Repeated(H::ContentLength)),
        (options_with("l: -1\n"), Malformed(H::ContentLength)),
        (options_with("l: 99999999999999999999999\n"), Malformed(H::ContentLength)),
        (options_with("l:\n"), Malformed(H::ContentLength)),
        (options_with("l: 1\n"), Fault::BodyTruncated),
    ] {
        let refused = super::read(&text).expect_err(&text);
        assert_eq!(refused.fault, expected, "{text}");
        assert_eq!(refused.request.is_some(), expected != Missing(H::Via), "{text}");
    }
}

#[test]
fn line_ends_are_cr_lf() {
    let good = octets(&options_with("X: a\n"));
    assert!(read_datagram(good.clone()).is_ok());
    let text = std::str::from_utf8(&good).expect("text");
    for bad in
        [text.replace("\r\n", "\n"), text.replacen("X: a\r\n", "X: a\n", 1), text.replace("X: a", "X: \ra")]
    {
        let refused = read_datagram(Bytes::from(bad)).expect_err("a bare line break");
        assert_eq!(refused.fault, Fault::HeadOctets);
        assert!(refused.request.is_some(), "the sender hears what is wrong");
    }
    // A head that just ends.
    assert_eq!(
        read_datagram(good.slice(..good.len() - 2)).expect_err("no empty line").fault,
        Fault::HeadOctets
    );
    // RFC 3261 §7.5: line breaks before the start line.
    assert!(read_datagram(Bytes::from([b"\r\n\r\n", &good[..]].concat())).is_ok());
}

#[test]
fn what_is_never_answered() {
    let ack = options_with("no colon\n").replace("OPTIONS", "ACK");
    assert!(super::read(&ack).expect_err("a fault").request.is_none());
}

#[test]
fn octets_beyond_content_length_are_discarded() {
    let read = request(&(options_with("Content-Type: text/plain\nl: 2\n") + "hello"));
    assert_eq!(&read.body()[..], b"he");
    assert_eq!(&request(&(options_with("") + "hello")).body()[..], b"hello");
}

#[test]
fn via_by_example() {
    // RFC 3261 §20.42, RFC 3581 §4, RFC 5118 §4.
    let via = |text: &str| Via::parse(slice(text)).unwrap_or_else(|_| panic!("{text}"));
    let first = via("SIP/2.0/UDP 192.0.2.1:5060 ;received=192.0.2.207\r\n ;branch=z9hG4bK77asjd");
    assert_eq!((first.port(), first.received()), (Some(5060), Some("192.0.2.207".parse().expect("ip"))));
    assert!(!first.wants_rport());
    let nat = via("SIP/2.0/TCP 10.1.1.1:4540;rport;branch=z9hG4bKkjshdyff");
    assert!(nat.wants_rport());
    assert_eq!((nat.transport(), nat.rport()), (Transport::Tcp, None));
    let answered = via("SIP/2.0/UDP 10.1.1.1:4540;received=192.0.2.1;rport=9988;branch=z9hG4bKkjshdyff");
    assert_eq!((answered.rport(), answered.wants_rport()), (Some(9988), false));
    assert_eq!(via("SIP/2.0/UDP h;rport=70000").rport(), None);
    let v6 = "2001:db8::9:255".parse().expect("ip");
    for text in ["2001:db8::9:255", "[2001:db8::9:255]"] {
        let read = via(&format!("SIP/2.0/UDP [2001:db8::9:1];received={text};branch=z9hG4bKas3-111"));
        assert_eq!(read.received(), Some(v6), "{text}");
        assert_eq!(read.host().ip(), Some("2001:db8::9:1".parse().expect("ip")));
    }
    let spaced =
        via("SIP / 2.0 / UDP first.example.com: 4000;ttl=16 ;maddr=224.2.0.1 ;branch=z9hG4bKa7c6a8dlze.1");
    assert_eq!((spaced.port(), spaced.maddr()), (Some(4000), Some(&b"224.2.0.1"[..])));
    assert_eq!(via("SIP/2.0/WSS x.invalid").transport(), Transport::Wss);
    assert_eq!(via("SIP/2.0/tls-sctp x").transport(), Transport::Other);
    assert!(via("SIP/2.0/UDP x;branch=Z9HG4BKa").has_rfc3261_branch());
    for bad in
        ["", "SIP/2.0/UDP", "SIP/2.0/UDP ", "SIP/2.0 h", "SIP/2.0/UDPh", "HTTP/2.0/UDP h", "SIP/2.0/UDP h i"]
    {
        assert!(Via::parse(slice(bad)).is_err(), "{bad}");
    }
}

#[test]
fn addresses_by_example() {
    for (text, display, uri, tag) in [
        (
            "\"A. G. Bell\" <sip:agb@bell-telephone.com> ;tag=a48s",
            "A. G. Bell",
            "sip:agb@bell-telephone.com",
            "a48s",
        ),
        (
            "sip:+12125551212@server.phone2net.com;tag=887s",
            "",
            "sip:+12125551212@server.phone2net.com",
            "887s",
        ),
        (
            "Anonymous <sip:c8oqz84zk7z@privacy.org>;tag=hyh8",
            "Anonymous",
            "sip:c8oqz84zk7z@privacy.org",
            "hyh8",
        ),
        ("caller<sip:caller@example.com>;tag=323", "caller", "sip:caller@example.com", "323"),
        ("\"Quoted \\\"x\\\" \\\\\"<sip:a@b;lr>;x=\"a;tag=no\";tag=1", "Quoted \"x\" \\", "sip:a@b;lr", "1"),
        ("Hélène <sip:h@b>;TAG=2", "Hélène", "sip:h@b", "2"),
        ("<tel:+33123>\r\n ; tag\r\n = 3", "", "tel:+33123", "3"),
        ("\"<sip:no@no>\" <sip:a@b>;tag=4", "<sip:no@no>", "sip:a@b", "4"),
    ] {
        let read = NameAddr::parse(slice(text)).unwrap_or_else(|_| panic!("{text}"));
        assert_eq!(read.display_name(), display.as_bytes(), "{text}");
        assert_eq!(read.uri().as_bytes(), uri.as_bytes(), "{text}");
        assert_eq!(read.tag().as_deref(), Some(tag.as_bytes()), "{text}");
        assert_eq!(read.detached().as_bytes(), text.as_bytes());
    }
    for bad in [
        "",
        "<>",
        "<sip:a@b",
        "\"x <sip:a@b>",
        "\"x\" sip:a@b",
        "a, b <sip:a@b>",
        "< sip:a@b >",
        "<sip:a@b> x",
        "<sip:a@b>;",
        "<sip:a@b>;tag=",
        "sip:a@b?x=y",
        "sip:a,b@c",
        "x<sip:a@b>>",
    ] {
        assert!(NameAddr::parse(slice(bad)).is_err(), "{bad}");
    }
}

#[test]
fn contacts_by_example() {
    let read = request(&options_with(
        "Contact: \"Mr. Watson, A.\" <sip:watson@worcester.bell-telephone.com>;q=0.7; expires=3600,\n \
         \"Mr. Watson\" <mailto:watson@bell-telephone.com> ;q=0.1\nm: sip:x@y;expires=99999999999, <sip:z@y>;q=2;expires=x\n",
    ));
    let contacts = read.contacts().expect("well-formed");
    let seen: Vec<_> = contacts.listed().iter().map(|one| (one.q_thousandths(), one.expires_s())).collect();
    assert_eq!(seen, [(700, Some(3600)), (100, None), (1000, Some(u32::MAX)), (1000, None)]);
    assert!(matches!(request(&options_with("Contact: *\n")).contacts(), Ok(Contacts::All)));
    assert!(request(&options_with("")).contacts().expect("none").listed().is_empty());
}

#[test]
fn credentials_by_example() {
    // RFC 3261 §20.7 and RFC 8760.
    let read = request(&options_with(
        "Authorization: Digest username=\"Alice \\\"A\\\"\", realm=\"atlanta.com\",\n nonce=\"84a4,cc6f\" , \
         response=\"7587245234b3434cc3412213e5f113a5\",qop=auth, nc=00000001, algorithm = SHA-256\n\
         Authorization: NoOneKnowsThisScheme opaque-data=here\nAuthorization: Basic QWxhZGRpbg==\n",
    ));
    let all: Vec<_> = read.auths(HeaderId::Authorization).collect();
    let digest = all[0].as_ref().expect("well-formed");
    assert!(digest.is_digest());
    for (name, value) in [
        ("Username", "Alice \"A\""),
        ("nonce", "84a4,cc6f"),
        ("qop", "auth"),
        ("nc", "00000001"),
        ("algorithm", "SHA-256"),
    ] {
        assert_eq!(digest.value(name).as_deref(), Some(value.as_bytes()), "{name}");
    }
    assert_eq!(digest.iter().count(), 7);
    assert!(!digest.has_repeated("nc"));
    assert_eq!(all[1].as_ref().expect("well-formed").scheme(), b"NoOneKnowsThisScheme");
    assert!(!all[2].as_ref().expect("some parameter").is_digest());
    for bad in ["", "Digest x", "Digest a=\"b", "Digest a=b c=d", "Digest ,=x", "(x) a=b"] {
        assert!(AuthParams::parse(slice(bad)).is_err(), "{bad}");
    }
    assert!(AuthParams::parse(slice("Digest nc=1, NC=2")).expect("well-formed").has_repeated("nc"));
}

#[test]
fn extension_headers_by_example() {
    let read = request(&options_with(
        "Session-Expires: 4000 ;refresher=uac\nMin-SE: 90;x=y\nRAck: 776656 1 INVITE\nRSeq: 988789\nExpires: 4294967296\n\
         Replaces: 98732@sip.example.com;from-tag=r33th4x0r ;to-tag=ff87ff;early-only\nRetry-After: 18000 (busy);duration=3600\n\
         Reason: SIP ;cause=200 ;text=\"Call completed elsewhere\", Q.850;cause=16\nPrivacy: header; id\nMin-Expires: x\n\
         Require: 100rel\nSupported: timer, Path,\nAllow: INVITE, ACK\nAccept: application/sdp;level=1, text/*\n\
         P-Asserted-Identity: \"C\" <sip:c@d>, tel:+14085264000\nDiversion: <sip:x@y>;reason=busy;counter=1\n\
         Refer-To: <sip:a@b?Replaces=12345%40h%3Bto-tag%3D12>\nContent-Type: multipart/mixed; boundary=\"a b\"\n",
    ));
    let session = read.session_expires().expect("there").expect("well-formed");
    assert_eq!(session, SessionExpires { interval_s: 4000, refresher: Some(Refresher::Uac) });
    assert_eq!(read.min_se_s(), Some(Ok(90)));
    assert_eq!(read.rack().expect("there"), Ok(RAck { rseq: 776_656, cseq: 1, method: Method::Invite }));
    assert_eq!(read.rseq(), Some(Ok(988_789)));
    assert_eq!(read.seconds(HeaderId::Expires), Some(u32::MAX));
    assert_eq!(read.seconds(HeaderId::MinExpires), None);
    let replaces = read.replaces().expect("there").expect("well-formed");
    assert_eq!((&replaces.call_id[..], replaces.early_only), (&b"98732@sip.example.com"[..], true));
    assert_eq!((&replaces.to_tag[..], &replaces.from_tag[..]), (&b"ff87ff"[..], &b"r33th4x0r"[..]));
    assert_eq!(read.retry_after(), Some(Ok(RetryAfter { delay_s: 18_000 })));
    let reasons: Vec<_> = read.reasons().map(|reason| reason.expect("well-formed")).collect();
    assert_eq!((reasons[0].cause(), reasons[1].cause()), (Some(200), Some(16)));
    assert_eq!(reasons[0].text().as_deref(), Some(&b"Call completed elsewhere"[..]));
    assert_eq!(reasons[1].protocol(), b"Q.850");
    assert!(read.asks_privacy("id") && read.asks_privacy("Header") && !read.asks_privacy("user"));
    assert!(read.supports("100rel") && read.supports("path") && !read.supports("gruu"));
    assert_eq!(read.tokens(HeaderId::Supported).count(), 2);
    assert!(read.lists(HeaderId::Allow, "ACK"));
    assert!(read.accepts("application/sdp") && read.accepts("Text/html") && !read.accepts("image/png"));
    assert_eq!(read.addresses(HeaderId::PAssertedIdentity).filter(Result::is_ok).count(), 2);
    assert_eq!(read.addresses(HeaderId::Diversion).filter(Result::is_ok).count(), 1);
    let refer = read.address(HeaderId::ReferTo).expect("there").expect("well-formed");
    assert_eq!(refer.uri().headers().next().expect("one").name, b"Replaces");
    let (kind, params) = read.content_type().expect("there").expect("well-formed");
    assert_eq!((&kind[..], params.value("boundary")), (&b"multipart/mixed"[..], Some(&b"\"a b\""[..])));
    assert!(request(&options_with("")).accepts("application/sdp"));
}

#[test]
fn debug_shows_no_text_of_the_peer() {
    const NUMBER: &str = "33123456789";
    let text =
        INVITE.replace("alice", "+33123456789").replace("bob", NUMBER).replace("a84b4c76e66710", NUMBER);
    let text = text.replace(
        "Contact:",
        "Reason: x33123456789;text=\"33123456789\"\nReplaces: 33123456789;to-tag=a;from-tag=b\nContact:",
    );
    let read = request(&text);
    let faulty = super::read(&text.replace("CSeq", "X")).expect_err("a fault");
    let answer =
        response(&text.replace("INVITE sip:33123456789@biloxi.com SIP/2.0", "SIP/2.0 480 33123456789"));
    let reply =
        MessageBuilder::reply_to(&read, "192.0.2.1:5060".parse().expect("an address"), Status::OK, None);
    let address = Address {
        display: Some(NUMBER),
        uri: read.uri(),
        params: &[Param { name: b"x", value: Some(b"33123456789") }],
    };
    let auth = [AuthField::Quoted("username", NUMBER.as_bytes()), AuthField::Token("x", NUMBER.as_bytes())];
    let fields: Vec<_> = read.fields().collect();
    let reasons: Vec<_> = read.reasons().collect();
    let shown = format!(
        "{read:?}{faulty:?}{answer:?}{reply:?}{address:?}{auth:?}{fields:?}{reasons:?}{:?}{:?}{:?}{:?}{:?}",
        read.replaces(),
        read.contacts(),
        read.to(),
        read.uri(),
        Method::Other(Bytes::from_static(b"33123456789")),
    );
    assert!(!shown.contains("3312345") && !shown.contains("atlanta"), "{shown}");
}
