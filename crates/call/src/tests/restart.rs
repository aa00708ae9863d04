//! What the engine does with the calls it finds after a restart, on the words of a trunk and of one phone.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use acd::{Employer, Level, Operator, Proficiency, Ring, Strategy};
use bytes::Bytes;
use facts::event::{EventKind, OfferOutcome, OperatorState, StateCause};
use media::VoiceCodec;

use super::*;
use crate::{Command, Engine, FeatureAction, FeatureCode, Input, OperatorPolicy, Output, Refused, Room};

const HERE: &str = "10.0.0.1:5060";
const TRUNK: &str = "10.1.0.1:5060";
const PHONE: &str = "10.2.0.1:5060";
const DESCRIPTION: &str = "v=0\r\no=- 1 1 IN IP4 10.1.0.1\r\ns=-\r\nc=IN IP4 10.1.0.1\r\nt=0 0\r\n\
    m=audio 4000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n";

/// The engine with its records, as the shell keeps them.
struct Rig {
    engine: Engine,
    now: Duration,
    records: BTreeMap<(Room, u64), Bytes>,
    facts: Vec<EventKind>,
    to_phone: Vec<String>,
    to_trunk: Vec<String>,
}

impl Rig {
    fn new() -> Self {
        let now = Duration::from_secs(1);
        let engine = Engine::new(now, deployment(), [1; 32], 1);
        let (records, facts, to_phone, to_trunk) = Default::default();
        let mut rig = Self { engine, now, records, facts, to_phone, to_trunk };
        rig.handle(Input::Wall { unix_micros_at_epoch: 1_700_000_000_000_000 });
        rig
    }

    fn handle(&mut self, input: Input) {
        self.engine.handle(self.now, input);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Persist { room, key, record: Some(record) } => {
                    self.records.insert((room, key), record);
                }
                Output::Persist { room, key, record: None } => {
                    self.records.remove(&(room, key));
                }
                Output::Fact(fact) => self.facts.push(fact.kind),
                Output::Datagram { remote, bytes, .. } => {
                    let to = if remote == address(PHONE) { &mut self.to_phone } else { &mut self.to_trunk };
                    to.push(String::from_utf8(bytes.to_vec()).unwrap());
                }
                _ => {}
            }
        }
    }

    fn says(&mut self, who: &str, message: &str) {
        let bytes = Bytes::from(message.to_owned());
        let (local, remote) = (address(HERE), address(who));
        self.handle(Input::Sip(sip::Input::Datagram { local, remote, bytes }));
    }

    fn calls(&mut self, number: &str) {
        let length = DESCRIPTION.len();
        self.says(
            TRUNK,
            &format!(
                "INVITE sip:{number}@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.1.0.1;branch=z9hG4bK1\r\n\
                 Max-Forwards: 70\r\nFrom: <sip:+33612345678@10.1.0.1>;tag=a\r\nTo: <sip:{number}@10.0.0.1>\r\n\
                 Call-ID: one\r\nCSeq: 1 INVITE\r\nContact: <sip:10.1.0.1>\r\n\
                 Content-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{DESCRIPTION}"
            ),
        );
    }

    /// The trunk's ACK of our 200.
    fn acknowledges(&mut self, number: &str) {
        let answer = self.to_trunk.iter().find(|message| message.starts_with("SIP/2.0 200")).expect("a 200");
        let to = answer.lines().find(|line| line.starts_with("To:")).expect("a To").to_owned();
        self.says(
            TRUNK,
            &format!(
                "ACK sip:{number}@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.1.0.1;branch=z9hG4bK2\r\n\
                 Max-Forwards: 70\r\nFrom: <sip:+33612345678@10.1.0.1>;tag=a\r\n{to}\r\n\
                 Call-ID: one\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n"
            ),
        );
    }

    /// The phone's answer to a request.
    fn answers(&mut self, request: &str, status: &str) {
        let copied = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
        let headers = request.lines().filter(|line| copied.iter().any(|name| line.starts_with(name)));
        let mut answer = format!("SIP/2.0 {status}\r\n");
        for line in headers {
            answer += line;
            answer += if line.starts_with("To:") { ";tag=b\r\n" } else { "\r\n" };
        }
        self.says(PHONE, &(answer + "Content-Length: 0\r\n\r\n"));
    }

    fn requests(&mut self, method: &str) -> Vec<String> {
        let all = std::mem::take(&mut self.to_phone);
        all.into_iter().filter(|message| message.starts_with(method)).collect()
    }

    /// `kill -9`, and a start from what was written, without the records that `lost` names.
    fn restarts(&mut self, lost: impl Fn(Room) -> bool) {
        self.facts.clear();
        self.now += Duration::from_secs(1);
        let records = std::mem::take(&mut self.records);
        let kept = records.into_iter().filter(|((room, _), _)| !lost(*room));
        let kept: Vec<(Room, u64, Bytes)> = kept.map(|((room, key), record)| (room, key, record)).collect();
        self.records = kept.iter().map(|(room, key, record)| ((*room, *key), record.clone())).collect();
        self.engine = Engine::restore(self.now, deployment(), [2; 32], 1, 1_700_000_000_000_000, kept);
        self.drain();
    }

    fn waits(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(at) = self.engine.poll_timeout().filter(|at| *at <= until) {
            self.now = at.max(self.now);
            self.handle(Input::Timeout);
        }
        self.now = until;
    }
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// One line of each level, and an in-house operator for both.
fn deployment() -> Settings {
    let mut settings = settings(vec![line("day", &["+33142000001"]), line("hard", &["+33142000002"])]);
    settings.lines[1].last_resort = Exhausted::OtherLine("day".into());
    settings.sip.listen =
        vec![sip::Listen { transport: sip::Transport::Udp, address: address(HERE), advertised: None }];
    settings.sip.trunks = vec![sip::Trunk {
        name: "carrier".into(),
        networks: vec![(address(TRUNK).ip(), 32)],
        credential: None,
        target: None,
        keep_alive: None,
        identity: sip::Identity::AssertedOrFrom,
    }];
    let fixed =
        sip::Target { host: "10.2.0.1".into(), port: Some(5060), transport: sip::Transport::Udp, user: None };
    settings.sip.accounts = vec![sip::Account { name: "amina".into(), credential: None, fixed: Some(fixed) }];
    settings.media.local_v4 = Some(Ipv4Addr::new(10, 0, 0, 1));
    settings.media.codecs = vec![VoiceCodec::Pcma];
    settings.trunks = vec![trunk(Dialled::RequestUri, false)];
    settings.operators = vec![OperatorPolicy {
        name: "amina".into(),
        media_from: MediaFromPolicy::Signalled,
        language: "fr".into(),
    }];
    settings.feature_codes = vec![FeatureCode {
        code: "*721".into(),
        action: FeatureAction::State(acd::OperatorCommand::NotReady("break".into())),
        confirmation: "break".into(),
    }];
    settings.plan = acd::Plan {
        lines: vec![plan_line("day", Level::One), plan_line("hard", Level::Two)],
        operators: vec![Operator {
            name: "amina".into(),
            employer: Employer::InHouse,
            levels: vec![Level::One, Level::Two],
            languages: vec![("fr".into(), Proficiency(5))],
            skills: Vec::new(),
            lines: Vec::new(),
            site: None,
            ready_on_sign_in: true,
            wrap_up: None,
            missed_max: 1,
        }],
    };
    assert_eq!(address(PHONE).ip(), IpAddr::V4(Ipv4Addr::new(10, 2, 0, 1)));
    settings
}

fn plan_line(name: &str, level: Level) -> acd::Line {
    acd::Line {
        name: name.into(),
        level,
        languages: vec!["fr".into()],
        skills: Vec::new(),
        hours: acd::hours::Hours::always(),
        waiting_max: 10,
        wait_max: Some(Duration::from_secs(30)),
        priority: 0,
        offer_ring: Duration::from_secs(20),
        wrap_up: Duration::ZERO,
        rings: vec![Ring {
            after: Duration::ZERO,
            language_min: Proficiency(1),
            level_two_helps: true,
            sites: Vec::new(),
        }],
        strategy: Strategy::LongestIdle,
    }
}

#[test]
fn a_restart_while_it_rings_is_no_refusal_of_hers() {
    let mut rig = Rig::new();
    rig.calls("+33142000001");
    let invite = rig.requests("INVITE").pop().expect("it rings");
    rig.answers(&invite, "180 Ringing");
    rig.restarts(|_| false);
    let withdrawn = |fact: &EventKind| matches!(fact, EventKind::OfferEnded { outcome, .. } if *outcome == OfferOutcome::Withdrawn);
    assert!(rig.facts.iter().any(withdrawn), "{:?}", rig.facts);
    let cancel = rig.requests("CANCEL").pop().expect("the old ringing is ended");
    rig.answers(&cancel, "200 OK");
    rig.answers(&invite, "487 Request Terminated");
    rig.waits(Duration::from_secs(15));
    assert!(!rig.requests("INVITE").is_empty(), "it rings again");
    let state = rig.engine.operator_state("amina");
    assert!(matches!(state, Some(acd::OperatorState::Offered(_))), "{state:?}");
}

#[test]
fn what_is_still_so_is_said_again() {
    let mut rig = Rig::new();
    rig.restarts(|_| false);
    assert!(rig.facts.iter().any(|fact| matches!(
        fact,
        EventKind::OperatorState { state: OperatorState::Ready, cause: StateCause::Restored, .. }
    )));
}

#[test]
fn a_call_of_which_a_room_lost_its_part_is_served_or_ended() {
    // The distributor's records are of another version: she arrives anew.
    let mut rig = Rig::new();
    rig.calls("+33142000001");
    rig.requests("INVITE").pop().expect("it rings");
    rig.restarts(|room| room == Room::Acd);
    rig.waits(Duration::from_secs(5));
    assert!(!rig.requests("INVITE").is_empty(), "it rings again");
    // SIP's cannot be unsealed: nobody would ever say that the call is over.
    rig.restarts(|room| room == Room::Sip);
    rig.waits(Duration::from_secs(5));
    assert!(rig.facts.iter().any(|fact| matches!(fact, EventKind::Ended { .. })), "{:?}", rig.facts);
    assert_eq!(rig.engine.counts().calls, 0);
}

#[test]
fn level_two_never_goes_to_a_line_of_level_one() {
    let mut rig = Rig::new();
    let command = acd::OperatorCommand::NotReady("break".into());
    let command = Command::Operator { operator: "amina".into(), command };
    rig.handle(Input::Command { token: 1, actor: crate::Actor::LocalControl, command });
    rig.calls("+33142000002");
    rig.acknowledges("+33142000002");
    rig.waits(Duration::from_secs(120));
    let queued = rig.facts.iter().filter(|fact| matches!(fact, EventKind::Queued { .. })).count();
    assert_eq!((queued, rig.engine.counts().calls), (1, 1), "she keeps her place");
}

#[test]
fn a_reason_that_configuration_does_not_name_is_refused() {
    let mut rig = Rig::new();
    let command = acd::OperatorCommand::NotReady("holiday".into());
    let refused = rig.engine.execute(
        rig.now,
        &crate::Actor::LocalControl,
        Command::Operator { operator: "amina".into(), command },
    );
    assert_eq!(refused, Err(Refused::UnknownReason("holiday".into())));
}
