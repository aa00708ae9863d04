//! A strict receiver, written from RFC 3550 alone: it shares no code with the room.

use std::time::Duration;

/// One packet as it was heard.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Heard {
    pub(super) at: Duration,
    pub(super) marker: bool,
    pub(super) payload_type: u8,
    pub(super) sequence: u16,
    pub(super) timestamp: u32,
    pub(super) ssrc: u32,
    pub(super) payload: Vec<u8>,
}

/// Everything that one peer heard.
#[derive(Default)]
pub(super) struct Receiver {
    pub(super) packets: Vec<Heard>,
}

impl Receiver {
    pub(super) fn hear(&mut self, at: Duration, packet: &[u8]) {
        assert!(packet.len() >= 12, "a header is 12 bytes");
        assert_eq!(packet[0], 0x80, "version 2, no padding, extension or CSRC was sent");
        let number =
            |from: usize, to: usize| packet[from..to].iter().fold(0u64, |n, &b| n * 256 + u64::from(b));
        self.packets.push(Heard {
            at,
            marker: packet[1] >= 128,
            payload_type: packet[1] % 128,
            sequence: number(2, 4) as u16,
            timestamp: number(4, 8) as u32,
            ssrc: number(8, 12) as u32,
            payload: packet[12..].to_vec(),
        });
    }

    /// One SSRC, no number missing or twice, a clock that never runs back and keeps up with time.
    pub(super) fn assert_continuous(&self) {
        let Some(first) = self.packets.first() else { panic!("nothing was heard") };
        assert!(first.marker, "sound starts with a marker");
        for (n, pair) in self.packets.windows(2).enumerate() {
            let (before, after) = (&pair[0], &pair[1]);
            let context = format!("packet {}: {:?} then {:?}", n + 1, brief(before), brief(after));
            assert_eq!(after.ssrc, before.ssrc, "{context}");
            assert_eq!(after.sequence, before.sequence.wrapping_add(1), "{context}");
            let step = after.timestamp.wrapping_sub(before.timestamp);
            assert!(step < 1 << 31, "the clock ran back: {context}");
            let passed = ((after.at - before.at).as_micros() * 8 / 1000) as i64;
            let events = before.payload.len() < 10 || after.payload.len() < 10;
            if !events {
                assert!(step >= 80, "two sounds share a time: {context}");
                assert!((i64::from(step) - passed).abs() <= 400, "clock and time disagree: {context}");
                assert!(after.marker || step <= 400, "sound starts again without a marker: {context}");
            }
        }
    }
}

fn brief(heard: &Heard) -> (Duration, bool, u16, u32, usize) {
    (heard.at, heard.marker, heard.sequence, heard.timestamp, heard.payload.len())
}
