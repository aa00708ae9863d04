//! Reads the one kind of WAV file that a telephone line takes as it is: 8000 Hz, mono, 16-bit PCM.
//! Must never do: convert anything, or trust a length that the file claims.

use std::fmt;
use std::sync::Arc;

/// The rate of every prompt.
pub const SAMPLES_PER_SECOND: u32 = 8_000;

/// Prompts are kept in memory; ten minutes are 9.6 MB, and nobody listens that long.
const SECONDS_MAX: u32 = 600;

/// The samples of the longest prompt, and generous room for headers.
pub(super) const FILE_BYTES_MAX: u64 = SECONDS_MAX as u64 * SAMPLES_PER_SECOND as u64 * 2 + 65_536;

/// Why a file is no prompt. The deployment's fault in every case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WavError {
    /// Not a RIFF/WAVE file.
    NotWav,
    /// Cut off, or without format or data.
    Incomplete,
    /// Compressed, or of another sample size.
    Encoding {
        /// The format tag; 1 is PCM.
        format: u16,
        /// Bits a sample.
        bits: u16,
    },
    /// Not mono.
    Channels(u16),
    /// Another rate.
    Rate(u32),
    /// No sample in it.
    Empty,
    /// Longer than ten minutes.
    TooLong,
}

impl fmt::Display for WavError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotWav => f.write_str("not a WAV file"),
            Self::Incomplete => f.write_str("a WAV file that is cut off"),
            Self::Encoding { format, bits } => write!(f, "format {format} with {bits} bits a sample"),
            Self::Channels(channels) => write!(f, "{channels} channels"),
            Self::Rate(rate) => write!(f, "{rate} Hz"),
            Self::Empty => f.write_str("no sound in it"),
            Self::TooLong => write!(f, "longer than {} minutes", SECONDS_MAX / 60),
        }
    }
}

impl std::error::Error for WavError {}

const FORMAT_PCM: u16 = 1;
const FORMAT_EXTENSIBLE: u16 = 0xFFFE;

/// The samples of a WAV file.
pub fn decode(bytes: &[u8]) -> Result<Arc<[i16]>, WavError> {
    if bytes.get(..4) != Some(b"RIFF".as_slice()) || bytes.get(8..12) != Some(b"WAVE".as_slice()) {
        return Err(WavError::NotWav);
    }
    let mut rest = bytes.get(12..).unwrap_or(&[]);
    let mut format_seen = false;
    while let (Some(id), Some(length)) = (rest.get(..4), u32_at(rest, 4)) {
        let length = usize::try_from(length).map_err(|_| WavError::Incomplete)?;
        let body = rest.get(8..8_usize.saturating_add(length));
        match id {
            b"fmt " => {
                check_format(body.ok_or(WavError::Incomplete)?)?;
                format_seen = true;
            }
            b"data" if format_seen => return samples(body.ok_or(WavError::Incomplete)?),
            _ => {}
        }
        // Chunks begin at even offsets.
        let next = 8_usize.saturating_add(length).saturating_add(length % 2);
        rest = rest.get(next..).unwrap_or(&[]);
    }
    Err(WavError::Incomplete)
}

fn check_format(format: &[u8]) -> Result<(), WavError> {
    let tag = u16_at(format, 0).ok_or(WavError::Incomplete)?;
    let channels = u16_at(format, 2).ok_or(WavError::Incomplete)?;
    let rate = u32_at(format, 4).ok_or(WavError::Incomplete)?;
    let bits = u16_at(format, 14).ok_or(WavError::Incomplete)?;
    // An extensible header tells the real format at the beginning of a GUID.
    let tag = if tag == FORMAT_EXTENSIBLE { u16_at(format, 24).ok_or(WavError::Incomplete)? } else { tag };
    if tag != FORMAT_PCM || bits != 16 {
        return Err(WavError::Encoding { format: tag, bits });
    }
    if channels != 1 {
        return Err(WavError::Channels(channels));
    }
    if rate != SAMPLES_PER_SECOND {
        return Err(WavError::Rate(rate));
    }
    Ok(())
}

fn samples(data: &[u8]) -> Result<Arc<[i16]>, WavError> {
    let samples: Arc<[i16]> = data.as_chunks::<2>().0.iter().map(|pair| i16::from_le_bytes(*pair)).collect();
    if samples.is_empty() {
        return Err(WavError::Empty);
    }
    if samples.len() > usize::try_from(SECONDS_MAX * SAMPLES_PER_SECOND).unwrap_or(usize::MAX) {
        return Err(WavError::TooLong);
    }
    Ok(samples)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
