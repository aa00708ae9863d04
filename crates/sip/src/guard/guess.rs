//! Password guessing, throttled by (source, user).
//!
//! Knows: who failed to prove what, from where. Must never know: passwords, or whether the user exists; a guess at a
//! user who does not exist is throttled just so.
//!
//! By source *and* user, because one bad phone must not lock out a site behind one NAT, nor one stranger a user.

use std::net::IpAddr;
use std::time::Duration;

use super::rate::network;
use super::recent::Recent;

/// How many (source, user) pairs are remembered.
const PAIRS_MAX: usize = 8_192;
/// How many wrong answers cost nothing: a mistyped password, an old nonce.
const FREE_GUESSES: u32 = 5;
/// The longest that a pair waits. It doubles from one second.
const WAIT_MAX: Duration = Duration::from_secs(300);
/// After this long without a wrong answer the past is forgotten.
const FORGET_AFTER: Duration = Duration::from_secs(900);
/// Longest user name that is remembered whole; longer ones share their head's fate.
const USER_CHARS_MAX: usize = 64;

#[derive(Clone, Copy, Debug)]
struct Guesses {
    wrong: u32,
    last: Duration,
    wait_until: Duration,
}

/// The memory of wrong answers.
#[derive(Debug)]
pub(crate) struct Throttle {
    pairs: Recent<(IpAddr, Box<str>), Guesses>,
}

impl Throttle {
    /// Nobody has guessed.
    pub(crate) fn new() -> Self {
        Self { pairs: Recent::new(PAIRS_MAX) }
    }

    /// How long this pair must still wait before an answer of it is looked at.
    pub(crate) fn wait(&self, now: Duration, source: IpAddr, user: &str) -> Option<Duration> {
        let guesses = self.pairs.peek(&key(source, user))?;
        guesses.wait_until.checked_sub(now).filter(|wait| !wait.is_zero())
    }

    /// A wrong answer.
    pub(crate) fn wrong(&mut self, now: Duration, source: IpAddr, user: &str) {
        let fresh = Guesses { wrong: 0, last: now, wait_until: now };
        let guesses = self.pairs.touch(&key(source, user), || fresh);
        if now.saturating_sub(guesses.last) > FORGET_AFTER {
            *guesses = fresh;
        }
        guesses.wrong = guesses.wrong.saturating_add(1);
        guesses.last = now;
        if let Some(doublings) = guesses.wrong.checked_sub(FREE_GUESSES) {
            let wait = Duration::from_secs(1u64 << doublings.min(16)).min(WAIT_MAX);
            guesses.wait_until = now + wait;
        }
    }

    /// A right answer: the past is forgotten.
    pub(crate) fn right(&mut self, source: IpAddr, user: &str) {
        self.pairs.remove(&key(source, user));
    }
}

fn key(source: IpAddr, user: &str) -> (IpAddr, Box<str>) {
    (network(source), user.chars().take(USER_CHARS_MAX).collect::<String>().into_boxed_str())
}
