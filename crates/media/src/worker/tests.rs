//! Whatever arrives, in whatever order: no panic, and commands for unknown legs are nothing.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::{Encoding, MediaFrom, PayloadFormat, Stream, StreamPosition, VoiceCodec};

fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], port))
}

fn stream(port: u16) -> Arc<Stream> {
    let formats = vec![
        PayloadFormat { payload_type: 8, encoding: Encoding::Voice(VoiceCodec::Pcma), clock_hz: 8000 },
        PayloadFormat { payload_type: 101, encoding: Encoding::Events, clock_hz: 8000 },
        // Numbers beyond seven bits don't exist; they must not hurt.
        PayloadFormat { payload_type: 255, encoding: Encoding::Other("x/0/1".into()), clock_hz: 0 },
    ];
    Arc::new(Stream {
        remote: Some(address(port)),
        remote_rtcp: Some(address(port)),
        rtcp_mux: false,
        send: true,
        receive: true,
        receive_formats: formats.clone(),
        send_formats: formats,
        packet_samples: 0,
    })
}

fn open(worker: &mut Worker, leg: u64) {
    let media_from = MediaFrom::Signalled;
    let latched = (None, None);
    let position = StreamPosition::default();
    worker.on_command(
        Duration::ZERO,
        Command::Open {
            leg: LegId(leg),
            address: address(65_535),
            media_from: media_from.clone(),
            position,
            latched,
        },
    );
    worker
        .on_command(Duration::ZERO, Command::Configure { leg: LegId(leg), stream: stream(4000), media_from });
}

fn worker() -> Worker {
    Worker::new(Duration::ZERO, WorkerSettings { silence: None }, [0; 32])
}

#[test]
fn events_are_bounded_and_the_important_ones_kept() {
    let mut worker = worker();
    open(&mut worker, 1);
    for _ in 0..3 * EVENTS_MAX {
        worker.on_command(Duration::ZERO, Command::SocketFailed { key: rtp_socket(0) });
    }
    worker.on_command(Duration::ZERO, Command::Release { leg: LegId(1) });
    worker.poll(Duration::ZERO, &mut |_, _, _| {});
    assert_eq!(worker.events_lost(), 2 * EVENTS_MAX as u64);
    let events: Vec<_> = std::iter::from_fn(|| worker.poll_event()).collect();
    assert_eq!(events.len(), EVENTS_MAX + 1);
    assert!(matches!(events.last(), Some(WorkerEvent::Released { .. })));
}

#[test]
fn a_port_that_comes_back_at_once_is_closed_before_it_is_opened() {
    let mut worker = worker();
    open(&mut worker, 1);
    worker.on_command(Duration::ZERO, Command::Release { leg: LegId(1) });
    open(&mut worker, 2);
    let ops: Vec<_> = std::iter::from_fn(|| worker.poll_socket()).collect();
    let closed = ops.iter().position(|op| matches!(op, SocketOp::Close { .. })).unwrap();
    let opened = ops.iter().rposition(|op| matches!(op, SocketOp::Open { .. })).unwrap();
    assert!(closed < opened, "{ops:?}");
}

proptest! {
    #[test]
    fn no_packet_panics(
        packets in proptest::collection::vec((any::<bool>(), 0u32..3, 3999u16..4002, proptest::collection::vec(any::<u8>(), 0..80)), 0..50),
        look_like_rtp: bool,
    ) {
        let mut worker = worker();
        open(&mut worker, 1);
        open(&mut worker, 2);
        worker.on_command(Duration::ZERO, Command::Bridge { a: LegId(1), b: LegId(2) });
        for (n, (rtcp, leg, port, mut packet)) in packets.into_iter().enumerate() {
            if look_like_rtp {
                for (byte, value) in packet.iter_mut().zip([0x80, if n % 3 == 0 { 101 } else { 8 }, 0, n as u8]) {
                    *byte = value;
                }
            }
            let now = Duration::from_millis(n as u64 * 20);
            let kind = if rtcp { SocketKind::Rtcp } else { SocketKind::Rtp };
            let length = packet.len();
            let verdict = worker.on_packet(now, SocketKey { leg, kind }, address(port), &mut packet);
            if let Verdict::Forward { range, .. } = verdict {
                prop_assert!(range.end <= length);
            }
            worker.poll(now, &mut |_, _, _| {});
            while worker.poll_event().is_some() {}
        }
    }
}
