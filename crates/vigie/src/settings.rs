//! From a deployment, as configured, to the engine's settings: the one place where the two vocabularies meet.
//!
//! Knows: both. Must never check: what is configured was checked when it was read.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use call::{AnswerMode, Exhausted, FeatureAction, FeatureCode, LanguageMenu, LinePolicy, MediaFromPolicy};
use call::{NobodyEligible, OperatorPolicy, Refusal, Settings, TrunkPolicy};
use facts::{PseudonymKey, Pseudonymiser};

use crate::config::{self, Deployment, DigestAlgorithm, Line, MediaFrom, Operator, Trunk};

/// A released port pair rests this long: late packets of one call must not be heard in another.
const PORT_QUARANTINE: Duration = Duration::from_secs(10);
/// A leg without a packet for so long is asked whether it still lives.
const SILENCE: Duration = Duration::from_secs(10);

/// The engine's settings. `listen` are the bound sockets in the order of the configuration, with their real ports;
/// `workers` is the number of media threads.
pub fn settings(
    deployment: &Deployment,
    listen: Vec<sip::Listen>,
    pseudonymiser: Pseudonymiser,
    workers: usize,
) -> Settings {
    let node = &deployment.node;
    Settings {
        sip: sip_settings(deployment, listen),
        media: media_settings(deployment, workers),
        plan: acd::Plan {
            lines: deployment.lines.iter().map(plan_line).collect(),
            operators: deployment.operators.iter().map(plan_operator).collect(),
        },
        trunks: deployment.trunks.iter().map(trunk_policy).collect(),
        lines: deployment.lines.iter().map(line_policy).collect(),
        operators: deployment
            .operators
            .iter()
            .map(|operator| OperatorPolicy {
                name: operator.name.as_str().into(),
                media_from: media_from(&operator.media_from),
                language: operator_language(operator, &node.default_language),
            })
            .collect(),
        feature_codes: feature_codes(deployment),
        numbering: node.numbering.clone(),
        pseudonymiser,
    }
}

/// The pseudonymiser under the deployment's key; none while the key file does not exist.
pub fn pseudonymiser(deployment: &Deployment) -> Option<Pseudonymiser> {
    let key = deployment.node.state.pseudonym_key.as_ref()?;
    Some(Pseudonymiser::new(PseudonymKey::new(key.reveal())))
}

fn sip_settings(deployment: &Deployment, listen: Vec<sip::Listen>) -> sip::Settings {
    let node = &deployment.node;
    let admission = &node.admission;
    sip::Settings {
        listen,
        domain: node.sip.domain.as_str().into(),
        aliases: node.sip.aliases.iter().map(|alias| alias.as_str().into()).collect(),
        trunks: deployment
            .trunks
            .iter()
            .map(|trunk| sip::Trunk {
                name: trunk.name.as_str().into(),
                networks: trunk.networks.iter().map(network).collect(),
                credential: trunk.account.as_ref().map(credential),
                target: trunk.target.as_ref().map(target),
                keep_alive: trunk.keep_alive,
                identity: match trunk.caller_identity {
                    config::CallerIdentity::AssertedIdentity => sip::Identity::Asserted,
                    config::CallerIdentity::AssertedIdentityOrFrom => sip::Identity::AssertedOrFrom,
                    config::CallerIdentity::From => sip::Identity::From,
                },
            })
            .collect(),
        accounts: deployment
            .operators
            .iter()
            .map(|operator| sip::Account {
                name: operator.name.as_str().into(),
                credential: operator.credential.as_ref().map(credential),
                fixed: match &operator.device {
                    config::Device::Registers => None,
                    config::Device::Fixed(fixed) => Some(target(fixed)),
                },
            })
            .collect(),
        limits: sip::Limits {
            dialogs_max: admission.dialogs_max,
            transactions_max: admission.transactions_max,
            contacts_per_account_max: admission.phones_per_account_max,
            streams_max: admission.streams_max,
            unknown_rate_per_s: admission.unknown_requests_per_second_max,
            expires_s_min: seconds(admission.registration_min),
            expires_s_max: seconds(admission.registration_max),
        },
        product: Some(concat!("Vigie/", env!("CARGO_PKG_VERSION")).into()),
    }
}

fn media_settings(deployment: &Deployment, workers: usize) -> media::Settings {
    let rtp = &deployment.node.rtp;
    let v4 = rtp.addresses.iter().find_map(|address| match (address.bind, address.advertised) {
        (IpAddr::V4(bind), IpAddr::V4(advertised)) => Some((bind, advertised)),
        _ => None,
    });
    let v6 = rtp.addresses.iter().find_map(|address| match (address.bind, address.advertised) {
        (IpAddr::V6(bind), IpAddr::V6(advertised)) => Some((bind, advertised)),
        _ => None,
    });
    media::Settings {
        workers,
        ports: RangeInclusive::new(*rtp.ports.start(), *rtp.ports.end()),
        local_v4: v4.map(|(bind, _)| bind),
        local_v6: v6.map(|(bind, _)| bind),
        advertised_v4: v4.filter(|(bind, advertised)| bind != advertised).map(|(_, advertised)| advertised),
        advertised_v6: v6.filter(|(bind, advertised)| bind != advertised).map(|(_, advertised)| advertised),
        codecs: vec![media::VoiceCodec::Pcma, media::VoiceCodec::Pcmu],
        quarantine: PORT_QUARANTINE,
        silence: Some(SILENCE),
        prompts: Arc::new(prompt_book(deployment)),
    }
}

/// Every prompt in every language of the deployment; where one lacks a language, the nearest stands in.
fn prompt_book(deployment: &Deployment) -> media::PromptBook {
    let mut book = media::PromptBook::new();
    let node = &deployment.node;
    for name in deployment.prompts.names() {
        for language in &node.languages {
            let samples = deployment.prompts.pcm_or_fallback(name, language, &node.default_language);
            if let Some(samples) = samples {
                // Prompts were checked when they were read; one that is still refused is as good as none, and the
                // media room reports it when it is to be played.
                let _ = book.insert_samples(&format!("{name}.{language}"), samples);
            }
        }
    }
    book
}

fn plan_line(line: &Line) -> acd::Line {
    let wait_max = line.waiting.last_resort.as_ref().map(|last| last.wait_max);
    acd::Line {
        name: line.name.as_str().into(),
        level: level(line.level),
        languages: line.languages.iter().map(|language| language.as_str().into()).collect(),
        skills: skills(&line.required_skills),
        hours: hours(&line.hours),
        waiting_max: line.waiting.waiting_max,
        wait_max,
        priority: line.priority,
        offer_ring: line.offer_ring,
        wrap_up: line.wrap_up,
        rings: line
            .rings
            .iter()
            .map(|ring| acd::Ring {
                after: ring.after,
                language_min: acd::Proficiency(ring.language_min),
                level_two_helps: ring.level_two_helps,
                sites: ring.sites.iter().map(|site| site.as_str().into()).collect(),
            })
            .collect(),
        strategy: match line.strategy {
            config::Strategy::BestThenLongestIdle => acd::Strategy::BestThenLongestIdle,
            config::Strategy::LongestIdle => acd::Strategy::LongestIdle,
        },
    }
}

fn plan_operator(operator: &Operator) -> acd::Operator {
    acd::Operator {
        name: operator.name.as_str().into(),
        employer: match operator.employer.kind {
            config::EmployerKind::InHouse => acd::Employer::InHouse,
            config::EmployerKind::Subcontractor => {
                acd::Employer::Subcontractor(operator.employer.name.as_str().into())
            }
        },
        levels: operator.levels.iter().copied().map(level).collect(),
        languages: operator
            .languages
            .iter()
            .map(|(language, proficiency)| (language.as_str().into(), acd::Proficiency(*proficiency)))
            .collect(),
        skills: skills(&operator.skills),
        lines: operator.lines.iter().map(|line| line.as_str().into()).collect(),
        site: operator.site.as_deref().map(Into::into),
        ready_on_sign_in: operator.ready_on_sign_in,
        wrap_up: operator.wrap_up,
        missed_max: operator.missed_offers_max,
    }
}

fn trunk_policy(trunk: &Trunk) -> TrunkPolicy {
    TrunkPolicy {
        name: trunk.name.as_str().into(),
        dialled: match trunk.dialled_number {
            config::DialledNumberSource::RequestUri => call::Dialled::RequestUri,
            config::DialledNumberSource::To => call::Dialled::To,
        },
        international_numbers: trunk.number_format == config::NumberFormat::International,
        media_from: media_from(&trunk.media_from),
        calls_max: Some(trunk.calls_max),
        codecs: trunk
            .codecs
            .iter()
            .map(|codec| match codec {
                config::Codec::Pcma => media::VoiceCodec::Pcma,
                config::Codec::Pcmu => media::VoiceCodec::Pcmu,
            })
            .collect(),
    }
}

fn line_policy(line: &Line) -> LinePolicy {
    let name = |text: &str| -> call::Name { text.into() };
    // What callers hear before an answer is configured with the answer; the greeting is for answered calls.
    let (answer, greeting) = match &line.answer {
        config::Answer::AtOnce => (AnswerMode::AtOnce, vec![name(&line.greeting)]),
        config::Answer::OnOperator(config::Ringback::RingTone) => (AnswerMode::OnOperatorRinging, Vec::new()),
        config::Answer::OnOperator(config::Ringback::EarlyMedia(prompts)) => {
            (AnswerMode::OnOperatorEarlyMedia, prompts.iter().map(|prompt| name(prompt)).collect())
        }
    };
    let exhausted = |then: &config::Exhausted| match then {
        config::Exhausted::Keep(prompt) => Exhausted::Keep(vec![name(prompt)]),
        config::Exhausted::AnnounceAndEnd(prompt) => Exhausted::AnnounceAndEnd(vec![name(prompt)]),
        config::Exhausted::OtherLine(line) => Exhausted::OtherLine(line.as_str().into()),
    };
    let refusal = |refusal: &config::Refusal| match refusal {
        config::Refusal::Announce(prompt) => Refusal::Announce(vec![name(prompt)]),
        config::Refusal::Status(status) => Refusal::Status(*status),
    };
    let waiting = &line.waiting;
    let music_language = line.languages.first().map_or("any", |language| language.as_str());
    LinePolicy {
        name: line.name.as_str().into(),
        display: line.display.as_str().into(),
        numbers: line.numbers.iter().map(|number| name(number)).collect(),
        answer,
        greeting,
        language_by_number: line
            .language_choice
            .by_number
            .iter()
            .map(|(number, language)| (name(number), language.as_str().into()))
            .collect(),
        menu: line.language_choice.menu.as_ref().map(|menu| LanguageMenu {
            prompts: vec![name(&menu.prompt)],
            options: menu.digits.iter().map(|(digit, language)| (*digit, language.as_str().into())).collect(),
            timeout: menu.timeout,
            rounds: u8::try_from(menu.repeats + 1).unwrap_or(u8::MAX),
            default: menu.default.as_str().into(),
        }),
        waiting: vec![name(&waiting.welcome_prompt)],
        music: vec![format!("{}.{music_language}", waiting.music).into()],
        comfort: vec![name(&waiting.comfort_prompt)],
        comfort_every: waiting.comfort_every,
        cut_off: vec![name("listener-cut-off")],
        closed: refusal(&line.closed),
        full: refusal(&line.full),
        last_resort: waiting
            .last_resort
            .as_ref()
            .map_or(Exhausted::Keep(Vec::new()), |last| exhausted(&last.then)),
        nobody_eligible: NobodyEligible {
            alarm: waiting.nobody_eligible.alarm,
            after: waiting.nobody_eligible.after,
            then: exhausted(&waiting.nobody_eligible.then),
        },
    }
}

fn feature_codes(deployment: &Deployment) -> Vec<FeatureCode> {
    use acd::OperatorCommand as Do;
    let policy = &deployment.policy;
    let codes = &policy.feature_codes;
    let code = |code: &str, command: Do, confirmation: &str| FeatureCode {
        code: code.into(),
        action: FeatureAction::State(command),
        confirmation: confirmation.into(),
    };
    let mut all = vec![
        code(&codes.sign_in, Do::SignIn, "signed-in"),
        code(&codes.ready, Do::Ready, "ready"),
        code(&codes.sign_out, Do::SignOut, "signed-out"),
        code(&codes.wrap_up_end, Do::Ready, "wrap-up-ended"),
        code(&codes.debrief, Do::Debrief, "debrief"),
    ];
    for (digit, reason) in &policy.not_ready_reasons {
        // A reason may have a prompt of its own; else it is "not ready" without saying why.
        let own = format!("not-ready-{reason}");
        let confirmation = deployment.prompts.names().find(|name| *name == own).map_or("not-ready", |_| &own);
        let dialled = format!("{}{digit}", codes.not_ready);
        all.push(code(&dialled, Do::NotReady(reason.as_str().into()), confirmation));
    }
    all
}

fn hours(hours: &config::OpeningHours) -> acd::hours::Hours {
    let config::OpeningHours::Calendar { time_zone, weekly, holidays } = hours else {
        return acd::hours::Hours::always();
    };
    let mut calendar = acd::hours::Hours::in_zone(time_zone.name())
        .expect("configuration and hours read the same zone database");
    for (day, hours) in weekly {
        calendar = calendar.weekly(acd::hours::Weekday::ALL[*day as usize], range(*hours));
    }
    for (holiday, ranges) in holidays {
        let day = match *holiday {
            config::Holiday::On { year, month, day } => acd::hours::ExceptionDay::on(year, month, day),
            config::Holiday::EachYear { month, day } => acd::hours::ExceptionDay::each_year(month, day),
            config::Holiday::Easter { offset_days } => Ok(acd::hours::ExceptionDay::easter(offset_days)),
        };
        let day = day.expect("dates were checked when they were read");
        calendar = calendar.exception(day, ranges.iter().copied().map(range).collect());
    }
    calendar
}

fn range(range: config::HoursRange) -> acd::hours::Range {
    let time = |time: config::TimeOfDay| {
        acd::hours::TimeOfDay::new(time.hour, time.minute).expect("times were checked when they were read")
    };
    acd::hours::Range { from: time(range.from), to: time(range.to) }
}

fn level(level: config::Level) -> acd::Level {
    match level {
        config::Level::One => acd::Level::One,
        config::Level::Two => acd::Level::Two,
    }
}

fn skills(skills: &std::collections::BTreeMap<String, u8>) -> Vec<(acd::Name, acd::Proficiency)> {
    skills.iter().map(|(skill, least)| (skill.as_str().into(), acd::Proficiency(*least))).collect()
}

/// Operators hear their confirmations in the node's language if they speak it, else in the one they speak best.
fn operator_language(operator: &Operator, default: &facts::Language) -> call::Name {
    if operator.languages.contains_key(default) {
        return default.as_str().into();
    }
    let best = operator.languages.iter().max_by_key(|(_, proficiency)| **proficiency);
    best.map_or(default, |(language, _)| language).as_str().into()
}

fn media_from(from: &MediaFrom) -> MediaFromPolicy {
    match from {
        MediaFrom::Signalled => MediaFromPolicy::Signalled,
        MediaFrom::Registration => MediaFromPolicy::Registration,
        MediaFrom::Networks(networks) => MediaFromPolicy::Networks(networks.iter().map(network).collect()),
    }
}

fn network(network: &ipnet::IpNet) -> (IpAddr, u8) {
    (network.addr(), network.prefix_len())
}

fn credential(credential: &config::Credential) -> sip::Credential {
    sip::Credential {
        user: credential.user.as_str().into(),
        sha256: credential.ha1(DigestAlgorithm::Sha256).map(Into::into),
        md5: credential.ha1(DigestAlgorithm::Md5).map(Into::into),
    }
}

fn target(target: &config::Target) -> sip::Target {
    sip::Target {
        host: target.host.as_str().into(),
        port: target.port,
        transport: transport(target.transport),
        user: None,
    }
}

/// The same transport in the SIP room's words.
pub fn transport(transport: config::Transport) -> sip::Transport {
    match transport {
        config::Transport::Udp => sip::Transport::Udp,
        config::Transport::Tcp => sip::Transport::Tcp,
    }
}

fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}
