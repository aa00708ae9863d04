//! What is wrong with a configuration, told so that a tired person can put it right: where, what was found, what would
//! be right. Knows: how a problem is written for people and for programs. Must never know: a password.

use std::fmt;

use serde::Serialize;

/// Whether the program can start in spite of a problem.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It will not start.
    Error,
    /// It starts; somebody should look.
    Warning,
}

/// One problem.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Problem {
    /// Error or warning.
    pub severity: Severity,
    /// The file, relative to the configuration directory.
    pub file: String,
    /// Its line, from 1; none where the file as a whole is meant.
    pub line: Option<usize>,
    /// The field, `line[0].languages[1]`; empty where the file as a whole is meant.
    pub field: String,
    /// What stands there.
    pub found: String,
    /// What would be right.
    pub expected: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{severity}: {}", self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.field.is_empty() {
            write!(f, ": {}", self.field)?;
        }
        write!(f, ": found {}; expected {}", self.found, self.expected)
    }
}

/// Everything wrong with a configuration that can't be used. At least one is an error.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problems(pub(super) Vec<Problem>);

impl Problems {
    /// The problems, in the order of the files and their lines.
    pub fn all(&self) -> &[Problem] {
        &self.0
    }

    /// The problems themselves.
    pub fn into_vec(self) -> Vec<Problem> {
        self.0
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.0 {
            writeln!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Files in the order in which a person sets a deployment up; inside a file, its lines; errors first.
pub(super) fn sort(problems: &mut Vec<Problem>) {
    problems.sort_by(|a, b| {
        let key = |problem: &Problem| (file_rank(&problem.file), problem.line, problem.severity);
        key(a).cmp(&key(b)).then_with(|| a.field.cmp(&b.field)).then_with(|| a.found.cmp(&b.found))
    });
    problems.dedup();
}

fn file_rank(file: &str) -> usize {
    super::FILES.iter().position(|known| *known == file).unwrap_or(super::FILES.len())
}

/// How different a name may be from a known one to be taken for a slip of the hand.
const SLIP_DISTANCE_MAX: usize = 3;

/// How many names a message lists before it says that there are more.
const NAMES_LISTED_MAX: usize = 12;

/// `one of "fr", "en"`, with a guess at what was meant by `found`.
pub(super) fn one_of<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let mut known: Vec<&str> = known.into_iter().collect();
    known.dedup();
    if known.is_empty() {
        return "nothing: none is declared".into();
    }
    let listed: Vec<String> = known.iter().take(NAMES_LISTED_MAX).map(|name| format!("\"{name}\"")).collect();
    let mut text = match listed.as_slice() {
        [only] => only.clone(),
        several => format!("one of {}", several.join(", ")),
    };
    if known.len() > NAMES_LISTED_MAX {
        text.push_str(&format!(" and {} more", known.len() - NAMES_LISTED_MAX));
    }
    if let Some(meant) = meant(found, &known) {
        text.push_str(&format!(" (did you mean \"{meant}\"?)"));
    }
    text
}

/// The known name nearest to what was written, if it is near enough to be a slip.
fn meant<'a>(found: &str, known: &[&'a str]) -> Option<&'a str> {
    let written = found.to_lowercase();
    known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(&written, &name.to_lowercase()), *name))
        .filter(|(distance, name)| *distance <= SLIP_DISTANCE_MAX.min(name.len() / 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}
