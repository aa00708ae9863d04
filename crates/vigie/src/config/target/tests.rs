//! Next hops in every spelling.

use super::*;

#[test]
fn next_hops() {
    type HostAndPort = Option<(&'static str, Option<u16>)>;
    let cases: &[(&str, HostAndPort)] = &[
        ("sip.example.org", Some(("sip.example.org", None))),
        ("sip.example.org:5070", Some(("sip.example.org", Some(5070)))),
        ("192.0.2.1", Some(("192.0.2.1", None))),
        ("192.0.2.1:5060", Some(("192.0.2.1", Some(5060)))),
        ("2001:db8::1", Some(("2001:db8::1", None))),
        ("[2001:db8::1]", Some(("2001:db8::1", None))),
        ("[2001:db8::1]:5060", Some(("2001:db8::1", Some(5060)))),
        ("localhost", Some(("localhost", None))),
        ("300.0.2.1", None),
        ("192.0.2.1:0", None),
        ("192.0.2.1:65536", None),
        ("192.0.2.1:", None),
        (":5060", None),
        ("sip:user@example.org", None),
        ("a host", None),
        ("-a.example", None),
        ("[192.0.2.1]", None),
        ("", None),
    ];
    for (text, expected) in cases {
        let parsed = Target::parse(text, Transport::Udp);
        let parsed = parsed.as_ref().map(|target| (target.host.as_str(), target.port));
        assert_eq!(parsed, *expected, "{text:?}");
    }
}
