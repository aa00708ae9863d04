//! The configuration of a deployment: a directory of TOML files, read into plain, fully checked types.
//!
//! [`load`] gives a [`Deployment`] in which every invariant told in these types holds, or *every* problem at once, each
//! with its file, line, field, what was found and what would be right. Must never know: the rooms that are set up by it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

mod crosscheck;
pub mod demo;
mod document;
mod environment;
mod first_start;
mod hours;
mod line;
mod node;
mod operator;
mod policy;
mod problem;
pub mod prompts;
mod reader;
mod secret;
mod target;
mod trunk;

use document::Document;
use reader::Reader;
use serde::de::DeserializeOwned;

pub use first_start::create_missing;
pub use hours::{Holiday, HoursRange, OpeningHours, TimeOfDay, Weekday};
pub use line::{
    Answer, Exhausted, LanguageChoice, LanguageMenu, LastResort, Level, Line, NobodyEligible,
    PROFICIENCY_MAX, Refusal, Ring, Ringback, Waiting,
};
pub use node::{Admission, Listen, LogLevel, Node, Rtp, RtpAddress, Sip, State};
pub use operator::{Device, Employer, EmployerKind, IN_HOUSE, Operator};
pub use policy::{FeatureCodes, Policy, Strategy};
pub use problem::{Problem, Problems, Severity};
pub use prompts::Prompts;
pub use secret::{Credential, DigestAlgorithm, KeyBytes, MissingSecret, Password, Secret, SecretKind};
pub use target::{MediaFrom, Target, Transport};
pub use trunk::{CallerIdentity, Codec, DialledNumberSource, NumberFormat, Trunk};

const NODE_FILE: &str = "vigie.toml";
const TRUNKS_FILE: &str = "trunks.toml";
const LINES_FILE: &str = "lines.toml";
const OPERATORS_FILE: &str = "operators.toml";
const POLICY_FILE: &str = "policy.toml";
const PROMPTS_FILE: &str = "prompts.toml";

/// The files of a deployment, in the order in which a person sets one up. The last two may be left out.
pub const FILES: [&str; 6] = [NODE_FILE, TRUNKS_FILE, LINES_FILE, OPERATORS_FILE, POLICY_FILE, PROMPTS_FILE];

/// Far above any deployment's; what is longer is not a configuration.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Everything that is configured. Plain data; every invariant told in its types holds.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// The directory that relative paths were joined to.
    pub directory: PathBuf,
    /// This machine.
    pub node: Node,
    /// The carriers, by name unique.
    pub trunks: Vec<Trunk>,
    /// The lines, by name unique.
    pub lines: Vec<Line>,
    /// The employers, the association itself first.
    pub employers: Vec<Employer>,
    /// The operators, by name unique.
    pub operators: Vec<Operator>,
    /// Distribution, reasons, codes.
    pub policy: Policy,
    /// What is heard.
    pub prompts: Prompts,
    /// What somebody should look at.
    pub warnings: Vec<Problem>,
    /// Password and key files to [`create_missing`]; while there are any, some secrets are not there.
    pub missing_secrets: Vec<MissingSecret>,
}

/// Reads and checks the deployment in a directory. Looks at the machine, changes nothing.
pub fn load(directory: &Path) -> Result<Deployment, Problems> {
    let directory_as_told = directory;
    // An absolute path stays right if the program changes its working directory.
    let directory = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
    if !directory.is_dir() {
        let found = format!("no directory {}", directory_as_told.display());
        return Err(Problems(vec![whole_file("", found, "the directory with vigie.toml and its like")]));
    }
    let texts = FILES.map(|file| read_text(&directory.join(file)));
    check(&directory, texts, SystemTime::now())
}

/// [`load`] for a start in earnest: password and key files that do not exist yet are created.
pub fn load_and_create_secrets(directory: &Path) -> Result<Deployment, Problems> {
    let deployment = load(directory)?;
    if deployment.missing_secrets.is_empty() {
        return Ok(deployment);
    }
    if let Err(error) = create_missing(&deployment.missing_secrets) {
        let found = format!("secrets that can't be created: {error}");
        return Err(Problems(vec![whole_file("", found, "a directory that this user may write to")]));
    }
    load(directory)
}

/// Where the program of a deployment listens for commands. Reads `vigie.toml` alone, whatever its other fields hold.
pub fn control_socket(directory: &Path) -> Result<PathBuf, Problems> {
    let directory = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
    let mut problems = Vec::new();
    let (document, raw) = open(NODE_FILE, read_text(&directory.join(NODE_FILE)), true, &mut problems);
    if !document.readable {
        return Err(Problems(problems));
    }
    Ok(node::read(&mut Reader::new(&document, &mut problems), raw, &directory, &mut Vec::new())
        .state
        .control_socket)
}

/// A file's text; none if there is no such file.
type Text = Result<Option<String>, String>;

fn read_text(path: &Path) -> Text {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Ok(metadata) if metadata.len() > FILE_BYTES_MAX => return Err("more than 16 MB".into()),
        _ => {}
    }
    fs::read_to_string(path).map(Some).map_err(|error| error.to_string())
}

fn whole_file(file: &str, found: impl Into<String>, expected: &str) -> Problem {
    Problem {
        severity: Severity::Error,
        file: if file.is_empty() { "configuration".into() } else { file.into() },
        line: None,
        field: String::new(),
        found: found.into(),
        expected: expected.into(),
    }
}

fn open<T: DeserializeOwned + Default>(
    file: &str,
    text: Text,
    needed: bool,
    problems: &mut Vec<Problem>,
) -> (Document, T) {
    match text {
        Ok(Some(text)) => Document::read(file, &text, problems),
        Ok(None) if !needed => (Document::absent(file, true), T::default()),
        other => {
            let found = other.err().map_or_else(
                || "no such file".into(),
                |error| format!("a file that can't be read ({error})"),
            );
            problems.push(whole_file(
                file,
                found,
                "this file; config/ of the source has a commented example",
            ));
            (Document::absent(file, false), T::default())
        }
    }
}

/// Checks the texts of [`FILES`], whose relative paths are below `directory`.
fn check(directory: &Path, texts: [Text; 6], now: SystemTime) -> Result<Deployment, Problems> {
    let [node_text, trunks_text, lines_text, operators_text, policy_text, prompts_text] = texts;
    let mut problems = Vec::new();
    let mut missing = Vec::new();
    let (node_document, raw_node) = open(NODE_FILE, node_text, true, &mut problems);
    let (trunks_document, raw_trunks) = open(TRUNKS_FILE, trunks_text, true, &mut problems);
    let (lines_document, raw_lines) = open::<line::RawLineFile>(LINES_FILE, lines_text, true, &mut problems);
    let (operators_document, raw_operators) = open(OPERATORS_FILE, operators_text, true, &mut problems);
    let (policy_document, raw_policy) = open(POLICY_FILE, policy_text, false, &mut problems);
    let (prompts_document, raw_prompts) = open(PROMPTS_FILE, prompts_text, false, &mut problems);

    let node = node::read(&mut Reader::new(&node_document, &mut problems), raw_node, directory, &mut missing);
    if !node_document.readable {
        // Languages, numbering and addresses are unknown: everything else would be judged by guesses.
        problem::sort(&mut problems);
        return Err(Problems(problems));
    }
    let policy = policy::read(&mut Reader::new(&policy_document, &mut problems), raw_policy);
    let prompts = prompts::read(
        &mut Reader::new(&prompts_document, &mut problems),
        raw_prompts,
        &node.languages,
        directory,
    );
    let trunks = trunk::read(
        &mut Reader::new(&trunks_document, &mut problems),
        raw_trunks,
        &trunk::Context { domain: &node.sip.domain, calls_max: node.admission.calls_max, directory },
        &mut missing,
    );
    let line_names = raw_lines.names();
    let lines = line::read(
        &mut Reader::new(&lines_document, &mut problems),
        raw_lines,
        &line::Context {
            numbering: &node.numbering,
            languages: &node.languages,
            default_language: &node.default_language,
            time_zone: node.time_zone,
            prompts: &prompts,
            strategy: policy.strategy,
        },
    );
    let (employers, operators) = operator::read(
        &mut Reader::new(&operators_document, &mut problems),
        raw_operators,
        &operator::Context {
            domain: &node.sip.domain,
            languages: &node.languages,
            lines: line_names.as_deref().filter(|_| lines_document.readable),
            missed_offers_max: policy.missed_offers_max,
            directory,
        },
        &mut missing,
    );
    // Whether anybody may answer is judged once the entries themselves are right: else one slip is told many times.
    let entries_are_right = !problems.iter().any(|problem| problem.severity == Severity::Error);
    if entries_are_right {
        crosscheck::lines(&mut Reader::new(&lines_document, &mut problems), &lines, &operators);
    }
    crosscheck::operators(&mut Reader::new(&operators_document, &mut problems), &operators, &trunks);
    problems.extend(environment::check(&node, now));

    problem::sort(&mut problems);
    if problems.iter().any(|problem| problem.severity == Severity::Error) {
        return Err(Problems(problems));
    }
    Ok(Deployment {
        directory: directory.to_owned(),
        node,
        trunks,
        lines: lines.into_iter().map(|(_, line)| line).collect(),
        employers,
        operators: operators.into_iter().map(|(_, operator)| operator).collect(),
        policy,
        prompts,
        warnings: problems,
        missing_secrets: missing,
    })
}

#[cfg(test)]
mod tests;
