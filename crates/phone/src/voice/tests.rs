//! Sixty-four voices told apart, with loss, in both laws.

use super::*;

fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

fn encoded(signature: Signature, codec: Codec) -> Vec<u8> {
    signature.samples().iter().map(|sample| codec.encode(*sample)).collect()
}

#[test]
fn every_signature_is_a_chord_of_its_own() {
    let mut chords: Vec<_> =
        (0..Signature::COUNT).map(|seed| Signature::of(u64::from(seed)).tones()).collect();
    for (index, chord) in chords.iter().enumerate() {
        assert_eq!(signature_of(*chord).index(), index as u16);
    }
    chords.sort_unstable();
    chords.dedup();
    assert_eq!(chords.len(), usize::from(Signature::COUNT));
}

#[test]
fn sixty_four_seeds_are_told_apart_with_loss_and_any_phase() {
    for codec in [Codec::ALaw, Codec::MuLaw] {
        for seed in 0..64u64 {
            let own = Signature::of(seed);
            let frame = encoded(own, codec);
            let mut state = seed + 1;
            let mut ear = Ear::new();
            // Cut out of step with the ear's windows, as after a conversion of packet times.
            let shift = random(&mut state) as usize % FRAME_SAMPLES;
            let stream: Vec<u8> =
                frame.iter().cycle().skip(shift).take(FRAME_SAMPLES * 100).copied().collect();
            for packet in stream.chunks(120) {
                if random(&mut state) % 100 >= 3 {
                    ear.hear(codec, packet);
                }
            }
            assert_eq!(ear.loudest().map(|(signature, _)| signature), Some(own), "{codec:?} {seed}");
            for other in (0..64).filter(|other| *other != seed) {
                let (mine, theirs) = (ear.score(own), ear.score(Signature::of(other)));
                assert!(mine > 0.7 && theirs < 0.1, "{codec:?} {seed}/{other}: {mine} {theirs}");
            }
        }
    }
}

#[test]
fn two_voices_mixed_are_both_heard() {
    let (a, b) = (Signature::of(0), Signature::of(559));
    let mixed: Vec<u8> =
        a.samples().iter().zip(b.samples()).map(|(a, b)| Codec::ALaw.encode(a + b)).collect();
    let mut ear = Ear::new();
    (0..50).for_each(|_| ear.hear(Codec::ALaw, &mixed));
    assert!(ear.score(a) > HEARD_SCORE_MIN && ear.score(b) > HEARD_SCORE_MIN);
    assert!(ear.score(Signature::of(300)) < 0.1);
}

#[test]
fn silence_and_noise_are_nobody() {
    let mut ear = Ear::new();
    (0..50).for_each(|_| ear.hear(Codec::ALaw, &[Codec::ALaw.silence(); FRAME_SAMPLES]));
    assert_eq!(ear.loudest(), None);
    let mut state = 7;
    for _ in 0..50 {
        let noise: Vec<u8> = (0..FRAME_SAMPLES).map(|_| random(&mut state) as u8).collect();
        ear.hear(Codec::MuLaw, &noise);
    }
    assert_eq!(ear.loudest(), None);
}

#[test]
fn a_new_voice_soon_outweighs_the_old() {
    let (old, new) = (Signature::of(1), Signature::of(2));
    let mut ear = Ear::new();
    (0..500).for_each(|_| ear.hear(Codec::ALaw, &encoded(old, Codec::ALaw)));
    (0..50).for_each(|_| ear.hear(Codec::ALaw, &encoded(new, Codec::ALaw)));
    assert_eq!(ear.loudest().map(|(signature, _)| signature), Some(new));
}
