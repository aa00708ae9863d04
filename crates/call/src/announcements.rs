//! What a caller hears: the greeting, the menu, the wait, the last words.
//!
//! Knows: which prompts in which order, in which language. Must never delay a decision: prompts play beside them.

use std::time::Duration;

use facts::ContactId;
use media::Playlist;

use crate::contact::{Ending, Stage};
use crate::engine::Engine;
use crate::settings::Name;

/// A last announcement that never reports its end (no port, no prompt) does not keep the call longer than this.
const ANNOUNCEMENT_MAX: Duration = Duration::from_secs(60);
/// Silence between two rounds of music.
const MUSIC_GAP: Duration = Duration::ZERO;

/// What a playlist was for; comes back when it is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tag {
    /// Greeting and menu prompts.
    Menu = 1,
    /// Greeting and the first words of the wait.
    Welcome = 2,
    /// Music; has no end.
    Music = 3,
    /// A word now and again.
    Comfort = 4,
    /// The operator's phone was lost.
    CutOff = 5,
    /// The last words.
    Last = 6,
    /// The operator holds.
    Hold = 7,
    /// A feature code's confirmation.
    Confirmation = 8,
}

/// A prompt's full name: base name and language.
pub(crate) fn in_language(base: &str, language: &str) -> Name {
    format!("{base}.{language}").into()
}

impl Engine {
    /// Greeting (once) and the menu's prompts, each in each of the menu's languages.
    pub(crate) fn play_menu(&mut self, now: Duration, contact: ContactId) {
        self.set_deadline(contact, None);
        let Some(line) = self.line_of(contact) else { return };
        let Some(menu) = &line.menu else { return };
        let greeting = line.greeting.clone();
        let languages: Vec<Name> = menu.options.iter().map(|(_, language)| language.clone()).collect();
        let questions = menu.prompts.clone();
        let Some(call) = self.calls.get_mut(&contact) else { return };
        let greeting = if std::mem::replace(&mut call.greeted, true) { Vec::new() } else { greeting };
        let mut prompts = in_each(&greeting, &languages);
        prompts.extend(in_each(&questions, &languages));
        self.play(now, contact, prompts, Tag::Menu);
    }

    /// The words with which a wait begins, then music.
    pub(crate) fn play_waiting(&mut self, now: Duration, contact: ContactId, tag: Tag) {
        let Some(line) = self.line_of(contact) else { return };
        let (greeting, waiting, cut_off) =
            (line.greeting.clone(), line.waiting.clone(), line.cut_off.clone());
        let Some(call) = self.calls.get_mut(&contact) else { return };
        if !call.audible() {
            return;
        }
        let language = call.language.clone().into_iter().collect::<Vec<_>>();
        let greeted = std::mem::replace(&mut call.greeted, true);
        let words = match tag {
            Tag::CutOff => cut_off,
            _ if greeted => waiting,
            _ => [greeting, waiting].concat(),
        };
        self.play(now, contact, in_each(&words, &language), tag);
    }

    /// Music without end while she waits or is held, and the time of the next comforting word.
    pub(crate) fn play_music(&mut self, now: Duration, contact: ContactId, tag: Tag) {
        let Some(line) = self.line_of(contact) else { return };
        let (music, comfort_every) = (line.music.clone(), line.comfort_every);
        let Some(call) = self.calls.get(&contact) else { return };
        let comfort_at =
            comfort_every.filter(|_| matches!(call.stage, Stage::Waiting)).map(|every| now + every);
        let leg = call.leg;
        self.set_deadline(contact, comfort_at);
        self.media.play(now, leg, Playlist { prompts: music, repeat: true, gap: MUSIC_GAP, tag: tag as u32 });
    }

    fn play_comfort(&mut self, now: Duration, contact: ContactId) {
        let Some(line) = self.line_of(contact) else { return };
        let comfort = line.comfort.clone();
        let Some(call) = self.calls.get(&contact) else { return };
        let language = call.language.clone().into_iter().collect::<Vec<_>>();
        self.play(now, contact, in_each(&comfort, &language), Tag::Comfort);
    }

    /// The last words of a line, then the end.
    pub(crate) fn announce_and_end(
        &mut self,
        now: Duration,
        contact: ContactId,
        words: &[Name],
        ending: Ending,
    ) {
        let languages = self.languages_for(contact);
        let Some(call) = self.calls.get_mut(&contact) else { return };
        call.stage = Stage::Announcing(ending);
        self.set_deadline(contact, Some(now + ANNOUNCEMENT_MAX));
        self.play(now, contact, in_each(words, &languages), Tag::Last);
    }

    /// Words in her language, or in all of the line's while she has not chosen; then what played before goes on.
    pub(crate) fn say(&mut self, now: Duration, contact: ContactId, words: &[Name]) {
        let languages = self.languages_for(contact);
        self.play(now, contact, in_each(words, &languages), Tag::Comfort);
    }

    /// A playlist came to its end.
    pub(crate) fn play_done(&mut self, now: Duration, contact: ContactId, tag: u32) {
        let Some(call) = self.calls.get(&contact) else { return };
        match &call.stage {
            Stage::Choosing(_) if tag == Tag::Menu as u32 => {
                self.menu_step(now, contact, |choice, menu| choice.prompted(menu));
            }
            Stage::Waiting => self.play_music(now, contact, Tag::Music),
            Stage::Announcing(ending) if tag == Tag::Last as u32 => {
                let (by, cause) = (ending.by, ending.cause.clone());
                self.end_call(now, contact, by, cause);
            }
            Stage::Choosing(_) | Stage::Talking | Stage::Announcing(_) | Stage::Over(_) => {}
        }
    }

    /// A call's own timer came: what it means depends on the stage.
    pub(crate) fn call_deadline(&mut self, now: Duration, contact: ContactId) {
        let Some(call) = self.calls.get_mut(&contact) else { return };
        call.deadline = None;
        match &call.stage {
            Stage::Choosing(_) => self.menu_step(now, contact, |choice, menu| choice.timed_out(menu)),
            Stage::Waiting => self.play_comfort(now, contact),
            Stage::Announcing(ending) => {
                let (by, cause) = (ending.by, ending.cause.clone());
                self.end_call(now, contact, by, cause);
            }
            Stage::Over(_) => self.close(now, contact),
            Stage::Talking => {}
        }
    }

    fn languages_for(&self, contact: ContactId) -> Vec<Name> {
        let Some(call) = self.calls.get(&contact) else { return Vec::new() };
        match &call.language {
            Some(language) => vec![language.clone()],
            None => self
                .lookup
                .plan_line(&self.settings, &call.line)
                .map(|line| line.languages.clone())
                .unwrap_or_default(),
        }
    }

    fn play(&mut self, now: Duration, contact: ContactId, prompts: Vec<Name>, tag: Tag) {
        let Some(call) = self.calls.get(&contact) else { return };
        let leg = call.leg;
        if prompts.is_empty() || !call.audible() {
            return self.play_done(now, contact, tag as u32);
        }
        self.media.play(now, leg, Playlist { prompts, repeat: false, gap: Duration::ZERO, tag: tag as u32 });
    }
}

/// Each language's words together: all French ones, then all English ones.
fn in_each(bases: &[Name], languages: &[Name]) -> Vec<Name> {
    languages.iter().flat_map(|language| bases.iter().map(|base| in_language(base, language))).collect()
}
