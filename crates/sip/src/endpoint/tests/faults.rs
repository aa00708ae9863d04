//! Bad weather, restarts at any step, and garbage: every call ends once, nothing is left, nothing panics.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::script::*;
use super::world::*;
use crate::*;

/// Plays users on every node for a while: each answers, refuses, holds, resumes and hangs up as a seed has it.
struct Users {
    seed: u64,
    /// Legs of each node, and how each has ended.
    legs: BTreeMap<(usize, DialogId), u32>,
}

impl Users {
    fn draw(&mut self, of: u64) -> u64 {
        // A small generator of its own, so that the world's randomness stays the network's.
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) % of
    }

    fn react(&mut self, world: &mut World, node: usize) {
        for event in world.events(node) {
            match event {
                Event::Incoming(incoming) => {
                    self.legs.insert((node, incoming.dialog), 0);
                    let leg = incoming.dialog;
                    match self.draw(5) {
                        0 => world.act(node, |endpoint, now| endpoint.reject(now, leg, 486, None)),
                        1 => world.act(node, |endpoint, now| endpoint.progress(now, leg, 180, None)),
                        _ => world.act(node, |endpoint, now| endpoint.answer(now, leg, answer())),
                    }
                }
                Event::Reoffer { dialog, sdp } => match (self.draw(4), sdp) {
                    (0, _) => world.act(node, |endpoint, now| endpoint.reject_reoffer(now, dialog, 488)),
                    _ => world.act(node, |endpoint, now| endpoint.answer_reoffer(now, dialog, answer())),
                },
                Event::Answered { dialog, .. } | Event::ReofferAnswered { dialog, .. } => {
                    world.act(node, |endpoint, now| endpoint.acknowledge(now, dialog, answer()));
                }
                Event::Failed { dialog, .. } | Event::Ended { dialog, .. } => {
                    *self.legs.entry((node, dialog)).or_default() += 1;
                }
                _ => {}
            }
        }
    }

    fn meddle(&mut self, world: &mut World) {
        let legs: Vec<(usize, DialogId)> =
            self.legs.iter().filter(|(_, ends)| **ends == 0).map(|(leg, _)| *leg).collect();
        let pick = usize::try_from(self.draw(legs.len().max(1) as u64)).unwrap();
        let Some((node, leg)) = legs.get(pick).copied() else { return };
        match self.draw(6) {
            0 => world.act(node, |endpoint, now| endpoint.end(now, leg, None)),
            1 => world.act(node, |endpoint, now| endpoint.reoffer(now, leg, Some(offer()))),
            2 => world.act(node, |endpoint, now| endpoint.reoffer(now, leg, None)),
            3 => world.act(node, |endpoint, now| endpoint.probe(now, leg)),
            4 => world.act(node, |endpoint, now| endpoint.answer(now, leg, answer())),
            _ => world.act(node, |endpoint, now| endpoint.progress(now, leg, 183, Some(answer()))),
        }
    }
}

fn play(seed: u64, transport: Transport, weather: Weather, restarts: bool) {
    let mut world = centre(seed, transport);
    world.weather = weather;
    let mut users = Users { seed, legs: BTreeMap::new() };
    for step in 0..120 {
        if step < 60 {
            let (node, invite) = match users.draw(4) {
                0 => (0, to_account("g2")),
                1 => (1, Invite { offer: None, ..to_trunk("centre", "3919") }),
                2 => (1, to_trunk("centre", "3919")),
                _ => (usize::MAX, to_trunk("centre", "3919")),
            };
            if node != usize::MAX {
                let leg = world.act(node, |endpoint, now| endpoint.invite(now, invite));
                users.legs.insert((node, leg), 0);
            }
        }
        for _ in 0..2 {
            users.meddle(&mut world);
        }
        if restarts && users.draw(15) == 0 {
            // What happened up to now was heard: users keep records of their own, of the same step.
            users.react(&mut world, 0);
            world.restart(0);
        }
        let ms = users.draw(3_000);
        world.run_ms(ms);
        for node in 0..3 {
            users.react(&mut world, node);
        }
    }
    world.weather = Weather::default();
    let left: Vec<(usize, DialogId)> =
        users.legs.iter().filter(|(_, ends)| **ends == 0).map(|(leg, _)| *leg).collect();
    for (node, leg) in left {
        world.act(node, |endpoint, now| endpoint.end(now, leg, None));
    }
    for _ in 0..20 {
        world.run_s(60);
        for node in 0..3 {
            users.react(&mut world, node);
        }
    }
    for ((node, leg), ends) in &users.legs {
        assert_eq!(*ends, 1, "seed {seed}: node {node} {leg:?} ended {ends} times");
    }
    for node in 0..3 {
        let counts = world.counts(node);
        assert_eq!((counts.dialogs, counts.transactions), (0, 0), "seed {seed}: node {node}");
        assert!(
            world.nodes[node].records.keys().all(|key| *key == 0),
            "seed {seed}: node {node} keeps records"
        );
    }
}

#[test]
fn every_leg_ends_once_in_fair_weather() {
    for seed in 0..20 {
        play(seed, Transport::Udp, Weather::default(), false);
        play(seed, Transport::Tcp, Weather::default(), false);
    }
}

#[test]
fn every_leg_ends_once_in_bad_weather() {
    for seed in 0..60 {
        play(seed, Transport::Udp, Weather { lost: 25, doubled: 20, late_ms: 700 }, false);
    }
}

#[test]
fn every_leg_ends_once_across_restarts() {
    for seed in 0..40 {
        play(seed, Transport::Udp, Weather { lost: 5, doubled: 5, late_ms: 200 }, true);
        play(seed, Transport::Tcp, Weather::default(), true);
    }
}

/// Pieces of requests and responses, so that garbage gets far.
fn fragment() -> impl Strategy<Value = String> {
    let methods = prop::sample::select(vec![
        "INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "UPDATE", "INFO", "PRACK",
    ]);
    let more = prop::sample::select(vec![
        "",
        SDP_BODY,
        "Contact: *\n",
        "Record-Route: <sip:nowhere.example;lr>\n",
        "Record-Route: <sip:x>\nReason: Q.850;cause=16\n",
        "Require: 100rel\n",
        "Authorization: Digest username=\"g2\", realm=\"vigie.example.org\", nonce=\"0\", uri=\"x\", response=\"0\"\n",
        "Content-Type: application/dtmf-relay\n\nSignal=1\n",
        "Expires: 0\nContact: <sip:a@b>\n",
    ]);
    let to = prop::sample::select(vec![TO, "<tel:+33123>", "<sip:g2@vigie.example.org>", "TAG"]);
    (methods, 0_u32..4, to, 0_u32..6, more).prop_map(|(method, branch, to, sequence, more)| {
        request(method, &format!("p{branch}"), to, sequence, more)
    })
}

#[derive(Clone, Debug)]
enum Op {
    Request(String),
    /// A response to the last request of ours.
    Response(u16, u8, bool),
    Garbage(Vec<u8>),
    Stream(u64, Vec<u8>),
    StreamClosed(u64),
    Invite(bool),
    Command(u8, u8),
    Pass(u32),
    Restart,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => fragment().prop_map(Op::Request),
        4 => (prop::sample::select(vec![100_u16, 180, 183, 200, 302, 401, 408, 481, 486, 487, 491, 503, 603]), 0_u8..3, any::<bool>())
            .prop_map(|(status, tag, sdp)| Op::Response(status, tag, sdp)),
        1 => prop::collection::vec(any::<u8>(), 0..200).prop_map(Op::Garbage),
        1 => (0_u64..3, prop::collection::vec(any::<u8>(), 0..80)).prop_map(|(stream, bytes)| Op::Stream(stream, bytes)),
        1 => (0_u64..6).prop_map(Op::StreamClosed),
        2 => any::<bool>().prop_map(Op::Invite),
        5 => (0_u8..10, any::<u8>()).prop_map(|(command, leg)| Op::Command(command, leg)),
        3 => (0_u32..40_000).prop_map(Op::Pass),
        1 => Just(Op::Restart),
    ]
}

fn apply(script: &mut Script, legs: &mut Vec<DialogId>, op: Op) {
    match op {
        Op::Request(text) => {
            let to = script.sent.iter().rev().find_map(|(_, message)| {
                message.core().to.tag().map(|_| message.core().to.as_bytes().to_vec())
            });
            let to = to.map_or_else(|| TO.to_owned(), |to| String::from_utf8_lossy(&to).into_owned());
            script.from(CARRIER, &text.replace("TAG", &to));
        }
        Op::Response(status, tag, sdp) => {
            let Some(request) = script.requests().pop().cloned() else { return };
            let more = if sdp { format!("Contact: <sip:p@10.0.0.9>\n{SDP_BODY}") } else { String::new() };
            script.from("10.0.0.9:5060", &reply(&request, status, &format!("t{tag}"), &more));
        }
        Op::Garbage(bytes) => {
            let input = Input::Datagram {
                local: CENTRE.parse().unwrap(),
                remote: STRANGER.parse().unwrap(),
                bytes: bytes.into(),
            };
            script.act(|endpoint, now| endpoint.handle(now, input));
        }
        Op::Stream(stream, bytes) => {
            script.stream_opened(stream * 2 + 1, "203.0.113.9:41000");
            script.stream_data(stream * 2 + 1, bytes.into());
        }
        Op::StreamClosed(stream) => script.stream_closed(stream),
        Op::Invite(with_offer) => {
            let mut invite = to_account("desk");
            if !with_offer {
                invite.offer = None;
            }
            legs.push(script.act(|endpoint, now| endpoint.invite(now, invite)));
        }
        Op::Command(command, leg) => {
            let Some(leg) = legs.get(usize::from(leg) % legs.len().max(1)).copied() else { return };
            script.act(|endpoint, now| match command {
                0 => endpoint.progress(now, leg, 180, None),
                1 => endpoint.answer(now, leg, answer()),
                2 => endpoint.reject(now, leg, 486, None),
                3 => endpoint.acknowledge(now, leg, answer()),
                4 => endpoint.reoffer(now, leg, Some(offer())),
                5 => endpoint.reoffer(now, leg, None),
                6 => endpoint.answer_reoffer(now, leg, answer()),
                7 => endpoint.reject_reoffer(now, leg, 488),
                8 => endpoint.probe(now, leg),
                _ => endpoint.end(now, leg, None),
            });
        }
        Op::Pass(ms) => script.pass(std::time::Duration::from_millis(u64::from(ms))),
        Op::Restart => script.restart(),
    }
    legs.extend(script.events.iter().filter_map(|event| match event {
        Event::Incoming(incoming) => Some(incoming.dialog),
        _ => None,
    }));
    legs.dedup();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_and_nothing_is_left(ops in prop::collection::vec(op(), 1..60)) {
        let mut script = Script::with(|settings| {
            let target = Target { host: "10.0.0.9".into(), port: None, transport: Transport::Udp, user: None };
            settings.accounts.push(Account { name: "desk".into(), credential: None, fixed: Some(target) });
        });
        let mut legs = Vec::new();
        for op in ops {
            apply(&mut script, &mut legs, op);
        }
        for leg in legs {
            script.act(|endpoint, now| endpoint.end(now, leg, None));
        }
        // The longest wait of all: a phone that once rang, timer C, then its BYE.
        script.pass_s(20 * 60);
        let counts = script.endpoint.counts();
        prop_assert_eq!((counts.dialogs, counts.transactions, counts.streams), (0, 0, 0));
        let mut ends: BTreeMap<DialogId, u32> = BTreeMap::new();
        for event in &script.events {
            if let Event::Ended { dialog, .. } | Event::Failed { dialog, .. } = event {
                *ends.entry(*dialog).or_default() += 1;
            }
        }
        prop_assert!(ends.values().all(|ends| *ends == 1), "a leg ended twice: {ends:?}");
    }

    #[test]
    fn datagrams_of_any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let mut script = Script::new();
        let input = Input::Datagram { local: CENTRE.parse().unwrap(), remote: STRANGER.parse().unwrap(), bytes: bytes.into() };
        script.act(|endpoint, now| endpoint.handle(now, input));
        prop_assert_eq!(script.endpoint.counts(), Counts::default());
    }
}
