//! Stories: one call each, with sound, as somebody would tell it.

mod story;

use facts::cdr::Outcome;
use facts::event::EndedBy;
use phone::{Command, Direction, End, Event, Signature};
use sim::deployment::{COMPLEX, CUT_OFF, FULL, HELPLINE_ENGLISH, MUSIC, PLAIN};
use sim::{Crash, deployment};
use story::{Story, s};

fn parts(cdr: &facts::Cdr) -> Vec<&str> {
    cdr.parts.iter().map(|part| part.operator.as_str()).collect()
}

#[test]
fn a_plain_call() {
    let mut story = Story::new();
    let diane = story.operator("diane");
    let caller = story.caller(PLAIN);
    assert!(story.saw(caller, |event| matches!(event, Event::Ringing { status: 180, .. })));
    assert!(story.rings(diane));
    story.answer(diane);
    assert!(story.talk(caller, diane));
    story.world.run_for(s(30));
    story.hang_up(caller);
    let cdrs = story.end();
    assert_eq!(cdrs.len(), 1);
    assert_eq!((cdrs[0].outcome, cdrs[0].ended_by), (Outcome::Answered, EndedBy::Caller));
    assert_eq!(parts(&cdrs[0]), ["diane"]);
}

#[test]
fn digits_choose_the_language() {
    let mut story = Story::new();
    let (elise, fatou) = (story.operator("elise"), story.operator("fatou"));
    let caller = story.caller(deployment::HELPLINE);
    story.world.run_for(s(4));
    story.press(caller, "2");
    story.world.run_for(s(3));
    assert!(story.rings(fatou) && !story.rings(elise), "English is Fatou's");
    story.answer(fatou);
    assert!(story.talk(caller, fatou));
    story.hang_up(fatou);
    let cdrs = story.end();
    assert_eq!(cdrs[0].language.as_ref().map(|language| language.as_str()), Some("en"));
    assert_eq!(cdrs[0].ended_by, EndedBy::Operator);
}

#[test]
fn a_number_tells_the_language_too() {
    let mut story = Story::new();
    let fatou = story.operator("fatou");
    let caller = story.caller(HELPLINE_ENGLISH);
    assert!(story.rings(fatou));
    story.answer(fatou);
    assert!(story.talk(caller, fatou));
    story.end();
}

#[test]
fn level_2_waits_for_who_may() {
    let mut story = Story::new();
    let (karima, lucie, diane) = (story.operator("karima"), story.operator("lucie"), story.operator("diane"));
    let caller = story.caller(COMPLEX);
    story.world.run_for(s(20));
    for operator in [karima, lucie, diane] {
        assert!(!story.rings(operator), "a subcontractor's operator, or one for level 1");
    }
    assert!(story.hears(caller, Signature::of(MUSIC)), "early media");
    let anne = story.operator("anne");
    assert!(story.rings(anne));
    story.answer(anne);
    assert!(story.talk(caller, anne));
    story.end();
}

#[test]
fn refused_goes_to_the_next() {
    let mut story = Story::new();
    let (diane, elise) = (story.operator("diane"), story.operator("elise"));
    let caller = story.caller(PLAIN);
    let call = story.call(diane).expect("the longest idle rings first");
    story.world.command(diane, Command::Reject { call, status: 486, contact: None });
    story.world.run_for(s(1));
    assert!(story.rings(elise) && !story.rings(diane));
    assert!(story.state("diane").starts_with("NotReady"));
    story.answer(elise);
    assert!(story.talk(caller, elise));
    let cdrs = story.end();
    assert_eq!(cdrs[0].offers.len(), 2);
}

#[test]
fn who_does_not_answer_is_set_not_ready() {
    let mut story = Story::new();
    let (diane, elise) = (story.operator("diane"), story.operator("elise"));
    story.caller(PLAIN);
    story.world.run_for(s(21));
    assert!(story.state("diane").contains("NotReady"), "{}", story.state("diane"));
    assert!(!story.rings(diane) && story.rings(elise));
    story.end();
}

#[test]
fn a_device_that_is_gone_is_passed_over() {
    let mut story = Story::new();
    let (diane, elise) = (story.operator("diane"), story.operator("elise"));
    story.world.command(diane, Command::Power(false));
    let caller = story.caller(PLAIN);
    story.world.run_for(s(33));
    assert!(story.rings(elise));
    story.answer(elise);
    assert!(story.talk(caller, elise));
    story.end();
}

#[test]
fn callers_give_up_in_the_queue_and_while_it_rings() {
    let mut story = Story::new();
    let waits = story.caller(PLAIN);
    story.world.run_for(s(10));
    story.hang_up(waits);
    let diane = story.operator("diane");
    let rings = story.caller(PLAIN);
    assert!(story.rings(diane));
    story.hang_up(rings);
    assert!(!story.rings(diane), "nothing rings on");
    assert!(story.state("diane").starts_with("Ready"));
    let cdrs = story.end();
    assert!(cdrs.iter().all(|cdr| cdr.outcome == Outcome::Abandoned && cdr.ended_by == EndedBy::Caller));
}

#[test]
fn on_hold_there_is_music_and_nobody_s_voice() {
    let mut story = Story::new();
    let diane = story.operator("diane");
    let caller = story.caller(PLAIN);
    story.answer(diane);
    let call = story.call(diane).expect("talks");
    story.world.command(diane, Command::Redirect { call, direction: Direction::SendOnly });
    story.world.run_for(s(4));
    assert!(story.hears(caller, Signature::of(MUSIC)));
    assert!(!story.hears(caller, story.voice(diane)));
    let received = story.received(diane);
    story.world.run_for(s(2));
    assert_eq!(story.received(diane), received, "who holds hears nothing");
    story.world.command(diane, Command::Redirect { call, direction: Direction::SendRecv });
    story.world.run_for(s(4));
    assert!(story.talk(caller, diane));
    let cdrs = story.end();
    assert!(cdrs[0].hold >= s(5) && cdrs[0].hold <= s(7), "{:?}", cdrs[0].hold);
}

#[test]
fn closed_and_full() {
    let mut story = Story::with(|settings| settings.plan.lines[0].waiting_max = 1);
    let close = |line: &str| call::Command::Line { line: line.into(), command: acd::LineCommand::Close };
    story.world.control_at(s(0), close("plain"));
    story.world.run_for(s(1));
    let turned_away = story.caller(PLAIN);
    assert!(story.saw(turned_away, |event| matches!(event, Event::Rejected { status: 480, .. })));
    let _first = story.caller(HELPLINE_ENGLISH);
    let second = story.caller(HELPLINE_ENGLISH);
    story.world.run_for(s(2));
    assert!(story.hears(second, Signature::of(FULL)));
    story.world.run_for(s(10));
    assert!(story.saw(second, |event| matches!(event, Event::Ended { end: End::ByPeer, .. })));
    let cdrs = story.end();
    let rows: Vec<&str> = cdrs.iter().map(|cdr| cdr.outcome.row()).collect();
    assert_eq!(rows, ["closed", "abandoned", "dissuaded"]);
}

#[test]
fn the_trunk_refreshes_with_and_without_a_description() {
    let mut story = Story::new();
    let diane = story.operator("diane");
    let caller = story.caller(PLAIN);
    story.answer(diane);
    let call = story.call(caller).expect("talks");
    for (update, offer) in [(false, true), (false, false), (true, true), (true, false)] {
        story.world.command(caller, Command::Refresh { call, update, offer });
        story.world.run_for(s(3));
        assert!(story.talk(caller, diane), "update {update}, offer {offer}");
    }
    let refreshed = |event: &Event| matches!(event, Event::Refreshed { status: 200, .. });
    let times = story.world.station(caller).events.iter().filter(|(_, event)| refreshed(event)).count();
    assert_eq!(times, 4);
    story.end();
}

#[test]
fn who_loses_her_operator_is_first_and_comforted() {
    let mut story = Story::new();
    let (diane, cut_off) = (story.operator("diane"), story.caller(PLAIN));
    story.answer(diane);
    let behind = story.caller(PLAIN);
    story.world.command(diane, Command::Power(false));
    // 20 s of silence, then a probe that has no answer after 20 s more.
    story.world.run_for(s(42));
    assert!(story.hears(cut_off, Signature::of(CUT_OFF)) || story.hears(cut_off, Signature::of(MUSIC)));
    let elise = story.operator("elise");
    story.answer(elise);
    assert!(story.talk(cut_off, elise) && !story.talk(behind, elise));
    let cdrs = story.end();
    assert_eq!(parts(&cdrs[0]), ["diane", "elise"]);
}

#[test]
fn of_two_phones_one_wins() {
    let mut story = Story::new();
    let desk = story.operator("diane");
    let mut config = sim::operator_config(60, "diane");
    config.credentials = sim::operator_config(3, "diane").credentials;
    let role = sim::Role::Operator { name: "diane".to_owned() };
    let pocket = story.world.add_station(role, config, Box::new(sim::Nobody));
    story.world.command(pocket, Command::Register);
    story.world.run_for(s(1));
    let caller = story.caller(PLAIN);
    assert!(story.rings(desk) && story.rings(pocket));
    story.answer(desk);
    assert!(!story.rings(pocket));
    assert!(story.talk(caller, desk));
    story.end();
}

#[test]
fn feature_codes_are_done_and_confirmed() {
    let mut story = Story::new();
    let diane = story.operator("diane");
    story.dials(diane, "*72");
    assert!(story.state("diane").contains("break"));
    assert!(story.saw(diane, |event| matches!(event, Event::Ended { end: End::ByPeer, .. })));
    story.dials(diane, "*71");
    assert!(story.state("diane").starts_with("Ready"));
    story.dials(diane, "0612345678");
    assert!(story.saw(diane, |event| matches!(event, Event::Rejected { status: 403, .. })));
    story.end();
}

#[test]
fn a_restart_costs_a_second_of_sound() {
    let mut story = Story::new();
    let diane = story.operator("diane");
    let (caller, waits) = (story.caller(PLAIN), story.caller(deployment::HELPLINE));
    story.answer(diane);
    assert!(story.talk(caller, diane));
    let crash = Crash { before_sending: false, down: std::time::Duration::from_millis(300) };
    story.world.crash_at(story.world.now(), crash);
    story.world.run_for(s(5));
    assert!(story.talk(caller, diane), "the same two, without a word of signalling");
    let elise = story.operator("elise");
    story.world.run_for(s(30));
    assert!(story.rings(elise), "who waited keeps her place");
    story.answer(elise);
    assert!(story.talk(waits, elise));
    let cdrs = story.end();
    assert_eq!(cdrs.iter().map(parts).collect::<Vec<_>>(), [["diane"], ["elise"]]);
}
