//! What survives a restart: one record for each leg, each binding, and the mark below which numbers are used.
//!
//! Knows: the shape of records, whatever shape the live types take. Must never know: where records are kept.
//!
//! A record is a version octet and postcard. Events that were told are not told again after a restore: whoever got
//! them keeps a record of its own, written in the same step.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use super::bindings::Binding;
use super::compose::own;
use super::leg::{AwaitsAnswer, Calling, Dialog, Fork, Leg, Offered, Session, State};
use super::streams::Flow;
use super::transmit::Hop;
use super::{ClientUser, Endpoint, ServerUser, TimerKey};
use crate::door::{DialogId, EndedBy, Event, Notice, Output, Peer, Reason, Settings, StreamId};
use crate::transaction::GIVE_UP;
use crate::transaction::client_invite::ClientInvite;
use crate::transaction::server_invite::ServerInvite;
use crate::transaction::server_non_invite::ServerNonInvite;
use crate::transaction::table::{ClientMachine, ServerMachine, Side, TransactionId};
use crate::wire::{Method, Request, Uri};

/// The key of the record that holds the mark.
pub(super) const IDS_KEY: u64 = 0;
/// The shape below. Another one gets another number, and its reader beside this one.
const VERSION: u8 = 1;
/// A CSeq number is put on record this often only; a restore jumps past all that may have been used.
const SEQUENCES_A_RECORD: u32 = 64;

#[derive(Serialize, Deserialize)]
enum Record {
    Ids { mark: u64 },
    Leg(Box<LegRecord>),
    Binding(BindingRecord),
}

#[derive(Serialize, Deserialize)]
struct LegRecord {
    peer: PeerRecord,
    local_tag: Vec<u8>,
    call_id: Vec<u8>,
    state: StateRecord,
}

#[derive(Serialize, Deserialize)]
enum PeerRecord {
    Trunk(String),
    Account(String),
}

#[derive(Serialize, Deserialize)]
enum StateRecord {
    Calling { forks: Vec<(Vec<u8>, FlowRecord)> },
    Offered { request: RequestRecord, dialog: DialogRecord, provisional: Option<(u16, Option<Vec<u8>>)> },
    Refusing { request: RequestRecord, status: u16, response: Vec<u8> },
    Established(Box<SessionRecord>),
    Leaving { dialog: DialogRecord, by: EndedByRecord },
}

#[derive(Serialize, Deserialize)]
struct SessionRecord {
    dialog: DialogRecord,
    confirmed: bool,
    unacknowledged: Option<(Vec<u8>, FlowRecord, u32)>,
    /// The INVITE that the 2xx without an ACK answers: it may come again.
    answered: Option<RequestRecord>,
    awaits_answer: Option<u32>,
    their_offer: Option<RequestRecord>,
    reoffering: bool,
    ending: Option<Option<(String, u16, Option<String>)>>,
}

#[derive(Serialize, Deserialize)]
struct RequestRecord {
    bytes: Vec<u8>,
    source: SocketAddr,
    reply: FlowRecord,
}

#[derive(Serialize, Deserialize)]
struct DialogRecord {
    call_id: Vec<u8>,
    local: Vec<u8>,
    remote: Vec<u8>,
    local_tag: Vec<u8>,
    remote_tag: Vec<u8>,
    local_sequence: u32,
    remote_sequence: Option<u32>,
    routes: Vec<Vec<u8>>,
    target: Vec<u8>,
    flow: FlowRecord,
    keeps_flow: bool,
    owns_call_id: bool,
}

#[derive(Serialize, Deserialize)]
enum FlowRecord {
    Datagram { local: SocketAddr, remote: SocketAddr },
    Stream { remote: SocketAddr },
}

#[derive(Serialize, Deserialize)]
enum EndedByRecord {
    NoAck,
    Us,
}

#[derive(Serialize, Deserialize)]
struct BindingRecord {
    account: String,
    contact: Vec<u8>,
    flow: FlowRecord,
    behind_nat: bool,
    call_id: Vec<u8>,
    sequence: u32,
    expires_at: Duration,
}

impl Endpoint {
    /// The records of everything that is live, to be kept together with those that were told as outputs.
    pub fn records(&self) -> Vec<(u64, Bytes)> {
        let mut keys: Vec<u64> = vec![IDS_KEY];
        keys.extend(self.legs.keys().map(|id| id.0));
        keys.extend(self.bindings.ids());
        keys.sort_unstable();
        keys.into_iter().filter_map(|key| Some((key, self.record(key)?))).collect()
    }

    /// An endpoint that goes on from records. Established legs go on as they were; one that rang at a peer is
    /// cancelled and told as failed; one that a peer offered can still be answered. `seed` should be fresh; if it is
    /// not, what it yields differs from before all the same.
    pub fn restore(
        now: Duration,
        settings: Settings,
        seed: [u8; 32],
        records: impl IntoIterator<Item = (u64, Bytes)>,
    ) -> Self {
        let mut unreadable = Vec::new();
        let mut read = BTreeMap::new();
        let mut first_id = 1;
        for (key, bytes) in records {
            first_id = first_id.max(key + 1);
            match decode(&bytes) {
                Some(Record::Ids { mark }) => first_id = first_id.max(mark),
                Some(record) => {
                    read.insert(key, record);
                }
                None => unreadable.push(key),
            }
        }
        let mut endpoint = Self::empty(settings, seed, first_id);
        // Bindings first: legs find their peers' flows by them.
        let mut legs = Vec::new();
        for (key, record) in read {
            match record {
                Record::Binding(record) => match endpoint.restore_binding(now, key, record) {
                    Some(()) => {}
                    None => unreadable.push(key),
                },
                Record::Leg(record) => legs.push((key, *record)),
                Record::Ids { .. } => {}
            }
        }
        endpoint.configure(now, None);
        for (key, record) in legs {
            if endpoint.restore_leg(now, DialogId(key), record).is_none() {
                endpoint.forget_leg(DialogId(key));
                unreadable.push(key);
            }
        }
        endpoint.restored = endpoint.legs.iter().map(|(id, leg)| (leg.call_id.clone(), *id)).collect();
        endpoint.restored_until = now + GIVE_UP;
        for key in unreadable {
            endpoint.dirty.insert(key);
            endpoint.tell(Event::Notice(Notice::RecordUnreadable { key }));
        }
        endpoint.flush(now);
        endpoint
    }

    /// Whether an INVITE is an old one of a leg that came back from records. Its transaction did not come back, so it
    /// would else be taken for a new call.
    pub(super) fn is_from_before(&mut self, now: Duration, request: &Request) -> bool {
        if now > self.restored_until {
            self.restored.clear();
        }
        let leg = self.restored.get(request.call_id()).and_then(|id| self.legs.get(id));
        leg.and_then(Leg::dialog).is_some_and(|dialog| {
            request.from().tag().is_some_and(|tag| tag == dialog.remote_tag)
                && dialog.remote_sequence.is_some_and(|last| request.cseq().sequence <= last)
        })
    }

    /// Puts the records that changed before everything else of this step.
    pub(super) fn flush_records(&mut self) {
        for key in std::mem::take(&mut self.dirty) {
            let record = self.record(key);
            self.outputs.push_back(Output::Persist { key, record });
        }
    }

    /// A CSeq number was used: now and then that goes on record.
    pub(super) fn note_sequence(&mut self, id: DialogId, sequence: u32) {
        if sequence.is_multiple_of(SEQUENCES_A_RECORD) {
            self.dirty.insert(id.0);
        }
    }

    fn record(&self, key: u64) -> Option<Bytes> {
        let record = if key == IDS_KEY {
            Record::Ids { mark: self.ids.mark }
        } else if let Some(binding) = self.bindings.find(key) {
            Record::Binding(binding_record(binding))
        } else {
            let leg = self.legs.get(&DialogId(key))?;
            let state = match &leg.state {
                State::Calling(calling) => {
                    let forks: Vec<TransactionId> = calling
                        .forks
                        .iter()
                        .filter(|fork| !fork.finished)
                        .map(|fork| fork.transaction)
                        .collect();
                    StateRecord::Calling {
                        forks: forks.into_iter().filter_map(|tx| self.fork_record(tx)).collect(),
                    }
                }
                State::Offered(offered) => {
                    let (dialog, transaction) = (dialog_record(&offered.dialog), offered.transaction);
                    let provisional = offered
                        .provisional
                        .as_ref()
                        .map(|(status, sdp)| (*status, sdp.as_ref().map(|sdp| sdp.to_vec())));
                    StateRecord::Offered { request: self.request_record(transaction)?, dialog, provisional }
                }
                State::Refusing { transaction } => {
                    let (status, response) = self.response_record(*transaction)?;
                    StateRecord::Refusing { request: self.request_record(*transaction)?, status, response }
                }
                State::Established(session) => {
                    let their_offer = session.their_offer;
                    let answered = session.unacknowledged.as_ref().and_then(|waiting| waiting.transaction);
                    let mut record = session_record(session);
                    record.their_offer = their_offer.and_then(|transaction| self.request_record(transaction));
                    record.answered = answered.and_then(|transaction| self.request_record(transaction));
                    StateRecord::Established(Box::new(record))
                }
                State::Leaving(leaving) => StateRecord::Leaving {
                    dialog: dialog_record(&leaving.dialog),
                    by: match leaving.by {
                        EndedBy::NoAck => EndedByRecord::NoAck,
                        _ => EndedByRecord::Us,
                    },
                },
            };
            let leg = self.legs.get(&DialogId(key))?;
            Record::Leg(Box::new(LegRecord {
                peer: match &leg.peer {
                    Peer::Trunk(name) => PeerRecord::Trunk(name.to_string()),
                    Peer::Account(name) => PeerRecord::Account(name.to_string()),
                },
                local_tag: leg.local_tag.to_vec(),
                call_id: leg.call_id.to_vec(),
                state,
            }))
        };
        let bytes = postcard::to_extend(&record, vec![VERSION]).ok()?;
        Some(Bytes::from(bytes))
    }

    fn fork_record(&self, tx: TransactionId) -> Option<(Vec<u8>, FlowRecord)> {
        let Side::Client(client) = self.transactions.side(tx)? else { return None };
        Some((client.request.to_vec(), flow_record(client.flow?)))
    }

    fn request_record(&self, tx: TransactionId) -> Option<RequestRecord> {
        let Side::Server(server) = self.transactions.side(tx)? else { return None };
        Some(RequestRecord {
            bytes: raw(&server.request).to_vec(),
            source: server.source,
            reply: flow_record(server.flow),
        })
    }

    fn response_record(&self, tx: TransactionId) -> Option<(u16, Vec<u8>)> {
        let Side::Server(server) = self.transactions.side(tx)? else { return None };
        let response = server.response.as_ref()?;
        // "SIP/2.0 486 …"
        let status = std::str::from_utf8(response.get(8..11)?).ok()?.parse().ok()?;
        Some((status, response.to_vec()))
    }

    fn restore_binding(&mut self, now: Duration, key: u64, record: BindingRecord) -> Option<()> {
        let binding = Binding {
            account: record.account.as_str().into(),
            contact: Uri::parse(Bytes::from(record.contact)).ok()?,
            flow: flow(&record.flow),
            behind_nat: record.behind_nat,
            call_id: Bytes::from(record.call_id),
            sequence: record.sequence,
            expires_at: record.expires_at,
            expiry: Some(self.schedule.set(record.expires_at, TimerKey::Expiry(key))),
            ping: None,
            pinging: None,
            misses: 0,
        };
        self.bindings.insert(key, binding);
        self.schedule_ping(now, key);
        Some(())
    }

    fn restore_leg(&mut self, now: Duration, id: DialogId, record: LegRecord) -> Option<()> {
        let peer = match record.peer {
            PeerRecord::Trunk(name) => Peer::Trunk(name.as_str().into()),
            PeerRecord::Account(name) => Peer::Account(name.as_str().into()),
        };
        let local_tag = Bytes::from(record.local_tag);
        let call_id = Bytes::from(record.call_id);
        let insert = |endpoint: &mut Self, state| {
            endpoint.tags.insert(local_tag.clone(), id);
            endpoint.legs.insert(
                id,
                Leg { peer: peer.clone(), local_tag: local_tag.clone(), call_id: call_id.clone(), state },
            );
        };
        match record.state {
            StateRecord::Calling { forks } => {
                let mut calling = Calling { cancelled: true, ..Calling::default() };
                for (request, to) in forks {
                    let transaction = self.resume_invite(now, id, Bytes::from(request), flow(&to))?;
                    calling.forks.push(Fork { transaction, binding: None, finished: false });
                }
                insert(self, State::Calling(calling));
                self.dirty.insert(id.0);
                self.cancel_forks(now, id, None);
                self.finish_calling_if_done(id);
            }
            StateRecord::Offered { request, dialog: record, provisional } => {
                let transaction = self.resume_server(request, ServerUser::Invite(id))?;
                let provisional = provisional.map(|(status, sdp)| (status, sdp.map(Bytes::from)));
                let offered = Offered { transaction, dialog: dialog(record)?, provisional, repeat: None };
                insert(self, State::Offered(Box::new(offered)));
                self.repeat_provisional(now, id);
            }
            StateRecord::Refusing { request, status, response } => {
                let transaction = self.resume_server(request, ServerUser::Invite(id))?;
                insert(self, State::Refusing { transaction });
                self.respond(now, transaction, status, Bytes::from(response));
            }
            StateRecord::Established(record) => {
                let mut session = Session::new(dialog(record.dialog)?, record.confirmed);
                session.awaits_answer =
                    record.awaits_answer.map(|sequence| AwaitsAnswer { transaction: None, sequence });
                session.ending = record.ending.map(|reason| reason.map(reason_from));
                if let Some(request) = record.their_offer {
                    session.their_offer = Some(self.resume_server(request, ServerUser::Offer(id))?);
                }
                if let Some((response, to, sequence)) = record.unacknowledged {
                    let (response, user) = (
                        Bytes::from(response),
                        match record.confirmed {
                            false => ServerUser::Invite(id),
                            true => ServerUser::Offer(id),
                        },
                    );
                    // The INVITE may come again before the 2xx arrives, and is no new call then.
                    let transaction = match record.answered {
                        Some(request) => Some(self.resume_server(request, user)?),
                        None => None,
                    };
                    let sent = (response.clone(), flow(&to));
                    session.unacknowledged =
                        Some(self.await_acknowledgement(now, id, transaction, sent, sequence));
                    if let Some(transaction) = transaction {
                        self.respond(now, transaction, 200, response);
                    }
                }
                insert(self, State::Established(Box::new(session)));
                self.dirty.insert(id.0);
                if record.reoffering {
                    // What became of it nobody knows; the session is as it was as far as this end can tell.
                    self.tell(Event::ReofferFailed { dialog: id, status: 500 });
                }
            }
            StateRecord::Leaving { dialog: record, by } => {
                insert(self, State::Established(Box::new(Session::new(dialog(record)?, true))));
                let by = match by {
                    EndedByRecord::NoAck => EndedBy::NoAck,
                    EndedByRecord::Us => EndedBy::Us,
                };
                self.leave(now, id, None, by);
            }
        }
        Some(())
    }

    /// An INVITE of ours from before: it is not sent again, only cancelled.
    fn resume_invite(
        &mut self,
        now: Duration,
        id: DialogId,
        request: Bytes,
        to: Flow,
    ) -> Option<TransactionId> {
        let branch = own(&request)?.via().branch()?;
        let (machine, step) = ClientInvite::resume(Hop::Flow(to).transport_reliability());
        let machine = ClientMachine::Invite(machine);
        let tx = self.transactions.insert_client(machine, branch, request, Some(to), ClientUser::Fork(id));
        self.client_step(now, tx, step, None);
        Some(tx)
    }

    /// A request of theirs from before.
    fn resume_server(&mut self, record: RequestRecord, user: ServerUser) -> Option<TransactionId> {
        let request = own(&Bytes::from(record.bytes))?;
        let reply = flow(&record.reply);
        let machine = match request.method() {
            Method::Invite => ServerMachine::Invite(ServerInvite::start(reply.reliability())),
            _ => ServerMachine::NonInvite(ServerNonInvite::start(reply.reliability())),
        };
        Some(self.transactions.insert_server(machine, request, record.source, reply, user))
    }
}

fn decode(bytes: &Bytes) -> Option<Record> {
    match bytes.split_first()? {
        (&VERSION, rest) => postcard::from_bytes(rest).ok(),
        _ => None,
    }
}

fn session_record(session: &Session) -> SessionRecord {
    SessionRecord {
        dialog: dialog_record(&session.dialog),
        confirmed: session.confirmed,
        unacknowledged: session
            .unacknowledged
            .as_ref()
            .map(|waiting| (waiting.response.to_vec(), flow_record(waiting.flow), waiting.sequence)),
        awaits_answer: session.awaits_answer.as_ref().map(|awaits| awaits.sequence),
        answered: None,
        their_offer: None,
        reoffering: session.reoffer.is_some() || session.reoffer_next.is_some(),
        ending: session.ending.as_ref().map(|reason| {
            reason.as_ref().map(|reason| {
                (reason.protocol.to_string(), reason.cause, reason.text.as_ref().map(ToString::to_string))
            })
        }),
    }
}

fn reason_from((protocol, cause, text): (String, u16, Option<String>)) -> Reason {
    Reason { protocol: protocol.into(), cause, text: text.map(Into::into) }
}

fn binding_record(binding: &Binding) -> BindingRecord {
    BindingRecord {
        account: binding.account.to_string(),
        contact: binding.contact.as_bytes().to_vec(),
        flow: flow_record(binding.flow),
        behind_nat: binding.behind_nat,
        call_id: binding.call_id.to_vec(),
        sequence: binding.sequence,
        expires_at: binding.expires_at,
    }
}

fn dialog_record(dialog: &Dialog) -> DialogRecord {
    DialogRecord {
        call_id: dialog.call_id.to_vec(),
        local: dialog.local.to_vec(),
        remote: dialog.remote.to_vec(),
        local_tag: dialog.local_tag.to_vec(),
        remote_tag: dialog.remote_tag.to_vec(),
        local_sequence: dialog.local_sequence,
        remote_sequence: dialog.remote_sequence,
        routes: dialog.routes.iter().map(|route| route.to_vec()).collect(),
        target: dialog.target.as_bytes().to_vec(),
        flow: flow_record(dialog.flow),
        keeps_flow: dialog.keeps_flow,
        owns_call_id: dialog.owns_call_id,
    }
}

fn dialog(record: DialogRecord) -> Option<Dialog> {
    Some(Dialog {
        call_id: record.call_id.into(),
        local: record.local.into(),
        remote: record.remote.into(),
        local_tag: record.local_tag.into(),
        remote_tag: record.remote_tag.into(),
        // RFC 3261 §12.2.1.1: numbers only ever grow; those used since the record was made are jumped over.
        local_sequence: record.local_sequence.saturating_add(2 * SEQUENCES_A_RECORD),
        remote_sequence: record.remote_sequence,
        routes: record.routes.into_iter().map(Bytes::from).collect(),
        target: Uri::parse(Bytes::from(record.target)).ok()?,
        flow: flow(&record.flow),
        keeps_flow: record.keeps_flow,
        owns_call_id: record.owns_call_id,
    })
}

fn flow_record(flow: Flow) -> FlowRecord {
    match flow {
        Flow::Datagram { local, remote } => FlowRecord::Datagram { local, remote },
        Flow::Stream { remote, .. } => FlowRecord::Stream { remote },
    }
}

fn flow(record: &FlowRecord) -> Flow {
    match *record {
        FlowRecord::Datagram { local, remote } => Flow::Datagram { local, remote },
        // No stream outlives the process; zero never names one.
        FlowRecord::Stream { remote } => Flow::Stream { stream: StreamId(0), remote },
    }
}

/// A request as it came, as far as it matters: every field in its order, and the body.
fn raw(request: &Request) -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_slice(request.method().as_bytes());
    bytes.put_u8(b' ');
    bytes.put_slice(request.uri().as_bytes());
    bytes.put_slice(b" SIP/2.0\r\n");
    for field in request.fields() {
        bytes.put_slice(field.name);
        bytes.put_slice(b": ");
        bytes.put_slice(field.value);
        bytes.put_slice(b"\r\n");
    }
    bytes.put_slice(b"\r\n");
    bytes.put_slice(request.body());
    bytes.freeze()
}
