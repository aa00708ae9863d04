//! Prompts from WAV bytes, good and bad.

use super::*;

fn wav(sample_rate: u32, channels: u16, samples: &[i16]) -> Vec<u8> {
    let spec = hound::WavSpec {
        channels,
        sample_rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
    for &sample in samples {
        writer.write_sample(sample).unwrap();
    }
    writer.finalize().unwrap();
    bytes.into_inner()
}

#[test]
fn a_prompt_sounds_as_its_file() {
    let samples: Vec<i16> = (0..1600).map(|i| ((i * 37) % 8000) as i16).collect();
    let mut book = PromptBook::new();
    book.insert_wav("greeting.fr", &wav(8000, 1, &samples)).unwrap();
    let prompt = book.prompt("greeting.fr").unwrap();
    assert_eq!(prompt.length(), Duration::from_millis(200));
    for codec in [VoiceCodec::Pcma, VoiceCodec::Pcmu] {
        for (code, &sample) in prompt.encoded(codec).iter().zip(&samples) {
            let error = (i32::from(codec.decode(*code)) - i32::from(sample)).abs();
            assert!(error <= i32::from(sample) / 16 + 16, "{sample} {error}");
        }
    }
    assert!(book.prompt("greeting.en").is_none());
}

#[test]
fn what_is_not_a_prompt_is_refused_with_the_reason() {
    let format = |sample_rate_hz, channels| PromptError::Format { sample_rate_hz, channels, bits: 16 };
    assert_eq!(Prompt::from_wav("x", &wav(44_100, 1, &[0; 10])).unwrap_err(), format(44_100, 1));
    assert_eq!(Prompt::from_wav("x", &wav(8000, 2, &[0; 10])).unwrap_err(), format(8000, 2));
    assert_eq!(Prompt::from_wav("x", &wav(8000, 1, &[])).unwrap_err(), PromptError::Empty);
    assert!(matches!(Prompt::from_wav("x", b"OggS"), Err(PromptError::NotWav(_))));
    assert!(matches!(Prompt::from_wav("x", b""), Err(PromptError::NotWav(_))));
}
