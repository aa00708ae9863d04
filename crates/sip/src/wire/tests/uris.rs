//! URIs: what is one, what its parts are, and when two are the same.

use std::net::IpAddr;

use super::super::{Host, Scheme, Uri};

#[test]
fn parts() {
    /// URI, user, host, port, parameters, headers.
    type Case = (&'static str, Option<&'static str>, &'static str, Option<u16>, usize, usize);
    // RFC 3261 §19.1.3, RFC 5118 §4, and what telephones send.
    const CASES: &[Case] = &[
        ("sip:alice@atlanta.com", Some("alice"), "atlanta.com", None, 0, 0),
        ("sip:alice:secretword@atlanta.com;transport=tcp", Some("alice"), "atlanta.com", None, 1, 0),
        (
            "sips:alice@atlanta.com?subject=project%20x&priority=urgent",
            Some("alice"),
            "atlanta.com",
            None,
            0,
            2,
        ),
        (
            "sip:+1-212-555-1212:1234@gateway.com;user=phone",
            Some("+1-212-555-1212"),
            "gateway.com",
            None,
            1,
            0,
        ),
        ("sips:1212@gateway.com", Some("1212"), "gateway.com", None, 0, 0),
        ("sip:alice@192.0.2.4", Some("alice"), "192.0.2.4", None, 0, 0),
        ("sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com", None, "atlanta.com", None, 1, 1),
        ("sip:alice;day=tuesday@atlanta.com", Some("alice;day=tuesday"), "atlanta.com", None, 0, 0),
        ("sip:[2001:db8::10]", None, "[2001:db8::10]", None, 0, 0),
        ("sip:user@[2001:db8::10]:5070;lr", Some("user"), "[2001:db8::10]", Some(5070), 1, 0),
        ("sip:[2001:db8::10:5070]", None, "[2001:db8::10:5070]", None, 0, 0),
        ("sip:user@[2001:db8:3:4:5:6:192.0.2.1]", Some("user"), "[2001:db8:3:4:5:6:192.0.2.1]", None, 0, 0),
        ("SIP:*72#@pbx:5060", Some("*72#"), "pbx", Some(5060), 0, 0),
        ("sip:a%23b@h;x=%3B", Some("a%23b"), "h", None, 1, 0),
    ];
    for &(text, user, host, port, params, headers) in CASES {
        let uri = Uri::parse_text(text).unwrap_or_else(|_| panic!("{text}"));
        assert_eq!(uri.user(), user.map(str::as_bytes), "{text}");
        assert!(uri.host().expect("sip").is_same(&Host::parse(host.as_bytes()).expect("a host")), "{text}");
        assert_eq!(uri.port(), port, "{text}");
        assert_eq!(uri.params().count(), params, "{text}");
        assert_eq!(uri.headers().count(), headers, "{text}");
        assert_eq!(uri.has_headers(), headers > 0, "{text}");
        assert_eq!(uri.as_bytes(), text.as_bytes());
        assert!(!uri.without_headers().has_headers());
        assert!(uri.is_equivalent(&uri.detached()), "{text}");
    }
}

#[test]
fn hosts() {
    let ip = |text: &str| Some(text.parse::<IpAddr>().expect("an address"));
    for (text, expected) in [
        ("192.0.2.1", ip("192.0.2.1")),
        ("[2001:db8::1]", ip("2001:db8::1")),
        ("[::ffff:192.0.2.10]", ip("::ffff:192.0.2.10")),
        ("example.com", None),
        ("999.0.2.1", None),
    ] {
        assert_eq!(Host::parse(text.as_bytes()).expect("a host").ip(), expected, "{text}");
    }
    for text in ["", "2001:db8::1", "[2001:db8::1", "[192.0.2.1]", "[fe80::1%eth0]", "a b", "a/b", "é.fr"] {
        assert!(Host::parse(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn refused() {
    for text in [
        "",
        "sip",
        "sip:",
        ":x",
        "1sip:a",
        "sip:@h",
        "sip::p@h",
        "sip:a@",
        "sip:a@b@c",
        "sip:a b@h",
        "sip:a@h;",
        "sip:a@h;;lr",
        "sip:a@h;=x",
        "sip:a@h;x=",
        "sip:a@h?",
        "sip:a@h?x",
        "sip:a@h?=x",
        "sip:a@h:",
        "sip:a@h:65536",
        "sip:a@h:99999999999999999999",
        "sip:a@h:5060x",
        "sip:a%4@h",
        "sip:a%zz@h",
        "sip:a@h\r\n",
        "sip:a@h\0",
        "sip:a\"@h",
        "sip:<a@h>",
        // RFC 5118 §4.2: an IPv6 address must be in brackets.
        "sip:2001:db8::10",
        "sip:[2001:db8::10",
        "sip:[2001:db8::10]x",
        "tel:",
        "tel:+",
        "tel:hello",
        "tel:+33 1",
        "urn:",
        "http://a b",
    ] {
        assert!(Uri::parse_text(text).is_err(), "{text:?}");
    }
    let many = format!("sip:h{}", ";p".repeat(65));
    assert!(Uri::parse_text(&many).is_err());
}

#[test]
fn other_schemes() {
    let tel = Uri::parse_text("tel:+33-1-23.45(67);phone-context=example.com").expect("a tel URI");
    assert_eq!(tel.scheme(), Scheme::Tel);
    assert_eq!(tel.tel_number(), Some(&b"+33-1-23.45(67)"[..]));
    assert!(tel.param("Phone-Context").is_some());
    for text in
        ["soap.beep://192.0.2.103:3002", "isbn:2983792873", "http://www.example.com", "urn:service:sos"]
    {
        let uri = Uri::parse_text(text).expect("an opaque URI");
        assert_eq!(uri.scheme(), Scheme::Other, "{text}");
        assert_eq!((uri.user(), uri.host(), uri.port()), (None, None, None), "{text}");
        assert_eq!((uri.params().count(), uri.headers().count(), uri.has_headers()), (0, 0, false), "{text}");
    }
}

#[test]
fn equivalence() {
    // RFC 3261 §19.1.4, its examples in full, and RFC 3966 §4.
    for (left, right, expected) in [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp", true),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", true),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on", true),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5", true),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
            true,
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
            true,
        ),
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP", false),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", false),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp", false),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting", false),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4", false),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off", false),
        ("sip:a@h", "sips:a@h", false),
        ("sip:a@h", "sip:h", false),
        ("sip:a:p@h", "sip:a@h", false),
        ("sip:a%40b@h", "sip:a%40B@h", false),
        ("sip:a%3bb@h", "sip:a%3Bb@h", true),
        ("sip:a%3Bb@h", "sip:a;b@h", false),
        ("sip:a@h;maddr=x", "sip:a@h", false),
        ("sip:a@[2001:db8::1]", "sip:a@[2001:DB8:0::1]", true),
        ("sip:sip%3Auser%40example.com@example.net", "sip:sip%3auser%40example.com@example.net", true),
        ("tel:+33-1-23", "tel:+33(1)23", true),
        ("tel:+331", "tel:331", false),
        ("tel:1;phone-context=a", "tel:1", false),
        ("tel:1;a=1;b=2", "tel:1;B=2;A=1", true),
        ("tel:+331", "sip:+331@h", false),
        ("urn:a", "urn:a", true),
        ("urn:a", "urn:b", false),
    ] {
        let parse = |text| Uri::parse_text(text).unwrap_or_else(|_| panic!("{text}"));
        let (one, other) = (parse(left), parse(right));
        assert_eq!(one.is_equivalent(&other), expected, "{left} {right}");
        assert_eq!(other.is_equivalent(&one), expected, "{right} {left}");
    }
}

#[test]
fn debug_shows_no_number() {
    let uri = Uri::parse_text("sip:+33123456789@example.com").expect("a URI");
    let tel = Uri::parse_text("tel:+33123456789").expect("a URI");
    assert!(!format!("{uri:?}{tel:?}").contains("3312"));
}
