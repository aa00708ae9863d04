//! Digits pressed on a leg: RFC 4733 telephone events, each said once however often it is repeated.
//!
//! Knows: telephone events. Must never know: what a digit means.
//!
//! ```text
//!   state      packet of                          next       said
//!   Idle       a new event                        Pressed    at its end, or once it lasts 100 ms
//!   Pressed    the same event                     Pressed    as above, if not yet said
//!   Pressed    its continuation (2.5.1.3)         Pressed    as above
//!   Pressed    a new event                        Pressed    the old one if not yet said; then as above
//!   any        an event older than the last       (same)     nothing: late repetition
//!   Pressed    nothing for 100 ms                 Pressed    the digit if not yet said
//! ```

use std::time::Duration;

/// A press is said after this time even if its end was lost.
const SAY_AFTER: Duration = Duration::from_millis(100);

/// What has been pressed last.
#[derive(Clone, Default, Debug)]
pub(crate) struct Digits {
    ssrc: u32,
    last: Option<Press>,
}

#[derive(Clone, Debug)]
struct Press {
    event: u8,
    timestamp: u32,
    duration: u32,
    since: Duration,
    said: bool,
    ended: bool,
}

/// At most two digits come of one packet: one whose end was lost, and its successor.
pub(crate) type Said = [Option<char>; 2];

impl Digits {
    /// A telephone event arrived.
    pub(crate) fn on_event(
        &mut self,
        now: Duration,
        ssrc: u32,
        timestamp: u32,
        clock_hz: u32,
        payload: &[u8],
    ) -> Said {
        // RFC 4733 §2.3: event, E R volume, duration.
        let Some(&[event, flags, high, low]) = payload.first_chunk::<4>() else { return [None; 2] };
        if digit(event).is_none() {
            return [None; 2];
        }
        let duration = u32::from(u16::from_be_bytes([high, low]));
        let end = flags & 0x80 != 0;
        if self.ssrc != ssrc {
            *self = Self { ssrc, last: self.last.take().filter(|press| !press.said) };
            if let Some(press) = &mut self.last {
                press.ended = true;
            }
        }
        let mut unsaid = None;
        match &mut self.last {
            Some(press) if press.timestamp == timestamp && press.event == event => {
                press.duration = press.duration.max(duration);
                press.ended |= end;
            }
            // RFC 4733 §2.5.1.3: an event longer than the field goes on in a new segment.
            Some(press)
                if press.event == event
                    && !press.ended
                    && timestamp.wrapping_sub(press.timestamp) == 0xffff =>
            {
                press.timestamp = timestamp;
                press.duration = duration;
                press.ended |= end;
            }
            Some(press) if press.said && (timestamp.wrapping_sub(press.timestamp) as i32) < 0 => {
                return [None; 2];
            }
            last => {
                unsaid = last.as_ref().filter(|press| !press.said).and_then(|press| digit(press.event));
                *last = Some(Press { event, timestamp, duration, since: now, said: false, ended: end });
            }
        }
        [unsaid, self.say_if(|press| press.ended || press.duration >= clock_hz / 10)]
    }

    /// Time has passed.
    pub(crate) fn poll(&mut self, now: Duration) -> Option<char> {
        self.say_if(|press| now.saturating_sub(press.since) >= SAY_AFTER)
    }

    fn say_if(&mut self, ready: impl Fn(&Press) -> bool) -> Option<char> {
        let press = self.last.as_mut().filter(|press| !press.said && ready(press))?;
        press.said = true;
        digit(press.event)
    }
}

/// RFC 4733 §3.2, table 3.
fn digit(event: u8) -> Option<char> {
    match event {
        0..=9 => Some(char::from(b'0' + event)),
        10 => Some('*'),
        11 => Some('#'),
        12..=15 => Some(char::from(b'A' + event - 12)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
