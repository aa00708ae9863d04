//! Properties: what is printed reads back as it was; no octets make the reader panic; cuts change nothing.

use std::net::SocketAddr;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::super::*;
use super::{INVITE, octets, options_with};

/// Asks for every typed header there is.
pub(super) fn read_everything(head: &Head) {
    head.vias().for_each(drop);
    let _ = head.contacts();
    for &id in HeaderId::KNOWN {
        head.tokens(id).for_each(drop);
        let _ = (head.seconds(id), head.address(id), head.first_bytes(id), head.lists(id, "x"));
        for address in head.addresses(id).flatten() {
            let _ = (address.display_name(), address.tag(), address.expires_s(), address.q_thousandths());
            let _ = (address.uri().user_unescaped(), address.uri().host(), address.uri().tel_number());
            assert!(address.uri().is_equivalent(&address.uri().detached()));
        }
        for auth in head.auths(id).flatten() {
            let _ = (auth.value("nonce"), auth.has_repeated("nonce"), auth.scheme());
        }
    }
    let _ = (head.min_se_s(), head.session_expires(), head.rseq(), head.rack(), head.replaces());
    for reason in head.reasons().flatten() {
        let _ = (reason.cause(), reason.text());
    }
    let _ =
        (head.retry_after(), head.asks_privacy("id"), head.content_type(), head.accepts("a/b"), head.sdp());
}

fn exercise(octets: Bytes) {
    let source: SocketAddr = "192.0.2.1:5060".parse().expect("an address");
    match read_datagram(octets) {
        Ok(Message::Request(request)) => {
            read_everything(&request);
            let reply = MessageBuilder::reply_to(&request, source, Status::OK, Some(b"t")).finish();
            let Ok(Message::Response(reply)) = read_datagram(reply) else {
                panic!("a reply that cannot be read")
            };
            assert_eq!(reply.cseq(), request.cseq());
            assert_eq!(reply.call_id(), request.call_id());
            assert_eq!(reply.vias().count(), request.vias().count());
            assert_eq!(reply.from().tag(), request.from().tag());
            assert_eq!(reply.via().branch(), request.via().branch());
        }
        Ok(Message::Response(response)) => read_everything(&response),
        Err(Refused { request: Some(faulty), fault }) => {
            read_everything(&faulty.head);
            drop(MessageBuilder::reply_to_faulty(&faulty, source, fault, Some(b"t")).finish());
        }
        Err(_) => {}
    }
}

fn seeds() -> Vec<Bytes> {
    let many = "m: \"a\" <sip:+1@[::1]:5;x=y?a=b>;q=0.5;expires=9, <tel:1>\nAuthorization: Digest a=\"b\", c=d\n\
                Reason: SIP;cause=200;text=\"x\"\nReplaces: a;to-tag=b;from-tag=c\nRAck: 1 2 INVITE\nx: 90;refresher=uas\n\
                Content-Type: multipart/mixed;boundary=b\nl: 42\n";
    let body = "--b\nc: application/sdp\n\nv=0\n--b--\n\n\n\n\n\n";
    vec![octets(INVITE), octets(&options_with("")), octets(&(options_with(many) + body))]
}

fn token() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9.!%*_+`'~-]{1,20}"
}

fn uri() -> impl Strategy<Value = String> {
    prop_oneof![
        "sips?:([a-z0-9+*#;?/&=$,!~_.()'-]{1,12}(:[a-z0-9&=+$,]{0,5})?@)?[a-z0-9-]{1,8}(\\.[a-z]{2,4})?(:[0-9]{1,4})?\
         (;[a-z]{1,5}(=[a-z0-9%5B/:]{1,6})?){0,3}"
            .prop_filter("whole escapes", |text| !text.contains('%')),
        "sip:[a-z]{1,5}@\\[2001:db8::[0-9a-f]{1,4}\\]",
        "tel:\\+?[0-9.()-]{0,8}[0-9](;[a-z]{1,5}=[a-z]{1,5}){0,2}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_octets_never_panic(octets in vec(any::<u8>(), 0..400)) {
        exercise(octets.into());
    }

    #[test]
    fn mutated_messages_never_panic(
        seed in select(seeds()),
        changes in vec((any::<Index>(), prop_oneof![any::<u8>(), select(b"\r\n\0 \t\",;:<>@%=\\[]()/0".to_vec())], 0_u8..3), 1..8),
    ) {
        let mut octets = seed.to_vec();
        for (index, octet, kind) in changes {
            let at = index.index(octets.len());
            match kind {
                0 => octets[at] = octet,
                1 => octets.insert(at, octet),
                _ => drop(octets.remove(at)),
            }
        }
        exercise(octets.into());
    }

    #[test]
    fn header_values_never_panic(value in "[ -~é\\\\\"<>,;=@:%\\[\\]]{0,80}", name in select(vec!["From", "Via", "m", "To", "x", "c"])) {
        exercise(octets(&options_with(&format!("{name}: {value}\n"))));
        let base = options_with("");
        let swapped: String = base
            .split_inclusive('\n')
            .map(|line| if line.starts_with(name) { format!("{name}: {value}\n") } else { line.to_owned() })
            .collect();
        exercise(octets(&swapped));
    }

    #[test]
    fn what_is_printed_reads_back(
        method in token(),
        target in uri(),
        display in "\\PC{0,20}",
        tag in token(),
        branch in token(),
        call_id in "[!-~]{1,30}",
        sequence in 0_u32..1 << 31,
        hops in any::<u8>(),
        param in "[ -~]{1,20}",
        subject in "[!-~]([ -~]{0,40}[!-~])?",
        body in vec(any::<u8>(), 0..200),
    ) {
        let method = Method::from_token(Bytes::from(method));
        let target = Uri::parse_text(&target).expect("the generator makes URIs");
        let from = Uri::parse_text("sip:line@example.com").expect("a URI");
        let params = [Param { name: b"tag", value: Some(tag.as_bytes()) }, Param { name: b"p", value: Some(param.as_bytes()) }];
        let printed = MessageBuilder::request(&method, &target)
            .via(Transport::Udp, "192.0.2.1:5060", branch.as_bytes())
            .max_forwards(hops)
            .address(HeaderId::From, &Address { display: Some(&display), uri: &from, params: &params })
            .address(HeaderId::To, &Address { display: None, uri: &target, params: &[] })
            .call_id(call_id.as_bytes())
            .cseq(sequence, &method)
            .header(HeaderId::Subject, &subject)
            .named("P-Of-Our-Own", &subject)
            .finish_with("application/octet-stream", &body);

        let mut framer = StreamFramer::new();
        framer.push(&printed);
        let Some(Frame::Message(Message::Request(read))) = framer.next_frame() else { panic!("{printed:?}") };
        prop_assert_eq!(read.method(), &method);
        prop_assert_eq!(read.uri().as_bytes(), target.as_bytes());
        prop_assert_eq!(read.max_forwards(), Some(hops));
        prop_assert_eq!(read.from().display_name(), display.as_bytes());
        prop_assert_eq!(read.from().tag(), Some(Bytes::from(tag)));
        let read_param = read.from().params().first("p").and_then(|param| param.unquoted().map(|text| text.into_owned()));
        prop_assert_eq!(read_param, Some(param.into_bytes()));
        prop_assert_eq!(read.to().uri().as_bytes(), target.as_bytes());
        prop_assert_eq!(&read.call_id()[..], call_id.as_bytes());
        prop_assert_eq!(read.cseq(), &CSeq { sequence, method: method.clone() });
        prop_assert_eq!(read.via().branch().map(|read| read[MAGIC_COOKIE.len()..].to_vec()), Some(branch.into_bytes()));
        prop_assert_eq!(read.first(HeaderId::Subject), Some(subject.as_bytes()));
        prop_assert_eq!(&read.body()[..], &body[..]);

        // Relayed header by header, it is the same message again.
        let mut relayed = MessageBuilder::request(read.method(), read.uri());
        for field in read.fields().filter(|field| !matches!(field.id, HeaderId::ContentLength | HeaderId::ContentType)) {
            relayed = relayed.relayed(&field);
        }
        prop_assert_eq!(relayed.finish_with("application/octet-stream", &body), printed);
    }

    #[test]
    fn cuts_change_nothing(seed in select(seeds()), cuts in vec(1_usize..60, 1..40)) {
        let stream = [&seed[..], &seed].concat();
        let read = |chunks: &mut dyn Iterator<Item = &[u8]>| {
            let mut framer = StreamFramer::new();
            let mut frames = Vec::new();
            for chunk in chunks {
                framer.push(chunk);
                frames.extend(std::iter::from_fn(|| framer.next_frame()).map(|frame| format!("{frame:?}")));
            }
            frames
        };
        let mut rest = &stream[..];
        let mut sizes = cuts.iter().cycle();
        let mut pieces = std::iter::from_fn(|| {
            let size = (*sizes.next()?).min(rest.len());
            let (piece, after) = rest.split_at(size);
            rest = after;
            (!piece.is_empty()).then_some(piece)
        });
        prop_assert_eq!(read(&mut pieces), read(&mut std::iter::once(&stream[..])));
    }
}
