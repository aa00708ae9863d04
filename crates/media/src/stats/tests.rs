//! Loss and jitter against streams whose figures are known.

use super::*;

const FRAME: Duration = Duration::from_millis(20);

/// Feeds (sequence, extra delay in ms) 20 ms apart from a clock that keeps time by sequence.
fn feed(reception: &mut Reception, packets: &[(u16, u64)]) {
    for &(sequence, delay_ms) in packets {
        let now = FRAME * u32::from(sequence) + Duration::from_millis(delay_ms);
        reception.on_packet(now, 7, sequence, u32::from(sequence) * 160, 8000, true);
    }
}

#[test]
fn a_whole_stream_has_no_loss_and_no_jitter() {
    let mut reception = Reception::default();
    feed(&mut reception, &(0..500).map(|sequence| (sequence, 3)).collect::<Vec<_>>());
    assert_eq!((reception.received(), reception.lost(), reception.jitter_ms()), (500, 0, 0.0));
}

#[test]
fn loss_is_counted_and_reordering_is_not_loss() {
    let mut reception = Reception::default();
    feed(&mut reception, &[(10, 0), (11, 0), (14, 0), (13, 0), (15, 0)]);
    assert_eq!((reception.received(), reception.lost()), (5, 1));
    let report = reception.report().unwrap();
    assert_eq!(
        (report.fraction_lost, report.cumulative_lost, report.extended_highest),
        (256u32.div_euclid(6) as u8, 1, 15)
    );
    assert_eq!(reception.report().unwrap().fraction_lost, 0);
}

#[test]
fn the_sequence_wraps() {
    let mut reception = Reception::default();
    for (n, sequence) in [65_534u16, 65_535, 0, 1].into_iter().enumerate() {
        reception.on_packet(FRAME * n as u32, 7, sequence, n as u32 * 160, 8000, true);
    }
    assert_eq!(reception.lost(), 0);
    assert_eq!(reception.report().unwrap().extended_highest, 65_536 + 1);
}

#[test]
fn a_new_source_starts_its_own_count_and_keeps_the_old_loss() {
    let mut reception = Reception::default();
    feed(&mut reception, &[(1, 0), (3, 0)]);
    reception.on_packet(FRAME, 8, 40_000, 0, 8000, true);
    reception.on_packet(FRAME * 2, 8, 40_001, 160, 8000, true);
    assert_eq!((reception.received(), reception.lost()), (4, 1));
}

#[test]
fn an_odd_jump_needs_two_in_a_row() {
    let mut reception = Reception::default();
    feed(&mut reception, &[(1, 0), (2, 0), (30_000, 0), (3, 0)]);
    assert_eq!(reception.lost(), 0, "a stray packet is not 30,000 lost ones");
    feed(&mut reception, &[(20_000, 0), (20_001, 0), (20_002, 0)]);
    assert_eq!(reception.lost(), 0);
}

#[test]
fn jitter_grows_towards_the_mean_deviation() {
    let mut reception = Reception::default();
    feed(
        &mut reception,
        &(0..1000).map(|sequence| (sequence, u64::from(sequence % 2) * 10)).collect::<Vec<_>>(),
    );
    assert!((9.0..=10.0).contains(&reception.jitter_ms()), "{}", reception.jitter_ms());
}
