//! Whether and how an operator fits what a contact demands, as far as the plan alone decides.
//!
//! Knows: hard constraints in their order, rings, merits, scarcity. Must never know: who is ready, who waits.

use std::collections::BTreeMap;

use crate::door::{Level, Line, Name, Operator, Proficiency};
use crate::proof::may_serve;
use crate::rings::Rings;
use crate::strategy::{Merits, Rank, rank};

/// The first rule that excludes an operator for good.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Rule {
    Level,
    Line,
    Language,
    Skill,
}

/// How an operator fits a demand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fit {
    /// The first ring that asks her; the number of rings when none does.
    pub(crate) ring: usize,
    pub(crate) rank: Rank,
    pub(crate) proficiency: Proficiency,
}

pub(crate) fn fit(
    operator: &Operator,
    line: &Line,
    level: Level,
    language: &Name,
    rings: &Rings,
    scarcity: &Scarcity,
) -> Result<Fit, Rule> {
    may_serve(level, operator).map_err(|_| Rule::Level)?;
    if !operator.lines.is_empty() && !operator.lines.contains(&line.name) {
        return Err(Rule::Line);
    }
    let proficiency = held(&operator.languages, language).ok_or(Rule::Language)?;
    let skilled =
        line.skills.iter().all(|(skill, least)| held(&operator.skills, skill).is_some_and(|p| p >= *least));
    if !skilled {
        return Err(Rule::Skill);
    }
    let other_scarce_skills = scarcity.others(operator, line, level, language);
    Ok(Fit {
        ring: rings.first_asking(level, operator, proficiency),
        rank: rank(line.strategy, Merits { proficiency, other_scarce_skills }),
        proficiency,
    })
}

fn held(all: &[(Name, Proficiency)], name: &Name) -> Option<Proficiency> {
    all.iter().filter(|(held, _)| held == name).map(|(_, proficiency)| *proficiency).max()
}

/// Which languages, skills and levels are scarce: fewer than half of the operators hold them.
#[derive(Default, Debug)]
pub(crate) struct Scarcity {
    operators: usize,
    languages: BTreeMap<Name, usize>,
    skills: BTreeMap<Name, usize>,
    level_two: usize,
}

impl Scarcity {
    pub(crate) fn new<'a>(operators: impl Iterator<Item = &'a Operator>) -> Self {
        let mut scarcity = Self::default();
        for operator in operators {
            scarcity.operators += 1;
            scarcity.level_two += usize::from(may_serve(Level::Two, operator).is_ok());
            for (language, _) in &operator.languages {
                *scarcity.languages.entry(language.clone()).or_default() += 1;
            }
            for (skill, _) in &operator.skills {
                *scarcity.skills.entry(skill.clone()).or_default() += 1;
            }
        }
        scarcity
    }

    fn others(&self, operator: &Operator, line: &Line, level: Level, language: &Name) -> u16 {
        let scarce = |holders: Option<&usize>| holders.is_some_and(|holders| holders * 2 < self.operators);
        let languages = operator
            .languages
            .iter()
            .filter(|(other, _)| other != language && scarce(self.languages.get(other)))
            .count();
        let skills = operator
            .skills
            .iter()
            .filter(|(other, _)| {
                line.skills.iter().all(|(needed, _)| needed != other) && scarce(self.skills.get(other))
            })
            .count();
        let level_two = usize::from(
            level == Level::One && may_serve(Level::Two, operator).is_ok() && scarce(Some(&self.level_two)),
        );
        u16::try_from(languages + skills + level_two).unwrap_or(u16::MAX)
    }
}
