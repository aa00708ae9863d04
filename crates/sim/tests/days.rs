//! Days of a helpline, seed after seed.

#![expect(clippy::disallowed_methods, reason = "a run is chosen from outside, by environment variables")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use sim::{Report, Scenario};

/// Seeds of each kind of day in CI; more with `VIGIE_SIM_SEEDS`.
const SEEDS: u64 = 50;

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Runs seeds side by side and tells of each that failed.
fn check(scenario: &Scenario, seeds: std::ops::Range<u64>) {
    let next = AtomicU64::new(seeds.start);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let failed: Vec<Report> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut failed = Vec::new();
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= seeds.end {
                            return failed;
                        }
                        let report = sim::run(seed, scenario);
                        if !report.is_clean() {
                            failed.push(report);
                        }
                    }
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no run panics")).collect()
    });
    let told: String = failed.iter().take(5).map(ToString::to_string).collect();
    assert!(failed.is_empty(), "{} of {} seeds failed\n{told}", failed.len(), seeds.end - seeds.start);
}

fn seeds() -> u64 {
    number("VIGIE_SIM_SEEDS", SEEDS)
}

#[test]
fn helpline_days() {
    check(&Scenario::helpline_day(), 0..seeds());
}

#[test]
fn rough_days() {
    check(&Scenario::rough_day(), 1_000..1_000 + seeds());
}

#[test]
fn days_of_restarts() {
    check(&Scenario::day_of_restarts(), 2_000..2_000 + seeds());
}

#[test]
fn worst_days() {
    check(&Scenario::worst_day(), 3_000..3_000 + seeds());
}

#[test]
fn sounding_hours() {
    check(&Scenario::sounding_hour(), 4_000..4_002);
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for scenario in [Scenario::helpline_day(), Scenario::worst_day()] {
        let [once, again] = [(); 2].map(|()| sim::run(7, &scenario));
        assert_eq!(once.trace_hash, again.trace_hash, "{once}{again}");
        assert_eq!(once, again);
    }
}

#[derive(serde::Deserialize)]
struct OnceFailed {
    failed: Vec<Failed>,
}

#[derive(serde::Deserialize)]
struct Failed {
    scenario: String,
    seed: u64,
    note: String,
}

#[test]
fn seeds_that_once_failed() {
    let text = include_str!("../../../seeds/simulation.toml");
    let once: OnceFailed = toml::from_str(text).expect("the file of seeds can be read");
    for Failed { scenario, seed, note } in once.failed {
        let scenario = Scenario::named(&scenario).expect("a scenario of that name");
        let report = sim::run(seed, &scenario);
        assert!(report.is_clean(), "once: {note}\n{report}");
    }
}

/// One run, chosen from outside: `VIGIE_SIM_SCENARIO='rough day' VIGIE_SIM_SEED=7`.
#[test]
fn one_seed() {
    let name = std::env::var("VIGIE_SIM_SCENARIO").unwrap_or_else(|_| "helpline day".to_owned());
    let scenario = Scenario::named(&name).expect("a scenario of that name");
    let report = sim::run(number("VIGIE_SIM_SEED", 1), &scenario);
    println!("{report}");
    assert!(report.is_clean(), "{report}");
}
