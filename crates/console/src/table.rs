//! Tables for the terminal.
//!
//! Knows: columns, their widths as a terminal counts them, headings in two languages. Must never do: let
//! a name from outside steer the terminal.

use store::CdrRecord;
use unicode_width::UnicodeWidthStr;

use crate::Tongue;
use crate::shape::{AlarmShape, CallShape, Figures, LineShape, OperatorShape, Status, TrunkShape};
use crate::text::{clock, clock_or_dash, percent};

/// Rows under headings; each column as wide as its widest cell.
struct Table {
    right: Vec<bool>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Headings: English, French; a heading that ends in `>` aligns its column to the right.
    fn new(tongue: Tongue, headings: &[(&'static str, &'static str)]) -> Self {
        let headings: Vec<_> =
            headings.iter().map(|(english, french)| tongue.pick(english, french)).collect();
        Self {
            right: headings.iter().map(|heading| heading.ends_with('>')).collect(),
            rows: vec![headings.iter().map(|heading| heading.trim_end_matches('>').to_uppercase()).collect()],
        }
    }

    fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into_iter().map(|cell| printable(&cell)).collect());
    }

    fn print(&self) -> String {
        let width = |column: usize| {
            self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or(0)
        };
        let widths: Vec<_> = (0..self.right.len()).map(width).collect();
        let mut out = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for ((cell, width), right) in row.iter().zip(&widths).zip(&self.right) {
                let space = " ".repeat(width - cell.width());
                let (before, after) = if *right { (space.as_str(), "") } else { ("", space.as_str()) };
                line.push_str(before);
                line.push_str(cell);
                line.push_str(after);
                line.push_str("  ");
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}

/// Names come from files and from the wire; none may move the cursor.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Everything at a glance.
pub fn status(status: &Status, tongue: Tongue) -> String {
    let mut out = String::new();
    let mut say = |english, french, value: String| {
        out.push_str(&format!("{:<13}{value}\n", tongue.pick(english, french)));
    };
    say("vigie", "vigie", engine(status, tongue));
    say("calls", "appels", {
        let (waiting, talking) = (status.waiting, status.talking);
        let longest = clock_or_dash(status.longest_wait_ms);
        match tongue {
            Tongue::English => {
                format!(
                    "{waiting} waiting (longest {longest}), {talking} talking, {} elsewhere",
                    status.elsewhere
                )
            }
            Tongue::French => {
                format!(
                    "{waiting} en attente (max. {longest}), {talking} en ligne, {} ailleurs",
                    status.elsewhere
                )
            }
        }
    });
    let operators = status.operators;
    let counts = [
        (operators.ready, "ready"),
        (operators.offered, "offered"),
        (operators.in_contact, "in_contact"),
        (operators.wrap_up, "wrap_up"),
        (operators.not_ready, "not_ready"),
        (operators.signed_out, "signed_out"),
    ];
    let counts: Vec<_> =
        counts.iter().map(|(count, word)| format!("{count} {}", tongue.word(word))).collect();
    say("operators", "écoutantes", counts.join(", "));
    say("occupancy", "occupation", percent(status.occupancy_today));
    say("today", "aujourd'hui", cascade(&status.today, tongue));
    say("", "", levels(&status.today, tongue));
    for alarm in &status.alarms {
        say("ALARM", "ALARME", alarm_text(alarm, tongue));
    }
    format!("{out}\n{}\n{}", lines(&status.lines, tongue), trunks(&status.trunks, tongue))
}

/// Calls that are not over.
pub fn calls(calls: &[CallShape], tongue: Tongue) -> String {
    let mut table = Table::new(
        tongue,
        &[
            ("call>", "appel>"),
            ("line", "ligne"),
            ("lang", "langue"),
            ("level>", "niveau>"),
            ("what", "état"),
            ("for>", "depuis>"),
            ("age>", "âge>"),
            ("operators", "écoutantes"),
        ],
    );
    for call in calls {
        let held = if call.on_hold { tongue.pick(" (on hold)", " (en garde)") } else { "" };
        table.row([
            call.contact.to_string(),
            call.line_display.clone(),
            or_dash(&call.language),
            or_dash(&call.level),
            format!("{}{held}", tongue.word(call.stage)),
            clock(call.for_ms),
            clock(call.age_ms),
            call.operators.join(", "),
        ]);
    }
    table.print()
}

/// Calls that are over, the last at the end.
pub fn records(records: &[CdrRecord], tongue: Tongue) -> String {
    let mut table = Table::new(
        tongue,
        &[
            ("call>", "appel>"),
            ("offered at (UTC)", "arrivée (UTC)"),
            ("line", "ligne"),
            ("lang", "langue"),
            ("level>", "niveau>"),
            ("outcome", "issue"),
            ("wait>", "attente>"),
            ("talk>", "entretien>"),
            ("operator", "écoutante"),
            ("ended by", "fin par"),
            ("how", "comment"),
        ],
    );
    for record in records {
        let how = tongue.word(&record.end_proof);
        let outcome = tongue.word(&record.outcome);
        let reason = record.outcome_reason.as_ref().map(|reason| format!(": {}", tongue.word(reason)));
        table.row([
            record.contact.to_string(),
            record.offered_at.get(..19).unwrap_or(&record.offered_at).replace('T', " "),
            record.line.clone(),
            or_dash(&record.language),
            or_dash(&record.level),
            format!("{outcome}{}", reason.unwrap_or_default()),
            clock(record.wait_ms),
            clock(record.talk_ms + record.hold_ms),
            or_dash(&record.operator),
            tongue.word(&record.ended_by),
            record.sip_status.map_or(how.clone(), |status| format!("{how} {status}")),
        ]);
    }
    table.print()
}

/// Operators.
pub fn operators(operators: &[OperatorShape], tongue: Tongue) -> String {
    let mut table = Table::new(
        tongue,
        &[
            ("operator", "écoutante"),
            ("employer", "employeur"),
            ("state", "état"),
            ("for>", "depuis>"),
            ("why", "pourquoi"),
            ("call>", "appel>"),
            ("today>", "ce jour>"),
        ],
    );
    for operator in operators {
        let reason = operator.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        table.row([
            operator.operator.clone(),
            operator.employer.clone(),
            format!("{}{reason}", tongue.word(&operator.state)),
            clock(operator.for_ms),
            tongue.word(&operator.cause),
            or_dash(&operator.contact),
            operator.answered_today.to_string(),
        ]);
    }
    table.print()
}

/// Lines.
pub fn lines(lines: &[LineShape], tongue: Tongue) -> String {
    let mut table = Table::new(
        tongue,
        &[
            ("line", "ligne"),
            ("waiting>", "en attente>"),
            ("longest>", "max.>"),
            ("talking>", "en ligne>"),
            ("offered>", "reçus>"),
            ("answered>", "décrochés>"),
            ("abandoned>", "abandons>"),
            ("rate>", "taux>"),
            ("SL-5>", "QS-5>"),
            ("by command", "sur ordre"),
        ],
    );
    for line in lines {
        let by_command = match line.opened_by_command {
            Some(true) => tongue.pick("open", "ouverte"),
            Some(false) => tongue.pick("closed", "fermée"),
            None => "",
        };
        table.row([
            line.display.clone(),
            line.waiting.to_string(),
            clock_or_dash(line.longest_wait_ms),
            line.talking.to_string(),
            line.today.offered.to_string(),
            line.today.answered.to_string(),
            line.today.abandoned.to_string(),
            percent(line.today.answer_rate),
            percent(line.today.sl_5),
            by_command.to_owned(),
        ]);
    }
    table.print()
}

/// Trunks.
pub fn trunks(trunks: &[TrunkShape], tongue: Tongue) -> String {
    let headings = [("trunk", "trunk"), ("state", "état"), ("for>", "depuis>"), ("calls>", "appels>")];
    let mut table = Table::new(tongue, &headings);
    for trunk in trunks {
        let (state, since) = match (trunk.alive, trunk.status) {
            (Some(true), _) => (tongue.pick("alive", "répond").to_owned(), clock(trunk.for_ms)),
            (Some(false), None) => (tongue.pick("dead", "muet").to_owned(), clock(trunk.for_ms)),
            (Some(false), Some(status)) => {
                (format!("{} ({status})", tongue.pick("dead", "muet")), clock(trunk.for_ms))
            }
            (None, _) => (tongue.pick("not known yet", "pas encore connu").to_owned(), "–".to_owned()),
        };
        table.row([trunk.trunk.clone(), state, since, trunk.calls.to_string()]);
    }
    table.print()
}

fn engine(status: &Status, tongue: Tongue) -> String {
    let engine = &status.engine;
    let state = if engine.stopped {
        tongue.pick("stopped", "arrêtée")
    } else if engine.draining {
        tongue.pick("draining", "se vide")
    } else {
        tongue.pick("up", "en marche")
    };
    let mut text = format!("{} {state} {}", or_dash(&engine.version), clock_or_dash(engine.up_ms));
    if engine.dropped_today > 0 {
        let dropped =
            tongue.pick("thrown away today, for want of room", "perdus aujourd'hui, faute de place");
        text.push_str(&format!(", {} {dropped}", engine.dropped_today));
    }
    text
}

fn cascade(figures: &Figures, tongue: Tongue) -> String {
    let rows = [
        (figures.answered, "answered"),
        (figures.abandoned, "abandoned"),
        (figures.closed, "closed"),
        (figures.left_in_menu, "left_in_menu"),
        (figures.dissuaded, "dissuaded"),
        (figures.other_exit, "other_exit"),
    ];
    let rows: Vec<_> = rows.iter().map(|(count, word)| format!("{count} {}", tongue.word(word))).collect();
    format!("{} {} = {}", figures.offered, tongue.pick("offered", "reçus"), rows.join(" + "))
}

fn levels(figures: &Figures, tongue: Tongue) -> String {
    let within = figures.answer_within_ms / 1_000;
    let (mean, p90) = (clock_or_dash(figures.wait_mean_ms), clock_or_dash(figures.wait_p90_ms));
    let handling = clock_or_dash(figures.handling_mean_ms);
    let (level, rate) = (percent(figures.sl_5), percent(figures.answer_rate));
    match tongue {
        Tongue::English => {
            format!("answer rate {rate}, SL-5 {level} in {within} s, ASA {mean}, p90 {p90}, AHT {handling}")
        }
        Tongue::French => {
            format!(
                "taux de décroché {rate}, QS-5 {level} en {within} s, attente {mean}, p90 {p90}, DMT {handling}"
            )
        }
    }
}

fn alarm_text(alarm: &AlarmShape, tongue: Tongue) -> String {
    let mut text = tongue.word(alarm.kind);
    if let Some(about) = &alarm.about {
        text.push_str(&format!(": {}", printable(about)));
    }
    if let (Some(level), Some(language)) = (alarm.level, &alarm.language) {
        text.push_str(&format!(", {} {level}, {}", tongue.pick("level", "niveau"), printable(language)));
    }
    format!("{text} ({})", clock(alarm.for_ms))
}

fn or_dash(value: &Option<impl ToString>) -> String {
    value.as_ref().map_or_else(|| "–".into(), ToString::to_string)
}
