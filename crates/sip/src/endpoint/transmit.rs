//! The way out: which flow a message takes, and what a transaction's step makes of it.
//!
//! Knows: listening sockets, flows, look-ups, the steps that the four machines ask for. Must never know: what a
//! message means to a leg.
//!
//! Requests over datagrams stay on datagrams whatever their length: RFC 3261 §18.1.1 would have those past 1300
//! bytes go over TCP, which a NAT'd phone cannot be reached by and which no trunk that was configured for UDP
//! expects. Fragments arrive.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;

use super::streams::{Flow, Written};
use super::{ClientUser, Endpoint, Resolving, ServerUser, TimerKey};
use crate::door::{Listen, Name, Output, ResolveId, Transport};
use crate::transaction::client_invite::ClientInvite;
use crate::transaction::client_non_invite::ClientNonInvite;
use crate::transaction::table::{Cancel, ClientMachine, ServerMachine, Side, TransactionId};
use crate::transaction::{Arm, Deadline, Failure, GIVE_UP, Reliability, Step, T1};
use crate::wire::{Method, Response};

/// Where SIP lives when nothing else is said (RFC 3261 §19.1.2).
pub(super) const DEFAULT_PORT: u16 = 5060;

/// Where a request of ours is to go.
#[derive(Clone, Debug)]
pub(super) enum Hop {
    /// By a known way.
    Flow(Flow),
    /// To a name that is to be looked up.
    Name { host: Name, port: u16, transport: Transport },
}

impl Hop {
    /// The transport it will take.
    pub(super) fn transport(&self) -> Transport {
        match self {
            Self::Flow(flow) => flow.transport(),
            Self::Name { transport, .. } => *transport,
        }
    }

    /// Whether that transport repeats for us.
    pub(super) fn transport_reliability(&self) -> Reliability {
        match self.transport() {
            Transport::Udp => Reliability::Unreliable,
            Transport::Tcp => Reliability::Reliable,
        }
    }
}

impl Endpoint {
    /// The listening socket that stands for us towards this peer.
    pub(super) fn listen_for(&self, transport: Transport, remote: Option<IpAddr>) -> Option<&Listen> {
        let fit = |listen: &Listen| {
            let Some(remote) = remote else { return 1 };
            let same_family = listen.address.is_ipv4() == remote.is_ipv4();
            let same_scope = listen.address.ip().is_unspecified()
                || listen.address.ip().is_loopback() == remote.is_loopback();
            2 * u8::from(same_family) + u8::from(same_scope)
        };
        let mut best: Option<(u8, &Listen)> = None;
        for listen in self.settings.listen.iter().filter(|listen| listen.transport == transport) {
            if best.is_none_or(|(known, _)| fit(listen) > known) {
                best = Some((fit(listen), listen));
            }
        }
        best.map(|(_, listen)| listen)
    }

    /// The flow to an address, over a stream that is open already where there is one.
    pub(super) fn flow_to(
        &mut self,
        now: Duration,
        transport: Transport,
        remote: SocketAddr,
    ) -> Option<Flow> {
        match transport {
            Transport::Udp => {
                let listen = self.listen_for(transport, Some(remote.ip()))?;
                (listen.address.is_ipv4() == remote.is_ipv4())
                    .then_some(Flow::Datagram { local: listen.address, remote })
            }
            Transport::Tcp => self.stream_to(now, remote).map(|stream| Flow::Stream { stream, remote }),
        }
    }

    fn stream_to(&mut self, now: Duration, remote: SocketAddr) -> Option<crate::door::StreamId> {
        if let Some(stream) = self.streams.to(remote) {
            return Some(stream);
        }
        if self.streams.len() >= self.settings.limits.streams_max {
            return None;
        }
        let stream = self.fresh_stream();
        self.streams.connecting(now, stream, remote);
        self.watch_stream(stream);
        self.step.push(Output::StreamConnect { stream, transport: Transport::Tcp, remote });
        Some(stream)
    }

    /// Sends bytes by a flow, over a new stream where the old one is gone. Tells the flow that was taken.
    pub(super) fn transmit(&mut self, now: Duration, flow: Flow, bytes: &Bytes) -> Result<Flow, Failure> {
        match flow {
            Flow::Datagram { local, remote } => {
                // A record of another configuration, or a reconfiguration, may name a socket that is gone.
                let local = match self.settings.listen.iter().any(|listen| listen.address == local) {
                    true => local,
                    false => match self.flow_to(now, Transport::Udp, remote) {
                        Some(Flow::Datagram { local, .. }) => local,
                        _ => return Err(Failure::Transport),
                    },
                };
                self.step.push(Output::Datagram { local, remote, bytes: bytes.clone() });
                Ok(Flow::Datagram { local, remote })
            }
            Flow::Stream { stream, remote } => {
                let stream = match self.streams.contains(stream) {
                    true => stream,
                    false => self.stream_to(now, remote).ok_or(Failure::Transport)?,
                };
                match self.streams.write(stream, bytes) {
                    Written::Now => self.step.push(Output::StreamWrite { stream, bytes: bytes.clone() }),
                    Written::Later => {}
                    Written::Lost => return Err(Failure::Transport),
                }
                Ok(Flow::Stream { stream, remote })
            }
        }
    }

    /// Starts a transaction of ours.
    pub(super) fn start_client(
        &mut self,
        now: Duration,
        method: &Method,
        branch: Bytes,
        request: Bytes,
        hop: Hop,
        user: ClientUser,
    ) -> TransactionId {
        let reliability = hop.transport_reliability();
        let (machine, step) = if *method == Method::Invite {
            let (machine, step) = ClientInvite::start(reliability);
            (ClientMachine::Invite(machine), step)
        } else {
            let (machine, step) = ClientNonInvite::start(reliability);
            (ClientMachine::NonInvite(machine), step)
        };
        let flow = match &hop {
            Hop::Flow(flow) => Some(*flow),
            Hop::Name { .. } => None,
        };
        let id = self.transactions.insert_client(machine, branch, request, flow, user);
        if let Hop::Name { host, port, transport } = hop {
            self.resolve(host, Resolving::Request { transaction: id, port, transport });
            // The clock of timer B runs while the name is looked up; there is nothing to repeat yet.
            self.client_step(now, id, Step { send: false, repeat: Arm::Off, ..step }, None);
        } else {
            self.client_step(now, id, step, None);
        }
        id
    }

    /// Asks for a look-up.
    pub(super) fn resolve(&mut self, host: Name, purpose: Resolving) {
        let job = ResolveId(self.fresh_id());
        self.resolving.insert(job, purpose);
        self.step.push(Output::Resolve { job, host });
    }

    pub(super) fn on_resolved(&mut self, now: Duration, job: ResolveId, addresses: &[IpAddr]) {
        let Some(purpose) = self.resolving.remove(&job) else { return };
        match purpose {
            Resolving::Request { transaction, port, transport } => {
                let flow = addresses
                    .iter()
                    .find_map(|address| self.flow_to(now, transport, SocketAddr::new(*address, port)));
                let Some(client) = self.transactions.client(transaction) else { return };
                client.flow = flow;
                let reliability = flow.map_or(Reliability::Reliable, |flow| flow.reliability());
                match &mut client.machine {
                    ClientMachine::Invite(machine) => machine.change_reliability(reliability),
                    ClientMachine::NonInvite(machine) => machine.change_reliability(reliability),
                }
                // No address at all fails in `send_request`, like a transport that cannot send.
                let step = Step { send: true, repeat: reliability.repeat(T1), ..Step::NOTHING };
                self.client_step(now, transaction, step, None);
            }
            Resolving::Fixed { account, port } => {
                let address = addresses.first().map(|address| SocketAddr::new(*address, port));
                self.fixed_resolved(&account, address);
            }
        }
    }

    /// Does what a client machine asks for.
    pub(super) fn client_step(
        &mut self,
        now: Duration,
        id: TransactionId,
        step: Step,
        response: Option<&Response>,
    ) {
        if step.send && !self.send_request(now, id) {
            return;
        }
        if step.acknowledge {
            self.acknowledge_failure(now, id, response);
        }
        self.arm(now, id, step);
        let Some(client) = self.transactions.client(id) else { return };
        let user = client.user.clone();
        let heard = client.heard;
        if step.terminated {
            self.remove_transaction(id);
        }
        if step.pass_up
            && let Some(response) = response
        {
            self.on_response_for(now, id, &user, response);
        }
        if let Some(failure) = step.failed {
            self.on_failure_for(now, id, &user, failure, heard);
        }
    }

    /// Sends the transaction's request; false when that ended the transaction.
    fn send_request(&mut self, now: Duration, id: TransactionId) -> bool {
        let Some(client) = self.transactions.client(id) else { return false };
        let (flow, request) = (client.flow, client.request.clone());
        let sent = flow.ok_or(Failure::Transport).and_then(|flow| self.transmit(now, flow, &request));
        match sent {
            Ok(flow) => {
                if let Some(client) = self.transactions.client(id) {
                    client.flow = Some(flow);
                }
                if let Flow::Stream { stream, .. } = flow
                    && let Some(stream) = self.streams.find(stream)
                {
                    stream.waiting.insert(id);
                }
                true
            }
            Err(_) => {
                self.client_transport_error(now, id);
                false
            }
        }
    }

    /// The transport could not carry a request.
    pub(super) fn client_transport_error(&mut self, now: Duration, id: TransactionId) {
        let Some(client) = self.transactions.client(id) else { return };
        let step = match &mut client.machine {
            ClientMachine::Invite(machine) => machine.on_transport_error(),
            ClientMachine::NonInvite(machine) => machine.on_transport_error(),
        };
        self.client_step(now, id, step, None);
    }

    /// RFC 3261 §17.1.1.3: the ACK for a failure goes the way of the INVITE.
    fn acknowledge_failure(&mut self, now: Duration, id: TransactionId, response: Option<&Response>) {
        let Some(client) = self.transactions.client(id) else { return };
        if client.acknowledgement.is_none()
            && let Some(response) = response
        {
            client.acknowledgement = super::compose::acknowledgement_of_failure(&client.request, response);
        }
        let (Some(flow), Some(bytes)) = (client.flow, client.acknowledgement.clone()) else { return };
        if self.transmit(now, flow, &bytes).is_err() {
            self.client_transport_error(now, id);
        }
    }

    /// Does what a server machine asks for.
    pub(super) fn server_step(&mut self, now: Duration, id: TransactionId, step: Step) {
        if step.send {
            let Some(server) = self.transactions.server(id) else { return };
            if let Some(bytes) = server.response.clone() {
                let flow = server.flow;
                self.send_response(now, flow, &bytes);
            }
        }
        self.arm(now, id, step);
        let Some(server) = self.transactions.server(id) else { return };
        let user = server.user;
        if step.terminated {
            self.remove_transaction(id);
        }
        // A refusal is over when it was acknowledged, or when its acknowledgement was given up.
        if (step.pass_up || step.failed.is_some())
            && let ServerUser::Invite(dialog) = user
        {
            self.refusal_done(dialog, id);
        }
    }

    /// Sends a response by the flow that its request's reply address gave.
    pub(super) fn send_response(&mut self, now: Duration, flow: Flow, bytes: &Bytes) {
        // A response that cannot be sent is lost, as on the wire: the peer repeats its request, or gives up.
        let _ = self.transmit(now, flow, bytes);
    }

    /// Answers a server transaction.
    pub(super) fn respond(&mut self, now: Duration, id: TransactionId, status: u16, bytes: Bytes) {
        let Some(server) = self.transactions.server(id) else { return };
        let step = match &mut server.machine {
            ServerMachine::Invite(machine) => machine.respond(status),
            ServerMachine::NonInvite(machine) => machine.respond(status),
        };
        if step.send {
            server.response = Some(bytes);
        }
        self.server_step(now, id, step);
    }

    /// RFC 3261 §9.1: cancels an INVITE of ours, now or once a provisional response allows it.
    pub(super) fn cancel_invite(
        &mut self,
        now: Duration,
        id: TransactionId,
        reason: Option<crate::door::Reason>,
    ) {
        use crate::transaction::client_invite::State;
        let Some(client) = self.transactions.client(id) else { return };
        let ClientMachine::Invite(machine) = &client.machine else { return };
        match (machine.state(), &client.cancel) {
            (_, Cancel::Sent) | (State::Completed | State::Accepted, _) => {}
            (State::Calling, _) => client.cancel = Cancel::Wanted(reason),
            (State::Proceeding, _) => {
                client.cancel = Cancel::Sent;
                let (flow, invite) = (client.flow, client.request.clone());
                let Some((branch, bytes)) = super::compose::cancel(&invite, reason.as_ref()) else { return };
                let Some(flow) = flow else { return };
                self.start_client(now, &Method::Cancel, branch, bytes, Hop::Flow(flow), ClientUser::Nobody);
                // RFC 3261 §9.1: no final response within 64*T1 of the CANCEL ends the transaction.
                self.arm(now, id, Step { leave: Arm::In(GIVE_UP), ..Step::NOTHING });
            }
        }
    }

    /// Sends the CANCEL that waited for a provisional response.
    pub(super) fn cancel_if_wanted(&mut self, now: Duration, id: TransactionId) {
        let Some(client) = self.transactions.client(id) else { return };
        if let Cancel::Wanted(reason) = &client.cancel {
            let reason = reason.clone();
            self.cancel_invite(now, id, reason);
        }
    }

    /// Changes a transaction's deadlines.
    pub(super) fn arm(&mut self, now: Duration, id: TransactionId, step: Step) {
        let Some(entry) = self.transactions.entry(id) else { return };
        for (arm, slot, deadline) in [
            (step.repeat, &mut entry.repeat, Deadline::Repeat),
            (step.leave, &mut entry.leave, Deadline::Leave),
        ] {
            let at = match arm {
                Arm::Keep => continue,
                Arm::Off => None,
                Arm::In(time) => Some(now + time),
            };
            self.schedule.replace(slot, at, TimerKey::Transaction(id, deadline));
        }
    }

    pub(super) fn on_transaction_deadline(&mut self, now: Duration, id: TransactionId, deadline: Deadline) {
        let Some(entry) = self.transactions.entry(id) else { return };
        match deadline {
            Deadline::Repeat => entry.repeat = None,
            Deadline::Leave => entry.leave = None,
        }
        match &mut entry.side {
            Side::Client(client) => {
                let step = match &mut client.machine {
                    ClientMachine::Invite(machine) => machine.on_deadline(deadline),
                    ClientMachine::NonInvite(machine) => machine.on_deadline(deadline),
                };
                self.client_step(now, id, step, None);
            }
            Side::Server(server) => {
                let step = match &mut server.machine {
                    ServerMachine::Invite(machine) => machine.on_deadline(deadline),
                    ServerMachine::NonInvite(machine) => machine.on_deadline(deadline),
                };
                self.server_step(now, id, step);
            }
        }
    }

    /// Takes a transaction out, with its deadlines.
    pub(super) fn remove_transaction(&mut self, id: TransactionId) {
        let Some(entry) = self.transactions.remove(id) else { return };
        for timer in [entry.repeat, entry.leave].into_iter().flatten() {
            self.schedule.cancel(timer);
        }
        if let Side::Client(client) = &entry.side
            && let Some(Flow::Stream { stream, .. }) = client.flow
            && let Some(stream) = self.streams.find(stream)
        {
            stream.waiting.remove(&id);
        }
    }
}
