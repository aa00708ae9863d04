//! The language menu as a machine of its own: rounds of prompts, a digit or silence.
//!
//! Knows: digits, rounds, the default. Must never know: what a digit leads to besides a language, nor how prompts play.

use std::time::Duration;

use crate::settings::{LanguageMenu, Name};

/// A caller in the menu.
///
/// | state     | prompts end       | digit known | digit unknown      | deadline                    |
/// |-----------|-------------------|-------------|--------------------|-----------------------------|
/// | prompting | listening         | chosen      | next round at once | (none runs)                 |
/// | listening | (nothing plays)   | chosen      | next round at once | next round, or the default  |
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Choice {
    /// Rounds begun, the current one included.
    rounds: u8,
}

/// What to do next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// Play the prompts (again).
    Prompt,
    /// Wait for a digit so long.
    Listen(Duration),
    /// This language; `by_default` when nobody chose.
    Chosen {
        /// Which.
        language: Name,
        /// Nothing was chosen.
        by_default: bool,
    },
}

impl Choice {
    /// Before the first round's prompts.
    pub(crate) fn begin() -> Self {
        Self { rounds: 1 }
    }

    /// Resumes at a round, after a restart.
    pub(crate) fn resume(rounds: u8) -> Self {
        Self { rounds }
    }

    /// For the state record.
    pub(crate) fn rounds(&self) -> u8 {
        self.rounds
    }

    /// The prompts came to their end.
    pub(crate) fn prompted(&self, menu: &LanguageMenu) -> Step {
        Step::Listen(menu.timeout)
    }

    /// A digit, during the prompts or after them.
    pub(crate) fn digit(&mut self, menu: &LanguageMenu, digit: char) -> Step {
        match menu.options.iter().find(|(option, _)| *option == digit) {
            Some((_, language)) => Step::Chosen { language: language.clone(), by_default: false },
            None => self.next_round(menu),
        }
    }

    /// Nothing was pressed in time.
    pub(crate) fn timed_out(&mut self, menu: &LanguageMenu) -> Step {
        self.next_round(menu)
    }

    fn next_round(&mut self, menu: &LanguageMenu) -> Step {
        if self.rounds >= menu.rounds {
            return Step::Chosen { language: menu.default.clone(), by_default: true };
        }
        self.rounds += 1;
        Step::Prompt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn menu(rounds: u8) -> LanguageMenu {
        LanguageMenu {
            prompts: vec!["language-menu".into()],
            options: vec![('1', "fr".into()), ('2', "en".into())],
            timeout: Duration::from_secs(4),
            rounds,
            default: "fr".into(),
        }
    }

    #[test]
    fn rounds_lead_to_a_choice_or_the_default() {
        let chosen = |language: &str, by_default| Step::Chosen { language: language.into(), by_default };
        // (rounds allowed, digits; '-' is silence) → the last step
        let cases = [
            (2, "2", chosen("en", false)),
            (2, "1", chosen("fr", false)),
            (2, "-", Step::Prompt),
            (2, "9", Step::Prompt),
            (2, "-2", chosen("en", false)),
            (2, "--", chosen("fr", true)),
            (2, "9-", chosen("fr", true)),
            (1, "-", chosen("fr", true)),
            (3, "#*2", chosen("en", false)),
        ];
        for (rounds, keys, expected) in cases {
            let menu = menu(rounds);
            let mut choice = Choice::begin();
            let mut last = Step::Prompt;
            for key in keys.chars() {
                assert_eq!(choice.prompted(&menu), Step::Listen(menu.timeout));
                last = if key == '-' { choice.timed_out(&menu) } else { choice.digit(&menu, key) };
            }
            assert_eq!(last, expected, "{rounds} rounds, {keys}");
        }
    }
}
