//! The RTP header, read from a packet and rewritten in place.
//!
//! Knows: RFC 3550 §5.1. Must never know: who sent it, what it means.

use std::ops::Range;

/// The fixed part.
pub(crate) const HEADER_BYTES: usize = 12;

/// What a header says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct RtpHeader {
    pub(crate) marker: bool,
    pub(crate) payload_type: u8,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
    /// Where the payload lies, without CSRCs, extension and padding.
    pub(crate) payload: Range<usize>,
}

impl RtpHeader {
    /// None if it is not a whole RTP packet.
    pub(crate) fn read(packet: &[u8]) -> Option<Self> {
        let fixed = packet.first_chunk::<HEADER_BYTES>()?;
        // RFC 3550 §A.1: version 2, a length that covers the CSRCs, the extension and the padding.
        if fixed[0] >> 6 != 2 {
            return None;
        }
        let mut start = HEADER_BYTES + usize::from(fixed[0] & 0x0f) * 4;
        if fixed[0] & 0x10 != 0 {
            let words = packet.get(start + 2..start + 4)?;
            start += 4 + usize::from(u16::from_be_bytes([words[0], words[1]])) * 4;
        }
        let mut end = packet.len();
        if fixed[0] & 0x20 != 0 {
            let padding = usize::from(*packet.last()?);
            if padding == 0 {
                return None;
            }
            end = end.checked_sub(padding)?;
        }
        if start > end {
            return None;
        }
        Some(Self {
            marker: fixed[1] & 0x80 != 0,
            payload_type: fixed[1] & 0x7f,
            sequence: u16::from_be_bytes([fixed[2], fixed[3]]),
            timestamp: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
            ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
            payload: start..end,
        })
    }
}

/// Overwrites everything but version, padding, extension and CSRCs. Does nothing to what is too short.
pub(crate) fn rewrite(
    packet: &mut [u8],
    marker: bool,
    payload_type: u8,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
) {
    let Some(fixed) = packet.first_chunk_mut::<HEADER_BYTES>() else { return };
    fixed[1] = u8::from(marker) << 7 | payload_type & 0x7f;
    fixed[2..4].copy_from_slice(&sequence.to_be_bytes());
    fixed[4..8].copy_from_slice(&timestamp.to_be_bytes());
    fixed[8..12].copy_from_slice(&ssrc.to_be_bytes());
}

/// Writes a header of our own at the start of `packet`.
pub(crate) fn write(
    packet: &mut [u8],
    marker: bool,
    payload_type: u8,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
) {
    if let Some(first) = packet.first_mut() {
        *first = 2 << 6;
    }
    rewrite(packet, marker, payload_type, sequence, timestamp, ssrc);
}

/// RFC 5761 §4: on a shared port, RTCP's packet types are where RTP's payload types 64 to 95 with marker would be.
pub(crate) fn is_rtcp(packet: &[u8]) -> bool {
    packet.get(1).is_some_and(|packet_type| (192..=223).contains(packet_type))
}

#[cfg(test)]
mod tests;
