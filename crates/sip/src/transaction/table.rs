//! All live transactions, found by small ids, by their own branch, or by what a peer's request says.
//!
//! Knows: RFC 3261 §17.1.3 and §17.2.3, which message belongs to which transaction. Must never know: what the
//! messages mean to the transactions' users, or how they are sent.

use std::net::SocketAddr;

use bytes::{BufMut, Bytes, BytesMut};
use slab::Slab;

use super::client_invite::ClientInvite;
use super::client_non_invite::ClientNonInvite;
use super::server_invite::ServerInvite;
use super::server_non_invite::ServerNonInvite;
use crate::endpoint::streams::Flow;
use crate::index::{Index, Keyed};
use crate::timer::TimerId;
use crate::wire::{Method, Request, Via};

/// Names a transaction; a name outlives its transaction without harm.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct TransactionId {
    slot: u32,
    generation: u32,
}

/// Which client machine.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ClientMachine {
    Invite(ClientInvite),
    NonInvite(ClientNonInvite),
}

/// Which server machine.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ServerMachine {
    Invite(ServerInvite),
    NonInvite(ServerNonInvite),
}

/// A request of ours. `U` is its user.
pub(crate) struct Client<U> {
    pub(crate) machine: ClientMachine,
    /// As sent, to be sent again.
    pub(crate) request: Bytes,
    /// Where to; none while a name is being looked up.
    pub(crate) flow: Option<Flow>,
    pub(crate) user: U,
    /// Whether anything at all was heard: if not, the device may be gone.
    pub(crate) heard: bool,
    /// Whether it is to be cancelled once a provisional response allows it, and with what Reason.
    pub(crate) cancel: Cancel,
    /// The ACK for the failure.
    pub(crate) acknowledgement: Option<Bytes>,
    /// The ACKs for 2xx, by their To tags: each repetition of a 2xx gets its own again.
    pub(crate) acknowledged: Vec<(Bytes, Bytes, Flow)>,
    branch: Bytes,
    is_invite: bool,
}

/// How far the cancelling of an INVITE of ours is.
#[derive(Clone, Debug, Default)]
pub(crate) enum Cancel {
    #[default]
    Unwanted,
    /// RFC 3261 §9.1: not before a provisional response.
    Wanted(Option<crate::door::Reason>),
    Sent,
}

/// A request of a peer. `U` is its user.
pub(crate) struct Server<U> {
    pub(crate) machine: ServerMachine,
    /// As it came: responses copy from it.
    pub(crate) request: Request,
    /// Where it came from: what `received` and `rport` say.
    pub(crate) source: SocketAddr,
    /// Where responses go.
    pub(crate) flow: Flow,
    /// The last response, to be sent again.
    pub(crate) response: Option<Bytes>,
    pub(crate) user: U,
    key: Bytes,
    merge_key: Option<Bytes>,
}

/// Either kind, with its deadlines.
pub(crate) struct Entry<C, S> {
    pub(crate) side: Side<C, S>,
    pub(crate) repeat: Option<TimerId>,
    pub(crate) leave: Option<TimerId>,
    generation: u32,
}

/// Ours or theirs.
pub(crate) enum Side<C, S> {
    Client(Box<Client<C>>),
    Server(Box<Server<S>>),
}

/// What an ACK or a CANCEL is matched with, besides its own transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum As {
    /// The request itself.
    Itself,
    /// The INVITE that it speaks of.
    Invite,
}

/// The table.
pub(crate) struct Transactions<C, S> {
    entries: Slab<Entry<C, S>>,
    clients: Index<(Bytes, bool), TransactionId>,
    servers: Index<Bytes, TransactionId>,
    merges: Index<Bytes, TransactionId>,
    generation_next: u32,
}

impl<C, S> Transactions<C, S> {
    /// No transactions.
    pub(crate) fn new(keyed: Keyed) -> Self {
        Self {
            entries: Slab::new(),
            clients: keyed.index(),
            servers: keyed.index(),
            merges: keyed.index(),
            generation_next: 0,
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Adds a request of ours.
    pub(crate) fn insert_client(
        &mut self,
        machine: ClientMachine,
        branch: Bytes,
        request: Bytes,
        flow: Option<Flow>,
        user: C,
    ) -> TransactionId {
        let is_invite = matches!(machine, ClientMachine::Invite(_));
        let client = Client {
            machine,
            request,
            flow,
            user,
            heard: false,
            cancel: Cancel::Unwanted,
            acknowledgement: None,
            acknowledged: Vec::new(),
            branch: branch.clone(),
            is_invite,
        };
        let id = self.insert(Side::Client(Box::new(client)));
        self.clients.insert((branch, is_invite), id);
        id
    }

    /// Adds a request of a peer.
    pub(crate) fn insert_server(
        &mut self,
        machine: ServerMachine,
        request: Request,
        source: SocketAddr,
        flow: Flow,
        user: S,
    ) -> TransactionId {
        let key = server_key(&request, As::Itself);
        let merge_key = merge_key(&request);
        let server = Server {
            machine,
            request,
            source,
            flow,
            response: None,
            user,
            key: key.clone(),
            merge_key: merge_key.clone(),
        };
        let id = self.insert(Side::Server(Box::new(server)));
        self.servers.insert(key, id);
        if let Some(merge_key) = merge_key {
            self.merges.insert(merge_key, id);
        }
        id
    }

    fn insert(&mut self, side: Side<C, S>) -> TransactionId {
        let generation = self.generation_next;
        self.generation_next = self.generation_next.wrapping_add(1);
        let slot = self.entries.insert(Entry { side, repeat: None, leave: None, generation });
        TransactionId {
            slot: u32::try_from(slot).expect("the transaction cap is far below four thousand million"),
            generation,
        }
    }

    /// One of them.
    pub(crate) fn entry(&mut self, id: TransactionId) -> Option<&mut Entry<C, S>> {
        self.entries.get_mut(id.slot as usize).filter(|entry| entry.generation == id.generation)
    }

    /// One of ours.
    pub(crate) fn client(&mut self, id: TransactionId) -> Option<&mut Client<C>> {
        match &mut self.entry(id)?.side {
            Side::Client(client) => Some(client),
            Side::Server(_) => None,
        }
    }

    /// One of theirs.
    pub(crate) fn server(&mut self, id: TransactionId) -> Option<&mut Server<S>> {
        match &mut self.entry(id)?.side {
            Side::Server(server) => Some(server),
            Side::Client(_) => None,
        }
    }

    /// One of either kind, to read.
    pub(crate) fn side(&self, id: TransactionId) -> Option<&Side<C, S>> {
        self.entries
            .get(id.slot as usize)
            .filter(|entry| entry.generation == id.generation)
            .map(|entry| &entry.side)
    }

    /// RFC 3261 §17.1.3: the transaction of ours that a response belongs to. Our branches are random and of one
    /// use, so the `sent-by` beside them adds nothing; the method tells a CANCEL from its INVITE.
    pub(crate) fn find_client(&self, branch: &Bytes, method: &Method) -> Option<TransactionId> {
        self.clients.get(&(branch.clone(), *method == Method::Invite)).copied()
    }

    /// RFC 3261 §17.2.3: the transaction of theirs that a request repeats, acknowledges or cancels.
    pub(crate) fn find_server(&self, request: &Request, what: As) -> Option<TransactionId> {
        self.servers.get(&server_key(request, what)).copied()
    }

    /// RFC 3261 §8.2.2.2: a request that came here by another way before.
    pub(crate) fn find_merged(&self, request: &Request) -> Option<TransactionId> {
        self.merges.get(&merge_key(request)?).copied()
    }

    /// Takes one out.
    pub(crate) fn remove(&mut self, id: TransactionId) -> Option<Entry<C, S>> {
        self.entry(id)?;
        let entry = self.entries.try_remove(id.slot as usize)?;
        match &entry.side {
            Side::Client(client) => {
                self.clients.remove(&(client.branch.clone(), client.is_invite));
            }
            Side::Server(server) => {
                self.servers.remove(&server.key);
                if let Some(key) = &server.merge_key
                    && self.merges.get(key) == Some(&id)
                {
                    self.merges.remove(key);
                }
            }
        }
        Some(entry)
    }
}

/// Joins the parts so that no two lists of parts give the same key.
fn joined(parts: &[&[u8]]) -> Bytes {
    let mut key = BytesMut::with_capacity(parts.iter().map(|part| part.len() + 4).sum());
    for part in parts {
        key.put_u32(u32::try_from(part.len()).unwrap_or(u32::MAX));
        key.put_slice(part);
    }
    key.freeze()
}

/// RFC 3261 §17.2.3: branch, sent-by and method; without the magic cookie, RFC 2543's comparison of the fields. An
/// ACK's To tag is left out there: a request creates one server transaction, so the rest decides.
fn server_key(request: &Request, what: As) -> Bytes {
    let method: &[u8] = match (what, request.method()) {
        (As::Invite, _) | (As::Itself, Method::Ack) => b"INVITE",
        (As::Itself, method) => method.as_bytes(),
    };
    let via = request.via();
    match via.branch() {
        Some(branch) if via.has_rfc3261_branch() => {
            let host = via.host_text().to_ascii_lowercase();
            let port = via.port().unwrap_or(default_port(via)).to_be_bytes();
            joined(&[&branch, &host, &port, method])
        }
        _ => joined(&[
            method,
            request.uri().as_bytes(),
            &request.from().tag().unwrap_or_default(),
            request.call_id(),
            &request.cseq().sequence.to_be_bytes(),
            via.as_bytes(),
        ]),
    }
}

/// RFC 3261 §8.2.2.2: From tag, Call-ID and CSeq of a request without a To tag.
fn merge_key(request: &Request) -> Option<Bytes> {
    if request.to().tag().is_some() {
        return None;
    }
    let from_tag = request.from().tag()?;
    let method = request.method().as_bytes();
    Some(joined(&[&from_tag, request.call_id(), &request.cseq().sequence.to_be_bytes(), method]))
}

fn default_port(via: &Via) -> u16 {
    match via.transport() {
        crate::wire::Transport::Tls | crate::wire::Transport::Wss => 5061,
        _ => 5060,
    }
}
