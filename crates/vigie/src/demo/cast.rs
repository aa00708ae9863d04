//! Who plays: from a deployment, the simulated operators, the accounts left for a person, the lines and their numbers.

use std::collections::BTreeMap;
use std::time::Duration;

use facts::event::Caller;
use facts::{CallerPseudonym, NumberingPlan, Pseudonymiser};

use super::board::Names;
use super::people::{Codes, DialledLine, Number};
use crate::config::{Deployment, Level, Line, Operator, Secret};

/// Numbers that a caller can have.
const NUMBERS: u16 = 10_000;
/// The trunk that a person's softphone calls by.
const SOFTPHONE_TRUNK: &str = "softphone";
/// No whole number is as short.
const SHORT_CODE_DIGITS: std::ops::RangeInclusive<usize> = 3..=6;
/// The first line is the one that everybody knows.
const FIRST_LINE_WEIGHT: u32 = 8;

/// An account and its password.
#[derive(Clone)]
pub(crate) struct Login {
    /// The user.
    pub(crate) user: String,
    /// The password.
    pub(crate) password: String,
}

/// Who plays.
pub(crate) struct Cast {
    /// Operators that are simulated.
    pub(crate) operators: Vec<Login>,
    /// One that is not, for a person.
    pub(crate) free_operator: Option<Login>,
    /// A person's account for calling in.
    pub(crate) caller: Option<Login>,
    /// The lines.
    pub(crate) lines: Vec<DialledLine>,
    /// A short number that a person dials, or the first line's full one.
    pub(crate) number: String,
    /// What operators dial.
    pub(crate) codes: Codes,
    /// The realm of all accounts.
    pub(crate) domain: String,
    /// Names for the board.
    pub(crate) names: Names,
}

impl Cast {
    /// Gives so many operators a simulated telephone.
    pub(crate) fn new(deployment: &Deployment, operators: usize) -> Self {
        let mut logins: Vec<Login> = mixed(&deployment.operators).filter_map(operator_login).collect();
        let free = logins.split_off(operators.min(logins.len()));
        let policy = &deployment.policy;
        let softphone = deployment.trunks.iter().find(|trunk| trunk.name.as_str() == SOFTPHONE_TRUNK);
        let numbers = || deployment.lines.iter().flat_map(|line| &line.numbers);
        Self {
            operators: logins,
            free_operator: free.last().cloned(),
            caller: softphone.and_then(|trunk| trunk.account.as_ref()).and_then(|account| {
                Some(Login { user: account.user.clone(), password: revealed(&account.secret)? })
            }),
            lines: deployment.lines.iter().enumerate().filter_map(dialled_line).collect(),
            number: numbers()
                .map(|number| as_dialled(number, &deployment.node.numbering))
                .min_by_key(String::len)
                .unwrap_or_default(),
            codes: Codes {
                ready: policy.feature_codes.ready.clone(),
                pauses: policy
                    .not_ready_reasons
                    .keys()
                    .map(|digit| format!("{}{digit}", policy.feature_codes.not_ready))
                    .collect(),
                debrief: policy.feature_codes.debrief.clone(),
            },
            domain: deployment.node.sip.domain.clone(),
            names: names(deployment),
        }
    }
}

/// As people dial it: a short code has no country's code before it.
fn as_dialled(number: &str, numbering: &NumberingPlan) -> String {
    let ends = SHORT_CODE_DIGITS.filter_map(|digits| number.get(number.len().checked_sub(digits)?..));
    let short = ends.into_iter().find(|end| numbering.dialled(end).as_deref() == Some(number));
    short.unwrap_or(number).to_owned()
}

fn names(deployment: &Deployment) -> Names {
    let shown = |operator: &Operator| match operator.levels.contains(&Level::Two) {
        true => format!("{}²", operator.display),
        false => operator.display.clone(),
    };
    Names {
        lines: deployment.lines.iter().map(|line| (line.name.clone(), line.display.clone())).collect(),
        operators: deployment.operators.iter().map(|one| (one.name.clone(), shown(one))).collect(),
    }
}

/// In turn one who takes level 1 only and one who takes level 2: however few play, both are there. The deployment's
/// first one comes last, because hers is the account for a person.
fn mixed(operators: &[Operator]) -> impl Iterator<Item = &Operator> {
    let others = operators.iter().skip(1).chain(operators.first());
    let (twos, ones): (Vec<_>, Vec<_>) = others.partition(|operator| operator.levels.contains(&Level::Two));
    let turns = ones.len().max(twos.len());
    (0..turns).flat_map(move |turn| [ones.get(turn).copied(), twos.get(turn).copied()]).flatten()
}

fn operator_login(operator: &Operator) -> Option<Login> {
    let credential = operator.credential.as_ref()?;
    Some(Login { user: credential.user.clone(), password: revealed(&credential.secret)? })
}

fn revealed(secret: &Secret) -> Option<String> {
    match secret {
        Secret::Password(password) => Some(password.reveal().to_owned()),
        Secret::Ha1 { .. } | Secret::NotYetCreated(_) => None,
    }
}

fn dialled_line((place, line): (usize, &Line)) -> Option<DialledLine> {
    let number = line.numbers.first()?.clone();
    let choice = &line.language_choice;
    let mut languages: Vec<_> = match (choice.by_number.get(&number), &choice.menu) {
        (Some(language), _) => vec![(language.as_str().to_owned(), None)],
        (None, Some(menu)) => {
            let options = menu.digits.iter();
            options.map(|(digit, language)| (language.as_str().to_owned(), Some(*digit))).collect()
        }
        (None, None) => line.languages.iter().take(1).map(|only| (only.as_str().to_owned(), None)).collect(),
    };
    // The first language is most callers' own.
    languages.extend(languages.first().cloned());
    Some(DialledLine { number, weight: if place == 0 { FIRST_LINE_WEIGHT } else { 1 }, languages })
}

/// Which of the simulated callers' numbers a pseudonym stands for: what callers would hear, the board tells them by it.
#[derive(Default)]
pub(crate) struct Pseudonyms(BTreeMap<CallerPseudonym, Number>);

impl Pseudonyms {
    /// Of all numbers that a simulated caller can have.
    pub(crate) fn new(pseudonymiser: &Pseudonymiser, numbering: &NumberingPlan) -> Self {
        let known = (0..NUMBERS).map(Number).filter_map(|number| {
            let caller = numbering.caller(&number.international());
            match pseudonymiser.caller(Duration::ZERO, caller.as_ref()) {
                Caller::Known { pseudonym, .. } => Some((pseudonym, number)),
                Caller::Withheld => None,
            }
        });
        Self(known.collect())
    }

    /// The number of a simulated caller; none: it is a person's.
    pub(crate) fn number(&self, caller: &Caller) -> Option<Number> {
        match caller {
            Caller::Known { pseudonym, .. } => self.0.get(pseudonym).copied(),
            Caller::Withheld => None,
        }
    }
}
