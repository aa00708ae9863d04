//! Real sockets on loopback: a bridge forwards both ways, prompts arrive, nothing that must arrive is lost.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use crossbeam_channel::{Receiver, bounded};
use media::{
    Allocate, Allocated, Control, Event, Input, LegId, MediaFrom, Output, Playlist, PromptBook, VoiceCodec,
};

use super::*;

const PATIENCE: Duration = Duration::from_secs(10);

/// The engine's side, played by the test.
struct Engine {
    control: Control,
    threads: MediaThreads,
    lane: Receiver<(usize, WorkerEvent)>,
    ports: std::ops::RangeInclusive<u16>,
    events: Vec<Event>,
}

struct Phone {
    socket: UdpSocket,
    ours: SocketAddr,
    sequence: u16,
}

/// A range that nobody uses now; a test that loses the race for it would fail to latch, so each test tries its own.
fn free_ports(host: &str, from: u16) -> std::ops::RangeInclusive<u16> {
    let free = |first: u16| (first..first + 20).all(|port| UdpSocket::bind((host, port)).is_ok());
    let first = (from..60_000).step_by(40).find(|&first| free(first)).expect("some ports are free");
    first..=first + 19
}

impl Engine {
    fn start(ports_from: u16, lane_room: usize) -> Self {
        let mut prompts = PromptBook::new();
        let samples: Vec<i16> = (0..4000).map(|n| if n % 20 < 10 { 3000 } else { -3000 }).collect();
        prompts.insert_samples("greeting", &samples).unwrap();
        let settings = Settings {
            workers: 2,
            ports: free_ports("127.0.0.1", ports_from),
            local_v4: Some("127.0.0.1".parse().unwrap()),
            local_v6: Some("::1".parse().unwrap()),
            advertised_v4: None,
            advertised_v6: None,
            codecs: vec![VoiceCodec::Pcma],
            quarantine: Duration::from_secs(1),
            silence: None,
            prompts: Arc::new(prompts),
        };
        let (lane_in, lane) = bounded(lane_room);
        let threads = MediaThreads::start(&settings, lane_in).unwrap();
        let ports = settings.ports.clone();
        let control = Control::new(clock::engine_now(), settings, [1; 32]);
        Self { control, threads, lane, ports, events: Vec::new() }
    }

    fn carry(&mut self) {
        loop {
            while let Some(output) = self.control.poll_output() {
                match output {
                    Output::Command { worker, command } => self.threads.command(worker, command),
                    Output::Event(event) => self.events.push(event),
                    Output::Persist { .. } => {}
                }
            }
            let Ok((worker, event)) = self.lane.try_recv() else { break };
            self.control.handle(clock::engine_now(), Input::Worker { worker, event });
        }
    }

    /// Carries until it is true.
    fn until(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        let deadline = clock::engine_now() + PATIENCE;
        loop {
            self.carry();
            if done(self) {
                return;
            }
            assert!(clock::engine_now() < deadline, "{what}: {:?} {:?}", self.events, self.threads.counts());
            if let Ok((worker, event)) = self.lane.recv_timeout(Duration::from_millis(5)) {
                self.control.handle(clock::engine_now(), Input::Worker { worker, event });
            }
        }
    }

    fn phone(&mut self, host: &str, partner: Option<LegId>) -> (LegId, Phone) {
        let socket = UdpSocket::bind((host, 0)).unwrap();
        socket.set_nonblocking(true).unwrap();
        let at = socket.local_addr().unwrap();
        let family = if at.is_ipv4() { "IP4" } else { "IP6" };
        let offer = format!("v=0\r\nc=IN {family} {}\r\nm=audio {} RTP/AVP 8\r\n", at.ip(), at.port());
        let request = Allocate {
            media_from: MediaFrom::Signalled,
            offer: Some(Bytes::from(offer)),
            partner,
            ipv6: false,
            codecs: Vec::new(),
        };
        let Allocated { leg, sdp } = self.control.allocate(clock::engine_now(), request).unwrap();
        let sdp = String::from_utf8(sdp.to_vec()).unwrap();
        let port = sdp.split("m=audio ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
        self.carry();
        (leg, Phone { socket, ours: SocketAddr::new(at.ip(), port), sequence: 0 })
    }
}

impl Phone {
    fn say(&mut self, code: u8) {
        self.sequence += 1;
        let mut packet = vec![0x80, 8];
        packet.extend(self.sequence.to_be_bytes());
        packet.extend((u32::from(self.sequence) * 160).to_be_bytes());
        packet.extend([0, 0, 0, code]);
        packet.extend([code; 160]);
        // Before the port is open the network says so on the next send; a phone goes on.
        let _ = self.socket.send_to(&packet, self.ours);
    }

    /// What arrived since: the first byte of each payload.
    fn heard(&self) -> Vec<u8> {
        let mut buffer = [0; 2048];
        let mut heard = Vec::new();
        while let Ok((length, from)) = self.socket.recv_from(&mut buffer) {
            assert_eq!(from, self.ours, "symmetric");
            if length == 172 {
                heard.push(buffer[12]);
            }
        }
        heard
    }
}

#[test]
fn a_bridge_forwards_both_ways_and_ports_close_at_the_end() {
    for (hosts, from) in [(["127.0.0.1", "127.0.0.1"], 30_000), (["127.0.0.1", "::1"], 36_000)] {
        let mut engine = Engine::start(from, 1024);
        let (a, mut caller) = engine.phone(hosts[0], None);
        let (b, mut operator) = engine.phone(hosts[1], Some(a));
        engine.control.bridge(clock::engine_now(), a, b);
        let (mut by_caller, mut by_operator) = (Vec::new(), Vec::new());
        engine.until("both hear each other", |_| {
            caller.say(0x11);
            operator.say(0x22);
            by_caller.extend(caller.heard());
            by_operator.extend(operator.heard());
            by_caller.len() >= 10 && by_operator.len() >= 10
        });
        assert!(by_caller.iter().all(|&code| code == 0x22));
        assert!(by_operator.iter().all(|&code| code == 0x11));
        // A stranger isn't heard: after latching the kernel itself drops it.
        let stranger = UdpSocket::bind((hosts[0], 0)).unwrap();
        stranger.send_to(&[0x80; 172], caller.ours).unwrap();
        engine.control.release(clock::engine_now(), a);
        engine.control.release(clock::engine_now(), b);
        engine.until("both are released", |engine| {
            engine.events.iter().filter(|event| matches!(event, Event::Released { .. })).count() == 2
        });
        assert!(
            engine
                .events
                .iter()
                .any(|event| matches!(event, Event::Latched { leg, as_signalled: true, .. } if *leg == a))
        );
        assert!(UdpSocket::bind(caller.ours).is_ok(), "the port is free again");
        engine.threads.stop();
    }
}

#[test]
fn a_prompt_arrives_in_its_time() {
    let mut engine = Engine::start(42_000, 1024);
    let (leg, caller) = engine.phone("127.0.0.1", None);
    let started = clock::engine_now();
    let prompts = vec!["greeting".into()];
    let playlist = Playlist { prompts, repeat: false, gap: Duration::ZERO, tag: 4 };
    engine.control.play(started, leg, playlist);
    engine.until("the prompt is done", |engine| engine.events.contains(&Event::PlayDone { leg, tag: 4 }));
    let took = clock::engine_now() - started;
    assert!(took >= Duration::from_millis(450), "500 ms of sound took {took:?}");
    assert_eq!(caller.heard().len(), 25);
}

#[test]
fn what_must_arrive_waits_for_room() {
    let mut engine = Engine::start(48_000, 1);
    let legs: Vec<_> = (0..8).map(|_| engine.phone("127.0.0.1", None).0).collect();
    for &leg in &legs {
        engine.control.release(clock::engine_now(), leg);
    }
    engine.until("all are released", |engine| {
        engine.events.iter().filter(|event| matches!(event, Event::Released { .. })).count() == legs.len()
    });
}

#[test]
fn a_port_that_is_taken_is_told() {
    let mut engine = Engine::start(54_000, 1024);
    let _taken: Vec<_> = engine.ports.clone().map(|port| UdpSocket::bind(("127.0.0.1", port))).collect();
    let (leg, _) = engine.phone("127.0.0.1", None);
    engine.until("it is told", |engine| {
        engine.events.iter().any(|event| matches!(event, Event::Trouble { leg: at, .. } if *at == leg))
    });
}
