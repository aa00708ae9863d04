//! Which line a dialled number leads to, and policies by name.
//!
//! Knows: the compiled indexes over [`Settings`]. Must never know: calls.

use std::collections::BTreeMap;

use crate::settings::{Dialled, FeatureCode, LinePolicy, Name, OperatorPolicy, Settings, TrunkPolicy};

/// Indexes over the settings, made once a (re)load.
#[derive(Debug)]
pub(crate) struct Lookup {
    /// Line and number, by index.
    by_number: BTreeMap<String, (usize, usize)>,
    lines: BTreeMap<Name, usize>,
    plan_lines: BTreeMap<Name, usize>,
    trunks: BTreeMap<Name, usize>,
    operators: BTreeMap<Name, usize>,
    plan_operators: BTreeMap<Name, usize>,
}

impl Lookup {
    pub(crate) fn new(settings: &Settings) -> Self {
        let mut by_number = BTreeMap::new();
        for (index, line) in settings.lines.iter().enumerate() {
            for (place, number) in line.numbers.iter().enumerate() {
                by_number.insert(number.to_string(), (index, place));
                if let Some(normal) = settings.numbering.dialled(number) {
                    by_number.insert(normal, (index, place));
                }
            }
        }
        let index = |names: Vec<&Name>| names.into_iter().cloned().enumerate().map(|(i, n)| (n, i)).collect();
        Self {
            by_number,
            lines: index(settings.lines.iter().map(|line| &line.name).collect()),
            plan_lines: index(settings.plan.lines.iter().map(|line| &line.name).collect()),
            trunks: index(settings.trunks.iter().map(|trunk| &trunk.name).collect()),
            operators: index(settings.operators.iter().map(|operator| &operator.name).collect()),
            plan_operators: index(settings.plan.operators.iter().map(|operator| &operator.name).collect()),
        }
    }

    /// The line that a trunk's call is for, and the number as configured by which it was found; or what was dialled.
    pub(crate) fn dialled<'s>(
        &self,
        settings: &'s Settings,
        trunk: &TrunkPolicy,
        request_user: &str,
        to_user: &str,
    ) -> Result<(&'s LinePolicy, &'s Name), String> {
        let dialled = match trunk.dialled {
            Dialled::RequestUri => request_user,
            Dialled::To => to_user,
        };
        let international = || format!("+{}", dialled.trim_start_matches('+'));
        let number = if trunk.international_numbers { international() } else { dialled.to_owned() };
        let normal = || settings.numbering.dialled(&number).and_then(|normal| self.by_number.get(&normal));
        match self.by_number.get(dialled).or_else(normal) {
            Some((line, number)) => {
                let line = &settings.lines[*line];
                Ok((line, &line.numbers[*number]))
            }
            None => Err(dialled.to_owned()),
        }
    }

    pub(crate) fn line<'s>(&self, settings: &'s Settings, name: &str) -> Option<&'s LinePolicy> {
        self.lines.get(name).map(|index| &settings.lines[*index])
    }

    pub(crate) fn plan_line<'s>(&self, settings: &'s Settings, name: &str) -> Option<&'s acd::Line> {
        self.plan_lines.get(name).map(|index| &settings.plan.lines[*index])
    }

    pub(crate) fn trunk<'s>(&self, settings: &'s Settings, name: &str) -> Option<&'s TrunkPolicy> {
        self.trunks.get(name).map(|index| &settings.trunks[*index])
    }

    pub(crate) fn operator<'s>(&self, settings: &'s Settings, name: &str) -> Option<&'s OperatorPolicy> {
        self.operators.get(name).map(|index| &settings.operators[*index])
    }

    pub(crate) fn plan_operator<'s>(&self, settings: &'s Settings, name: &str) -> Option<&'s acd::Operator> {
        self.plan_operators.get(name).map(|index| &settings.plan.operators[*index])
    }

    pub(crate) fn feature<'s>(&self, settings: &'s Settings, code: &str) -> Option<&'s FeatureCode> {
        settings.feature_codes.iter().find(|feature| &*feature.code == code)
    }
}
