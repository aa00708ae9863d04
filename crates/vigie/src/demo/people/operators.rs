//! Those who answer: they sign in, let it ring a moment, talk, write up, take a break, and now and then miss a call.
//!
//! One state machine each. `code` runs beside it: a call of her own to a feature code.
//!
//! | doing   | Registered | Incoming | Answered | call over                    | its time has come             |
//! |---------|------------|----------|----------|------------------------------|-------------------------------|
//! | away    | free       | ringing  | –        | –                            | register                      |
//! | free    | –          | ringing  | –        | –                            | dials a pause: paused         |
//! | ringing | –          | busy     | talking  | free; paused if it was her   | answers, refuses, or lets ring |
//! | talking | –          | busy     | –        | free, or dials a debrief     | hangs up                      |
//! | paused  | –          | ringing  | –        | –                            | dials ready: free             |

use std::time::Duration;

use phone::{CallId, Command, Dial, Event};

use super::{TelephoneId, World};
use crate::demo::voices::Speaker;

/// RFC 3261 §21.4.24: what a telephone says when its user pressed "decline", and when she is in a call.
const DECLINED: u16 = 603;
const BUSY_HERE: u16 = 486;

/// They come in one after the other.
const SIGN_IN_WITHIN_S: f64 = 5.0;
/// A hand on its way to the receiver.
const ANSWER_AFTER_S: (f64, f64) = (1.5, 6.0);
const MISSED_OF_HUNDRED: u32 = 4;
const REFUSED_OF_HUNDRED: u32 = 3;
/// After that she takes a moment before she says that she is ready again.
const RECOVERY_S: (f64, f64) = (8.0, 25.0);
/// If the caller does not end it, she does, after at least this and on average so much more.
const TALK_MIN: Duration = Duration::from_secs(30);
const TALK_MEAN_S: f64 = 120.0;
const DEBRIEF_OF_HUNDRED: u32 = 4;
const DEBRIEF_S: (f64, f64) = (30.0, 90.0);
/// Some have written up before their time is over, and say so.
const DONE_EARLY_OF_HUNDRED: u32 = 30;
const DONE_EARLY_S: (f64, f64) = (4.0, 12.0);
const WORK_MIN: Duration = Duration::from_secs(60);
const WORK_MEAN_S: f64 = 420.0;
const PAUSE_S: (f64, f64) = (20.0, 80.0);
/// A confirmation is heard out, but not for ever.
const CONFIRMATION_MAX: Duration = Duration::from_secs(6);
const LAST_WORDS_S: (f64, f64) = (4.0, 14.0);

pub(super) struct Operators(Vec<Operator>);

struct Operator {
    telephone: TelephoneId,
    doing: Doing,
    /// When she does the next thing, if nothing happens.
    next_at: Option<Duration>,
    code: Code,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Doing {
    Away,
    Free,
    Ringing { call: CallId, then: Then },
    Talking { call: CallId },
    Paused,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Answer,
    Refuse,
    Miss,
}

/// Her call to a feature code.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Code {
    None,
    Dialled,
    Under { call: CallId, until: Option<Duration> },
}

impl Operators {
    pub(super) fn new(world: &mut World) -> Self {
        let operators = (0..world.plan.operators).map(|place| Operator {
            telephone: TelephoneId(place + 1),
            doing: Doing::Away,
            next_at: Some(world.between(0.2, SIGN_IN_WITHIN_S)),
            code: Code::None,
        });
        Self(operators.collect())
    }

    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        self.0.iter().flat_map(|operator| [operator.next_at, operator.code.deadline()]).flatten().min()
    }

    pub(super) fn on_event(
        &mut self,
        now: Duration,
        telephone: TelephoneId,
        event: &Event,
        world: &mut World,
    ) {
        if let Some(operator) = self.0.iter_mut().find(|operator| operator.telephone == telephone) {
            operator.on_event(now, event, world);
        }
    }

    pub(super) fn on_timeout(&mut self, now: Duration, world: &mut World) {
        self.0.iter_mut().for_each(|operator| operator.on_timeout(now, world));
    }

    pub(super) fn on_drain(&mut self, now: Duration, world: &mut World) {
        for operator in &mut self.0 {
            match operator.doing {
                Doing::Talking { .. } => {
                    let last_words = now + world.between(LAST_WORDS_S.0, LAST_WORDS_S.1);
                    operator.next_at = Some(operator.next_at.map_or(last_words, |at| at.min(last_words)));
                }
                // Whoever pauses comes back to help with those who wait.
                Doing::Paused => operator.next_at = Some(now),
                Doing::Away | Doing::Free | Doing::Ringing { .. } => {}
            }
        }
    }

    pub(super) fn all_leave(&mut self, world: &mut World) {
        for operator in &mut self.0 {
            operator.next_at = None;
            if let Doing::Talking { call } | Doing::Ringing { call, .. } = operator.doing {
                world.act(operator.telephone, Command::HangUp { call, reason: None });
            }
            world.act(operator.telephone, Command::Unregister);
        }
    }
}

impl Operator {
    fn on_event(&mut self, now: Duration, event: &Event, world: &mut World) {
        match event {
            Event::Registered { .. } if self.doing == Doing::Away => self.be_free(now, world),
            Event::Incoming { call, from_display, .. } => {
                self.on_ring(now, *call, language_of(from_display.as_str()), world);
            }
            Event::Dialling { call } => self.code = Code::Under { call: *call, until: None },
            Event::Refused { .. } if self.code == Code::Dialled => self.code = Code::None,
            Event::Answered { call } => self.on_answered(now, *call, world),
            Event::Ended { call, .. } | Event::Rejected { call, .. } => self.on_over(now, *call, world),
            _ => {}
        }
    }

    fn on_ring(&mut self, now: Duration, call: CallId, language: &str, world: &mut World) {
        if matches!(self.doing, Doing::Ringing { .. } | Doing::Talking { .. }) {
            let status = BUSY_HERE;
            return world.act(self.telephone, Command::Reject { call, status, contact: None });
        }
        let then = match world.share() * 100.0 {
            _ if world.draining => Then::Answer,
            drawn if drawn < f64::from(MISSED_OF_HUNDRED) => Then::Miss,
            drawn if drawn < f64::from(MISSED_OF_HUNDRED + REFUSED_OF_HUNDRED) => Then::Refuse,
            _ => Then::Answer,
        };
        self.doing = Doing::Ringing { call, then };
        self.next_at = (then != Then::Miss).then(|| now + world.between(ANSWER_AFTER_S.0, ANSWER_AFTER_S.1));
        let drawn = world.draw();
        let voice = world.voices.pick(Speaker::Operator, language, drawn);
        world.act(self.telephone, Command::Speak { call, voice });
    }

    fn on_answered(&mut self, now: Duration, answered: CallId, world: &mut World) {
        match (self.doing, &mut self.code) {
            (_, Code::Under { call, until }) if *call == answered => *until = Some(now + CONFIRMATION_MAX),
            (Doing::Ringing { call, .. }, _) if call == answered => {
                self.doing = Doing::Talking { call };
                let talk = TALK_MIN + world.exponential(TALK_MEAN_S);
                let talk = if world.draining {
                    world.between(LAST_WORDS_S.0, LAST_WORDS_S.1)
                } else {
                    world.sped_up(talk)
                };
                self.next_at = Some(now + talk);
            }
            _ => {}
        }
    }

    fn on_over(&mut self, now: Duration, over: CallId, world: &mut World) {
        match (self.doing, self.code) {
            (_, Code::Under { call, .. }) if call == over => self.code = Code::None,
            (Doing::Ringing { call, then: Then::Miss | Then::Refuse }, _) if call == over => {
                let recovery = world.between(RECOVERY_S.0, RECOVERY_S.1);
                self.pause(now, world.sped_up(recovery));
            }
            (Doing::Ringing { call, .. }, _) if call == over => self.be_free(now, world),
            (Doing::Talking { call }, _) if call == over => self.after_talk(now, world),
            _ => {}
        }
    }

    fn on_timeout(&mut self, now: Duration, world: &mut World) {
        if let Code::Under { call, until } = &mut self.code
            && until.take_if(|at| *at <= now).is_some()
        {
            world.act(self.telephone, Command::HangUp { call: *call, reason: None });
        }
        if self.next_at.take_if(|at| *at <= now).is_none() {
            return;
        }
        match self.doing {
            Doing::Away => world.act(self.telephone, Command::Register),
            Doing::Free if world.draining => {}
            Doing::Free => {
                let drawn = usize::try_from(world.draw()).unwrap_or(0);
                let codes = &world.plan.codes.pauses;
                if let Some(code) = codes.get(drawn % codes.len().max(1)).cloned() {
                    self.dial(&code, world);
                }
                let pause = world.between(PAUSE_S.0, PAUSE_S.1);
                self.pause(now, world.sped_up(pause));
            }
            Doing::Ringing { call, then: Then::Refuse } => {
                world.act(self.telephone, Command::Reject { call, status: DECLINED, contact: None });
            }
            Doing::Ringing { call, .. } => world.act(self.telephone, Command::Answer { call }),
            Doing::Talking { call } => {
                world.act(self.telephone, Command::HangUp { call, reason: None });
            }
            Doing::Paused => {
                let code = world.plan.codes.ready.clone();
                self.dial(&code, world);
                self.be_free(now, world);
            }
        }
    }

    fn be_free(&mut self, now: Duration, world: &mut World) {
        self.doing = Doing::Free;
        let work = WORK_MIN + world.exponential(WORK_MEAN_S);
        self.next_at = Some(now + world.sped_up(work));
    }

    fn pause(&mut self, now: Duration, time: Duration) {
        self.doing = Doing::Paused;
        self.next_at = Some(now + time);
    }

    fn after_talk(&mut self, now: Duration, world: &mut World) {
        if world.draining {
            self.be_free(now, world);
        } else if world.percent(DEBRIEF_OF_HUNDRED) {
            let code = world.plan.codes.debrief.clone();
            self.dial(&code, world);
            let debrief = world.between(DEBRIEF_S.0, DEBRIEF_S.1);
            self.pause(now, world.sped_up(debrief));
        } else if world.percent(DONE_EARLY_OF_HUNDRED) {
            // "Ready" ends the time to write up as it ends a pause.
            let early = world.between(DONE_EARLY_S.0, DONE_EARLY_S.1);
            self.pause(now, world.sped_up(early));
        } else {
            self.be_free(now, world);
        }
    }

    fn dial(&mut self, code: &str, world: &mut World) {
        let uri = format!("sip:{code}@{}", world.plan.domain);
        self.code = Code::Dialled;
        world.act(self.telephone, Command::Dial(Box::new(Dial::to(&uri))));
    }
}

impl Code {
    fn deadline(self) -> Option<Duration> {
        match self {
            Self::Under { until, .. } => until,
            Self::None | Self::Dialled => None,
        }
    }
}

/// Her display shows the line and, in brackets at the end, the language.
fn language_of(display: &str) -> &str {
    let language = display.rsplit_once('(').and_then(|(_, end)| end.strip_suffix(')'));
    language.unwrap_or("fr")
}
