//! `vigie status`, `calls`, `operators`, `operator` and `line`: one question to the running program.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::{self, CallsArguments, ControlArguments, LineArguments, OperatorArguments};
use crate::cli::{OperatorsArguments, StatusArguments};
use crate::config;
use crate::control::{self, Answer, Form, LineAction, OperatorAction, Request};

/// The program was asked and said no, or could not be asked.
const EXIT_REFUSED: u8 = 1;

/// `vigie status`.
pub fn status(arguments: &StatusArguments) -> ExitCode {
    ask(&arguments.control, &Request::Status(form(arguments.json)))
}

/// `vigie calls`.
pub fn calls(arguments: &CallsArguments) -> ExitCode {
    ask(&arguments.control, &Request::Calls { last: arguments.last, form: form(arguments.json) })
}

/// `vigie operators`.
pub fn operators(arguments: &OperatorsArguments) -> ExitCode {
    ask(&arguments.control, &Request::Operators(form(arguments.json)))
}

/// `vigie operator NAME …`.
pub fn operator(arguments: &OperatorArguments) -> ExitCode {
    let action = match &arguments.action {
        cli::OperatorAction::Ready => OperatorAction::Ready,
        cli::OperatorAction::NotReady { reason } => OperatorAction::NotReady(reason.clone()),
        cli::OperatorAction::SignOut => OperatorAction::SignOut,
    };
    ask(&arguments.control, &Request::Operator { name: arguments.name.clone(), action })
}

/// `vigie line NAME …`.
pub fn line(arguments: &LineArguments) -> ExitCode {
    let action = match arguments.action {
        cli::LineAction::Open => LineAction::Open,
        cli::LineAction::Close => LineAction::Close,
        cli::LineAction::ByHours => LineAction::ByHours,
    };
    ask(&arguments.control, &Request::Line { name: arguments.name.clone(), action })
}

fn form(json: bool) -> Form {
    if json { Form::Json } else { Form::Text }
}

fn ask(control: &ControlArguments, request: &Request) -> ExitCode {
    let socket: PathBuf = match &control.socket {
        Some(socket) => socket.clone(),
        None => match config::control_socket(&control.config) {
            Ok(socket) => socket,
            Err(problems) => {
                eprint!("{problems}");
                return ExitCode::from(EXIT_REFUSED);
            }
        },
    };
    match control::ask(&socket, request) {
        Ok(Answer::Done(text)) => {
            // Whoever closed the pipe has seen enough.
            let _ = io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Ok(Answer::Refused(why)) => {
            eprintln!("vigie: {why}");
            ExitCode::from(EXIT_REFUSED)
        }
        Err(error) => {
            eprintln!("vigie: {error}");
            ExitCode::from(EXIT_REFUSED)
        }
    }
}
