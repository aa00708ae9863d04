//! The demonstration while it runs: telephones, people and the board, turn by turn.
//!
//! Knows: the order of things in a turn, and how it ends. Must never decide: what people do, or what is shown where.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use facts::board::Stage;
use facts::{Board, UnixMicros};
use phone::{Credentials, PhoneConfig, Voice};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::board::{self, View};
use super::cast::{Cast, Login, Pseudonyms};
use super::joining;
use super::people::{Input, Number, People, Plan};
use super::place::{ADDRESS, CARRIER};
use super::screen::{Screen, Touch};
use super::telephones::{Place, Telephones};
use super::voices::Voices;
use crate::cli::DemoArguments;
use crate::clock;
use crate::program::Program;

/// Calls at once that the simulated carrier can have; each has a socket for its sound.
const CARRIER_CALLS_MAX: usize = 128;
/// An operator's telephone: her call, a feature code beside it, and one that is just over.
const OPERATOR_CALLS_MAX: usize = 3;
/// How often it is looked who hears a person.
const LOOK_EVERY: Duration = Duration::from_millis(300);
const DRAW_EVERY: Duration = Duration::from_secs(1);
/// How often a line is written where there is no board.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// Operators who come back from a pause dial a code for it, which a vigie that drains no longer takes.
const DRAIN_AFTER: Duration = Duration::from_secs(1);
/// After that, whoever still waits or talks is cut off: somebody wants to go home.
const DRAIN_MAX: Duration = Duration::from_secs(60);
/// Time for the last BYE and its answer.
const GOODBYE: Duration = Duration::from_millis(700);
/// Touches that may wait to be noticed.
const TOUCHES_MAX: usize = 16;

/// Everything that moves.
pub(crate) struct Show<'a> {
    program: &'a Program,
    cast: &'a Cast,
    pseudonyms: Pseudonyms,
    telephones: Telephones,
    people: People,
    title: String,
    footer: Vec<String>,
    duration: Option<Duration>,
    /// When it began to end.
    draining_since: Option<Duration>,
    /// When the engine is told so.
    drains_at: Option<Duration>,
    look_at: Duration,
    draw_at: Duration,
}

impl<'a> Show<'a> {
    /// Plugs all telephones in; nobody calls yet.
    pub(crate) async fn set_up(
        arguments: &DemoArguments,
        program: &'a Program,
        cast: &'a Cast,
        pseudonyms: Pseudonyms,
        seed: u64,
        server: SocketAddr,
    ) -> io::Result<Self> {
        let mut telephones = Telephones::new(seed);
        let place = |address, port, calls_max| Place { address, port, calls_max };
        // On the usual port a packet capture is understood without being told.
        let carrier = place(CARRIER, server.port(), CARRIER_CALLS_MAX);
        telephones
            .plug_in(carrier, server, |config| PhoneConfig {
                user: "carrier".into(),
                user_agent: "simulated carrier".into(),
                voice: Voice::Silence,
                ..config
            })
            .await?;
        for login in &cast.operators {
            let operator = place(ADDRESS, 0, OPERATOR_CALLS_MAX);
            telephones
                .plug_in(operator, server, |config| operators_telephone(config, login, &cast.domain))
                .await?;
        }
        let plan = Plan {
            calls_per_hour: arguments.calls_per_hour,
            speed: arguments.speed,
            calls_max: CARRIER_CALLS_MAX,
            lines: cast.lines.clone(),
            operators: cast.operators.len(),
            codes: cast.codes.clone(),
            host: server.to_string(),
            caller_host: CARRIER.to_string(),
            domain: cast.domain.clone(),
        };
        let pace = if arguments.speed == 1.0 {
            String::new()
        } else {
            format!(", {} times faster", arguments.speed)
        };
        Ok(Self {
            program,
            cast,
            pseudonyms,
            telephones,
            people: People::new(plan, Voices::shipped(), seed),
            title: format!(
                "Vigie demonstration on {server}: {} calls an hour{pace}",
                arguments.calls_per_hour
            ),
            footer: joining::footer(cast, &server.to_string()),
            duration: arguments.duration,
            draining_since: None,
            drains_at: None,
            look_at: Duration::ZERO,
            draw_at: Duration::ZERO,
        })
    }

    /// Plays until it is ended; says for how long it ran.
    pub(crate) async fn play(&mut self) -> io::Result<Duration> {
        let mut ends = Ends::new()?;
        let (touched, mut touches) = mpsc::channel(TOUCHES_MAX);
        // Kept, so that `touches` never ends where there is no screen.
        let mut screen = Screen::open(touched.clone());
        loop {
            let until = self.next_at();
            tokio::select! {
                () = self.telephones.turn(until) => {}
                () = ends.wait() => if self.end() { break },
                Some(touch) = touches.recv() => match touch {
                    Touch::End => if self.end() { break },
                    Touch::Resized => self.draw_at = Duration::ZERO,
                },
            }
            let now = self.telephones.now();
            self.live(now);
            if now >= self.draw_at {
                self.draw(now, screen.as_mut())?;
            }
            if self.drains_at.take_if(|at| *at <= now).is_some() {
                self.program.drain();
            }
            if self.duration.is_some_and(|duration| now >= duration) && self.draining_since.is_none() {
                self.end();
            }
            if self.is_over(now) {
                break;
            }
        }
        drop(screen);
        let ran_for = self.telephones.now();
        self.say_goodbye().await;
        Ok(ran_for)
    }

    fn next_at(&self) -> Duration {
        let next = self.look_at.min(self.draw_at).min(self.drains_at.unwrap_or(Duration::MAX));
        self.people.poll_timeout().map_or(next, |at| at.min(next))
    }

    /// What came at the telephones is noticed by people, and what they do is done, until nothing more follows.
    fn live(&mut self, now: Duration) {
        if now >= self.look_at {
            self.look_at = now + LOOK_EVERY;
            let hearing = self.hearing();
            self.people.handle(now, Input::Hears(&hearing));
        }
        if self.people.poll_timeout().is_some_and(|at| at <= now) {
            self.people.handle(now, Input::Timeout);
        }
        loop {
            while let Some(action) = self.people.poll_action() {
                self.telephones.command(action.telephone, action.command);
            }
            let Some((telephone, event)) = self.telephones.poll_event() else { break };
            self.people.handle(now, Input::Telephone(telephone, &event));
        }
    }

    /// The simulated callers who are bridged to somebody.
    fn hearing(&self) -> Vec<Number> {
        self.program.projection().look(|board| {
            let talking = board.contacts().values().filter(|contact| contact.stage == Stage::Talking);
            talking.filter_map(|contact| self.pseudonyms.number(&contact.caller)).collect()
        })
    }

    /// Begins to end; true if it had begun already.
    fn end(&mut self) -> bool {
        if self.draining_since.is_some() {
            return true;
        }
        let now = self.telephones.now();
        self.draining_since = Some(now);
        self.draw_at = now;
        self.drains_at = Some(now + DRAIN_AFTER);
        self.people.handle(now, Input::Drain);
        false
    }

    fn is_over(&self, now: Duration) -> bool {
        let Some(since) = self.draining_since else { return false };
        now >= since + DRAIN_MAX
            || (self.drains_at.is_none() && self.people.calling() == 0 && self.program.live_calls() == 0)
    }

    fn draw(&mut self, now: Duration, screen: Option<&mut Screen>) -> io::Result<()> {
        let projection = self.program.projection();
        match screen {
            Some(screen) => {
                let (columns, height) = screen.size();
                let rows = projection.look(|board| board::rows(&self.view(board, now), columns, height));
                self.draw_at = now + DRAW_EVERY;
                screen.show(&rows)
            }
            None => {
                let line = projection.look(|board| board::line(&self.view(board, now)));
                super::say(&format!("{line}\n"));
                self.draw_at = now + LINE_EVERY;
                Ok(())
            }
        }
    }

    fn view<'v>(&'v self, board: &'v Board, running_for: Duration) -> View<'v> {
        View {
            board,
            now: unix_now(),
            running_for,
            names: &self.cast.names,
            title: &self.title,
            draining: self.draining_since.is_some(),
            footer: &self.footer,
        }
    }

    /// Everybody hangs up and signs out.
    async fn say_goodbye(&mut self) {
        self.people.all_leave();
        let until = self.telephones.now() + GOODBYE;
        while self.telephones.now() < until {
            self.live(self.telephones.now());
            self.telephones.turn(until).await;
        }
    }
}

fn operators_telephone(config: PhoneConfig, login: &Login, domain: &str) -> PhoneConfig {
    PhoneConfig {
        user: login.user.as_str().into(),
        domain: domain.to_owned(),
        credentials: Some(Credentials { user: login.user.clone(), password: login.password.clone() }),
        user_agent: "simulated telephone".into(),
        voice: Voice::Silence,
        ..config
    }
}

/// Now, by the wall clock.
pub(crate) fn unix_now() -> UnixMicros {
    UnixMicros(clock::unix_micros_at_epoch()).plus(clock::engine_now())
}

/// The signals by which somebody ends a program.
struct Ends([Signal; 3]);

impl Ends {
    fn new() -> io::Result<Self> {
        Ok(Self([
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ]))
    }

    async fn wait(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
