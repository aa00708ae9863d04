//! Every text has its sound, every sound its text.

use super::*;

#[test]
fn the_shipped_voices_are_those_of_the_texts() {
    let texts: toml::Table = include_str!("../../../../../seeds/demo/voices.toml").parse().unwrap();
    let mut written: Vec<_> = texts.keys().map(String::as_str).collect();
    let mut shipped: Vec<_> = SPOKEN.iter().map(|(name, _)| *name).collect();
    written.sort_unstable();
    shipped.sort_unstable();
    assert_eq!(written, shipped);
    assert_eq!(Voices::shipped().0.len(), SPOKEN.len(), "each file decodes");
}

#[test]
fn everybody_speaks_her_language() {
    let voices = Voices::shipped();
    for language in ["fr", "en"] {
        for speaker in [Speaker::Caller, Speaker::Operator] {
            assert!((0..4).all(|drawn| voices.pick(speaker, language, drawn) != Voice::Silence));
        }
    }
    assert_eq!(voices.pick(Speaker::Caller, "tlh", 0), Voice::Silence);
}
