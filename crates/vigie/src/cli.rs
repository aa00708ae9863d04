//! The command line: its words, its help, its defaults. Must never know: how any of it is done.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Where a deployment is if nobody says otherwise.
pub const CONFIG_DIRECTORY: &str = "/etc/vigie";

const EXAMPLES: &str = "\
Examples:
  vigie demo                               see it at work on this machine, no set-up
  vigie check --config /etc/vigie          is this configuration right? every problem at once
  vigie run --config /etc/vigie            take calls
  vigie status                             who waits, who talks, which trunk is up
  vigie calls                              the latest calls: from which trunk, to whom, how they ended, why
  vigie operator amina not-ready break     set an operator not ready
  vigie line listening close               close a line now, whatever its hours say";

/// Answers help lines: SIP trunk calls come in, each goes to an operator by level, language and availability.
#[derive(Parser, Debug)]
#[command(name = "vigie", version, after_help = EXAMPLES, propagate_version = true)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// See it at work on this machine: simulated callers and operators, and room for your own softphone
    Demo(DemoArguments),
    /// Take calls until told to stop
    Run(RunArguments),
    /// Check a configuration and tell every problem at once
    Check(CheckArguments),
    /// Who waits, who talks, which trunk is up, the figures of the day
    Status(StatusArguments),
    /// The latest calls: from which trunk, to whom, how they ended and why
    Calls(CallsArguments),
    /// The operators and what each is doing
    Operators(OperatorsArguments),
    /// Change an operator's state
    Operator(OperatorArguments),
    /// Open or close a line
    Line(LineArguments),
}

/// `vigie run`: take calls
#[derive(Args, Debug)]
#[command(after_help = "\
Password and key files that the configuration names and that do not exist are created, readable by this user only.
SIGTERM or Ctrl-C: no new calls, the present ones go on; a second time: end now. The next start takes up what was left.")]
pub struct RunArguments {
    /// The directory with vigie.toml and its like
    #[arg(long, value_name = "DIR", default_value = CONFIG_DIRECTORY)]
    pub config: PathBuf,
}

/// `vigie check`
#[derive(Args, Debug)]
#[command(after_help = "\
Nothing is changed or started; a running vigie is not disturbed.
Exit code: 0 it can start (there may be warnings), 1 it can't, 2 the arguments make no sense.

Examples:
  vigie check --config /etc/vigie
  vigie check --config ./config --json | jq '.problems[] | select(.severity == \"error\")'")]
pub struct CheckArguments {
    /// The directory with vigie.toml and its like
    #[arg(long, value_name = "DIR", default_value = CONFIG_DIRECTORY)]
    pub config: PathBuf,
    /// Tell the problems as JSON
    #[arg(long)]
    pub json: bool,
}

/// `vigie demo`
#[derive(Args, Debug)]
#[command(after_help = "\
All of it stays on this machine: real SIP and RTP on 127.0.0.1, so a packet capture shows them.
The first lines printed tell how to call in, and how to sign in as an operator, with a softphone of your own.
Ctrl-C: no new callers, the present calls end, the figures are printed.

Examples:
  vigie demo
  vigie demo --calls-per-hour 600 --operators 6     a bad evening: watch the queue grow
  vigie demo --duration 2m                          for a script")]
pub struct DemoArguments {
    /// Callers and operators live this many times faster (talks, pauses, gaps between calls; not the sound)
    #[arg(long, value_name = "TIMES", default_value_t = 1.0, value_parser = parse_speed)]
    pub speed: f64,
    /// Simulated operators; the rest of the dozen are free for your own softphone
    #[arg(long, value_name = "COUNT", default_value_t = 10, value_parser = clap::value_parser!(u16).range(0..=12))]
    pub operators: u16,
    /// Callers an hour, at random
    #[arg(long, value_name = "COUNT", default_value_t = 120, value_parser = clap::value_parser!(u32).range(0..=36_000))]
    pub calls_per_hour: u32,
    /// SIP port on loopback; 0: any free one
    #[arg(long, value_name = "PORT", default_value_t = 5060)]
    pub port: u16,
    /// End by itself after this time: 90s, 10m, 2h
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub duration: Option<Duration>,
    /// The callers and operators of another demonstration again
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
}

/// How the running program is reached.
#[derive(Args, Debug)]
pub struct ControlArguments {
    /// The deployment whose program is meant
    #[arg(long, global = true, value_name = "DIR", default_value = CONFIG_DIRECTORY)]
    pub config: PathBuf,
    /// Its control socket, if not the one its configuration names
    #[arg(long, global = true, value_name = "PATH", conflicts_with = "config")]
    pub socket: Option<PathBuf>,
}

/// `vigie status`
#[derive(Args, Debug)]
pub struct StatusArguments {
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// How the running program is reached.
    #[command(flatten)]
    pub control: ControlArguments,
}

/// `vigie calls`
#[derive(Args, Debug)]
#[command(after_help = "\
A caller's number is nowhere in it: a keyed pseudonym stands for it.

Examples:
  vigie calls                      the 20 latest
  vigie calls --last 200 --json    more, for a program")]
pub struct CallsArguments {
    /// How many, the latest
    #[arg(long, value_name = "COUNT", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub last: u32,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// How the running program is reached.
    #[command(flatten)]
    pub control: ControlArguments,
}

/// `vigie operators`
#[derive(Args, Debug)]
pub struct OperatorsArguments {
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// How the running program is reached.
    #[command(flatten)]
    pub control: ControlArguments,
}

/// `vigie operator`
#[derive(Args, Debug)]
#[command(after_help = "\
In a contact, not ready and sign-out take hold after it. A debrief is ended by nobody but the operator.

Examples:
  vigie operator amina ready
  vigie operator amina not-ready break
  vigie operator amina sign-out")]
pub struct OperatorArguments {
    /// Her name in operators.toml
    pub name: String,
    /// What she is to be
    #[command(subcommand)]
    pub action: OperatorAction,
    /// How the running program is reached.
    #[command(flatten)]
    pub control: ControlArguments,
}

/// What an operator is to be.
#[derive(Subcommand, Clone, PartialEq, Eq, Debug)]
pub enum OperatorAction {
    /// Offer her contacts; ends wrap-up
    Ready,
    /// Offer her nothing
    NotReady {
        /// Why: a reason of policy.toml, such as break
        reason: String,
    },
    /// Sign her out
    SignOut,
}

/// `vigie line`
#[derive(Args, Debug)]
#[command(after_help = "\
Closed: new callers hear that the line is closed; those who wait or talk go on.

Examples:
  vigie line listening close
  vigie line listening by-hours    back to the hours of lines.toml")]
pub struct LineArguments {
    /// Its name in lines.toml
    pub name: String,
    /// What it is to be
    #[arg(value_enum)]
    pub action: LineAction,
    /// How the running program is reached.
    #[command(flatten)]
    pub control: ControlArguments,
}

/// What a line is to be.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum LineAction {
    /// Open, whatever its hours say
    Open,
    /// Closed, whatever its hours say
    Close,
    /// As its hours say
    ByHours,
}

/// Faster than this, the sockets set the pace and not the people.
const SPEED_MAX: f64 = 100.0;

fn parse_speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|_| "a number such as 1 or 2.5 is expected".to_owned())?;
    if (0.1..=SPEED_MAX).contains(&speed) {
        Ok(speed)
    } else {
        Err(format!("0.1 to {SPEED_MAX} is possible"))
    }
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    let (digits, seconds_a_unit) = match text.as_bytes().last() {
        Some(b's') => (&text[..text.len() - 1], 1),
        Some(b'm') => (&text[..text.len() - 1], 60),
        Some(b'h') => (&text[..text.len() - 1], 3_600),
        _ => (text, 1),
    };
    let number: u32 = digits.parse().map_err(|_| "a time such as 90s, 10m or 2h is expected".to_owned())?;
    if number == 0 {
        Err("it would end at once".into())
    } else {
        Ok(Duration::from_secs(u64::from(number) * seconds_a_unit))
    }
}

#[cfg(test)]
mod tests;
