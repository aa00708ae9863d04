//! Days of a helpline, seed after seed.

use sim::Scenario;

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
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
