//! Prompts and music, decoded once into the codecs that we speak and shared by every leg that plays them.
//!
//! Knows: WAV bytes, samples. Must never know: files (their contents arrive as data), legs.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use crate::{Name, VoiceCodec};

/// Samples a second of everything that we play.
pub const SAMPLE_RATE_HZ: u32 = 8000;

/// The longest prompt, an hour: what a book holds is kept in memory twice, and a mistake in a configuration
/// must not fill it.
pub const PROMPT_SAMPLES_MAX: usize = 3600 * SAMPLE_RATE_HZ as usize;

/// One prompt in every codec that we speak.
pub struct Prompt {
    name: Name,
    alaw: Box<[u8]>,
    ulaw: Box<[u8]>,
}

/// All prompts by name.
#[derive(Default)]
pub struct PromptBook {
    prompts: BTreeMap<Name, Arc<Prompt>>,
}

/// Why a file can't be a prompt. The configuration's fault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PromptError {
    /// Not a WAV file that can be read.
    NotWav(String),
    /// Not 8 kHz mono 16-bit.
    Format {
        /// Samples a second.
        sample_rate_hz: u32,
        /// Channels.
        channels: u16,
        /// Bits a sample.
        bits: u16,
    },
    /// Holds no sound.
    Empty,
    /// Longer than `PROMPT_SAMPLES_MAX`.
    TooLong,
}

impl Prompt {
    /// From linear samples at 8 kHz.
    pub fn from_samples(name: &str, samples: &[i16]) -> Result<Self, PromptError> {
        if samples.is_empty() {
            return Err(PromptError::Empty);
        }
        if samples.len() > PROMPT_SAMPLES_MAX {
            return Err(PromptError::TooLong);
        }
        Ok(Self {
            name: name.into(),
            alaw: samples.iter().map(|&sample| VoiceCodec::Pcma.encode(sample)).collect(),
            ulaw: samples.iter().map(|&sample| VoiceCodec::Pcmu.encode(sample)).collect(),
        })
    }

    /// From the bytes of a WAV file, 8 kHz mono 16-bit.
    pub fn from_wav(name: &str, wav: &[u8]) -> Result<Self, PromptError> {
        let reader =
            hound::WavReader::new(Cursor::new(wav)).map_err(|e| PromptError::NotWav(e.to_string()))?;
        let spec = reader.spec();
        if spec.sample_rate != SAMPLE_RATE_HZ
            || spec.channels != 1
            || spec.bits_per_sample != 16
            || spec.sample_format != hound::SampleFormat::Int
        {
            return Err(PromptError::Format {
                sample_rate_hz: spec.sample_rate,
                channels: spec.channels,
                bits: spec.bits_per_sample,
            });
        }
        if reader.duration() as usize > PROMPT_SAMPLES_MAX {
            return Err(PromptError::TooLong);
        }
        let samples = reader
            .into_samples::<i16>()
            .collect::<Result<Vec<_>, _>>()
            .map_err(|e| PromptError::NotWav(e.to_string()))?;
        Self::from_samples(name, &samples)
    }

    /// Its name in the book.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Its sound in `codec`, a byte a sample.
    pub fn encoded(&self, codec: VoiceCodec) -> &[u8] {
        match codec {
            VoiceCodec::Pcma => &self.alaw,
            VoiceCodec::Pcmu => &self.ulaw,
        }
    }

    /// How many samples it has; never zero.
    pub fn samples(&self) -> usize {
        self.alaw.len()
    }

    /// How long it lasts.
    pub fn length(&self) -> Duration {
        Duration::from_micros(self.samples() as u64 * 1_000_000 / u64::from(SAMPLE_RATE_HZ))
    }
}

impl fmt::Debug for Prompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prompt({}, {:?})", self.name, self.length())
    }
}

impl PromptBook {
    /// An empty book.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a prompt from the bytes of a WAV file, 8 kHz mono 16-bit; an older one of the same name is replaced.
    pub fn insert_wav(&mut self, name: &str, wav: &[u8]) -> Result<(), PromptError> {
        self.insert(Prompt::from_wav(name, wav)?);
        Ok(())
    }

    /// Adds a prompt from linear samples at 8 kHz; an older one of the same name is replaced.
    pub fn insert_samples(&mut self, name: &str, samples: &[i16]) -> Result<(), PromptError> {
        self.insert(Prompt::from_samples(name, samples)?);
        Ok(())
    }

    /// Adds a prompt; an older one of the same name is replaced.
    pub fn insert(&mut self, prompt: Prompt) {
        self.prompts.insert(prompt.name.clone(), Arc::new(prompt));
    }

    /// The prompt of that name.
    pub fn prompt(&self, name: &str) -> Option<&Arc<Prompt>> {
        self.prompts.get(name)
    }

    /// All names, in order.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.prompts.keys()
    }
}

impl fmt::Debug for PromptBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.prompts.values()).finish()
    }
}

impl fmt::Display for PromptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotWav(why) => write!(f, "not a readable WAV file: {why}"),
            Self::Format { sample_rate_hz, channels, bits } => write!(
                f,
                "{sample_rate_hz} Hz, {channels} channel(s), {bits} bits; prompts are 8000 Hz, mono, 16 bits"
            ),
            Self::Empty => write!(f, "holds no sound"),
            Self::TooLong => write!(f, "longer than an hour"),
        }
    }
}

impl std::error::Error for PromptError {}

#[cfg(test)]
mod tests;
