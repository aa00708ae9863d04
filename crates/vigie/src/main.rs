//! The `vigie` program: reads its command line and hands over.

use std::process::ExitCode;

use clap::Parser;
use vigie::cli::{Cli, Command};
use vigie::{ask, check, demo, run};

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Run(arguments) => run::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Status(arguments) => ask::status(&arguments),
        Command::Calls(arguments) => ask::calls(&arguments),
        Command::Operators(arguments) => ask::operators(&arguments),
        Command::Operator(arguments) => ask::operator(&arguments),
        Command::Line(arguments) => ask::line(&arguments),
    }
}
