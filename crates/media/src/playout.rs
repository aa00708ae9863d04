//! What a leg hears when nobody talks to it: prompts one after the other, and music.
//!
//! Knows: encoded prompts, positions. Must never know: packets, legs.
//!
//! ```text
//!   state     frame                         next      gives
//!   Sounding  inside a prompt               Sounding  its samples
//!   Sounding  past a prompt, more follow    Sounding  the rest and the next one's start
//!   Sounding  past the last, repeating      Gap       the rest and silence; Sounding when the gap is over
//!   Sounding  past the last                 Done      the rest and silence
//!   Done      -                             Done      nothing
//! ```

use crate::{Play, SAMPLE_RATE_HZ, VoiceCodec};

/// A playlist on its way.
#[derive(Clone, Debug)]
pub(crate) struct Playout {
    play: Play,
    prompt: usize,
    sample: usize,
    /// Samples of silence still to come before the list starts again.
    gap: u64,
    done: bool,
}

impl Playout {
    pub(crate) fn new(play: Play) -> Self {
        let (prompt, sample) = (play.start.0 as usize, play.start.1 as usize);
        // The book may have changed since this position was kept.
        let sample = sample.min(play.prompts.get(prompt).map_or(0, |prompt| prompt.samples()));
        // A list that repeats nothing is silence for ever; one that ends with nothing is done at once.
        let done = !play.repeat && prompt >= play.prompts.len();
        Self { play, prompt, sample, gap: 0, done }
    }

    pub(crate) fn tag(&self) -> u32 {
        self.play.tag
    }

    /// Whether the list has come to its end.
    pub(crate) fn done(&self) -> bool {
        self.done
    }

    /// Prompt and sample, for a checkpoint.
    pub(crate) fn position(&self) -> (u32, u32) {
        (u32::try_from(self.prompt).unwrap_or(u32::MAX), u32::try_from(self.sample).unwrap_or(u32::MAX))
    }

    /// Fills a frame and moves on; without a codec it only moves on, so that a list ends in its time also
    /// where it can't be heard.
    pub(crate) fn fill(&mut self, codec: Option<VoiceCodec>, frame: &mut [u8]) {
        let mut filled = 0;
        // Every turn fills at least a sample or moves to the next prompt, and `wraps` bounds the latter.
        let mut wraps = 0;
        while filled < frame.len() && !self.done && wraps < 2 {
            let room = frame.len() - filled;
            if self.gap > 0 {
                let silent = room.min(usize::try_from(self.gap).unwrap_or(usize::MAX));
                silence(codec, &mut frame[filled..filled + silent]);
                self.gap -= silent as u64;
                filled += silent;
                continue;
            }
            let Some(prompt) = self.play.prompts.get(self.prompt) else {
                if !self.play.repeat {
                    self.done = true;
                    break;
                }
                self.prompt = 0;
                self.sample = 0;
                self.gap = gap_samples(&self.play);
                wraps += 1;
                continue;
            };
            let left = prompt.samples().saturating_sub(self.sample);
            let count = room.min(left);
            if let Some(codec) = codec {
                frame[filled..filled + count]
                    .copy_from_slice(&prompt.encoded(codec)[self.sample..self.sample + count]);
            }
            filled += count;
            self.sample += count;
            if count == left {
                self.prompt += 1;
                self.sample = 0;
                wraps = 0;
            }
        }
        silence(codec, &mut frame[filled..]);
        if !self.play.repeat && self.prompt >= self.play.prompts.len() {
            self.done = true;
        }
    }
}

fn silence(codec: Option<VoiceCodec>, frame: &mut [u8]) {
    if let Some(codec) = codec {
        frame.fill(codec.silence());
    }
}

fn gap_samples(play: &Play) -> u64 {
    let samples = play.gap.as_micros() * u128::from(SAMPLE_RATE_HZ) / 1_000_000;
    u64::try_from(samples).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
