//! Offers and answers, also those of peers that write SDP their own way.

use super::*;

fn session() -> Session {
    Session::new("192.0.2.1:4000".parse().unwrap(), 0x0123_4567_89ab_cdef, &[Codec::ALaw, Codec::MuLaw], true)
}

fn parse(text: &str) -> Description {
    Description::parse(&text.replace('\n', "\r\n")).unwrap()
}

const PLAIN: &str = "v=0\no=x 1 1 IN IP4 192.0.2.2\ns=-\nc=IN IP4 192.0.2.2\nt=0 0\nm=audio 5000 RTP/AVP 0 8 96\na=rtpmap:96 telephone-event/8000\n";

#[test]
fn an_offer_is_answered_in_its_own_numbers() {
    let mut session = session();
    let answer = parse(&session.answer(&parse(PLAIN)).unwrap());
    assert_eq!(answer.codecs, [(0, Codec::MuLaw)], "the offer's first that we have");
    assert_eq!(answer.event_type, Some(96));
    let agreed = session.agreement.unwrap();
    assert_eq!(agreed.remote, Some("192.0.2.2:5000".parse().unwrap()));
    assert_eq!(agreed.direction, Direction::SendRecv);
}

#[test]
fn directions_meet() {
    use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};
    let table = [
        (SendRecv, "sendrecv", SendRecv),
        (SendRecv, "sendonly", RecvOnly),
        (SendRecv, "recvonly", SendOnly),
        (SendRecv, "inactive", Inactive),
        (SendOnly, "sendrecv", SendOnly),
        (SendOnly, "sendonly", Inactive),
        (SendOnly, "recvonly", SendOnly),
        (Inactive, "sendrecv", Inactive),
    ];
    for (wish, offered, expected) in table {
        let mut session = session();
        session.wish = wish;
        let answer = session.answer(&parse(&format!("{PLAIN}a={offered}\n"))).unwrap();
        assert_eq!(parse(&answer).direction, expected, "{wish:?} {offered}");
        assert_eq!(session.agreement.unwrap().direction, expected);
    }
}

#[test]
fn the_version_moves_only_with_the_content() {
    let mut session = session();
    let origin = |body: &str| body.lines().nth(1).unwrap().to_owned();
    let first = origin(&session.offer());
    assert_eq!(origin(&session.offer()), first);
    session.wish = Direction::SendOnly;
    assert_ne!(origin(&session.offer()), first);
}

#[test]
fn other_media_is_refused_in_place() {
    let offer = parse(&PLAIN.replace("m=audio", "m=video 6000 RTP/AVP 96\nm=audio 6002 RTP/SAVP 8\nm=audio"));
    let mut session = session();
    let answer = session.answer(&offer).unwrap();
    let media: Vec<&str> = answer.lines().filter(|line| line.starts_with("m=")).collect();
    assert_eq!(media, ["m=video 0 RTP/AVP 96", "m=audio 0 RTP/SAVP 8", "m=audio 4000 RTP/AVP 0 96"]);
}

#[test]
fn what_cannot_be_used_is_not_answered() {
    for text in [
        "v=0\nc=IN IP4 192.0.2.2\nm=audio 5000 RTP/AVP 9\n",
        "v=0\nc=IN IP4 192.0.2.2\nm=video 5000 RTP/AVP 8\n",
        "v=0\n",
        // A dynamic mapping takes the static number's place.
        "v=0\nc=IN IP4 192.0.2.2\nm=audio 5000 RTP/AVP 8\na=rtpmap:8 opus/48000/2\n",
    ] {
        assert_eq!(session().answer(&parse(text)), None, "{text}");
    }
    assert_eq!(Description::parse(&"m=audio 1 RTP/AVP 8\r\n".repeat(MEDIA_MAX + 1)), None);
}

#[test]
fn addresses_come_from_the_media_before_the_session() {
    let table = [
        ("c=IN IP4 192.0.2.2\nm=audio 5000 RTP/AVP 8\nc=IN IP4 192.0.2.3\n", Some("192.0.2.3:5000")),
        ("c=IN IP6 2001:db8::1\nm=audio 5000/1 RTP/AVP 8\n", Some("[2001:db8::1]:5000")),
        ("c=IN IP4 media.example\nm=audio 5000 RTP/AVP 8\n", None),
        ("c=IN IP4 192.0.2.2\nm=audio 0 RTP/AVP 8\n", None),
        (
            "c=IN IP4 192.0.2.2\nm=audio 5000 RTP/AVP 8\nm=video 1 RTP/AVP 9\nc=IN IP4 192.0.2.9\n",
            Some("192.0.2.2:5000"),
        ),
    ];
    for (text, expected) in table {
        assert_eq!(parse(text).remote, expected.map(|text| text.parse().unwrap()), "{text}");
    }
}

#[test]
fn an_answer_under_other_numbers_is_followed() {
    let mut session = session();
    session.offer();
    let answer = "c=IN IP4 192.0.2.2\nm=audio 5000 RTP/AVP 97 96\na=rtpmap:97 PCMA/8000/1\na=rtpmap:96 telephone-event/8000\n";
    assert!(session.accept(&parse(answer)));
    let agreed = session.agreement.unwrap();
    assert_eq!((agreed.payload_type, agreed.codec), (97, Codec::ALaw));
    assert_eq!((agreed.event_type, agreed.event_type_received), (Some(96), Some(101)));
    assert!(!session.offered);
}
