//! Telephones on real sockets: what `phone` wants sent is sent, what comes is given to it.
//!
//! Knows: UDP sockets on loopback, and which telephone each belongs to. Must never know: why anybody calls.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use phone::{Command, Event, Input, Output, Phone, PhoneConfig};
use rand_chacha::ChaCha12Rng;
use rand_core::{Rng as _, SeedableRng as _};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::people::TelephoneId;

/// Datagrams read and not yet heard: a fifth of a second of all calls' sound. Then readers wait, and the kernel drops.
const ARRIVALS_MAX: usize = 2_048;
/// Datagrams heard in one turn, so that a timer is late by little.
const TURN_MAX: usize = 256;
/// The longest datagram that IP carries; SIP over UDP may be long, RTP is not.
const DATAGRAM_BYTES_MAX: usize = 65_535;

/// A telephone before it is plugged in.
pub(crate) struct Place {
    /// Where its sockets are.
    pub(crate) address: IpAddr,
    /// The SIP port that it would like; any other if it is taken.
    pub(crate) port: u16,
    /// Calls at once.
    pub(crate) calls_max: usize,
}

/// All telephones, by their place.
pub(crate) struct Telephones {
    plugged: Vec<Plugged>,
    arrivals: mpsc::Receiver<Arrival>,
    /// Kept so that `arrivals` never ends, even without a single telephone.
    arrived: mpsc::Sender<Arrival>,
    readers: JoinSet<()>,
    events: VecDeque<(TelephoneId, Event)>,
    random: ChaCha12Rng,
    began_at: Instant,
}

struct Plugged {
    phone: Phone,
    sip: Arc<UdpSocket>,
    rtp: Vec<Arc<UdpSocket>>,
}

struct Arrival {
    telephone: usize,
    /// The place of its RTP socket; none: SIP.
    rtp: Option<usize>,
    from: SocketAddr,
    bytes: Vec<u8>,
}

impl Telephones {
    /// None yet; time runs from now.
    pub(crate) fn new(seed: u64) -> Self {
        let (arrived, arrivals) = mpsc::channel(ARRIVALS_MAX);
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        Self {
            plugged: Vec::new(),
            arrivals,
            arrived,
            readers: JoinSet::new(),
            events: VecDeque::new(),
            random: ChaCha12Rng::from_seed(bytes),
            began_at: Instant::now(),
        }
    }

    /// Opens a telephone's sockets and has it wait for calls. `configure` completes what the sockets decide.
    pub(crate) async fn plug_in(
        &mut self,
        place: Place,
        server: SocketAddr,
        configure: impl FnOnce(PhoneConfig) -> PhoneConfig,
    ) -> io::Result<TelephoneId> {
        let telephone = self.plugged.len();
        let wished = UdpSocket::bind((place.address, place.port)).await;
        let sip = match wished {
            Ok(socket) => socket,
            Err(_) => UdpSocket::bind((place.address, 0)).await?,
        };
        let sip = Arc::new(sip);
        let mut rtp = Vec::with_capacity(place.calls_max);
        for _ in 0..place.calls_max {
            rtp.push(Arc::new(UdpSocket::bind((place.address, 0)).await?));
        }
        let mut config = PhoneConfig::new("", sip.local_addr()?, server);
        config.rtp = rtp.iter().map(|socket| socket.local_addr()).collect::<io::Result<_>>()?;
        let mut seed = [0; 32];
        self.random.fill_bytes(&mut seed);
        let phone = Phone::new(configure(config), seed);
        self.readers.spawn(read(sip.clone(), telephone, None, self.arrived.clone()));
        for (port, socket) in rtp.iter().enumerate() {
            self.readers.spawn(read(socket.clone(), telephone, Some(port), self.arrived.clone()));
        }
        self.plugged.push(Plugged { phone, sip, rtp });
        Ok(TelephoneId(telephone))
    }

    /// Since the first telephone's beginning.
    pub(crate) fn now(&self) -> Duration {
        self.began_at.elapsed()
    }

    /// The person at a telephone does something.
    pub(crate) fn command(&mut self, telephone: TelephoneId, command: Command) {
        let now = self.now();
        if let Some(plugged) = self.plugged.get_mut(telephone.0) {
            plugged.phone.handle(now, Input::Command(command));
            plugged.drain(telephone, &mut self.events);
        }
    }

    /// What somebody at a telephone noticed.
    pub(crate) fn poll_event(&mut self) -> Option<(TelephoneId, Event)> {
        self.events.pop_front()
    }

    /// Waits until something comes or is due at a telephone, or until `no_later_than`, and does it. May be cancelled.
    pub(crate) async fn turn(&mut self, no_later_than: Duration) {
        let due = self.plugged.iter().filter_map(|plugged| plugged.phone.poll_timeout()).min();
        let at = self.began_at + due.map_or(no_later_than, |due| due.min(no_later_than));
        tokio::select! {
            Some(arrival) = self.arrivals.recv() => {
                self.take(arrival);
                for _ in 1..TURN_MAX {
                    match self.arrivals.try_recv() {
                        Ok(arrival) => self.take(arrival),
                        Err(_) => break,
                    }
                }
            }
            () = tokio::time::sleep_until(at) => {}
        }
        let now = self.now();
        for (place, plugged) in self.plugged.iter_mut().enumerate() {
            if plugged.phone.poll_timeout().is_some_and(|at| at <= now) {
                plugged.phone.handle(now, Input::Timeout);
                plugged.drain(TelephoneId(place), &mut self.events);
            }
        }
    }

    fn take(&mut self, arrival: Arrival) {
        let now = self.now();
        let Some(plugged) = self.plugged.get_mut(arrival.telephone) else { return };
        let (from, bytes) = (arrival.from, arrival.bytes.as_slice());
        plugged.phone.handle(
            now,
            match arrival.rtp {
                Some(port) => Input::Rtp { port, from, bytes },
                None => Input::SipDatagram { from, bytes },
            },
        );
        plugged.drain(TelephoneId(arrival.telephone), &mut self.events);
    }
}

impl Plugged {
    fn drain(&mut self, telephone: TelephoneId, events: &mut VecDeque<(TelephoneId, Event)>) {
        while let Some(output) = self.phone.poll_output() {
            // What the kernel has no room for is lost, as it would be on any network.
            match output {
                Output::SipDatagram { to, bytes } => drop(self.sip.try_send_to(&bytes, to)),
                Output::Rtp { port, to, bytes, .. } => {
                    if let Some(socket) = self.rtp.get(port) {
                        let _ = socket.try_send_to(&bytes, to);
                    }
                }
                Output::Event(event) => events.push_back((telephone, event)),
                // These telephones speak UDP.
                Output::SipStream { .. } | Output::CloseStream { .. } => {}
            }
        }
    }
}

async fn read(socket: Arc<UdpSocket>, telephone: usize, rtp: Option<usize>, arrived: mpsc::Sender<Arrival>) {
    let mut buffer = vec![0; if rtp.is_some() { 2_048 } else { DATAGRAM_BYTES_MAX }];
    loop {
        // An error on a UDP socket is a datagram of ours that nobody took; the next one may be taken.
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else { continue };
        let arrival = Arrival { telephone, rtp, from, bytes: buffer[..length].to_vec() };
        if arrived.send(arrival).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
