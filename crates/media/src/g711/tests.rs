//! G.711 against the values of ITU-T G.711, tables 1a and 2a.

use super::*;

#[test]
fn known_codes_decode_to_the_values_of_the_recommendation() {
    // (code, linear at 16 bits): the ends and the middle of the scales.
    for (code, linear) in [(0x80, 32124), (0x00, -32124), (0xff, 0), (0x8f, 16764)] {
        assert_eq!(VoiceCodec::Pcmu.decode(code), linear, "µ-law {code:#x}");
    }
    for (code, linear) in [(0xaa, 32256), (0x2a, -32256), (0xd5, 8), (0x55, -8)] {
        assert_eq!(VoiceCodec::Pcma.decode(code), linear, "A-law {code:#x}");
    }
}

#[test]
fn silence_is_silent() {
    for codec in [VoiceCodec::Pcma, VoiceCodec::Pcmu] {
        assert_eq!(codec.encode(0), codec.silence());
        assert!(codec.decode(codec.silence()).abs() <= 8);
    }
}

#[test]
fn conversion_stays_within_a_quantisation_step() {
    for code in 0..=255u8 {
        let mut payload = [code];
        alaw_to_ulaw(&mut payload);
        let before = i32::from(VoiceCodec::Pcma.decode(code));
        let after = i32::from(VoiceCodec::Pcmu.decode(payload[0]));
        assert!((before - after).abs() <= before.abs() / 16 + 16, "{code:#x}: {before} {after}");

        let mut payload = [code];
        ulaw_to_alaw(&mut payload);
        let before = i32::from(VoiceCodec::Pcmu.decode(code));
        let after = i32::from(VoiceCodec::Pcma.decode(payload[0]));
        assert!((before - after).abs() <= before.abs() / 16 + 16, "{code:#x}: {before} {after}");
    }
}
