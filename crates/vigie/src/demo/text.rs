//! How times and shares are written, and how text is fitted into a column.

use std::time::Duration;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// `m:ss`, and `h:mm:ss` from an hour on.
pub(crate) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// A time that may not be known.
pub(crate) fn clock_or_dash(time: Option<Duration>) -> String {
    time.map_or_else(|| "–".into(), clock)
}

/// A share as a percentage, rounded down: never in anybody's favour.
pub(crate) fn percent(share: Option<f64>) -> String {
    // Sums of fractions miss whole shares by rounding alone.
    share.map_or_else(|| "–".into(), |share| format!("{} %", (share * 100.0 + 1e-9).floor()))
}

/// The columns that a text takes on a terminal.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// As much of a text as goes into so many columns, and nothing that could steer the terminal.
pub(crate) fn cut(text: &str, columns: usize) -> String {
    let mut left = columns;
    let mut out = String::with_capacity(text.len());
    for c in text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }) {
        let wide = c.width().unwrap_or(0);
        if wide > left {
            break;
        }
        left -= wide;
        out.push(c);
    }
    out
}

/// The same, with an ellipsis where something was left out, filled up to the column's width.
pub(crate) fn column(text: &str, columns: usize) -> String {
    let mut cell = if width(text) > columns {
        format!("{}…", cut(text, columns.saturating_sub(1)))
    } else {
        cut(text, columns)
    };
    cell.push_str(&" ".repeat(columns.saturating_sub(width(&cell))));
    cell
}
