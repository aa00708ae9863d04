//! Where the peer receives; and no panic, whatever it sends.

use proptest::prelude::*;

use super::*;

fn medium(text: &str) -> Media {
    let whole = format!("v=0\r\nc=IN IP4 198.51.100.7\r\n{text}");
    read(whole.as_bytes()).unwrap().media.remove(0)
}

#[test]
fn addresses() {
    for (text, rtp, rtcp) in [
        ("m=audio 4000 RTP/AVP 8", Some("198.51.100.7:4000"), Some("198.51.100.7:4001")),
        ("m=audio 4000 RTP/AVP 8\nc=IN IP4 203.0.113.1", Some("203.0.113.1:4000"), Some("203.0.113.1:4001")),
        ("m=audio 4000 RTP/AVP 8\na=rtcp:5000", Some("198.51.100.7:4000"), Some("198.51.100.7:5000")),
        (
            "m=audio 4000 RTP/AVP 8\na=rtcp:5000 IN IP4 203.0.113.9",
            Some("198.51.100.7:4000"),
            Some("203.0.113.9:5000"),
        ),
        ("m=audio 4000 RTP/AVP 8\na=rtcp:0", Some("198.51.100.7:4000"), None),
        ("m=audio 65535 RTP/AVP 8", Some("198.51.100.7:65535"), None),
        ("m=audio 4000 RTP/AVP 8\na=rtcp-mux", Some("198.51.100.7:4000"), Some("198.51.100.7:4000")),
        ("m=audio 4000 RTP/AVP 8\nc=IN IP4 0.0.0.0", None, None),
        ("m=audio 4000 RTP/AVP 8\nc=IN IP6 ::", None, None),
        (
            "m=audio 4000 RTP/AVP 8\nc=IN IP6 2001:db8::1",
            Some("[2001:db8::1]:4000"),
            Some("[2001:db8::1]:4001"),
        ),
        (
            "m=audio 4000 RTP/AVP 8\nc=IN IP6 ::ffff:203.0.113.1",
            Some("203.0.113.1:4000"),
            Some("203.0.113.1:4001"),
        ),
        ("m=audio 4000 RTP/AVP 8\nc=IN IP4 example.com", None, None),
    ] {
        let medium = medium(text);
        assert_eq!(medium.rtp_address(), rtp.map(|at| at.parse().unwrap()), "{text}");
        assert_eq!(medium.rtcp_address(), rtcp.map(|at| at.parse().unwrap()), "{text}");
    }
}

proptest! {
    #[test]
    fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes);
    }

    #[test]
    fn never_panics_on_what_looks_like_a_description(text in "(v=0|c=IN IP[46] [0-9.:a]{0,9}|m=(audio|x) [0-9/]{0,6} RTP/AVP( [0-9]{1,3}){0,4}|a=(rtpmap|fmtp|rtcp|ptime|maxptime):[0-9 /a-z]{0,9}|\r\n|\n){0,12}") {
        let _ = read(text.as_bytes());
    }
}
