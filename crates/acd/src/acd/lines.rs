//! Lines open and close: by their hours, by hand, by the calendar being told.
//!
//! Knows: when to look again. Must never know: contacts; closing turns away who arrives, never who waits.

use crate::acd::Acd;
use crate::door::{LineCommand, Name, Output};
use crate::line::{engine_time, unix_ms};
use crate::timers::Timer;

impl Acd {
    pub(super) fn wall(&mut self, unix_ms_at_epoch: i64) {
        self.unix_ms_at_epoch = Some(unix_ms_at_epoch);
        self.dirty.room = true;
        self.refresh_lines();
    }

    pub(super) fn line_command(&mut self, line: &Name, command: LineCommand) {
        let Some(entry) = self.lines.get_mut(line).filter(|entry| !entry.retired) else { return };
        entry.by_hand = match command {
            LineCommand::Open => Some(true),
            LineCommand::Close => Some(false),
            LineCommand::ByHours => None,
        };
        self.dirty.room = true;
        self.refresh_line(line);
    }

    pub(super) fn refresh_lines(&mut self) {
        let names: Vec<Name> = self.lines.keys().cloned().collect();
        for name in names {
            self.refresh_line(&name);
        }
    }

    /// Tells whether a line is open, if that is news, and sets the deadline of the next change.
    pub(super) fn refresh_line(&mut self, name: &Name) {
        let Some(entry) = self.lines.get_mut(name) else { return };
        if entry.retired {
            self.timers.cancel(&Timer::Line(name.clone()));
            return;
        }
        // Before the calendar is known nothing can be told, but a command by hand.
        let Some(at_epoch) = self.unix_ms_at_epoch else {
            if let Some(open) = entry.by_hand {
                self.tell_line(name, open, true);
            }
            return;
        };
        let now_ms = unix_ms(at_epoch, self.now);
        let (open, by_hand) = (entry.open(Some(now_ms)), entry.by_hand.is_some());
        match entry.policy.hours.next_change(now_ms) {
            // The engine's clock is finer than a millisecond: always a later instant, or the deadline would fire forever.
            Some(change_ms) => {
                let deadline = engine_time(at_epoch, change_ms.max(now_ms.saturating_add(1)));
                self.timers.set(Timer::Line(name.clone()), deadline);
            }
            None => self.timers.cancel(&Timer::Line(name.clone())),
        }
        self.tell_line(name, open, by_hand);
    }

    fn tell_line(&mut self, name: &Name, open: bool, by_hand: bool) {
        let Some(entry) = self.lines.get_mut(name) else { return };
        if entry.told.replace((open, by_hand)) != Some((open, by_hand)) {
            self.step.push(Output::LineState { line: name.clone(), open, by_hand });
        }
    }
}
