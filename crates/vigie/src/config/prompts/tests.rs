//! Shipped prompts are whole; foreign files are read with care.

use super::*;

/// A WAV file of these samples under any header.
pub(in super::super) fn wav(format: u16, channels: u16, rate: u32, bits: u16, samples: &[i16]) -> Vec<u8> {
    let data: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let mut bytes = b"RIFF\0\0\0\0WAVE".to_vec();
    // A chunk that nobody knows, of odd length and so padded, stands before the others.
    bytes.extend(b"LIST\x03\0\0\0abc\0fmt ");
    bytes.extend(16_u32.to_le_bytes());
    bytes.extend(format.to_le_bytes());
    bytes.extend(channels.to_le_bytes());
    bytes.extend(rate.to_le_bytes());
    bytes.extend((rate * u32::from(channels) * u32::from(bits / 8)).to_le_bytes());
    bytes.extend((channels * bits / 8).to_le_bytes());
    bytes.extend(bits.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
    bytes.extend(data);
    bytes
}

#[test]
fn only_what_a_telephone_line_takes_is_read() {
    let good = wav(1, 1, 8_000, 16, &[1, -2, 300]);
    type Decoded<'a> = Result<&'a [i16], WavError>;
    let cases: &[(&str, &[u8], Decoded<'_>)] = &[
        ("good", &good, Ok(&[1, -2, 300])),
        ("nothing", b"", Err(WavError::NotWav)),
        ("an mp3", b"ID3\x04\0\0\0\0\0\0\0\0\0\0", Err(WavError::NotWav)),
        ("a header alone", &good[..12], Err(WavError::Incomplete)),
        ("half a format", &good[..40], Err(WavError::Incomplete)),
        ("cut off", &good[..good.len() - 1], Err(WavError::Incomplete)),
        ("A-law", &wav(6, 1, 8_000, 8, &[1]), Err(WavError::Encoding { format: 6, bits: 8 })),
        ("24 bits", &wav(1, 1, 8_000, 24, &[1]), Err(WavError::Encoding { format: 1, bits: 24 })),
        ("stereo", &wav(1, 2, 8_000, 16, &[1, 1]), Err(WavError::Channels(2))),
        ("wideband", &wav(1, 1, 16_000, 16, &[1]), Err(WavError::Rate(16_000))),
        ("silence of no length", &wav(1, 1, 8_000, 16, &[]), Err(WavError::Empty)),
        ("endless", &wav(1, 1, 8_000, 16, &vec![0; 600 * 8_000 + 1]), Err(WavError::TooLong)),
    ];
    for (title, bytes, expected) in cases {
        let decoded = wav::decode(bytes);
        assert_eq!(decoded.as_deref().map_err(|error| *error), *expected, "{title}");
    }
}

#[test]
fn any_prefix_of_a_file_is_refused_without_panic() {
    let good = wav(1, 1, 8_000, 16, &[1, -2, 300]);
    for length in 0..good.len() {
        assert!(wav::decode(&good[..length]).is_err(), "{length} bytes");
    }
}

/// The table of what is embedded, the texts and the files agree: nothing is forgotten when a text is added.
#[test]
fn what_is_shipped_is_what_the_texts_say() {
    type Texts = BTreeMap<String, BTreeMap<String, String>>;
    let texts: Texts = toml::from_str(include_str!("../../../../../seeds/prompts.toml")).unwrap();
    let prompts = Prompts::shipped();
    let mut shipped: Vec<(String, String)> = prompts
        .all()
        .map(|(name, language, _)| {
            (name.to_owned(), language.map_or("any".into(), |l| l.as_str().to_owned()))
        })
        .collect();
    let mut expected: Vec<(String, String)> = texts
        .iter()
        .flat_map(|(name, by_language)| {
            by_language.keys().map(move |language| (name.clone(), language.clone()))
        })
        .chain([("music".to_owned(), "any".to_owned())])
        .collect();
    shipped.sort();
    expected.sort();
    assert_eq!(shipped, expected);
}

#[test]
fn shipped_prompts_can_be_heard() {
    for (name, language, samples) in Prompts::shipped().all() {
        let peak = samples.iter().map(|sample| sample.unsigned_abs()).max().unwrap();
        let seconds = samples.len() / usize::try_from(SAMPLES_PER_SECOND).unwrap();
        assert!((4_000..32_000).contains(&peak), "{name} {language:?}: peak {peak}");
        assert!(seconds <= 20, "{name} {language:?}: {seconds} s");
    }
}

#[test]
fn a_prompt_without_words_fits_any_language_and_a_foreign_word_is_better_than_silence() {
    let prompts = Prompts::shipped();
    let [fr, en, es] = ["fr", "en", "es"].map(Language::from);
    assert!(prompts.pcm("music", &es).is_some());
    assert!(prompts.pcm("ready", &es).is_none());
    assert_eq!(prompts.pcm_or_fallback("ready", &es, &fr), prompts.pcm("ready", &fr));
    assert_eq!(prompts.pcm_or_fallback("ready", &es, &es), prompts.pcm("ready", &en));
    assert_eq!(prompts.pcm_or_fallback("no-such-prompt", &fr, &fr), None);
}
