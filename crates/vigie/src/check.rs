//! `vigie check`: every problem of a configuration, for people or for programs.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use crate::cli::CheckArguments;
use crate::config::{self, Deployment, Problem, Severity};

/// The configuration can be used; there may be warnings.
const EXIT_USABLE: u8 = 0;
/// It can't.
const EXIT_ERRORS: u8 = 1;
/// There is nothing to check: clap uses the same for arguments it can't read.
const EXIT_ARGUMENTS: u8 = 2;

/// Checks and tells.
pub fn run(arguments: &CheckArguments) -> ExitCode {
    let directory = arguments.config.as_path();
    if !directory.is_dir() {
        let _ = writeln!(io::stderr(), "vigie check: there is no directory {}", directory.display());
        return ExitCode::from(EXIT_ARGUMENTS);
    }
    let result = Outcome::of(config::load(directory));
    let written = if arguments.json {
        result.write_json(directory, &mut io::stdout().lock())
    } else {
        result.write_text(directory, &mut io::stdout().lock())
    };
    // Whoever closed the pipe has seen enough; the exit code still tells.
    let _ = written;
    ExitCode::from(if result.errors() == 0 { EXIT_USABLE } else { EXIT_ERRORS })
}

/// What was found.
struct Outcome {
    problems: Vec<Problem>,
    deployment: Option<Deployment>,
}

#[derive(Serialize)]
struct Report<'a> {
    config: String,
    usable: bool,
    errors: usize,
    warnings: usize,
    problems: &'a [Problem],
}

impl Outcome {
    fn of(result: Result<Deployment, config::Problems>) -> Self {
        match result {
            Ok(deployment) => Self { problems: deployment.warnings.clone(), deployment: Some(deployment) },
            Err(problems) => Self { problems: problems.into_vec(), deployment: None },
        }
    }

    fn errors(&self) -> usize {
        self.problems.iter().filter(|problem| problem.severity == Severity::Error).count()
    }

    fn warnings(&self) -> usize {
        self.problems.len() - self.errors()
    }

    fn write_json(&self, directory: &Path, out: &mut dyn Write) -> io::Result<()> {
        let report = Report {
            config: directory.display().to_string(),
            usable: self.errors() == 0,
            errors: self.errors(),
            warnings: self.warnings(),
            problems: &self.problems,
        };
        serde_json::to_writer_pretty(&mut *out, &report)?;
        writeln!(out)
    }

    fn write_text(&self, directory: &Path, out: &mut dyn Write) -> io::Result<()> {
        for problem in &self.problems {
            writeln!(out, "{problem}")?;
        }
        let counts = format!("{}, {}", counted(self.errors(), "error"), counted(self.warnings(), "warning"));
        let directory = directory.display();
        match &self.deployment {
            None => writeln!(out, "{directory}: {counts}; vigie would not start"),
            Some(deployment) => writeln!(
                out,
                "{directory}: {counts}; {}, {}, {}; vigie can start",
                counted(deployment.trunks.len(), "trunk"),
                counted(deployment.lines.len(), "line"),
                counted(deployment.operators.len(), "operator"),
            ),
        }
    }
}

fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}
