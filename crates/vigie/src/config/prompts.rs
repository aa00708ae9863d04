//! What callers and operators hear: the shipped prompts, and the files that replace or add to them.
//!
//! Knows: names, languages, WAV files. Must never know: when a prompt is played.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use facts::Language;
use serde::Deserialize;
use toml::Spanned;

use super::problem::one_of;
use super::reader::{Reader, quoted};

mod embedded;
pub mod wav;

pub use wav::{SAMPLES_PER_SECOND, WavError};

/// Prompts that callers may hear on any line, whatever the line's own settings.
pub const ALWAYS_PLAYED_TO_CALLERS: [&str; 4] = ["next-in-queue", "hold", "listener-cut-off", "emergency"];

/// In the place of a language: a prompt without words.
const ANY_LANGUAGE: &str = "any";

/// Every prompt at hand, decoded.
#[derive(Clone, Default)]
pub struct Prompts {
    prompts: BTreeMap<String, BTreeMap<String, Arc<[i16]>>>,
}

impl std::fmt::Debug for Prompts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.prompts.keys()).finish()
    }
}

impl Prompts {
    /// The prompts that the program carries inside itself: French, English, music.
    pub fn shipped() -> Self {
        let mut prompts = Self::default();
        for (name, language, bytes) in embedded::SHIPPED {
            // Each shipped file is checked by a test; one that can't be read is as good as none.
            if let Ok(samples) = wav::decode(bytes) {
                prompts.insert(name, language, samples);
            }
        }
        prompts
    }

    /// A prompt as 16-bit samples, [`SAMPLES_PER_SECOND`] of them: in this language, or one without words.
    pub fn pcm(&self, name: &str, language: &Language) -> Option<&Arc<[i16]>> {
        let by_language = self.prompts.get(name)?;
        by_language.get(language.as_str()).or_else(|| by_language.get(ANY_LANGUAGE))
    }

    /// The same; where it lacks the language, in the fallback, then in English, then in any: better a foreign word
    /// than silence.
    pub fn pcm_or_fallback(
        &self,
        name: &str,
        language: &Language,
        fallback: &Language,
    ) -> Option<&Arc<[i16]>> {
        self.pcm(name, language)
            .or_else(|| self.pcm(name, fallback))
            .or_else(|| self.pcm(name, &Language::from("en")))
            .or_else(|| self.prompts.get(name)?.values().next())
    }

    /// All names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.prompts.keys().map(String::as_str)
    }

    /// Every prompt: name, language (none: without words), samples.
    pub fn all(&self) -> impl Iterator<Item = (&str, Option<Language>, &Arc<[i16]>)> {
        self.prompts.iter().flat_map(|(name, by_language)| {
            by_language.iter().map(move |(language, samples)| {
                let language = (language != ANY_LANGUAGE).then(|| Language::from(language.as_str()));
                (name.as_str(), language, samples)
            })
        })
    }

    pub(super) fn is_known(&self, name: &str) -> bool {
        self.prompts.contains_key(name)
    }

    pub(super) fn is_declared(&self, name: &str, language: &Language) -> bool {
        self.pcm(name, language).is_some()
    }

    fn insert(&mut self, name: &str, language: &str, samples: Arc<[i16]>) {
        self.prompts.entry(name.to_owned()).or_default().insert(language.to_owned(), samples);
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPromptFile {
    #[serde(default)]
    prompts: BTreeMap<Spanned<String>, BTreeMap<Spanned<String>, Spanned<String>>>,
}

/// The shipped prompts with the deployment's own over them.
pub(super) fn read(
    reader: &mut Reader<'_>,
    raw: RawPromptFile,
    languages: &[Language],
    directory: &Path,
) -> Prompts {
    let mut prompts = Prompts::shipped();
    for (name, files) in raw.prompts {
        reader.name(&name.span(), &Some(name.clone()));
        if files.is_empty() {
            let expected = "a file for a language, such as { fr = \"prompts/fr/greeting.wav\" }";
            reader.error(&name.span(), "no file", expected);
        }
        for (language, file) in files {
            let known = languages.iter().map(Language::as_str).chain([ANY_LANGUAGE]);
            if !languages.is_empty() && !known.clone().any(|known| known == language.get_ref()) {
                reader.error(&language.span(), quoted(language.get_ref()), one_of(language.get_ref(), known));
            }
            let path = directory.join(file.get_ref());
            // A file that can't be used is told; it still counts as declared, or each line that uses it would be
            // told too.
            let samples = read_file(&path).unwrap_or_else(|problem| {
                let expected =
                    "an existing WAV file: 8000 Hz, mono, 16-bit PCM (sox in.wav -r 8000 -c 1 -b 16 out.wav)";
                reader.error(&file.span(), format!("\"{}\": {problem}", file.get_ref()), expected);
                Arc::from([].as_slice())
            });
            prompts.insert(name.get_ref(), language.get_ref(), samples);
        }
    }
    prompts
}

fn read_file(path: &PathBuf) -> Result<Arc<[i16]>, String> {
    let length = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    // Looked at before it is read: a wrong path may lead to anything.
    if length > wav::FILE_BYTES_MAX {
        return Err(WavError::TooLong.to_string());
    }
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    wav::decode(&bytes).map_err(|error| error.to_string())
}

#[cfg(test)]
pub(super) mod tests;
