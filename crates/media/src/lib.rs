//! The media plane: session descriptions, the RTP relay, prompts, digits, who may send.
//!
//! Knows: SDP offer/answer, RTP, RTCP, G.711. Must never know: SIP, operators, queues; nor sockets, the clock or
//! files. Two doors: [`Control`] on the engine's thread, [`Worker`] on the media threads; [`Command`] and
//! [`WorkerEvent`] travel between them as data.

mod control;
mod description;
mod door;
mod dtmf;
mod g711;
mod latch;
mod leg;
mod offer_answer;
mod outgoing;
mod playout;
mod ports;
mod printing;
mod prompts;
mod record;
mod rtcp;
mod rtp_header;
mod slots;
mod stats;
mod tokens;
mod worker;
mod worker_door;

pub use control::Control;
pub use door::*;
pub use prompts::{PROMPT_SAMPLES_MAX, Prompt, PromptBook, PromptError, SAMPLE_RATE_HZ};
pub use worker::Worker;
pub use worker_door::*;

#[cfg(test)]
mod tests;
