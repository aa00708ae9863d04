//! Offers as carriers and phones send them, and the answers that they must get.

use std::fmt::Write;

use super::*;
use crate::printing::{self, Version};

fn preferences(partner: Option<&Format>) -> Preferences<'_> {
    Preferences { codecs: &[VoiceCodec::Pcma, VoiceCodec::Pcmu], partner, ipv4: true, ipv6: true }
}

/// Lines joined as on the wire.
fn lines(text: &str) -> Vec<u8> {
    text.trim().lines().map(|line| format!("{}\r\n", line.trim())).collect::<String>().into_bytes()
}

/// Our answer's `m=` and `a=` lines, or the refusal.
fn answer_to(session: &mut Session, offer: &[u8], partner: Option<&Format>) -> String {
    let description = match description::read(offer) {
        Ok(description) => description,
        Err(error) => return refusal(&error),
    };
    match session.offered(&description, &preferences(partner)) {
        Ok(proposal) => printed(&proposal),
        Err(error) => refusal(&error),
    }
}

fn printed(proposal: &Proposal) -> String {
    let version = Version { session: 5, version: 1 };
    let sdp = printing::print(proposal, version, "192.0.2.1".parse().unwrap(), 20_000);
    // An independent parser, and a strict one, must agree that it is well-formed.
    let parsed = sdp_types::Session::parse(&sdp).expect("our own descriptions are strictly right");
    assert_eq!(parsed.medias.len(), proposal.lines.len());
    let text = std::str::from_utf8(&sdp).unwrap();
    assert!(
        text.starts_with("v=0\r\no=- 5 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"),
        "{text}"
    );
    let mut short = String::new();
    for line in text.lines().filter(|line| line.starts_with("m=") || line.starts_with("a=")) {
        if line != "a=ptime:20" {
            let _ = write!(short, "{}{line}", if short.is_empty() { "" } else { "|" });
        }
    }
    short
}

fn refusal(error: &MediaError) -> String {
    match error {
        MediaError::Malformed(what) => format!("400 {what}"),
        MediaError::NotAcceptable(what) => format!("488 {what}"),
        other => format!("{other:?}"),
    }
}

const HEAD: &str = "v=0\no=- 1 1 IN IP4 198.51.100.7\ns=-\nc=IN IP4 198.51.100.7\nt=0 0\n";
const A: &str = "m=audio 20000 RTP/AVP 8|a=rtpmap:8 PCMA/8000|a=sendrecv";
const U: &str = "m=audio 20000 RTP/AVP 0|a=rtpmap:0 PCMU/8000|a=sendrecv";
const A101: &str =
    "m=audio 20000 RTP/AVP 8 101|a=rtpmap:8 PCMA/8000|a=rtpmap:101 telephone-event/8000|a=sendrecv";

#[test]
fn offers_and_their_answers() {
    let table: &[(&str, &str, &str)] = &[
        ("A-law", "m=audio 4000 RTP/AVP 8", A),
        ("SIPp's own offer", "m=audio 6000 RTP/AVP 0\na=rtpmap:0 PCMU/8000", U),
        ("our preference, not theirs", "m=audio 4000 RTP/AVP 0 8", A),
        ("events", "m=audio 4000 RTP/AVP 0 8 101\na=rtpmap:101 telephone-event/8000", A101),
        (
            "events under any number, with parameters",
            "m=audio 4000 RTP/AVP 8 96\na=rtpmap:96 telephone-event/8000\na=fmtp:96 0-16",
            "m=audio 20000 RTP/AVP 8 96|a=rtpmap:8 PCMA/8000|a=rtpmap:96 telephone-event/8000|a=fmtp:96 0-16|a=sendrecv",
        ),
        (
            "events only at the codec's clock",
            "m=audio 4000 RTP/AVP 111 8 110 101\na=rtpmap:111 opus/48000/2\na=rtpmap:110 telephone-event/48000\na=rtpmap:101 telephone-event/8000",
            A101,
        ),
        (
            "A-law under a dynamic number",
            "m=audio 4000 RTP/AVP 97\na=rtpmap:97 pcma/8000",
            "m=audio 20000 RTP/AVP 97|a=rtpmap:97 pcma/8000|a=sendrecv",
        ),
        (
            "a static number with another meaning is not that codec",
            "m=audio 4000 RTP/AVP 8 0\na=rtpmap:8 L16/44100",
            U,
        ),
        ("A-law at 16 kHz is another codec", "m=audio 4000 RTP/AVP 98 0\na=rtpmap:98 PCMA/16000", U),
        (
            "only G.729 passes through",
            "m=audio 4000 RTP/AVP 18\na=fmtp:18 annexb=no",
            "m=audio 20000 RTP/AVP 18|a=rtpmap:18 G729/8000|a=fmtp:18 annexb=no|a=sendrecv",
        ),
        (
            "only Opus passes through, with its events",
            "m=audio 4000 RTP/AVP 111 110\na=rtpmap:111 opus/48000/2\na=fmtp:111 useinbandfec=1\na=rtpmap:110 telephone-event/48000",
            "m=audio 20000 RTP/AVP 111 110|a=rtpmap:111 opus/48000/2|a=fmtp:111 useinbandfec=1|a=rtpmap:110 telephone-event/48000|a=sendrecv",
        ),
        ("G.722 is offered, A-law is spoken", "m=audio 4000 RTP/AVP 9 8", A),
        (
            "only events and noise",
            "m=audio 4000 RTP/AVP 13 101\na=rtpmap:101 telephone-event/8000",
            "488 no codec in common",
        ),
        ("only an unknown dynamic number", "m=audio 4000 RTP/AVP 99", "488 no codec in common"),
        (
            "sendonly",
            "m=audio 4000 RTP/AVP 8\na=sendonly",
            "m=audio 20000 RTP/AVP 8|a=rtpmap:8 PCMA/8000|a=recvonly",
        ),
        (
            "recvonly",
            "m=audio 4000 RTP/AVP 8\na=recvonly",
            "m=audio 20000 RTP/AVP 8|a=rtpmap:8 PCMA/8000|a=sendonly",
        ),
        (
            "inactive",
            "m=audio 4000 RTP/AVP 8\na=inactive",
            "m=audio 20000 RTP/AVP 8|a=rtpmap:8 PCMA/8000|a=inactive",
        ),
        (
            "the old hold",
            "m=audio 4000 RTP/AVP 8\nc=IN IP4 0.0.0.0",
            "m=audio 20000 RTP/AVP 8|a=rtpmap:8 PCMA/8000|a=inactive",
        ),
        (
            "a direction for the session, another for the medium",
            "a=sendonly\nm=audio 4000 RTP/AVP 8\na=sendrecv",
            A,
        ),
        (
            "a direction for the session",
            "a=sendonly\nm=audio 4000 RTP/AVP 8",
            "m=audio 20000 RTP/AVP 8|a=rtpmap:8 PCMA/8000|a=recvonly",
        ),
        (
            "video is refused in its place",
            "m=video 5000 RTP/AVP 96\na=rtpmap:96 VP8/90000\nm=audio 4000 RTP/AVP 8",
            "m=video 0 RTP/AVP 96|m=audio 20000 RTP/AVP 8|a=rtpmap:8 PCMA/8000|a=sendrecv",
        ),
        (
            "fax beside audio",
            "m=audio 4000 RTP/AVP 8\nm=image 4002 udptl t38\na=T38FaxVersion:0",
            "m=audio 20000 RTP/AVP 8|a=rtpmap:8 PCMA/8000|a=sendrecv|m=image 0 udptl t38",
        ),
        ("fax alone", "m=image 4002 udptl t38", "488 no audio is offered"),
        (
            "encrypted or plain: plain",
            "m=audio 4000 RTP/SAVP 8\na=crypto:1 x\nm=audio 4002 RTP/AVP 8",
            "m=audio 0 RTP/SAVP 8|m=audio 20000 RTP/AVP 8|a=rtpmap:8 PCMA/8000|a=sendrecv",
        ),
        (
            "two audio lines: the first",
            "m=audio 4000 RTP/AVP 8\nm=audio 4002 RTP/AVP 0",
            "m=audio 20000 RTP/AVP 8|a=rtpmap:8 PCMA/8000|a=sendrecv|m=audio 0 RTP/AVP 0",
        ),
        (
            "a disabled line first",
            "m=audio 0 RTP/AVP 8\nm=audio 4002 RTP/AVP 0",
            "m=audio 0 RTP/AVP 8|m=audio 20000 RTP/AVP 0|a=rtpmap:0 PCMU/8000|a=sendrecv",
        ),
        ("SRTP", "m=audio 4000 RTP/SAVP 8", "488 only encrypted media (SRTP), which is not spoken yet"),
        (
            "a browser",
            "m=audio 9 UDP/TLS/RTP/SAVPF 111 8\na=rtpmap:111 opus/48000/2",
            "488 only encrypted media (SRTP), which is not spoken yet",
        ),
        ("another transport", "m=audio 4000 TCP/RTP/AVP 8", "488 the audio's transport is not RTP/AVP"),
        ("port 0", "m=audio 0 RTP/AVP 8", "488 the audio is refused with port 0"),
        (
            "a host name",
            "c=IN IP4 media.example.com\nm=audio 4000 RTP/AVP 8\nc=IN IP4 media.example.com",
            "488 the media address is a host name, not an IP address",
        ),
        (
            "multicast",
            "m=audio 4000 RTP/AVP 8\nc=IN IP4 233.252.0.1/127",
            "488 the media address is not a unicast address",
        ),
        (
            "rtcp-mux",
            "m=audio 4000 RTP/AVP 8\na=rtcp-mux",
            "m=audio 20000 RTP/AVP 8|a=rtpmap:8 PCMA/8000|a=sendrecv|a=rtcp-mux",
        ),
        ("IPv6", "m=audio 4000 RTP/AVP 8\nc=IN IP6 2001:db8::5", A),
        ("several ports", "m=audio 4000/2 RTP/AVP 8", A),
        (
            "sloppy spaces and case",
            "m=audio  4000  rtp/avp  8  101 \na=rtpmap:101  TELEPHONE-EVENT/8000",
            "m=audio 20000 rtp/avp 8 101|a=rtpmap:8 PCMA/8000|a=rtpmap:101 TELEPHONE-EVENT/8000|a=sendrecv",
        ),
        ("a number twice", "m=audio 4000 RTP/AVP 8 8 101\na=rtpmap:101 telephone-event/8000", A101),
        (
            "attributes of numbers that are not listed",
            "m=audio 4000 RTP/AVP 8\na=rtpmap:0 PCMU/8000\na=fmtp:500 x\na=rtpmap:x",
            A,
        ),
        ("no transport", "m=audio 4000", "400 an m= line is incomplete"),
        ("a port that is none", "m=audio 70000 RTP/AVP 8", "400 the port of an m= line is not a port"),
        ("no formats", "m=audio 4000 RTP/AVP", "488 no codec in common"),
        ("nothing", "", "400 the session description has no m= line"),
    ];
    for (name, offer, expected) in table {
        let answer = answer_to(&mut Session::new(), &lines(&format!("{HEAD}{offer}")), None);
        assert_eq!(&answer, expected, "{name}");
    }
}

#[test]
fn whole_descriptions_from_the_field() {
    let table: &[(&str, &[u8], &str)] = &[
        ("no s=, no t=", b"v=0\r\no=x 1 1 IN IP4 198.51.100.7\r\nc=IN IP4 198.51.100.7\r\nm=audio 4000 RTP/AVP 8\r\n", A),
        ("bare line feeds, none at the end", b"v=0\no=x 1 1 IN IP4 1.2.3.4\ns=-\nc=IN IP4 198.51.100.7\nt=0 0\nm=audio 4000 RTP/AVP 8", A),
        ("bare carriage returns", b"v=0\rc=IN IP4 198.51.100.7\rm=audio 4000 RTP/AVP 8\r", A),
        ("an o= beyond 64 bits", b"v=0\r\no=- 99999999999999999999999 1.5 IN IP4 x\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n", A),
        ("a name that is not UTF-8", b"v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\ns=R\xe9seau\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n", A),
        ("lines out of order and unknown", b"v=0\r\nt=0 0\r\nb=AS:x\r\nc=IN IP4 198.51.100.7\r\nZ=1\r\n=\r\nfoo\r\nm=audio 4000 RTP/AVP 8\r\nb=TIAS:y\r\n", A),
        ("no v=", b"c=IN IP4 198.51.100.7\r\nm=audio 4000 RTP/AVP 8\r\n", A),
        ("no c= at all", b"v=0\r\nm=audio 4000 RTP/AVP 8\r\n", "400 there is no c= line for the audio"),
        ("empty", b"", "400 the session description has no m= line"),
        ("not a description", b"\x00\x01\x02", "400 the session description has no m= line"),
    ];
    for (name, offer, expected) in table {
        assert_eq!(&answer_to(&mut Session::new(), offer, None), expected, "{name}");
    }
    let long = [b"v=0\r\n".as_slice(), &[b'a'; 20_000]].concat();
    assert!(answer_to(&mut Session::new(), &long, None).starts_with("400"));
    let many = format!("{HEAD}{}", "m=audio 4000 RTP/AVP 8\r\n".repeat(17));
    assert!(answer_to(&mut Session::new(), many.as_bytes(), None).starts_with("400"));
}

#[test]
fn the_partners_codec_comes_first() {
    let pcmu = static_voice(VoiceCodec::Pcmu);
    let g729 =
        Format { payload_type: 18, name: "G729".into(), clock_hz: 8000, channels: 1, parameters: None };
    let opus = Format {
        payload_type: 107,
        name: "opus".into(),
        clock_hz: 48_000,
        channels: 2,
        parameters: Some("useinbandfec=1".into()),
    };
    for (partner, offer, expected) in [
        (&pcmu, "m=audio 4000 RTP/AVP 8 0", U),
        (&pcmu, "m=audio 4000 RTP/AVP 8", A),
        (&g729, "m=audio 4000 RTP/AVP 8 18", "m=audio 20000 RTP/AVP 18|a=rtpmap:18 G729/8000|a=sendrecv"),
        (&g729, "m=audio 4000 RTP/AVP 8", "488 no codec in common"),
    ] {
        let answer = answer_to(&mut Session::new(), &lines(&format!("{HEAD}{offer}")), Some(partner));
        assert_eq!(answer, expected, "{offer} beside {}", partner.name);
    }
    let events = "a=rtpmap:101 telephone-event/8000|a=fmtp:101 0-15|a=sendrecv";
    for (partner, expected) in [
        (None, format!("m=audio 20000 RTP/AVP 8 0 101|a=rtpmap:8 PCMA/8000|a=rtpmap:0 PCMU/8000|{events}")),
        (
            Some(&pcmu),
            format!("m=audio 20000 RTP/AVP 0 8 101|a=rtpmap:0 PCMU/8000|a=rtpmap:8 PCMA/8000|{events}"),
        ),
        (Some(&g729), format!("m=audio 20000 RTP/AVP 18 101|a=rtpmap:18 G729/8000|{events}")),
        (
            Some(&opus),
            "m=audio 20000 RTP/AVP 107 101|a=rtpmap:107 opus/48000/2|a=fmtp:107 useinbandfec=1|a=rtpmap:101 \
             telephone-event/48000|a=fmtp:101 0-15|a=sendrecv"
                .into(),
        ),
    ] {
        let proposal = Session::new().offer(&preferences(partner), Direction::SendRecv);
        assert_eq!(printed(&proposal), expected);
    }
}

#[test]
fn their_answers_to_our_offer() {
    // (answer, voice and events as we send them, and as we expect them; or the refusal)
    for (answer, expected) in [
        ("m=audio 4000 RTP/AVP 8 101\na=rtpmap:101 telephone-event/8000", "8 101 < 8 101"),
        ("m=audio 4000 RTP/AVP 0", "0 < 0"),
        ("m=audio 4000 RTP/AVP 0 8", "0 8 < 0 8"),
        // Their own numbers for the same things.
        ("m=audio 4000 RTP/AVP 8 97\na=rtpmap:97 telephone-event/8000", "8 97 < 8 101 97"),
        // Events before the voice, and a number without a map.
        ("m=audio 4000 RTP/AVP 101 8", "8 101 < 101 8"),
        ("m=audio 4000 RTP/AVP 18", "488 the answer takes none of the offered codecs"),
        (
            "m=audio 4000 RTP/AVP 101\na=rtpmap:101 telephone-event/8000",
            "488 the answer takes none of the offered codecs",
        ),
        ("m=audio 0 RTP/AVP 8", "488 the audio is refused with port 0"),
        ("m=audio 4000 RTP/SAVP 8", "488 only encrypted media (SRTP), which is not spoken yet"),
        ("m=video 4000 RTP/AVP 8", "488 the answer has no audio"),
    ] {
        let mut session = Session::new();
        session.offer(&preferences(None), Direction::SendRecv);
        let description = description::read(&lines(&format!("{HEAD}{answer}"))).unwrap();
        let outcome = match session.answered(&description, &preferences(None)) {
            Ok(()) => {
                let agreed = session.agreed.as_ref().unwrap();
                let list = |formats: &[Format]| {
                    formats.iter().map(|format| format.payload_type.to_string()).collect::<Vec<_>>().join(" ")
                };
                format!("{} < {}", list(&agreed.send), list(&agreed.receive))
            }
            Err(error) => refusal(&error),
        };
        assert_eq!(outcome, expected, "{answer}");
    }
    let description = description::read(&lines(&format!("{HEAD}m=audio 4000 RTP/AVP 8"))).unwrap();
    assert!(Session::new().answered(&description, &preferences(None)).is_err(), "nothing was offered");
}

#[test]
fn later_offers_keep_what_was_agreed() {
    let mut session = Session::new();
    let first = lines(&format!(
        "{HEAD}m=video 5000 RTP/AVP 96\nm=audio 4000 RTP/AVP 0 96\na=rtpmap:96 telephone-event/8000\na=fmtp:96 0-15"
    ));
    assert!(answer_to(&mut session, &first, Some(&static_voice(VoiceCodec::Pcmu))).contains("RTP/AVP 0 96"));
    // Their next offer prefers another codec; the call stays with the one that is spoken.
    let second = lines(&format!("{HEAD}m=video 0 RTP/AVP 96\nm=audio 4000 RTP/AVP 8 0"));
    assert!(answer_to(&mut session, &second, None).contains("m=audio 20000 RTP/AVP 0|"));
    // It is gone: the other is taken.
    let third = lines(&format!("{HEAD}m=video 0 RTP/AVP 96\nm=audio 4000 RTP/AVP 8"));
    assert!(answer_to(&mut session, &third, None).contains("m=audio 20000 RTP/AVP 8|"));
    // One that can't be answered changes nothing.
    let before = session.clone();
    assert!(answer_to(&mut session, &lines(&format!("{HEAD}m=image 1 udptl t38")), None).starts_with("488"));
    assert_eq!(session, before);
    // Our own offer has the same lines (RFC 3264 §8).
    let offer = printed(&session.offer(&preferences(None), Direction::Inactive));
    assert!(offer.starts_with("m=video 0 RTP/AVP 96|m=audio 20000 RTP/AVP 8 0 101|"), "{offer}");
    assert!(offer.ends_with("a=inactive"));
    // What we hold stays held when they refresh.
    assert!(answer_to(&mut session, &third, None).ends_with("a=inactive"));
}

#[test]
fn directions_meet() {
    use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};
    for (ours, theirs, expected) in [
        (SendRecv, SendRecv, SendRecv),
        (SendRecv, SendOnly, RecvOnly),
        (SendRecv, RecvOnly, SendOnly),
        (SendRecv, Inactive, Inactive),
        (SendOnly, SendRecv, SendOnly),
        (SendOnly, SendOnly, Inactive),
        (RecvOnly, SendRecv, RecvOnly),
        (Inactive, SendRecv, Inactive),
    ] {
        assert_eq!(restrict(ours, theirs), expected, "{ours:?} {theirs:?}");
    }
}
