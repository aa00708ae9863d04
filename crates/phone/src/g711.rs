//! G.711, both laws, with tables of its own (ITU-T G.711; 16-bit linear samples).
//!
//! It knows bytes and samples; it must never know packets, nor borrow the `media` room's codec.

#[cfg(test)]
mod tests;

/// One of the two companding laws, which are also static RTP payload types (RFC 3551 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Codec {
    /// PCMA, payload type 8.
    ALaw,
    /// PCMU, payload type 0.
    MuLaw,
}

impl Codec {
    /// The static RTP payload type.
    #[must_use]
    pub fn payload_type(self) -> u8 {
        match self {
            Self::ALaw => 8,
            Self::MuLaw => 0,
        }
    }

    /// The SDP encoding name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ALaw => "PCMA",
            Self::MuLaw => "PCMU",
        }
    }

    /// The byte that stands for silence.
    #[must_use]
    pub fn silence(self) -> u8 {
        match self {
            Self::ALaw => 0xd5,
            Self::MuLaw => 0xff,
        }
    }

    /// One byte as a 16-bit sample.
    #[must_use]
    pub fn decode(self, byte: u8) -> i16 {
        match self {
            Self::ALaw => A_LAW[usize::from(byte)],
            Self::MuLaw => MU_LAW[usize::from(byte)],
        }
    }

    /// The byte nearest to a 16-bit sample.
    #[must_use]
    pub fn encode(self, sample: i16) -> u8 {
        match self {
            Self::ALaw => encode_a_law(sample),
            Self::MuLaw => encode_mu_law(sample),
        }
    }
}

const A_LAW: [i16; 256] = table(true);
const MU_LAW: [i16; 256] = table(false);
const MU_BIAS: i32 = 0x84;

const fn table(a_law: bool) -> [i16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = if a_law { expand_a_law(byte as u8) } else { expand_mu_law(byte as u8) };
        byte += 1;
    }
    table
}

const fn expand_a_law(byte: u8) -> i16 {
    // Even bits are inverted on the line; the sign bit is set for positive samples.
    let bits = byte ^ 0x55;
    let (segment, step) = ((bits >> 4) & 7, (bits & 0x0f) as i32);
    let mut magnitude = (step << 4) + 8;
    if segment > 0 {
        magnitude = (magnitude + 0x100) << (segment - 1);
    }
    if bits & 0x80 != 0 { magnitude as i16 } else { -magnitude as i16 }
}

const fn expand_mu_law(byte: u8) -> i16 {
    let bits = !byte;
    let (segment, step) = ((bits >> 4) & 7, (bits & 0x0f) as i32);
    let magnitude = (((step << 3) + MU_BIAS) << segment) - MU_BIAS;
    if bits & 0x80 != 0 { -magnitude as i16 } else { magnitude as i16 }
}

fn encode_a_law(sample: i16) -> u8 {
    let sign = if sample >= 0 { 0x80 } else { 0 };
    // The decision values of negative samples mirror those of positive ones.
    let magnitude = if sample >= 0 { i32::from(sample) } else { -i32::from(sample) - 1 };
    let mut segment = 0;
    while segment < 7 && magnitude >= 0x100 << segment {
        segment += 1;
    }
    let step = if segment < 2 { magnitude >> 4 } else { magnitude >> (segment + 3) } & 0x0f;
    (sign | (segment << 4) as u8 | step as u8) ^ 0x55
}

fn encode_mu_law(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = (i32::from(sample).abs() + MU_BIAS).min(0x7fff);
    let mut segment = 7;
    while segment > 0 && magnitude < 0x80 << segment {
        segment -= 1;
    }
    let step = (magnitude >> (segment + 3)) & 0x0f;
    !(sign | (segment << 4) as u8 | step as u8)
}
