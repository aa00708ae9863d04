//! Frames of playlists.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::Prompt;

const CODEC: VoiceCodec = VoiceCodec::Pcma;

fn prompt(samples: usize, value: i16) -> Arc<Prompt> {
    Arc::new(Prompt::from_samples("p", &vec![value; samples]).unwrap())
}

fn play(prompts: Vec<Arc<Prompt>>, repeat: bool, gap_ms: u64) -> Play {
    Play { prompts, repeat, gap: Duration::from_millis(gap_ms), tag: 3, start: (0, 0) }
}

/// All frames as runs of (value, samples).
fn runs(playout: &mut Playout, frames: usize) -> Vec<(u8, usize)> {
    let mut runs: Vec<(u8, usize)> = Vec::new();
    for _ in 0..frames {
        if playout.done() {
            break;
        }
        let mut frame = [0; 160];
        playout.fill(Some(CODEC), &mut frame);
        for code in frame {
            match runs.last_mut() {
                Some((last, count)) if *last == code => *count += 1,
                _ => runs.push((code, 1)),
            }
        }
    }
    runs
}

#[test]
fn prompts_follow_each_other_without_a_gap() {
    let mut playout = Playout::new(play(vec![prompt(200, 1000), prompt(300, -1000)], false, 0));
    let expected = [(CODEC.encode(1000), 200), (CODEC.encode(-1000), 300), (CODEC.silence(), 140)];
    assert_eq!(runs(&mut playout, 10), expected);
    assert!(playout.done());
}

#[test]
fn a_list_that_ends_with_a_frame_is_done_with_it() {
    let mut playout = Playout::new(play(vec![prompt(160, 1000)], false, 0));
    assert_eq!(runs(&mut playout, 10), [(CODEC.encode(1000), 160)]);
}

#[test]
fn music_starts_again_after_its_gap() {
    let mut playout = Playout::new(play(vec![prompt(160, 1000)], true, 10));
    let (sound, silence) = (CODEC.encode(1000), CODEC.silence());
    assert_eq!(runs(&mut playout, 3), [(sound, 160), (silence, 80), (sound, 160), (silence, 80)]);
}

#[test]
fn music_starts_where_it_is_told() {
    let mut playout =
        Playout::new(Play { start: (1, 100), ..play(vec![prompt(160, 1), prompt(120, 1000)], true, 0) });
    assert_eq!(playout.position(), (1, 100));
    assert_eq!(runs(&mut playout, 1)[0], (CODEC.encode(1000), 20));
}

#[test]
fn nothing_to_play_is_done_or_silence() {
    assert!(Playout::new(play(vec![], false, 0)).done());
    let mut playout = Playout::new(play(vec![], true, 0));
    assert_eq!(runs(&mut playout, 2), [(CODEC.silence(), 320)]);
    let mut beyond = Playout::new(Play { start: (9, 9), ..play(vec![prompt(160, 1000)], true, 0) });
    assert_eq!(runs(&mut beyond, 1), [(CODEC.encode(1000), 160)]);
    let mut inside = Playout::new(Play { start: (0, 9999), ..play(vec![prompt(160, 1000)], false, 0) });
    assert_eq!(runs(&mut inside, 5), [(CODEC.silence(), 160)]);
}
