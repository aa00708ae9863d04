//! The joints between the rooms: numbers to lines, words to facts, records there and back. Whole calls are the
//! simulator's (`crates/sim/tests`).

use std::collections::BTreeMap;
use std::time::Duration;

use facts::event::{Caller, EndCause, EndProof, EndedBy};
use facts::{CallerPseudonym, ContactId, NumberingPlan, PseudonymKey, Pseudonymiser, TrunkCallId};
use media::LegId;
use sip::{DialogId, Reason};

use crate::contact::{AccountDue, Call, Edge, Ending, OperatorSide, Stage};
use crate::lookup::Lookup;
use crate::menu::Choice;
use crate::records::{Record, decode, encode_call};
use crate::{
    AnswerMode, Dialled, Exhausted, LinePolicy, MediaFromPolicy, Name, NobodyEligible, Refusal, Settings,
};
use crate::{TrunkPolicy, words};

mod restart;

fn line(name: &str, numbers: &[&str]) -> LinePolicy {
    LinePolicy {
        name: name.into(),
        display: name.into(),
        numbers: numbers.iter().map(|number| Name::from(*number)).collect(),
        answer: AnswerMode::AtOnce,
        greeting: Vec::new(),
        language_by_number: Vec::new(),
        menu: None,
        waiting: Vec::new(),
        music: Vec::new(),
        comfort: Vec::new(),
        comfort_every: None,
        cut_off: Vec::new(),
        closed: Refusal::Status(480),
        full: Refusal::Status(486),
        last_resort: Exhausted::Keep(Vec::new()),
        nobody_eligible: NobodyEligible {
            alarm: true,
            after: Duration::ZERO,
            then: Exhausted::Keep(Vec::new()),
        },
    }
}

fn trunk(dialled: Dialled, international_numbers: bool) -> TrunkPolicy {
    TrunkPolicy {
        name: "carrier".into(),
        dialled,
        international_numbers,
        media_from: MediaFromPolicy::Signalled,
        calls_max: None,
        codecs: Vec::new(),
    }
}

fn settings(lines: Vec<LinePolicy>) -> Settings {
    Settings {
        sip: sip::Settings {
            listen: Vec::new(),
            domain: "vigie.example".into(),
            aliases: Vec::new(),
            trunks: Vec::new(),
            accounts: Vec::new(),
            limits: sip::Limits::default(),
            product: None,
        },
        media: media::Settings {
            workers: 1,
            ports: 20_000..=20_099,
            local_v4: None,
            local_v6: None,
            advertised_v4: None,
            advertised_v6: None,
            codecs: Vec::new(),
            quarantine: Duration::ZERO,
            silence: None,
            prompts: Default::default(),
        },
        plan: acd::Plan { lines: Vec::new(), operators: Vec::new() },
        trunks: Vec::new(),
        lines,
        operators: Vec::new(),
        feature_codes: Vec::new(),
        numbering: NumberingPlan::france(),
        pseudonymiser: Pseudonymiser::new(PseudonymKey::new([7; 32])),
    }
}

#[test]
fn dialled_numbers_lead_to_lines() {
    let settings =
        settings(vec![line("day", &["+33142000001", "3919"]), line("night", &["+33142000002", "service"])]);
    let lookup = Lookup::new(&settings);
    // (where the number stands, country code without +, Request-URI's user, To's user) → line
    type Case = (Dialled, bool, &'static str, &'static str, Result<&'static str, &'static str>);
    let cases: &[Case] = &[
        (Dialled::RequestUri, false, "+33142000001", "", Ok("day")),
        (Dialled::RequestUri, false, "0033142000001", "", Ok("day")),
        (Dialled::RequestUri, false, "0142000001", "", Ok("day")),
        (Dialled::RequestUri, false, "01-42-00-00-02", "", Ok("night")),
        (Dialled::RequestUri, false, "3919", "", Ok("day")),
        (Dialled::RequestUri, false, "service", "", Ok("night")),
        (Dialled::RequestUri, false, "0142000003", "0142000001", Err("0142000003")),
        (Dialled::RequestUri, false, "", "", Err("")),
        (Dialled::To, false, "account", "0142000002", Ok("night")),
        (Dialled::RequestUri, true, "33142000001", "", Ok("day")),
        (Dialled::RequestUri, true, "+33142000001", "", Ok("day")),
        (Dialled::RequestUri, true, "3919", "", Ok("day")),
    ];
    for (dialled, international, request, to, expected) in cases {
        let trunk = trunk(*dialled, *international);
        let found = lookup.dialled(&settings, &trunk, request, to).map(|(line, _)| line.name.to_string());
        let expected = expected.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(found, expected, "{dialled:?} {request:?} {to:?}");
    }
}

#[test]
fn who_ended_comes_from_the_wire() {
    let reason = |protocol: &str, cause| Some(Reason { protocol: protocol.into(), cause, text: None });
    // (how the trunk's dialog ended, its Reason) → who, by what proof
    let cases = [
        (sip::EndedBy::Bye, None, EndedBy::Caller, EndProof::Bye),
        (sip::EndedBy::Cancel, None, EndedBy::Caller, EndProof::Cancel),
        (sip::EndedBy::Bye, reason("Q.850", 16), EndedBy::Caller, EndProof::Bye),
        (sip::EndedBy::Bye, reason("Q.850", 31), EndedBy::Caller, EndProof::Bye),
        (sip::EndedBy::Bye, reason("Q.850", 38), EndedBy::Network, EndProof::Bye),
        (sip::EndedBy::Bye, reason("Q.850", 41), EndedBy::Network, EndProof::Bye),
        (sip::EndedBy::Cancel, reason("Q.850", 102), EndedBy::Network, EndProof::Cancel),
        (sip::EndedBy::Bye, reason("SIP", 503), EndedBy::Network, EndProof::Bye),
        (sip::EndedBy::Cancel, reason("SIP", 487), EndedBy::Caller, EndProof::Cancel),
        (sip::EndedBy::Cancel, reason("SIP", 200), EndedBy::Caller, EndProof::Cancel),
        (sip::EndedBy::NoAck, None, EndedBy::Network, EndProof::Failure { status: 408 }),
        (sip::EndedBy::Lost(481), None, EndedBy::Network, EndProof::Failure { status: 481 }),
    ];
    for (by, reason, who, proof) in cases {
        let (found_who, cause) = words::trunk_end(by, reason.as_ref());
        assert_eq!((found_who, cause.proof), (who, proof), "{by:?} {reason:?}");
        let q850 =
            reason.as_ref().filter(|reason| &*reason.protocol == "Q.850").map(|reason| reason.cause as u8);
        assert_eq!(cause.q850, q850);
    }
}

#[test]
fn a_reason_counts_down_to_the_candidates() {
    let reason = acd::OfferReason {
        ring: 0,
        strategy: acd::Strategy::BestThenLongestIdle,
        candidates: 2,
        excluded: acd::Excluded { level: 3, line: 0, language: 4, skill: 0, signed_out: 1, busy: 2, ring: 0 },
        proficiency: acd::Proficiency(5),
        idle: Duration::ZERO,
        waited: Duration::ZERO,
    };
    let left: Vec<u32> = words::offer_reason(&reason).candidates.iter().map(|rule| rule.left).collect();
    assert_eq!(left, [9, 9, 5, 5, 4, 2, 2], "twelve operators in all");
}

fn call(stage: Stage, operator: Option<OperatorSide>) -> Call {
    let leg = LegId(3);
    let mut accounts_due = BTreeMap::from([(leg, AccountDue { operator: None, codec_said: true })]);
    if let Some(operator) = &operator {
        let due = AccountDue { operator: Some(operator.name.clone()), codec_said: operator.connected };
        accounts_due.insert(operator.leg, due);
    }
    Call {
        contact: ContactId(9),
        trunk: "carrier".into(),
        line: "day".into(),
        trunk_call_id: TrunkCallId::from("abc@carrier"),
        caller: Caller::Known { pseudonym: CallerPseudonym::from_bytes([5; 12]), previous: None },
        offered_at: Duration::from_secs(100),
        queued_at: Some(Duration::from_secs(101)),
        answered_at: Some(Duration::from_secs(110)),
        dialog: DialogId(2),
        leg,
        description: bytes::Bytes::new(),
        delayed_offer: false,
        edge: Edge::Answered,
        stage,
        level: acd::Level::Two,
        language: Some("fr".into()),
        operator,
        accounts_due,
        held_by_caller: true,
        held_by_operator: false,
        heard: true,
        alarmed: false,
        overflowed: false,
        greeted: true,
        deadline: Some(Duration::from_secs(120)),
        nobody_deadline: None,
    }
}

#[test]
fn records_come_back_as_they_went() {
    let ending = |proof| Ending {
        at: Some(Duration::from_secs(115)),
        by: EndedBy::Network,
        cause: EndCause { proof, q850: Some(38), sip: None, text: Some("network out of order".into()) },
    };
    let operator = |connected| OperatorSide {
        offer: acd::OfferId(4),
        name: "amina".into(),
        dialog: DialogId(5),
        leg: LegId(6),
        proof: None,
        ringing: true,
        connected,
    };
    let proofs = [
        EndProof::Bye,
        EndProof::Cancel,
        EndProof::Failure { status: 481 },
        EndProof::DeviceLost,
        EndProof::MediaLost,
        EndProof::SessionExpired,
        EndProof::Policy,
        EndProof::Command,
        EndProof::Restart,
        EndProof::None,
    ];
    let mut calls = vec![
        call(Stage::Choosing(Choice::resume(2)), None),
        call(Stage::Waiting, Some(operator(false))),
        call(Stage::Talking, Some(operator(true))),
        call(Stage::Announcing(ending(EndProof::Policy)), None),
    ];
    calls.extend(proofs.map(|proof| call(Stage::Over(ending(proof)), None)));
    for call in calls {
        let Some(Record::Call(back)) = decode(call.contact.0, &encode_call(&call)) else {
            panic!("unreadable")
        };
        assert_eq!(format!("{back:?}"), format!("{call:?}"));
    }
}

#[test]
fn what_is_no_record_is_none() {
    let whole = encode_call(&call(Stage::Waiting, None));
    for cut in 0..whole.len() {
        assert!(decode(9, &whole[..cut]).is_none(), "cut at {cut}");
    }
    let mut newer = whole.to_vec();
    newer[0] += 1;
    assert!(decode(9, &newer).is_none(), "another version");
}
