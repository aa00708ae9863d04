//! What no single entry can know: whether anybody may answer each line, and whether names meant for each other meet.

use std::collections::BTreeSet;
use std::net::IpAddr;

use facts::{Language, LineName};

use super::document::Span;
use super::line::{Exhausted, Level, Line};
use super::operator::{Device, EmployerKind, Operator};
use super::reader::Reader;
use super::trunk::Trunk;

/// Checks the lines against the operators. `lines` reads `lines.toml`.
pub(super) fn lines(reader: &mut Reader<'_>, lines: &[(Span, Line)], operators: &[(Span, Operator)]) {
    for (span, line) in lines {
        other_lines(reader, span, line, lines);
        let able: Vec<&Operator> = operators
            .iter()
            .map(|(_, operator)| operator)
            .filter(|operator| may_take(operator, line))
            .collect();
        if able.is_empty() && line.level == Level::Two {
            let found = format!("\"{}\" (level 2) without any operator who may answer it", line.name);
            let expected =
                "an in-house operator accredited for level 2 who works for this line and has its skills";
            reader.error(span, found, expected);
            continue;
        }
        for language in &line.languages {
            if !able.iter().any(|operator| speaks(operator, language, line)) {
                let found =
                    format!("\"{}\" without any operator who may answer it in \"{language}\"", line.name);
                let expected =
                    format!("an operator of its level, with its skills, who speaks \"{language}\"");
                reader.warning(span, found, expected);
            }
        }
        sites(reader, span, line, operators);
    }
}

/// Where a line sends those who wait too long: never to a lower level, and never round in a circle.
fn other_lines(reader: &mut Reader<'_>, span: &Span, line: &Line, lines: &[(Span, Line)]) {
    let named = |name: &LineName| lines.iter().map(|(_, line)| line).find(|line| line.name == *name);
    for other in sends_to(line) {
        if line.level == Level::Two && named(&other).is_some_and(|other| other.level == Level::One) {
            let found = format!("\"{}\" (level 2) with \"other-line\" to \"{other}\" (level 1)", line.name);
            reader.error(span, found, "a line of level 2: a subcontractor may never answer these callers");
        }
    }
    let mut seen = BTreeSet::new();
    let mut ahead = sends_to(line);
    while let Some(name) = ahead.pop() {
        if name == line.name {
            let found = format!("\"{}\" with \"other-line\" that leads back to it", line.name);
            reader.error(span, found, "lines that do not send callers round in a circle");
            return;
        }
        if seen.insert(name.clone()) {
            ahead.extend(named(&name).into_iter().flat_map(sends_to));
        }
    }
}

fn sends_to(line: &Line) -> Vec<LineName> {
    let last_resort = line.waiting.last_resort.as_ref().map(|last_resort| &last_resort.then);
    let then = last_resort.into_iter().chain([&line.waiting.nobody_eligible.then]);
    then.filter_map(|then| match then {
        Exhausted::OtherLine(other) => Some(other.clone()),
        Exhausted::Keep(_) | Exhausted::AnnounceAndEnd(_) => None,
    })
    .collect()
}

/// The hard constraints of a line, and the fields by which an operator meets them.
fn may_take(operator: &Operator, line: &Line) -> bool {
    let level = operator.levels.contains(&line.level)
        && (line.level == Level::One || operator.employer.kind == EmployerKind::InHouse);
    let works_here = operator.lines.is_empty() || operator.lines.contains(&line.name);
    let skilled = line
        .required_skills
        .iter()
        .all(|(skill, least)| operator.skills.get(skill).is_some_and(|proficiency| proficiency >= least));
    level && works_here && skilled
}

/// Whether she is asked at last: the final ring decides.
fn speaks(operator: &Operator, language: &Language, line: &Line) -> bool {
    let least = line.rings.last().map_or(1, |ring| ring.language_min);
    operator.languages.get(language).is_some_and(|proficiency| *proficiency >= least)
}

fn sites(reader: &mut Reader<'_>, span: &Span, line: &Line, operators: &[(Span, Operator)]) {
    let known: BTreeSet<&str> =
        operators.iter().filter_map(|(_, operator)| operator.site.as_deref()).collect();
    for site in line.rings.iter().flat_map(|ring| &ring.sites) {
        if !known.contains(site.as_str()) {
            let found = format!("\"{}\" with a ring for the site \"{site}\"", line.name);
            reader.warning(span, found, "a site of an operator; no operator has this one");
        }
    }
}

/// Checks the operators against the trunks. `operators` reads `operators.toml`.
pub(super) fn operators(reader: &mut Reader<'_>, operators: &[(Span, Operator)], trunks: &[Trunk]) {
    let mut fixed: Vec<(IpAddr, Option<u16>, &Operator)> = Vec::new();
    for (span, operator) in operators {
        let Device::Fixed(target) = &operator.device else { continue };
        let Some(address) = target.address() else { continue };
        if let Some(trunk) =
            trunks.iter().find(|trunk| trunk.networks.iter().any(|net| net.contains(&address)))
        {
            let found =
                format!("a phone at {address}, which is in the networks of the trunk \"{}\"", trunk.name);
            reader.warning(
                span,
                found,
                "an address that is the phone's alone; its calls would pass for the trunk's",
            );
        }
        let other = fixed.iter().find(|(ip, port, _)| *ip == address && *port == target.port);
        if let Some((_, _, other)) = other {
            let found = format!("a phone at the address of \"{}\"", other.name);
            reader.error(span, found, "an address of its own for each operator: two would answer one phone");
        }
        fixed.push((address, target.port, operator));
    }
}
