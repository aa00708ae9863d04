//! The local control socket: how `vigie status`, `vigie operator …` and their like reach the running program.
//!
//! Knows: one JSON line in, one out, over a Unix socket that only this user may open. Must never know: what a command
//! means; it becomes one of the engine's typed commands and passes the engine's own rights check.

mod client;
mod server;

use serde::{Deserialize, Serialize};

pub use client::{Unreachable, ask};
pub use server::{Reports, Serving};

/// A request is one line, and no longer than this.
const REQUEST_BYTES_MAX: usize = 4_096;
/// Answers hold up to 100,000 calls.
const ANSWER_BYTES_MAX: u64 = 256 << 20;

/// What is asked.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// Who waits, who talks, trunks, lines, the day's figures.
    Status(Form),
    /// The latest calls.
    Calls {
        /// How many.
        last: u32,
        /// How they are told.
        form: Form,
    },
    /// The operators and their states.
    Operators(Form),
    /// An operator's state is to change.
    Operator {
        /// Who.
        name: String,
        /// How.
        action: OperatorAction,
    },
    /// A line is to be opened or closed.
    Line {
        /// Which.
        name: String,
        /// How.
        action: LineAction,
    },
}

/// How an answer is told.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// A table for a person.
    Text,
    /// For a program.
    Json,
}

/// What an operator is to be.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum OperatorAction {
    /// Ready.
    Ready,
    /// Not ready, with a reason.
    NotReady(String),
    /// Signed out.
    SignOut,
}

/// What a line is to be.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum LineAction {
    /// Open.
    Open,
    /// Closed.
    Close,
    /// As its hours say.
    ByHours,
}

/// What is answered.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Text or JSON to print as it is; empty for a command that was done.
    Done(String),
    /// Why not.
    Refused(String),
}

impl From<OperatorAction> for acd::OperatorCommand {
    fn from(action: OperatorAction) -> Self {
        match action {
            OperatorAction::Ready => Self::Ready,
            OperatorAction::NotReady(reason) => Self::NotReady(reason.into()),
            OperatorAction::SignOut => Self::SignOut,
        }
    }
}

impl From<LineAction> for acd::LineCommand {
    fn from(action: LineAction) -> Self {
        match action {
            LineAction::Open => Self::Open,
            LineAction::Close => Self::Close,
            LineAction::ByHours => Self::ByHours,
        }
    }
}

#[cfg(test)]
mod tests;
