//! A line's languages, and how a contact's is known: by the number dialled, or by a key.

use std::collections::BTreeMap;
use std::time::Duration;

use facts::Language;
use toml::Spanned;

use super::super::document::Span;
use super::super::problem::one_of;
use super::super::reader::quoted;
use super::LineReader;
use super::raw::RawMenu;

/// How a contact's language is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LanguageChoice {
    /// By the dialled number: these ask nothing.
    pub by_number: BTreeMap<String, Language>,
    /// By a digit, for all other numbers; none where the line has one language or each number has its own.
    pub menu: Option<LanguageMenu>,
}

/// The language menu.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LanguageMenu {
    /// Played in each of the line's languages, one after the other.
    pub prompt: String,
    /// Digit to language.
    pub digits: BTreeMap<char, Language>,
    /// How long to wait for a digit after the prompt.
    pub timeout: Duration,
    /// How often the prompt is played again after silence or a wrong digit.
    pub repeats: usize,
    /// The language of one who presses nothing: she may be unable to.
    pub default: Language,
}

impl LineReader<'_, '_, '_> {
    pub(super) fn languages(&mut self) -> Vec<Language> {
        let Some(list) = &self.raw.languages else {
            self.reader.missing(self.span, "languages", "the line's languages, such as [\"fr\"]");
            return vec![self.context.default_language.clone()];
        };
        if list.get_ref().is_empty() {
            self.reader.error(&list.span(), "an empty list", "at least one language");
            return vec![self.context.default_language.clone()];
        }
        let mut languages: Vec<Language> = Vec::new();
        for value in list.get_ref() {
            let language = self.reader.language(value, self.context.languages);
            if !self.context.languages.contains(&language) {
                // What the menu says of it can't be judged.
                self.languages_are_known = false;
                continue;
            }
            if languages.contains(&language) {
                let found = format!("{} a second time", quoted(value.get_ref()));
                self.reader.error(&value.span(), found, "each language once");
            }
            languages.push(language);
        }
        languages
    }

    pub(super) fn language_choice(
        &mut self,
        numbers: &[(String, Span)],
        languages: &[Language],
    ) -> LanguageChoice {
        let raw = self.raw;
        let mut by_number = BTreeMap::new();
        for (key, value) in &raw.language_by_number {
            let language = self.reader.language(value, languages);
            match self.context.numbering.dialled(key.get_ref()) {
                Some(number) if numbers.iter().any(|(known, _)| *known == number) => {
                    by_number.insert(number, language);
                }
                _ => {
                    let known: Vec<&str> =
                        raw.numbers.iter().map(|number| number.get_ref().as_str()).collect();
                    let expected = format!("a number of this line: {}", one_of(key.get_ref(), known));
                    self.reader.error(&key.span(), quoted(key.get_ref()), expected);
                }
            }
        }
        let asks = languages.len() > 1 && numbers.iter().any(|(number, _)| !by_number.contains_key(number));
        let menu = match &raw.language_menu {
            Some(menu) if languages.len() == 1 && self.languages_are_known => {
                let expected = "no menu: the line has one language";
                self.reader.error(&menu.span(), "a language menu", expected);
                None
            }
            Some(menu) => Some(self.menu(menu, languages)),
            None => None,
        };
        if asks && menu.is_none() && raw.language_menu.is_none() {
            let expected = "a [line.language_menu], or a language for each number in language_by_number: the line has \
                            several languages";
            self.reader.missing(self.span, "language_menu", expected);
        }
        LanguageChoice { by_number, menu }
    }

    fn menu(&mut self, menu: &Spanned<RawMenu>, languages: &[Language]) -> LanguageMenu {
        let languages = if self.languages_are_known { languages } else { self.context.languages };
        let span = menu.span();
        let raw = menu.get_ref();
        let mut digits = BTreeMap::new();
        for (key, value) in &raw.digits {
            let language = self.reader.language(value, languages);
            let mut characters = key.get_ref().chars();
            match (characters.next(), characters.next()) {
                (Some(digit), None) if digit.is_ascii_digit() || digit == '*' || digit == '#' => {
                    digits.insert(digit, language);
                }
                _ => self.reader.error(
                    &key.span(),
                    quoted(key.get_ref()),
                    "one key of a telephone: 0 to 9, * or #",
                ),
            }
        }
        for language in languages {
            let named = raw.digits.values().any(|value| value.get_ref() == language.as_str());
            if !named && self.languages_are_known {
                let expected = format!("a digit for each language; \"{language}\" has none");
                self.reader.missing(&span, "digits", expected);
            }
        }
        let default = match &raw.default {
            Some(value) => self.reader.language(value, languages),
            None => {
                let expected = "the language of a caller who presses nothing; she may be unable to";
                self.reader.missing(&span, "default", expected);
                self.context.default_language.clone()
            }
        };
        LanguageMenu {
            prompt: self.prompt(&raw.prompt, "language-menu", languages),
            digits,
            timeout: self.reader.seconds(&raw.timeout_seconds, 5, 1..=60),
            repeats: self.reader.count(&raw.repeats, 1, 0..=5),
            default,
        }
    }
}
