//! Words for people, in French and English, and how times and shares are written.
//!
//! Knows: translations of the journal's words. A word it does not know is shown as it is.

/// The language of a screen (not of a caller).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tongue {
    /// English.
    #[default]
    English,
    /// French.
    French,
}

impl Tongue {
    /// From a locale such as `fr_FR.UTF-8`; English if it is not French.
    pub fn of_locale(locale: &str) -> Self {
        if locale.starts_with("fr") { Self::French } else { Self::English }
    }

    /// One of the two.
    pub(crate) fn pick(self, english: &'static str, french: &'static str) -> &'static str {
        match self {
            Self::English => english,
            Self::French => french,
        }
    }

    /// A word of the journal, for people. What follows a colon stays as it is.
    pub(crate) fn word(self, word: &str) -> String {
        let (case, detail) = word.split_once(':').map_or((word, None), |(case, detail)| (case, Some(detail)));
        let known = WORDS.iter().find(|(known, _, _)| *known == case);
        let shown = known.map_or_else(|| case.replace('_', " "), |(_, en, fr)| self.pick(en, fr).to_owned());
        match detail {
            Some(detail) => format!("{shown} ({detail})"),
            None => shown,
        }
    }
}

const WORDS: [(&str, &str, &str); 40] = [
    ("menu", "menu", "menu"),
    ("waiting", "waiting", "en attente"),
    ("ringing", "ringing", "sonne"),
    ("talking", "talking", "en ligne"),
    ("leaving", "leaving", "sort"),
    ("signed_out", "signed out", "absente"),
    ("ready", "ready", "disponible"),
    ("offered", "ringing", "sonne"),
    ("in_contact", "in contact", "en ligne"),
    ("wrap_up", "wrap-up", "post-appel"),
    ("not_ready", "not ready", "en pause"),
    ("debrief", "debrief", "débriefing"),
    ("closed", "closed", "fermé"),
    ("left_in_menu", "left in menu", "raccroché au menu"),
    ("dissuaded", "dissuaded", "dissuadé"),
    ("other_exit", "other exit", "autre sortie"),
    ("abandoned", "abandoned", "abandon"),
    ("answered", "answered", "décroché"),
    ("caller", "caller", "appelante"),
    ("operator", "operator", "écoutante"),
    ("network", "network", "réseau"),
    ("vigie", "vigie", "vigie"),
    ("unknown", "unknown", "inconnu"),
    ("bye", "hung up", "raccroché"),
    ("cancel", "cancelled", "annulé"),
    ("failure", "failure", "échec"),
    ("device_lost", "phone lost", "poste perdu"),
    ("media_lost", "sound lost", "son perdu"),
    ("session_expired", "session expired", "session expirée"),
    ("policy", "by policy", "selon la ligne"),
    ("command", "by command", "sur ordre"),
    ("restart", "cut by a restart", "coupé par un redémarrage"),
    ("none", "no proof", "sans preuve"),
    ("no_eligible_operator", "no eligible operator", "aucune écoutante habilitée"),
    ("long_wait", "long wait", "attente longue"),
    ("trunk_down", "trunk down", "trunk muet"),
    ("journal_away", "journal away", "journal absent"),
    ("state_not_persisted", "state not persisted", "état non sauvegardé"),
    ("missed_offer", "missed a call", "appel manqué"),
    ("out_of_hours", "out of hours", "hors horaires"),
];

/// `mm:ss`, and `h:mm:ss` from an hour on.
pub(crate) fn clock(ms: u64) -> String {
    let seconds = ms / 1_000;
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes:02}:{seconds:02}")
    }
}

/// A time that may not be known.
pub(crate) fn clock_or_dash(ms: Option<u64>) -> String {
    ms.map_or_else(|| "–".into(), clock)
}

/// A share as a percentage, rounded down: never in anybody's favour.
pub(crate) fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".into(), |share| format!("{} %", (share * 100.0 + 1e-9).floor()))
}
