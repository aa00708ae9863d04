//! Both laws against the recommendation's corner values and against themselves.

use super::*;

#[test]
fn corner_values() {
    let table = [
        (Codec::ALaw, 0xd5, 8),
        (Codec::ALaw, 0x55, -8),
        (Codec::ALaw, 0xaa, 32256),
        (Codec::ALaw, 0x2a, -32256),
        (Codec::MuLaw, 0xff, 0),
        (Codec::MuLaw, 0x7f, 0),
        (Codec::MuLaw, 0x80, 32124),
        (Codec::MuLaw, 0x00, -32124),
    ];
    for (codec, byte, sample) in table {
        assert_eq!(codec.decode(byte), sample, "{codec:?} {byte:#x}");
    }
    assert_eq!(Codec::ALaw.encode(0), Codec::ALaw.silence());
    assert_eq!(Codec::MuLaw.encode(0), Codec::MuLaw.silence());
}

#[test]
fn every_byte_survives() {
    for codec in [Codec::ALaw, Codec::MuLaw] {
        for byte in 0..=255u8 {
            let again = codec.encode(codec.decode(byte));
            assert_eq!(codec.decode(again), codec.decode(byte), "{codec:?} {byte:#x}");
        }
    }
}

#[test]
fn encoding_errs_by_half_a_step_at_most() {
    for codec in [Codec::ALaw, Codec::MuLaw] {
        for sample in (i16::MIN..=i16::MAX).map(i32::from) {
            let got = i32::from(codec.decode(codec.encode(sample as i16)));
            // Sixteen steps an octave above either law's bias, so half a step is a 32nd.
            let allowed = (sample.abs() + MU_BIAS) / 32 + 8;
            assert!((got - sample).abs() <= allowed, "{codec:?} {sample} became {got}");
        }
    }
}
