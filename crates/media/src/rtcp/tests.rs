//! Reports against RFC 3550's figures.

use super::*;
use crate::StreamPosition;

fn session() -> (RtcpSession, Outgoing, Reception) {
    let position = StreamPosition { ssrc: 0xabcd, sequence: 1, timestamp: 1000 };
    (RtcpSession::new(Duration::ZERO, 0xabcd, 0), Outgoing::new(position), Reception::default())
}

#[test]
fn the_first_report_comes_early_and_the_next_about_every_five_seconds() {
    for (random, first, next) in [(0, 1250, 2500), (u32::MAX, 3750, 7500)] {
        let mut rtcp = RtcpSession::new(Duration::ZERO, 1, random);
        assert_eq!(rtcp.due().as_millis(), first);
        let (_, outgoing, mut reception) = session();
        rtcp.report(Duration::ZERO, &outgoing, &mut reception, random, false, &mut [0; REPORT_BYTES_MAX]);
        assert_eq!(rtcp.due().as_millis(), next);
    }
}

#[test]
fn a_listener_sends_receiver_reports_and_a_speaker_sender_reports() {
    let (mut rtcp, mut outgoing, mut reception) = session();
    let mut buffer = [0; REPORT_BYTES_MAX];
    let length = rtcp.report(Duration::from_secs(1), &outgoing, &mut reception, 0, false, &mut buffer);
    assert_eq!((buffer[1], length % 4), (201, 0));
    outgoing.own(Duration::from_secs(2), 160, 8000, 160);
    rtcp.report(Duration::from_secs(3), &outgoing, &mut reception, 0, false, &mut buffer);
    assert_eq!(buffer[1], 200);
    let word = |at: usize| u32::from_be_bytes([buffer[at], buffer[at + 1], buffer[at + 2], buffer[at + 3]]);
    assert_eq!((word(4), word(8), word(12)), (0xabcd, 3, 0));
    assert_eq!((word(16), word(20), word(24)), (1000 + 8000, 1, 160));
}

#[test]
fn the_longest_report_fits() {
    let (mut rtcp, mut outgoing, mut reception) = session();
    outgoing.own(Duration::ZERO, 160, 8000, 160);
    reception.on_packet(Duration::ZERO, 7, 1, 1, 8000, true);
    let mut buffer = [0; REPORT_BYTES_MAX];
    let length = rtcp.report(Duration::from_secs(1), &outgoing, &mut reception, 0, true, &mut buffer);
    assert!(length > 0);
    // It is whole, and we would take it.
    assert!(rtcp.on_packet(Duration::from_secs(2), 7, &buffer[..length]));
    assert!(buffer[..length].ends_with(&[0x81, 203, 0, 1, 0, 0, 0xab, 0xcd]));
}

#[test]
fn nonsense_is_refused() {
    let (mut rtcp, ..) = session();
    for packet in [&[][..], &[0x80], &[0x80, 201, 0, 9, 0, 0, 0, 1], &[0x40, 201, 0, 1, 0, 0, 0, 1]] {
        assert!(!rtcp.on_packet(Duration::ZERO, 1, packet), "{packet:?}");
    }
}
