//! Work comes evenly, and never without end.

use super::*;

#[test]
fn each_leg_is_looked_after_ten_times_a_second_and_plays_fifty() {
    let mut slots = Slots::new(Duration::ZERO);
    for index in 0..40 {
        slots.settle(Duration::ZERO, index);
    }
    slots.start_playing(Duration::ZERO, 3);
    let (mut house, mut play, mut busiest) = (0, 0, 0);
    while let Some(due) = slots.due().filter(|due| *due <= Duration::from_secs(1)) {
        while let Some(tick) = slots.next_tick(due) {
            house += slots.resident(tick).len();
            play += slots.playing(tick).len();
            busiest = busiest.max(slots.resident(tick).len());
            slots.end_playing(tick, |_| true);
        }
    }
    assert_eq!((house, play, busiest), (400, 50, 8));
}

#[test]
fn an_empty_worker_sleeps() {
    let mut slots = Slots::new(Duration::ZERO);
    assert_eq!(slots.due(), None);
    slots.settle(Duration::from_secs(9), 5);
    assert!(slots.due().is_some_and(|due| due > Duration::from_secs(9)), "the past is not made up for");
    slots.start_playing(Duration::from_secs(9), 5);
    slots.leave(5);
    assert_eq!(slots.due(), None);
}

#[test]
fn a_pause_of_the_machine_is_made_up_for_within_bounds() {
    let mut slots = Slots::new(Duration::ZERO);
    slots.settle(Duration::ZERO, 0);
    slots.start_playing(Duration::ZERO, 0);
    let mut ticks = 0;
    while slots.next_tick(Duration::from_secs(3600)).is_some() {
        ticks += 1;
    }
    assert_eq!(ticks, 5);
    assert_eq!(slots.due(), Some(Duration::from_millis(3_600_020)));
}
