//! G.711: tables between A-law, µ-law and linear samples.
//!
//! Knows: ITU-T G.711. Must never know: packets, legs. The tables are filled once from a library's reference
//! functions, so that a packet costs one look-up a sample.

use std::sync::LazyLock;

use crate::VoiceCodec;

static ALAW_TO_ULAW: LazyLock<[u8; 256]> =
    LazyLock::new(|| std::array::from_fn(|code| audio_codec_algorithms::convert_alaw_to_ulaw(code as u8)));
static ULAW_TO_ALAW: LazyLock<[u8; 256]> =
    LazyLock::new(|| std::array::from_fn(|code| audio_codec_algorithms::convert_ulaw_to_alaw(code as u8)));

impl VoiceCodec {
    /// The static payload type (RFC 3551 §6).
    pub fn payload_type(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
        }
    }

    /// The encoding's name in session descriptions.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
        }
    }

    /// One linear sample, encoded.
    pub fn encode(self, sample: i16) -> u8 {
        match self {
            Self::Pcmu => audio_codec_algorithms::encode_ulaw(sample),
            Self::Pcma => audio_codec_algorithms::encode_alaw(sample),
        }
    }

    /// One encoded sample, linear.
    pub fn decode(self, code: u8) -> i16 {
        match self {
            Self::Pcmu => audio_codec_algorithms::decode_ulaw(code),
            Self::Pcma => audio_codec_algorithms::decode_alaw(code),
        }
    }

    /// The code of silence.
    pub fn silence(self) -> u8 {
        match self {
            Self::Pcmu => 0xff,
            Self::Pcma => 0xd5,
        }
    }
}

/// Fills the tables now, so that the first packet that is converted doesn't wait for it.
pub(crate) fn warm_up() {
    LazyLock::force(&ALAW_TO_ULAW);
    LazyLock::force(&ULAW_TO_ALAW);
}

/// Converts a payload in place.
pub(crate) fn alaw_to_ulaw(payload: &mut [u8]) {
    let table = &*ALAW_TO_ULAW;
    for code in payload {
        *code = table[usize::from(*code)];
    }
}

/// Converts a payload in place.
pub(crate) fn ulaw_to_alaw(payload: &mut [u8]) {
    let table = &*ULAW_TO_ALAW;
    for code in payload {
        *code = table[usize::from(*code)];
    }
}

#[cfg(test)]
mod tests;
