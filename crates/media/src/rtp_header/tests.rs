//! Headers well and badly formed.

use proptest::prelude::*;

use super::*;

const PLAIN: [u8; 14] = [0x80, 0x88, 0x12, 0x34, 0, 0, 0, 160, 0xde, 0xad, 0xbe, 0xef, 0xd5, 0xd5];

#[test]
fn reads_what_a_packet_says() {
    let header = RtpHeader::read(&PLAIN).unwrap();
    assert_eq!(
        header,
        RtpHeader {
            marker: true,
            payload_type: 8,
            sequence: 0x1234,
            timestamp: 160,
            ssrc: 0xdead_beef,
            payload: 12..14
        }
    );
}

#[test]
fn finds_the_payload_behind_csrcs_extension_and_before_padding() {
    let mut packet = PLAIN[..12].to_vec();
    packet[0] = 0x80 | 0x20 | 0x10 | 1;
    packet.extend([0; 4]);
    packet.extend([0xbe, 0xde, 0, 1, 1, 2, 3, 4]);
    packet.extend([0x55; 10]);
    packet.extend([0, 2]);
    assert_eq!(RtpHeader::read(&packet).unwrap().payload, 24..34);
}

#[test]
fn refuses_what_is_not_rtp() {
    for (packet, why) in [
        (&[][..], "empty"),
        (&PLAIN[..11], "short"),
        (&[0x00, 0x01, 0, 0, 0x21, 0x12, 0xa4, 0x42, 0, 0, 0, 0, 0, 0][..], "STUN"),
        (&[0x8f, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], "CSRCs beyond the end"),
        (&[0x90, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xbe, 0xde, 0xff, 0xff][..], "extension beyond the end"),
        (&[0xa0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9][..], "padding beyond the start"),
    ] {
        assert_eq!(RtpHeader::read(packet), None, "{why}");
    }
}

proptest! {
    #[test]
    fn never_panics(packet in proptest::collection::vec(any::<u8>(), 0..64)) {
        if let Some(header) = RtpHeader::read(&packet) {
            prop_assert!(header.payload.end <= packet.len());
        }
    }

    #[test]
    fn what_is_rewritten_is_read_back(marker: bool, payload_type in 0u8..128, sequence: u16, timestamp: u32, ssrc: u32) {
        let mut packet = PLAIN;
        rewrite(&mut packet, marker, payload_type, sequence, timestamp, ssrc);
        let header = RtpHeader { marker, payload_type, sequence, timestamp, ssrc, payload: 12..14 };
        prop_assert_eq!(RtpHeader::read(&packet), Some(header));
    }
}
