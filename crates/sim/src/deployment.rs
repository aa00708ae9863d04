//! The deployment that worlds are built around: lines, operators, a trunk, prompts that are told apart by ear.
//!
//! Knows: the engine's settings. Must never know: what a world does with them; stories change what they need.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use acd::{Employer, Level, Proficiency, Ring, Strategy};
use call::{
    AnswerMode, Dialled, Exhausted, FeatureAction, FeatureCode, LanguageMenu, LinePolicy, MediaFromPolicy,
    NobodyEligible, OperatorPolicy, Refusal, Settings, TrunkPolicy,
};
use facts::{NumberingPlan, PseudonymKey, Pseudonymiser};
use media::{PromptBook, VoiceCodec};
use phone::Signature;
use sip::{Account, Algorithm, Credential, Listen, Transport, Trunk};

/// Where the engine listens.
pub const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), 5060);
/// The realm.
pub const DOMAIN: &str = "helpline.example";
/// The helpline: French and English, level 1, a menu.
pub const HELPLINE: &str = "3919";
/// The helpline, by a number that says English.
pub const HELPLINE_ENGLISH: &str = "+33142000002";
/// Complex cases: level 2, answered when an operator does; greeting as early media.
pub const COMPLEX: &str = "+33142000003";
/// A line without frills: no menu, ringing tone until an operator answers.
pub const PLAIN: &str = "+33142000004";
/// The signature of music.
pub const MUSIC: u64 = 500;
/// The signature of the words to a caller whose operator was lost.
pub const CUT_OFF: u64 = 501;
/// The signature of what a closed line says.
pub const CLOSED: u64 = 502;
/// The signature of what a full line says.
pub const FULL: u64 = 503;
/// The signature of a feature code's confirmation.
pub const CONFIRMED: u64 = 504;
/// The signature of every other prompt.
const WORDS: u64 = 510;

/// Name, employer, levels, French, English.
type Employee = (&'static str, Option<&'static str>, &'static [Level], u8, u8);

/// Who is who: name, employer (none: in-house), levels, French, English.
const STAFF: [Employee; 12] = [
    ("anne", None, &[Level::One, Level::Two], 5, 3),
    ("beatrice", None, &[Level::One, Level::Two], 5, 0),
    ("chloe", None, &[Level::One, Level::Two], 4, 4),
    ("diane", None, &[Level::One], 5, 2),
    ("elise", None, &[Level::One], 5, 0),
    ("fatou", None, &[Level::One], 4, 5),
    ("gaelle", None, &[Level::One], 3, 0),
    ("helene", None, &[Level::Two], 5, 5),
    ("ines", Some("acme"), &[Level::One], 5, 4),
    ("jeanne", Some("acme"), &[Level::One], 4, 0),
    // A slip of an administrator's: a subcontractor's operator accredited for level 2.
    ("karima", Some("acme"), &[Level::One, Level::Two], 5, 5),
    ("lucie", Some("voix"), &[Level::Two], 5, 5),
];

/// All operators' names.
pub fn operators() -> impl Iterator<Item = &'static str> {
    STAFF.iter().map(|(name, ..)| *name)
}

/// An operator's password.
pub fn password(operator: &str) -> String {
    format!("secret of {operator}")
}

/// The deployment.
pub fn settings() -> Settings {
    Settings {
        sip: sip_settings(),
        media: media::Settings {
            workers: 1,
            ports: 20_000..=20_999,
            local_v4: Some(Ipv4Addr::new(10, 0, 0, 1)),
            local_v6: None,
            advertised_v4: None,
            advertised_v6: None,
            codecs: vec![VoiceCodec::Pcma, VoiceCodec::Pcmu],
            quarantine: Duration::from_secs(10),
            silence: Some(Duration::from_secs(20)),
            prompts: Arc::new(prompts()),
        },
        plan: acd::Plan { lines: plan_lines(), operators: STAFF.iter().map(plan_operator).collect() },
        trunks: vec![TrunkPolicy {
            name: "carrier".into(),
            dialled: Dialled::RequestUri,
            international_numbers: false,
            media_from: MediaFromPolicy::Signalled,
            codecs: Vec::new(),
            calls_max: Some(60),
        }],
        lines: vec![helpline(), complex(), plain()],
        operators: operators()
            .map(|name| OperatorPolicy {
                name: name.into(),
                media_from: MediaFromPolicy::Registration,
                language: "fr".into(),
            })
            .collect(),
        feature_codes: feature_codes(),
        numbering: NumberingPlan::france(),
        pseudonymiser: Pseudonymiser::new(PseudonymKey::new([3; 32])),
    }
}

fn sip_settings() -> sip::Settings {
    let credential = |name: &str| {
        Credential::from_password(name, DOMAIN, &password(name), &[Algorithm::Sha256, Algorithm::Md5])
    };
    sip::Settings {
        listen: vec![Listen { transport: Transport::Udp, address: SERVER, advertised: None }],
        domain: DOMAIN.into(),
        aliases: Vec::new(),
        trunks: vec![Trunk {
            name: "carrier".into(),
            networks: vec![(IpAddr::V4(Ipv4Addr::new(10, 1, 0, 0)), 16)],
            credential: None,
            target: None,
            keep_alive: None,
            identity: sip::Identity::AssertedOrFrom,
        }],
        accounts: operators()
            .map(|name| Account { name: name.into(), credential: Some(credential(name)), fixed: None })
            .collect(),
        limits: sip::Limits::default(),
        product: Some("Vigie".into()),
    }
}

fn plan_lines() -> Vec<acd::Line> {
    let ring = |after: u64, language_min: u8, level_two_helps: bool| Ring {
        after: Duration::from_secs(after),
        language_min: Proficiency(language_min),
        level_two_helps,
        sites: Vec::new(),
    };
    let line = |name: &str, level| acd::Line {
        name: name.into(),
        level,
        languages: vec!["fr".into()],
        skills: Vec::new(),
        hours: acd::hours::Hours::always(),
        waiting_max: 12,
        wait_max: None,
        priority: 0,
        offer_ring: Duration::from_secs(20),
        wrap_up: Duration::from_secs(30),
        rings: vec![ring(0, 1, true)],
        strategy: Strategy::BestThenLongestIdle,
    };
    vec![
        acd::Line {
            languages: vec!["fr".into(), "en".into()],
            rings: vec![ring(0, 4, false), ring(20, 2, false), ring(45, 1, true)],
            ..line("helpline", Level::One)
        },
        acd::Line { priority: 1, wrap_up: Duration::from_secs(90), ..line("complex", Level::Two) },
        acd::Line {
            wait_max: Some(Duration::from_secs(240)),
            strategy: Strategy::LongestIdle,
            ..line("plain", Level::One)
        },
    ]
}

fn plan_operator((name, employer, levels, french, english): &Employee) -> acd::Operator {
    let languages = [("fr", *french), ("en", *english)];
    acd::Operator {
        name: (*name).into(),
        employer: employer.map_or(Employer::InHouse, |employer| Employer::Subcontractor(employer.into())),
        levels: levels.to_vec(),
        languages: languages
            .into_iter()
            .filter(|(_, proficiency)| *proficiency > 0)
            .map(|(language, proficiency)| (language.into(), Proficiency(proficiency)))
            .collect(),
        skills: Vec::new(),
        lines: Vec::new(),
        site: None,
        ready_on_sign_in: true,
        wrap_up: None,
        missed_max: 1,
    }
}

fn helpline() -> LinePolicy {
    LinePolicy {
        name: "helpline".into(),
        display: "Helpline".into(),
        numbers: vec![HELPLINE.into(), HELPLINE_ENGLISH.into()],
        answer: AnswerMode::AtOnce,
        greeting: vec!["greeting".into()],
        language_by_number: vec![(HELPLINE_ENGLISH.into(), "en".into())],
        menu: Some(LanguageMenu {
            prompts: vec!["language-menu".into()],
            options: vec![('1', "fr".into()), ('2', "en".into())],
            timeout: Duration::from_secs(4),
            rounds: 2,
            default: "fr".into(),
        }),
        waiting: vec!["please-wait".into()],
        music: vec!["music".into()],
        comfort: vec!["comfort".into()],
        comfort_every: Some(Duration::from_secs(30)),
        cut_off: vec!["cut-off".into()],
        closed: Refusal::Announce(vec!["closed".into()]),
        full: Refusal::Announce(vec!["full".into()]),
        last_resort: Exhausted::Keep(vec!["comfort".into()]),
        nobody_eligible: NobodyEligible {
            alarm: true,
            after: Duration::from_secs(120),
            then: Exhausted::AnnounceAndEnd(vec!["closed".into()]),
        },
    }
}

fn complex() -> LinePolicy {
    LinePolicy {
        name: "complex".into(),
        display: "Level 2".into(),
        numbers: vec![COMPLEX.into()],
        answer: AnswerMode::OnOperatorEarlyMedia,
        language_by_number: Vec::new(),
        menu: None,
        full: Refusal::Status(486),
        nobody_eligible: NobodyEligible {
            alarm: true,
            after: Duration::from_secs(60),
            then: Exhausted::Keep(vec!["comfort".into()]),
        },
        ..helpline()
    }
}

fn plain() -> LinePolicy {
    LinePolicy {
        name: "plain".into(),
        display: "Plain".into(),
        numbers: vec![PLAIN.into()],
        answer: AnswerMode::OnOperatorRinging,
        language_by_number: Vec::new(),
        menu: None,
        closed: Refusal::Status(480),
        last_resort: Exhausted::AnnounceAndEnd(vec!["closed".into()]),
        nobody_eligible: NobodyEligible {
            alarm: true,
            after: Duration::from_secs(30),
            then: Exhausted::OtherLine("helpline".into()),
        },
        ..helpline()
    }
}

fn feature_codes() -> Vec<FeatureCode> {
    let code = |code: &str, command| FeatureCode {
        code: code.into(),
        action: FeatureAction::State(command),
        confirmation: "confirmed".into(),
    };
    vec![
        code("*70", acd::OperatorCommand::SignIn),
        code("*71", acd::OperatorCommand::Ready),
        code("*72", acd::OperatorCommand::NotReady("break".into())),
        code("*73", acd::OperatorCommand::SignOut),
        code("*74", acd::OperatorCommand::Debrief),
    ]
}

/// Prompts of known length, each a chord of its own.
fn prompts() -> PromptBook {
    let mut book = PromptBook::new();
    let mut add = |name: &str, seconds: usize, signature: u64| {
        let frame = Signature::of(signature).samples();
        let samples: Vec<i16> = frame.iter().copied().cycle().take(seconds * 8000).collect();
        // Neither empty nor longer than an hour: it can't be refused.
        let _ = book.insert_samples(name, &samples);
    };
    for language in ["fr", "en"] {
        let words = [
            ("greeting", 3, WORDS),
            ("language-menu", 3, WORDS),
            ("please-wait", 2, WORDS),
            ("comfort", 2, WORDS),
            ("cut-off", 3, CUT_OFF),
            ("closed", 4, CLOSED),
            ("full", 4, FULL),
            ("confirmed", 2, CONFIRMED),
            ("wrong-code", 2, WORDS),
            ("call-refused", 2, WORDS),
        ];
        for (name, seconds, signature) in words {
            add(&format!("{name}.{language}"), seconds, signature);
        }
    }
    add("music", 10, MUSIC);
    book
}
