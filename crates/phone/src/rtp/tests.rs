//! Packets on the wire and slots in time.

use super::*;
use crate::voice::Signature;

const MS: Duration = Duration::from_millis(1);
const LINE: Line = Line { codec: Codec::ALaw, payload_type: 8, event_type: Some(101) };

fn sender(mode: RtpMode) -> Sender {
    Sender::new(0x0102_0304_0506_0708, Voice::Signature(Signature::of(5)), mode)
}

/// All packets due until then, with the time of each.
fn collect(sender: &mut Sender, until: Duration) -> Vec<(Duration, Vec<u8>)> {
    let mut packets = Vec::new();
    while let Some(at) = sender.poll_timeout().filter(|at| *at <= until) {
        packets.extend(sender.poll(at).map(|packet| (at, packet)));
    }
    packets
}

#[test]
fn extension_sources_and_padding_are_skipped() {
    let mut bytes = vec![0xb1, 0x88, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 9, 9, 9, 9];
    bytes.extend_from_slice(&[0xbe, 0xde, 0, 1, 7, 7, 7, 7, 1, 2, 3, 0, 2]);
    let packet = Packet::parse(&bytes).unwrap();
    assert_eq!((packet.marker, packet.payload_type, packet.sequence), (true, 8, 1));
    assert_eq!((packet.timestamp, packet.ssrc, packet.payload), (2, 3, &[1, 2, 3][..]));
    for cut in 0..bytes.len() - 5 {
        assert_eq!(Packet::parse(&bytes[..cut]), None, "cut at {cut}");
    }
    assert_eq!(Packet::parse(&[0x40; 20]), None, "version 1");
    assert_eq!(
        Packet::parse(&[0xa0, 8, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 200]),
        None,
        "more padding than packet"
    );
}

#[test]
fn packets_follow_each_other_by_20_ms() {
    let mut sender = sender(RtpMode::Full);
    sender.set_line(1003 * MS, Some(LINE));
    let packets = collect(&mut sender, 2003 * MS);
    assert_eq!(packets.len(), 51);
    for (first, second) in packets.iter().zip(&packets[1..]) {
        assert_eq!(second.0 - first.0, SLOT);
        let (first, second) = (Packet::parse(&first.1).unwrap(), Packet::parse(&second.1).unwrap());
        assert_eq!(second.sequence, first.sequence.wrapping_add(1));
        assert_eq!(second.timestamp, first.timestamp.wrapping_add(160));
        assert_eq!((second.ssrc, second.payload.len(), second.marker), (first.ssrc, 160, false));
    }
    assert!(Packet::parse(&packets[0].1).unwrap().marker);
}

#[test]
fn a_slot_is_never_sent_twice_and_a_long_delay_is_skipped() {
    let mut sender = sender(RtpMode::Full);
    sender.set_line(Duration::ZERO, Some(LINE));
    assert!(sender.poll(Duration::ZERO).is_some());
    sender.set_mode(Duration::ZERO, RtpMode::Full);
    assert_eq!(sender.poll(Duration::ZERO), None);
    let before = Packet::parse(&sender.poll(SLOT).unwrap()).unwrap().timestamp;
    let late = sender.poll(60 * 1000 * MS).unwrap();
    assert_eq!(Packet::parse(&late).unwrap().timestamp.wrapping_sub(before), 2999 * 160);
    assert_eq!(sender.poll(60 * 1000 * MS), None, "no burst of what was missed");
}

#[test]
fn a_digit_is_what_rfc_4733_draws() {
    let mut sender = sender(RtpMode::Off);
    sender.set_line(Duration::ZERO, Some(LINE));
    assert_eq!(sender.poll_timeout(), None);
    assert!(sender.dial(7 * MS, "#1"));
    let packets = collect(&mut sender, 5000 * MS);
    assert_eq!(packets.len(), 20, "seven reports and three ends each");
    let first = Packet::parse(&packets[0].1).unwrap();
    for (at, (_, bytes)) in packets[..10].iter().enumerate() {
        let packet = Packet::parse(bytes).unwrap();
        assert_eq!((packet.timestamp, packet.payload_type), (first.timestamp, 101));
        assert_eq!(packet.marker, at == 0);
        let duration = u16::from_be_bytes([packet.payload[2], packet.payload[3]]);
        assert_eq!((packet.payload[0], packet.payload[1] >> 7 == 1), (11, at >= 7), "{at}");
        assert_eq!(duration, 160 * (at as u16 + 1).min(8));
    }
    assert_eq!(sender.poll_timeout(), None, "quiet again");
    assert!(!sender.dial(Duration::ZERO, &"1".repeat(DIGITS_MAX + 1)));
    sender.set_line(Duration::ZERO, Some(Line { event_type: None, ..LINE }));
    assert!(!sender.dial(Duration::ZERO, "1"), "the other side takes no digits");
}

#[test]
fn samples_of_the_callers_own_are_repeated() {
    let samples: Vec<i16> = (0..200).map(|at| at * 100).collect();
    let mut sender = Sender::new(1, Voice::Samples(samples.as_slice().into()), RtpMode::Full);
    sender.set_line(Duration::ZERO, Some(LINE));
    let sent: Vec<u8> = collect(&mut sender, 100 * MS)
        .iter()
        .flat_map(|(_, p)| Packet::parse(p).unwrap().payload.to_vec())
        .collect();
    let expected: Vec<u8> =
        samples.iter().cycle().take(960).map(|sample| LINE.codec.encode(*sample)).collect();
    assert_eq!(sent, expected);
    let mut empty = Sender::new(1, Voice::Samples(Vec::new().into()), RtpMode::Full);
    empty.set_line(Duration::ZERO, Some(LINE));
    assert!(empty.poll(Duration::ZERO).is_some(), "nothing to say is silence");
}
