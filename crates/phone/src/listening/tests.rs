//! What arrived, counted.

use super::*;

const HERE: fn(u8) -> Option<Codec> = |number| (number == 8).then_some(Codec::ALaw);

struct Heard {
    listener: Listener,
    noticed: Vec<Noticed>,
}

impl Heard {
    fn new() -> Self {
        Self { listener: Listener::new(0), noticed: Vec::new() }
    }

    fn take(&mut self, packet: Packet<'_>) {
        self.take_bytes("192.0.2.2:4000", &packet.print());
    }

    fn take_bytes(&mut self, from: &str, bytes: &[u8]) {
        let from = from.parse().unwrap();
        self.listener
            .on_datagram(Duration::ZERO, from, bytes, HERE, Some(101), |what| self.noticed.push(what));
    }

    fn digits(&self) -> String {
        let digit = |noticed: &Noticed| match noticed {
            Noticed::Digit { digit, .. } => Some(*digit),
            _ => None,
        };
        self.noticed.iter().filter_map(digit).collect()
    }
}

fn sound(sequence: u16, ssrc: u32) -> Packet<'static> {
    let timestamp = u32::from(sequence) * 160;
    Packet { marker: false, payload_type: 8, sequence, timestamp, ssrc, payload: &[0xd5; 160] }
}

#[test]
fn sequences_are_counted() {
    // (sequence numbers, received, lost, gaps, duplicates, reordered)
    let table: [(&[u16], [u64; 5]); 7] = [
        (&[1, 2, 3], [3, 0, 0, 0, 0]),
        (&[65534, 65535, 0, 1], [4, 0, 0, 0, 0]),
        (&[1, 4, 5], [3, 2, 1, 0, 0]),
        (&[1, 3, 2, 4], [4, 0, 1, 0, 1]),
        (&[1, 1, 2, 2, 1], [2, 0, 0, 3, 0]),
        (&[1, 101, 2], [2, 99, 1, 1, 0]),
        (&[1, 20_000, 20_001], [3, 0, 1, 0, 0]),
    ];
    for (numbers, expected) in table {
        let mut heard = Heard::new();
        numbers.iter().for_each(|number| heard.take(sound(*number, 1)));
        let report = heard.listener.report();
        let got = [report.received, report.lost, report.gaps, report.duplicates, report.reordered];
        assert_eq!(got, expected, "{numbers:?}");
    }
}

#[test]
fn sources_and_strangers_are_counted() {
    let mut heard = Heard::new();
    heard.take(sound(1, 1));
    heard.take(sound(500, 2));
    heard.take_bytes("192.0.2.2:4001", &sound(501, 2).print());
    heard.take(Packet { payload_type: 99, ..sound(502, 2) });
    heard.take_bytes("192.0.2.2:4001", b"nonsense");
    let report = heard.listener.report();
    assert_eq!((report.ssrc_changes, report.source_changes, report.lost), (1, 1, 0));
    assert_eq!((report.foreign_payloads, report.malformed, report.received), (1, 1, 3));
    assert_eq!(heard.noticed, [Noticed::Started]);
}

fn digit(sequence: u16, timestamp: u32, code: u8, duration: u16, end: bool) -> Vec<u8> {
    let [high, low] = duration.to_be_bytes();
    let payload = &[code, u8::from(end) << 7, high, low];
    Packet { marker: false, payload_type: 101, sequence, timestamp, ssrc: 1, payload }.print()
}

#[test]
fn digits_are_told_once_whatever_is_lost() {
    let from = "192.0.2.2:4000";
    let mut heard = Heard::new();
    // Whole, with its end three times.
    for sequence in 0..3 {
        heard.take_bytes(from, &digit(sequence, 1000, 5, 800, true));
    }
    assert_eq!(heard.digits(), "5");
    // All ends lost: the next digit, then sound, tell.
    heard.take_bytes(from, &digit(4, 3000, 6, 160, false));
    heard.take_bytes(from, &digit(8, 6000, 11, 160, false));
    assert_eq!(heard.digits(), "56");
    // A late packet of an old digit.
    heard.take_bytes(from, &digit(7, 3000, 6, 320, true));
    assert_eq!(heard.digits(), "56");
    heard.take(Packet { timestamp: 9000, ..sound(9, 1) });
    assert_eq!(heard.digits(), "56#");
    // Too short to be a digit, or no digit at all.
    heard.take(Packet { payload_type: 101, timestamp: 20_000, payload: &[1, 0x80], ..sound(10, 1) });
    heard.take_bytes(from, &digit(11, 30_000, 16, 160, true));
    assert_eq!(heard.digits(), "56#");
    assert_eq!(heard.listener.report().malformed, 1);
}
