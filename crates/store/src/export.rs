//! Records as files for other programs: JSON and CSV.
//!
//! Knows: the columns of the CSV, which keep their places. Must never do: let a text from the wire become
//! a formula in somebody's spreadsheet.

use std::io;

use crate::record::CdrRecord;

/// One JSON object a line.
pub fn write_json<'a>(
    records: impl IntoIterator<Item = &'a CdrRecord>,
    mut out: impl io::Write,
) -> io::Result<()> {
    for record in records {
        serde_json::to_writer(&mut out, record)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// One row a contact, with a head. Lists are left to the JSON; of the offers there is the number.
pub fn write_csv<'a>(
    records: impl IntoIterator<Item = &'a CdrRecord>,
    out: impl io::Write,
) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(COLUMNS.map(|(name, _)| name))?;
    for record in records {
        writer.write_record(COLUMNS.map(|(_, column)| inert(column(record))))?;
    }
    writer.flush()
}

type Column = (&'static str, fn(&CdrRecord) -> String);

const COLUMNS: [Column; 33] = [
    ("contact", |r| r.contact.to_string()),
    ("offered_at", |r| r.offered_at.clone()),
    ("queued_at", |r| or_empty(&r.queued_at)),
    ("first_offer_at", |r| or_empty(&r.first_offer_at)),
    ("answered_at", |r| or_empty(&r.answered_at)),
    ("ended_at", |r| r.ended_at.clone()),
    ("line", |r| r.line.clone()),
    ("language", |r| or_empty(&r.language)),
    ("level", |r| or_empty(&r.level)),
    ("trunk", |r| r.trunk.clone()),
    ("trunk_call_id", |r| r.trunk_call_id.clone()),
    ("caller", |r| or_empty(&r.caller)),
    ("redirected", |r| r.redirected.to_string()),
    ("outcome", |r| r.outcome.clone()),
    ("outcome_reason", |r| or_empty(&r.outcome_reason)),
    ("ended_by", |r| r.ended_by.clone()),
    ("end_proof", |r| r.end_proof.clone()),
    ("sip_status", |r| or_empty(&r.sip_status)),
    ("q850_cause", |r| or_empty(&r.q850_cause)),
    ("reason_text", |r| or_empty(&r.reason_text)),
    ("operator", |r| or_empty(&r.operator)),
    ("employer", |r| or_empty(&r.employer)),
    ("offers", |r| (r.offers.len() as u64 + u64::from(r.offers_left_out)).to_string()),
    ("wait_ms", |r| r.wait_ms.to_string()),
    ("wait_again_ms", |r| r.wait_again_ms.to_string()),
    ("ring_ms", |r| r.ring_ms.to_string()),
    ("talk_ms", |r| r.talk_ms.to_string()),
    ("hold_ms", |r| r.hold_ms.to_string()),
    ("wrap_up_ms", |r| r.wrap_up_ms.to_string()),
    ("codec", |r| or_empty(&r.codec)),
    ("one_way_audio", |r| r.one_way_audio.to_string()),
    ("silent", |r| r.silent.to_string()),
    ("settled", |r| r.settled.to_string()),
];

fn or_empty(value: &Option<impl ToString>) -> String {
    value.as_ref().map(ToString::to_string).unwrap_or_default()
}

/// Spreadsheets take what begins with one of these for a formula.
fn inert(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text }
}
