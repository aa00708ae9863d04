//! The same flows in bad weather: whatever the network loses, doubles or shuffles, every call has one
//! end and nothing is left.

use super::*;

/// Runs one call in that weather: rings, talks, one side ends it.
fn one_call(seed: u8, weather: Weather) -> Pair {
    let mut pair = Pair::of(seed, quiet(config(0)), quiet(config(1)));
    pair.weather = weather;
    pair.behave(1, Ringing::Ring, Answering::Accept { after: SECOND });
    let call = pair.dial();
    pair.run(SECOND * 15);
    pair.command(usize::from(seed % 2), Command::HangUp { call, reason: None });
    pair
}

#[test]
fn calls_have_one_end_and_leave_nothing() {
    for seed in 0..=255u8 {
        let mut pair = one_call(seed, Weather { loss: 20, duplication: 20, reordering: 30 });
        pair.run(SECOND * 90);
        for phone in 0..2 {
            let over =
                pair.count(phone, |event| matches!(event, Event::Ended { .. } | Event::Rejected { .. }));
            let begun =
                pair.count(phone, |event| matches!(event, Event::Incoming { .. } | Event::Dialling { .. }));
            let left = pair.phones[phone].calls().count();
            assert_eq!(over + left, begun, "seed {seed}, phone {phone}: {:?}", pair.events);
            // A BYE that is lost eleven times over leaves its other side up: only RTP or a timer would tell.
            assert!(left == 0 || pair.sent(1 - phone, "BYE") >= 10, "seed {seed}: {:?}", pair.ladder);
        }
        for phone in 0..2 {
            let calls: Vec<CallId> = pair.phones[phone].calls().collect();
            calls.into_iter().for_each(|call| pair.command(phone, Command::HangUp { call, reason: None }));
        }
        pair.assert_nothing_left();
    }
}

#[test]
fn duplicates_never_make_a_second_call_or_a_second_answer() {
    for seed in 0..64u8 {
        let mut pair = one_call(seed, Weather { loss: 0, duplication: 100, reordering: 50 });
        pair.run(SECOND * 10);
        assert_eq!(pair.count(1, |event| matches!(event, Event::Incoming { .. })), 1);
        for phone in 0..2 {
            assert_eq!(pair.count(phone, |event| matches!(event, Event::Answered { .. })), 1, "seed {seed}");
            assert_eq!(pair.ends(phone).len(), 1);
        }
        pair.assert_nothing_left();
    }
}

#[test]
fn the_same_seed_gives_the_same_ladder_and_events() {
    let weather = Weather { loss: 20, duplication: 20, reordering: 30 };
    for seed in [3, 77] {
        let (one, two) = (one_call(seed, weather), one_call(seed, weather));
        assert_eq!(one.ladder, two.ladder);
        assert_eq!(one.events, two.events);
    }
}

#[test]
fn voices_and_digits_survive_three_per_cent_loss() {
    for seed in 0..16u8 {
        let (mut a, mut b) = (config(0), config(1));
        a.voice = Voice::Signature(Signature::of(u64::from(seed)));
        b.voice = Voice::Signature(Signature::of(u64::from(seed) + 100));
        if seed % 2 == 1 {
            a.codecs.reverse();
        }
        let mut pair = Pair::of(seed, a, b);
        let call = pair.up();
        pair.weather = Weather { loss: 3, duplication: 3, reordering: 1 };
        pair.command(0, Command::Digits { call, digits: "0123456789".to_owned() });
        pair.run(SECOND * 6);
        let digits = pair.count(1, |event| matches!(event, Event::Digit { .. }));
        assert_eq!(digits, 10, "seed {seed}");
        for (phone, expected) in [(0, u64::from(seed) + 100), (1, u64::from(seed))] {
            let signature = Signature::of(expected);
            assert_eq!(
                pair.phones[phone].loudest(call).map(|(heard, _)| heard),
                Some(signature),
                "seed {seed}"
            );
            let media = pair.phones[phone].media(call).unwrap();
            assert!(media.lost > 0 && media.gaps > 0 && media.duplicates > 0, "{media:?}");
        }
    }
}

#[test]
fn holds_are_agreed_on_in_any_weather() {
    for seed in 0..64u8 {
        let mut pair = Pair::of(seed, quiet(config(0)), quiet(config(1)));
        let call = pair.up();
        pair.weather = Weather { loss: 15, duplication: 15, reordering: 30 };
        let direction = crate::Direction::SendOnly;
        pair.command(0, Command::Redirect { call, direction });
        pair.command(1, Command::Refresh { call, update: seed % 2 == 0, offer: true });
        pair.run(SECOND * 60);
        for phone in 0..2 {
            if pair.phones[phone].is_established(call) {
                let told = pair.count(phone, |event| *event == Event::Refreshed { call, status: 200 });
                assert_eq!(told, 1, "seed {seed}, phone {phone}: {:?}\n{:#?}", pair.events, pair.ladder);
            }
        }
    }
}
