//! Two telephones and a simulated network between them.

mod flows;
mod lossy;
mod registrar;
mod wire;

use super::*;
use crate::arrivals::{SERVERS_MAX, STREAMS_MAX};
use crate::{Answering, Dial, End, Ringing, RtpMode, Voice};
use std::collections::BinaryHeap;
use std::net::SocketAddr;

pub(crate) const MS: Duration = Duration::from_millis(1);
pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// What the network does to datagrams, in per cent.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Weather {
    pub(crate) loss: u64,
    pub(crate) duplication: u64,
    pub(crate) reordering: u64,
}

/// One datagram under way. Ordered by time, then by number, earliest greatest.
struct Flying {
    at: Duration,
    number: u64,
    to: SocketAddr,
    from: SocketAddr,
    bytes: Vec<u8>,
}

impl PartialEq for Flying {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.number) == (other.at, other.number)
    }
}
impl Eq for Flying {}
impl PartialOrd for Flying {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Flying {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (other.at, other.number).cmp(&(self.at, self.number))
    }
}

/// Says of a sender and a first line whether the network drops the message.
pub(crate) type Filter = Box<dyn FnMut(usize, &str) -> bool>;

/// Two phones that call each other directly: `a` dials, `b` answers.
pub(crate) struct Pair {
    pub(crate) now: Duration,
    pub(crate) phones: [Phone; 2],
    pub(crate) events: [Vec<(Duration, Event)>; 2],
    pub(crate) weather: Weather,
    /// Every SIP message sent, with its sender, as first line.
    pub(crate) ladder: Vec<(usize, String)>,
    pub(crate) filter: Option<Filter>,
    flying: BinaryHeap<Flying>,
    number: u64,
    random: ChaCha12Rng,
}

pub(crate) fn address(phone: usize) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1 + phone as u8], 5060))
}

pub(crate) fn config(phone: usize) -> PhoneConfig {
    let mut config = PhoneConfig::new(["ann", "bea"][phone], address(phone), address(1 - phone));
    config.voice = Voice::Signature(Signature::of(phone as u64 * 17 + 3));
    config
}

impl Pair {
    pub(crate) fn new(seed: u8) -> Self {
        Self::of(seed, config(0), config(1))
    }

    pub(crate) fn of(seed: u8, a: PhoneConfig, b: PhoneConfig) -> Self {
        Self {
            now: Duration::ZERO,
            phones: [Phone::new(a, [seed; 32]), Phone::new(b, [seed ^ 0x5a; 32])],
            events: [Vec::new(), Vec::new()],
            weather: Weather::default(),
            ladder: Vec::new(),
            filter: None,
            flying: BinaryHeap::new(),
            number: 0,
            random: ChaCha12Rng::from_seed([seed ^ 0xa5; 32]),
        }
    }

    pub(crate) fn command(&mut self, phone: usize, command: Command) {
        self.phones[phone].handle(self.now, Input::Command(command));
        self.drain(phone);
    }

    pub(crate) fn dial(&mut self) -> CallId {
        self.dial_with(Dial::to("sip:bea@192.0.2.2"))
    }

    pub(crate) fn dial_with(&mut self, dial: Dial) -> CallId {
        self.command(0, Command::Dial(Box::new(dial)));
        let dialled = self.events[0].iter().rev().find_map(|(_, event)| match event {
            Event::Dialling { call } => Some(*call),
            _ => None,
        });
        dialled.expect("the phone dials")
    }

    pub(crate) fn behave(&mut self, phone: usize, ringing: Ringing, answering: Answering) {
        self.command(phone, Command::Behave(Behaviour { ringing, answering }));
    }

    /// A call that is up, its id the same at both ends of a fresh pair.
    pub(crate) fn up(&mut self) -> CallId {
        self.behave(1, Ringing::Ring, Answering::Accept { after: 500 * MS });
        let call = self.dial();
        self.run(SECOND * 2);
        for phone in 0..2 {
            assert!(self.phones[phone].is_established(call));
            assert!(
                self.count(phone, |event| matches!(event, Event::Answered { .. })) > 0,
                "{:?}",
                self.events
            );
        }
        call
    }

    /// Lets that much time pass.
    pub(crate) fn run(&mut self, time: Duration) {
        let until = self.now + time;
        loop {
            let flying = self.flying.peek().map(|flying| flying.at);
            let timers =
                (0..2).filter_map(|phone| self.phones[phone].poll_timeout().map(|at| (at, phone))).min();
            let next = match (flying, timers) {
                (Some(at), Some((timer, _))) if at <= timer => Some((at, None)),
                (Some(at), None) => Some((at, None)),
                (_, Some((at, phone))) => Some((at, Some(phone))),
                (None, None) => None,
            };
            let Some((at, phone)) = next.filter(|(at, _)| *at <= until) else { break };
            self.now = self.now.max(at);
            match phone {
                Some(phone) => {
                    self.phones[phone].handle(self.now, Input::Timeout);
                    self.drain(phone);
                    let next = self.phones[phone].poll_timeout();
                    assert!(next.is_none_or(|next| next > self.now), "a timer must move on");
                }
                None => self.deliver(),
            }
        }
        self.now = until;
    }

    pub(crate) fn count(&self, phone: usize, is: impl Fn(&Event) -> bool) -> usize {
        self.events[phone].iter().filter(|(_, event)| is(event)).count()
    }

    pub(crate) fn ends(&self, phone: usize) -> Vec<End> {
        let end = |(_, event): &(Duration, Event)| match event {
            Event::Ended { end, .. } => Some(*end),
            _ => None,
        };
        self.events[phone].iter().filter_map(end).collect()
    }

    pub(crate) fn last_media(&self, phone: usize) -> MediaReport {
        let media = |(_, event): &(Duration, Event)| match event {
            Event::Ended { media, .. } | Event::Rejected { media, .. } => Some(*media),
            _ => None,
        };
        self.events[phone].iter().rev().find_map(media).expect("a call ended")
    }

    /// How often a phone sent a message whose first line begins so.
    pub(crate) fn sent(&self, phone: usize, start: &str) -> usize {
        self.ladder.iter().filter(|(by, line)| *by == phone && line.starts_with(start)).count()
    }

    /// After everything is over, nothing may be left.
    pub(crate) fn assert_nothing_left(&mut self) {
        self.run(SECOND * 120);
        for phone in &self.phones {
            assert!(phone.is_idle(), "calls {:?}", phone.calls().collect::<Vec<_>>());
            assert_eq!(phone.poll_timeout(), None);
            assert_eq!(phone.counters().dropped_outputs, 0);
            assert_eq!(phone.counters().malformed, 0);
        }
    }

    fn deliver(&mut self) {
        let Some(flying) = self.flying.pop() else { return };
        for phone in 0..2 {
            let sip = address(phone) == flying.to;
            let port = self.phones[phone].config.rtp.iter().position(|rtp| *rtp == flying.to);
            let (from, bytes) = (flying.from, flying.bytes.as_slice());
            if sip {
                self.phones[phone].handle(self.now, Input::SipDatagram { from, bytes });
            } else if let Some(port) = port {
                self.phones[phone].handle(self.now, Input::Rtp { port, from, bytes });
            }
            self.drain(phone);
        }
    }

    fn drain(&mut self, phone: usize) {
        while let Some(output) = self.phones[phone].poll_output() {
            match output {
                Output::SipDatagram { to, bytes } => {
                    let text = String::from_utf8_lossy(&bytes);
                    let line = text.lines().next().unwrap_or_default().to_owned();
                    let dropped = self.filter.as_mut().is_some_and(|filter| filter(phone, &line));
                    self.ladder.push((phone, line));
                    if !dropped {
                        self.send(address(phone), to, bytes);
                    }
                }
                Output::Rtp { port, to, bytes, .. } => {
                    let from = self.phones[phone].config.rtp[port];
                    self.send(from, to, bytes);
                }
                Output::Event(event) => self.events[phone].push((self.now, event)),
                Output::SipStream { .. } | Output::CloseStream { .. } => panic!("this pair speaks datagrams"),
            }
        }
    }

    fn send(&mut self, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>) {
        let copies = 1 + u32::from(self.chance(self.weather.duplication));
        for _ in 0..copies {
            if self.chance(self.weather.loss) {
                continue;
            }
            let late = if self.chance(self.weather.reordering) { 60 * MS } else { Duration::ZERO };
            self.number += 1;
            let (at, number, bytes) = (self.now + 10 * MS + late, self.number, bytes.clone());
            self.flying.push(Flying { at, number, to, from, bytes });
        }
    }

    fn chance(&mut self, per_cent: u64) -> bool {
        self.random.next_u64() % 100 < per_cent
    }
}

/// A mode for tests that are not about sound.
pub(crate) fn quiet(mut config: PhoneConfig) -> PhoneConfig {
    config.rtp_mode = RtpMode::Off;
    config
}
