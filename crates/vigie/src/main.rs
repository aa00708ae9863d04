//! The `vigie` program: reads its command line and hands over.

use std::process::ExitCode;

use clap::Parser;
use vigie::check;
use vigie::cli::{Cli, Command};

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Check(arguments) => check::run(&arguments),
    }
}
