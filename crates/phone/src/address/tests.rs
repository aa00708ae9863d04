//! Addresses, and what of them may be printed.

use super::*;

#[test]
fn name_addrs_are_taken_apart() {
    let table = [
        ("\"Ann \\\"A\\\" <x>\" <sip:ann@h;lr>;tag=9", "Ann \"A\" <x>", "sip:ann@h;lr", Some("9")),
        ("Ann <sip:ann@h>", "Ann", "sip:ann@h", None),
        ("sip:ann@h;tag=9;x=y", "", "sip:ann@h", Some("9")),
        ("<tel:+33100000001>", "", "tel:+33100000001", None),
    ];
    for (value, display, uri, tag) in table {
        let parsed = NameAddr::parse(value).unwrap();
        let expected = (display, uri, tag);
        assert_eq!(
            (parsed.display.as_str(), parsed.uri.as_str(), parsed.tag.as_deref()),
            expected,
            "{value}"
        );
    }
    assert_eq!(NameAddr::parse("<sip:a@b"), None);
    assert_eq!(NameAddr::parse(""), None);
}

#[test]
fn vias_are_taken_apart() {
    let via = Via::parse("SIP/2.0/UDP [2001:db8::1]:5070;rport;branch=z9hG4bKx").unwrap();
    assert_eq!((via.host(), via.port(), via.rport), ("[2001:db8::1]", 5070, true));
    let via = Via::parse("SIP/2.0/TCP host ; branch=z9hG4bKx").unwrap();
    assert_eq!((via.host(), via.port(), via.rport, via.branch.as_str()), ("host", 5060, false, "z9hG4bKx"));
}

#[test]
fn uris_lead_to_addresses_only_by_literals() {
    let table = [
        ("sip:192.0.2.1", Some("192.0.2.1:5060")),
        ("sip:a:b@192.0.2.1:5070;transport=udp", Some("192.0.2.1:5070")),
        ("sip:a@[2001:db8::1]:5070?x=y", Some("[2001:db8::1]:5070")),
        ("sip:a@example.org", None),
        ("tel:+33100000001", None),
    ];
    for (uri, expected) in table {
        assert_eq!(uri_socket(uri), expected.map(|text| text.parse().unwrap()), "{uri}");
    }
}

#[test]
fn numbers_do_not_reach_debug() {
    for text in ["sip:+33100000001@192.0.2.1", "tel:+33100000001", "\"0100000001\" <sip:0100000001@h>"] {
        let printed = format!("{:?}", Private::from(text));
        assert!(!printed.contains("100000001"), "{printed}");
    }
    assert_eq!(format!("{:?}", Private::from("sip:ann@192.0.2.1")), "sip:ann@192.0.2.1");
}
