//! Digests as text. Knows lower-case hexadecimal and nothing else.

use std::fmt;

/// Writes bytes as lower-case hexadecimal.
pub(crate) fn write(bytes: &[u8], out: &mut dyn fmt::Write) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
}

/// Fills `bytes` from exactly as much hexadecimal; false if the text is anything else.
pub(crate) fn decode(text: &str, bytes: &mut [u8]) -> bool {
    let text = text.as_bytes();
    if text.len() != bytes.len() * 2 {
        return false;
    }
    for (pair, byte) in text.chunks_exact(2).zip(bytes) {
        let (Some(high), Some(low)) = (digit(pair[0]), digit(pair[1])) else { return false };
        *byte = high << 4 | low;
    }
    true
}

fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}
