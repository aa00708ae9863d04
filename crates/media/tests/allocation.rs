//! A relayed packet allocates nothing: measured, since one allocation a packet is easily slipped in.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use media::{
    Command, Encoding, LegId, MediaFrom, PayloadFormat, SocketKey, SocketKind, Stream, StreamPosition,
    Verdict, VoiceCodec, Worker, WorkerSettings,
};

fn address(host: u8, port: u16) -> SocketAddr {
    SocketAddr::from(([198, 51, 100, host], port))
}

fn open(worker: &mut Worker, leg: u64, host: u8, codec: VoiceCodec) {
    let media_from = MediaFrom::Signalled;
    worker.on_command(
        Duration::ZERO,
        Command::Open {
            leg: LegId(leg),
            address: SocketAddr::from(([192, 0, 2, 1], 20_000)),
            media_from: media_from.clone(),
            position: StreamPosition { ssrc: host.into(), sequence: 1, timestamp: 1 },
            latched: (None, None),
        },
    );
    let formats = vec![
        PayloadFormat {
            payload_type: codec.payload_type(),
            encoding: Encoding::Voice(codec),
            clock_hz: 8000,
        },
        PayloadFormat { payload_type: 101, encoding: Encoding::Events, clock_hz: 8000 },
    ];
    let stream = Stream {
        remote: Some(address(host, 4000)),
        remote_rtcp: Some(address(host, 4001)),
        rtcp_mux: false,
        send: true,
        receive: true,
        receive_formats: formats.clone(),
        send_formats: formats,
        packet_samples: 160,
    };
    worker.on_command(
        Duration::ZERO,
        Command::Configure { leg: LegId(leg), stream: Arc::new(stream), media_from },
    );
}

#[test]
fn a_packet_allocates_nothing() {
    for other in [VoiceCodec::Pcma, VoiceCodec::Pcmu] {
        let mut worker = Worker::new(Duration::ZERO, WorkerSettings { silence: None }, [1; 32]);
        open(&mut worker, 1, 7, VoiceCodec::Pcma);
        open(&mut worker, 2, 8, other);
        worker.on_command(Duration::ZERO, Command::Bridge { a: LegId(1), b: LegId(2) });
        let mut packet = [0x55; 172];
        let mut forwarded = 0;
        let mut run = |worker: &mut Worker, numbers: std::ops::Range<u16>, payload_type: u8, host: u8| {
            for number in numbers {
                packet[..12].copy_from_slice(&[0x80, payload_type, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]);
                packet[2..4].copy_from_slice(&number.to_be_bytes());
                packet[6..8].copy_from_slice(&number.wrapping_mul(160).to_be_bytes());
                let now = Duration::from_millis(20 * u64::from(number));
                let key = SocketKey { leg: 0, kind: SocketKind::Rtp };
                let verdict = worker.on_packet(now, key, address(host, 4000), &mut packet);
                forwarded += u32::from(matches!(verdict, Verdict::Forward { .. }));
            }
        };
        // The first packet latches.
        run(&mut worker, 1..2, 8, 7);
        let sound = allocation_counter::measure(|| run(&mut worker, 2..300, 8, 7));
        let digits = allocation_counter::measure(|| run(&mut worker, 300..310, 101, 7));
        let foreign = allocation_counter::measure(|| run(&mut worker, 310..400, 8, 66));
        assert_eq!(forwarded, 309, "the stranger's are not forwarded");
        assert_eq!(
            (sound.count_total, digits.count_total, foreign.count_total),
            (0, 0, 0),
            "towards {other:?}"
        );
    }
}
