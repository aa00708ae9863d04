//! What is kept of each leg for a restart, and how it is written.
//!
//! Knows: the kept shapes, versioned. Must never know: when they are written. The shapes are this file's own: the
//! machines may change without the state of running calls becoming unreadable.
//!
//! Keys: 0 is the counter of leg names; a leg n has 2n for what was agreed, and 2n+1 for each second's checkpoint,
//! which is small because it is written so often.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::control::{Leg, Playing};
use crate::description::Format;
use crate::offer_answer::{Agreed, Line, Proposal, Session};
use crate::printing::Version;
use crate::{Checkpoint, Direction, LegId, MediaFrom, Playlist, StreamPosition, VoiceCodec};

/// The first byte of every record.
const VERSION: u8 = 1;
const COUNTER_KEY: u64 = 0;

pub(crate) fn leg_key(leg: LegId) -> u64 {
    leg.0.saturating_mul(2)
}

pub(crate) fn checkpoint_key(leg: LegId) -> u64 {
    leg_key(leg).saturating_add(1)
}

pub(crate) fn write_counter(reserved_legs: u64) -> (u64, Bytes) {
    (COUNTER_KEY, write(&reserved_legs))
}

pub(crate) fn write_leg(leg: &Leg) -> Bytes {
    write(&LegRecord::from(leg))
}

pub(crate) fn write_checkpoint(checkpoint: &Checkpoint) -> Bytes {
    write(&CheckpointRecord {
        at_us: u64::try_from(checkpoint.at.as_micros()).unwrap_or(u64::MAX),
        position: position_record(checkpoint.position),
        latched: checkpoint.latched,
        latched_rtcp: checkpoint.latched_rtcp,
        played: checkpoint.played,
    })
}

/// Everything that records hold.
pub(crate) struct Kept {
    pub(crate) reserved_legs: u64,
    pub(crate) legs: BTreeMap<LegId, Leg>,
}

/// Reads what can be read.
pub(crate) fn read_all(records: impl IntoIterator<Item = (u64, Bytes)>) -> Kept {
    let mut kept = Kept { reserved_legs: 0, legs: BTreeMap::new() };
    let mut checkpoints = BTreeMap::new();
    for (key, bytes) in records {
        let leg = LegId(key / 2);
        if key == COUNTER_KEY {
            kept.reserved_legs = read(&bytes).unwrap_or(0);
        } else if key % 2 == 0 {
            if let Some(record) = read::<LegRecord>(&bytes) {
                kept.legs.insert(leg, record.into());
            }
        } else if let Some(record) = read::<CheckpointRecord>(&bytes) {
            checkpoints.insert(leg, record.into());
        }
    }
    for (leg, checkpoint) in checkpoints {
        if let Some(leg) = kept.legs.get_mut(&leg) {
            leg.checkpoint = Some(checkpoint);
        }
    }
    kept
}

fn write(record: &impl Serialize) -> Bytes {
    // Nothing in these shapes can fail to be written; an empty record is skipped when read.
    postcard::to_extend(record, vec![VERSION]).unwrap_or_default().into()
}

fn read<R: DeserializeOwned>(bytes: &[u8]) -> Option<R> {
    match bytes.split_first()? {
        (&VERSION, record) => postcard::from_bytes(record).ok(),
        _ => None,
    }
}

#[derive(Serialize, Deserialize)]
struct LegRecord {
    worker: u32,
    port: u16,
    ipv6: bool,
    media_from: MediaFromRecord,
    partner_hint: Option<u64>,
    codecs: Vec<CodecRecord>,
    session: SessionRecord,
    version: (u32, u64),
    proposed: Option<ProposalRecord>,
    bridged: Option<u64>,
    playing: Option<PlayingRecord>,
    position: (u32, u16, u32),
}

#[derive(Serialize, Deserialize)]
struct CheckpointRecord {
    at_us: u64,
    position: (u32, u16, u32),
    latched: Option<SocketAddr>,
    latched_rtcp: Option<SocketAddr>,
    played: Option<(u32, u32)>,
}

#[derive(Serialize, Deserialize)]
enum MediaFromRecord {
    Signalled,
    Registration(IpAddr),
    Networks(Vec<(IpAddr, u8)>),
}

#[derive(Serialize, Deserialize)]
enum CodecRecord {
    Pcma,
    Pcmu,
}

#[derive(Serialize, Deserialize)]
enum DirectionRecord {
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

#[derive(Serialize, Deserialize)]
struct SessionRecord {
    lines: Vec<(String, String, String)>,
    audio: u32,
    offered: Option<Vec<FormatRecord>>,
    agreed: Option<AgreedRecord>,
    our_direction: DirectionRecord,
}

#[derive(Serialize, Deserialize)]
struct AgreedRecord {
    direction: DirectionRecord,
    rtp: Option<SocketAddr>,
    rtcp: Option<SocketAddr>,
    rtcp_mux: bool,
    receive: Vec<FormatRecord>,
    send: Vec<FormatRecord>,
    maxptime_ms: Option<u16>,
}

#[derive(Serialize, Deserialize)]
struct ProposalRecord {
    lines: Vec<(String, String, String)>,
    audio: u32,
    formats: Vec<FormatRecord>,
    direction: DirectionRecord,
    rtcp_mux: bool,
}

#[derive(Serialize, Deserialize)]
struct FormatRecord {
    payload_type: u8,
    name: String,
    clock_hz: u32,
    channels: u8,
    parameters: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct PlayingRecord {
    number: u32,
    prompts: Vec<String>,
    repeat: bool,
    gap_us: u64,
    tag: u32,
}

impl From<&Leg> for LegRecord {
    fn from(leg: &Leg) -> Self {
        Self {
            worker: u32::try_from(leg.worker).unwrap_or(0),
            port: leg.port,
            ipv6: leg.ipv6,
            media_from: match &leg.media_from {
                MediaFrom::Signalled => MediaFromRecord::Signalled,
                MediaFrom::Registration(address) => MediaFromRecord::Registration(*address),
                MediaFrom::Networks(networks) => MediaFromRecord::Networks(networks.clone()),
            },
            partner_hint: leg.partner_hint.map(|leg| leg.0),
            codecs: leg.codecs.iter().map(|&codec| codec.into()).collect(),
            session: SessionRecord {
                lines: lines_record(&leg.session.lines),
                audio: u32::try_from(leg.session.audio).unwrap_or(0),
                offered: leg.session.offered.as_deref().map(formats_record),
                agreed: leg.session.agreed.as_ref().map(AgreedRecord::from),
                our_direction: leg.session.our_direction.into(),
            },
            version: (leg.version.session, leg.version.version),
            proposed: leg.proposed.as_ref().map(|proposed| ProposalRecord {
                lines: lines_record(&proposed.lines),
                audio: u32::try_from(proposed.audio).unwrap_or(0),
                formats: formats_record(&proposed.formats),
                direction: proposed.direction.into(),
                rtcp_mux: proposed.rtcp_mux,
            }),
            bridged: leg.bridged.map(|leg| leg.0),
            playing: leg.playing.as_ref().map(|Playing { number, playlist }| PlayingRecord {
                number: *number,
                prompts: playlist.prompts.iter().map(|name| name.to_string()).collect(),
                repeat: playlist.repeat,
                gap_us: u64::try_from(playlist.gap.as_micros()).unwrap_or(u64::MAX),
                tag: playlist.tag,
            }),
            position: position_record(leg.position),
        }
    }
}

impl From<LegRecord> for Leg {
    fn from(record: LegRecord) -> Self {
        Self {
            worker: record.worker as usize,
            port: record.port,
            ipv6: record.ipv6,
            media_from: match record.media_from {
                MediaFromRecord::Signalled => MediaFrom::Signalled,
                MediaFromRecord::Registration(address) => MediaFrom::Registration(address),
                MediaFromRecord::Networks(networks) => MediaFrom::Networks(networks),
            },
            partner_hint: record.partner_hint.map(LegId),
            codecs: record.codecs.into_iter().map(VoiceCodec::from).collect(),
            session: Session {
                lines: lines(record.session.lines),
                audio: record.session.audio as usize,
                offered: record.session.offered.map(formats),
                agreed: record.session.agreed.map(Agreed::from),
                our_direction: record.session.our_direction.into(),
            },
            version: Version { session: record.version.0, version: record.version.1 },
            proposed: record.proposed.map(|proposed| Proposal {
                lines: lines(proposed.lines),
                audio: proposed.audio as usize,
                formats: formats(proposed.formats),
                direction: proposed.direction.into(),
                rtcp_mux: proposed.rtcp_mux,
            }),
            bridged: record.bridged.map(LegId),
            playing: record.playing.map(|playing| Playing {
                number: playing.number,
                playlist: Playlist {
                    prompts: playing.prompts.into_iter().map(Arc::from).collect(),
                    repeat: playing.repeat,
                    gap: Duration::from_micros(playing.gap_us),
                    tag: playing.tag,
                },
            }),
            position: position(record.position),
            checkpoint: None,
        }
    }
}

impl From<CheckpointRecord> for Checkpoint {
    fn from(record: CheckpointRecord) -> Self {
        Self {
            at: Duration::from_micros(record.at_us),
            position: position(record.position),
            latched: record.latched,
            latched_rtcp: record.latched_rtcp,
            played: record.played,
        }
    }
}

impl From<&Agreed> for AgreedRecord {
    fn from(agreed: &Agreed) -> Self {
        Self {
            direction: agreed.direction.into(),
            rtp: agreed.rtp,
            rtcp: agreed.rtcp,
            rtcp_mux: agreed.rtcp_mux,
            receive: formats_record(&agreed.receive),
            send: formats_record(&agreed.send),
            maxptime_ms: agreed.maxptime_ms,
        }
    }
}

impl From<AgreedRecord> for Agreed {
    fn from(record: AgreedRecord) -> Self {
        Self {
            direction: record.direction.into(),
            rtp: record.rtp,
            rtcp: record.rtcp,
            rtcp_mux: record.rtcp_mux,
            receive: formats(record.receive),
            send: formats(record.send),
            maxptime_ms: record.maxptime_ms,
        }
    }
}

impl From<VoiceCodec> for CodecRecord {
    fn from(codec: VoiceCodec) -> Self {
        match codec {
            VoiceCodec::Pcma => Self::Pcma,
            VoiceCodec::Pcmu => Self::Pcmu,
        }
    }
}

impl From<CodecRecord> for VoiceCodec {
    fn from(record: CodecRecord) -> Self {
        match record {
            CodecRecord::Pcma => Self::Pcma,
            CodecRecord::Pcmu => Self::Pcmu,
        }
    }
}

impl From<Direction> for DirectionRecord {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::SendRecv => Self::SendRecv,
            Direction::SendOnly => Self::SendOnly,
            Direction::RecvOnly => Self::RecvOnly,
            Direction::Inactive => Self::Inactive,
        }
    }
}

impl From<DirectionRecord> for Direction {
    fn from(record: DirectionRecord) -> Self {
        match record {
            DirectionRecord::SendRecv => Self::SendRecv,
            DirectionRecord::SendOnly => Self::SendOnly,
            DirectionRecord::RecvOnly => Self::RecvOnly,
            DirectionRecord::Inactive => Self::Inactive,
        }
    }
}

fn position_record(position: StreamPosition) -> (u32, u16, u32) {
    (position.ssrc, position.sequence, position.timestamp)
}

fn position((ssrc, sequence, timestamp): (u32, u16, u32)) -> StreamPosition {
    StreamPosition { ssrc, sequence, timestamp }
}

fn lines_record(lines: &[Line]) -> Vec<(String, String, String)> {
    lines.iter().map(|line| (line.kind.clone(), line.transport.clone(), line.format_list.clone())).collect()
}

fn lines(record: Vec<(String, String, String)>) -> Vec<Line> {
    record.into_iter().map(|(kind, transport, format_list)| Line { kind, transport, format_list }).collect()
}

fn formats_record(formats: &[Format]) -> Vec<FormatRecord> {
    formats
        .iter()
        .map(|format| FormatRecord {
            payload_type: format.payload_type,
            name: format.name.clone(),
            clock_hz: format.clock_hz,
            channels: format.channels,
            parameters: format.parameters.clone(),
        })
        .collect()
}

fn formats(record: Vec<FormatRecord>) -> Vec<Format> {
    record
        .into_iter()
        .map(|format| Format {
            payload_type: format.payload_type,
            name: format.name,
            clock_hz: format.clock_hz,
            channels: format.channels,
            parameters: format.parameters,
        })
        .collect()
}
