//! What the simulated people say, as bytes of the program: spoken texts of `seeds/demo/voices.toml`.
//!
//! Knows: who speaks which language. Must never know: calls.

use std::sync::Arc;
use std::time::Duration;

use phone::Voice;

use crate::config::prompts::wav::{self, SAMPLES_PER_SECOND};

/// A breath between two rounds of a text; the other side speaks in it, more or less.
const PAUSE: Duration = Duration::from_secs(4);

macro_rules! spoken {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("../../../../seeds/demo/voices/", $name, ".wav")))),*]
    };
}

/// Name (who, language, which), WAV file. A test holds this table against `seeds/demo/voices.toml`.
const SPOKEN: &[(&str, &[u8])] = spoken![
    "caller-fr-1",
    "caller-fr-2",
    "caller-fr-3",
    "caller-en-1",
    "caller-en-2",
    "operator-fr-1",
    "operator-fr-2",
    "operator-en-1",
    "operator-en-2",
];

/// Who speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Speaker {
    /// Somebody who calls.
    Caller,
    /// Somebody who answers.
    Operator,
}

/// The voices, decoded once.
pub(crate) struct Voices(Vec<(&'static str, Voice)>);

impl Voices {
    /// All of them.
    pub(crate) fn shipped() -> Self {
        let pause = vec![0_i16; PAUSE.as_secs() as usize * SAMPLES_PER_SECOND as usize];
        let decoded = SPOKEN.iter().filter_map(|(name, bytes)| {
            // Each file is checked by a test; one that can't be read is as good as none.
            let samples = wav::decode(bytes).ok()?;
            let with_pause: Arc<[i16]> = samples.iter().chain(&pause).copied().collect();
            Some((*name, Voice::Samples(with_pause)))
        });
        Self(decoded.collect())
    }

    /// One of those that fit, by a number drawn at random; silence where nobody speaks the language.
    pub(crate) fn pick(&self, speaker: Speaker, language: &str, drawn: u64) -> Voice {
        let who = match speaker {
            Speaker::Caller => "caller",
            Speaker::Operator => "operator",
        };
        let prefix = format!("{who}-{language}-");
        let fitting: Vec<_> = self.0.iter().filter(|(name, _)| name.starts_with(&prefix)).collect();
        let place = usize::try_from(drawn % fitting.len().max(1) as u64).unwrap_or(0);
        fitting.get(place).map_or(Voice::Silence, |(_, voice)| voice.clone())
    }
}

#[cfg(test)]
mod tests;
