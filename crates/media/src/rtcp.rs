//! RTCP of one leg: our reports, and what the peer's tell us.
//!
//! Knows: RFC 3550 §6. Must never know: addresses. Reports end here: each leg has its own, since each side of a
//! bridge is a stream of our own.

use std::time::Duration;

use rtcp_types::{
    Bye, Compound, Packet, ReceiverReport, ReportBlock, RtcpPacketWriterExt, Sdes, SdesChunk, SdesItem,
    SenderReport,
};

use crate::outgoing::Outgoing;
use crate::stats::Reception;

/// RFC 3550 §6.2: the least mean interval.
const INTERVAL: Duration = Duration::from_secs(5);
/// A report of ours: SR with one block, SDES with a CNAME, BYE.
pub(crate) const REPORT_BYTES_MAX: usize = 128;

/// One leg's RTCP.
#[derive(Clone, Debug)]
pub(crate) struct RtcpSession {
    cname: String,
    due: Duration,
    /// The peer's last sender report: the middle of its NTP time, and when it came.
    last_sender_report: Option<(u32, Duration)>,
    sent_at_last_report: u64,
    remote_loss: Option<f32>,
    round_trip: Option<Duration>,
}

impl RtcpSession {
    /// `random` spreads the reports.
    pub(crate) fn new(now: Duration, ssrc: u32, random: u32) -> Self {
        // RFC 7022 §4.2: a CNAME that says nothing of who or where we are.
        let cname = format!("{:08x}", ssrc.rotate_left(16) ^ 0x5bd1_e995);
        // RFC 3550 §6.2: the first after half the interval.
        Self {
            cname,
            due: now + spread(INTERVAL / 2, random),
            last_sender_report: None,
            sent_at_last_report: 0,
            remote_loss: None,
            round_trip: None,
        }
    }

    pub(crate) fn due(&self) -> Duration {
        self.due
    }

    pub(crate) fn remote_loss(&self) -> Option<f32> {
        self.remote_loss
    }

    pub(crate) fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// Writes our report; `bye` when the leg ends. Gives its length.
    pub(crate) fn report(
        &mut self,
        now: Duration,
        outgoing: &Outgoing,
        reception: &mut Reception,
        random: u32,
        bye: bool,
        buffer: &mut [u8; REPORT_BYTES_MAX],
    ) -> usize {
        self.due = now + spread(INTERVAL, random);
        let ssrc = outgoing.position().ssrc;
        let block = reception.report().map(|report| {
            let (last_sender_report, delay) = self
                .last_sender_report
                .map_or((0, 0), |(middle, at)| (middle, ntp_middle(now.saturating_sub(at))));
            ReportBlock::builder(report.ssrc)
                .fraction_lost(report.fraction_lost)
                .cumulative_lost(report.cumulative_lost)
                .extended_sequence_number(report.extended_highest)
                .interarrival_jitter(report.jitter)
                .last_sender_report_timestamp(last_sender_report)
                .delay_since_last_sender_report_timestamp(delay)
        });
        let sent = outgoing.packets() != self.sent_at_last_report;
        self.sent_at_last_report = outgoing.packets();
        let chunk = SdesChunk::builder(ssrc).add_item(SdesItem::builder(SdesItem::CNAME, &self.cname));
        let mut compound = Compound::builder();
        // RFC 3550 §6.4: a sender report if we sent since the last one, else a receiver report.
        compound = match outgoing.timestamp_at(now).filter(|_| sent) {
            Some(timestamp) => {
                let mut report = SenderReport::builder(ssrc)
                    .ntp_timestamp(ntp(now))
                    .rtp_timestamp(timestamp)
                    .packet_count(outgoing.packets() as u32)
                    .octet_count(outgoing.octets() as u32);
                if let Some(block) = block {
                    report = report.add_report_block(block);
                }
                compound.add_packet(report)
            }
            None => {
                let mut report = ReceiverReport::builder(ssrc);
                if let Some(block) = block {
                    report = report.add_report_block(block);
                }
                compound.add_packet(report)
            }
        };
        compound = compound.add_packet(Sdes::builder().add_chunk(chunk));
        if bye {
            compound = compound.add_packet(Bye::builder().add_source(ssrc));
        }
        compound.write_into(buffer).unwrap_or(0)
    }

    /// Takes in the peer's packet; `our_ssrc` tells the blocks about us. False if it is not RTCP.
    pub(crate) fn on_packet(&mut self, now: Duration, our_ssrc: u32, packet: &[u8]) -> bool {
        let Ok(compound) = Compound::parse(packet) else { return false };
        for part in compound {
            match part {
                Ok(Packet::Sr(report)) => {
                    let middle = (report.ntp_timestamp() >> 16) as u32;
                    self.last_sender_report = Some((middle, now));
                    for block in report.report_blocks() {
                        self.on_block(now, our_ssrc, &block);
                    }
                }
                Ok(Packet::Rr(report)) => {
                    for block in report.report_blocks() {
                        self.on_block(now, our_ssrc, &block);
                    }
                }
                Ok(_) => {}
                Err(_) => return false,
            }
        }
        true
    }

    fn on_block(&mut self, now: Duration, our_ssrc: u32, block: &ReportBlock<'_>) {
        if block.ssrc() != our_ssrc {
            return;
        }
        self.remote_loss = Some(f32::from(block.fraction_lost()) / 256.0);
        let sent = block.last_sender_report_timestamp();
        if sent != 0 {
            // RFC 3550 §6.4.1: now - LSR - DLSR, modulo 2^16 seconds.
            let now_middle = (ntp(now) >> 16) as u32;
            let trip =
                now_middle.wrapping_sub(sent).wrapping_sub(block.delay_since_last_sender_report_timestamp());
            // A peer that counts wrongly gives a negative trip; that is no trip.
            if trip < 1 << 31 {
                self.round_trip = Some(Duration::from_micros(u64::from(trip) * 1_000_000 / 65_536));
            }
        }
    }
}

/// The SSRC of the sender of an RTCP packet.
pub(crate) fn sender_ssrc(packet: &[u8]) -> Option<u32> {
    let head = packet.first_chunk::<8>()?;
    if head[0] >> 6 != 2 || !crate::rtp_header::is_rtcp(packet) {
        return None;
    }
    Some(u32::from_be_bytes([head[4], head[5], head[6], head[7]]))
}

/// RFC 3550 §6.2: 0.5 to 1.5 times the interval.
fn spread(interval: Duration, random: u32) -> Duration {
    interval / 2 + interval.mul_f64(f64::from(random) / f64::from(u32::MAX))
}

/// Our NTP time counts from the engine's epoch: RFC 3550 §4 asks only that it be one clock, and the wall clock's
/// leaps would spoil round trips.
fn ntp(now: Duration) -> u64 {
    ((now.as_secs() & 0xffff_ffff) << 32) | ((u64::from(now.subsec_nanos()) << 32) / 1_000_000_000)
}

fn ntp_middle(time: Duration) -> u32 {
    (ntp(time) >> 16) as u32
}

#[cfg(test)]
mod tests;
