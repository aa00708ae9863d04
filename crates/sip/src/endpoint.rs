//! The endpoint: the room's one door, and the state that the files below it share.
//!
//! Knows: which file takes care of what. Must never know: sockets, the clock, queues of calls, media.
//!
//! | file | knows |
//! |---|---|
//! | `receive` | bytes in → messages → transactions |
//! | `transmit` | messages out → flows; transactions' steps |
//! | `streams` | flows and unfinished bytes |
//! | `compose` | what our messages say |
//! | `outside` | requests that belong to no dialog |
//! | `identify` | who sent a request, and how that is proven |
//! | `register`, `bindings` | where accounts can be reached |
//! | `calling` | our INVITE, its forks and its CANCEL |
//! | `offered` | their INVITE until it is answered |
//! | `session` | requests within a dialog, either way |
//! | `ending` | how a leg ends |
//! | `route` | where a dialog's next request goes |
//! | `alive` | keep-alives to trunks and phones |
//! | `records` | what survives a restart |

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use rand_chacha::ChaCha12Rng;
use rand_core::{Rng, SeedableRng};

use crate::door::{
    Counts, DialogId, Event, Input, Invite, Name, Notice, Output, Reason, ResolveId, Settings, StreamId,
};
use crate::guard::guess::Throttle;
use crate::guard::nonce::Nonces;
use crate::guard::notices::Notices;
use crate::guard::rate::Rates;
use crate::index::{Index, Keyed};
use crate::timer::Schedule;
use crate::transaction::Deadline;
use crate::transaction::table::{TransactionId, Transactions};

mod alive;
pub(crate) mod bindings;
mod calling;
mod compose;
mod ending;
mod identify;
pub(crate) mod leg;
mod offered;
mod outside;
mod receive;
mod records;
mod register;
mod route;
mod session;
pub(crate) mod streams;
mod transmit;

use bindings::Bindings;
use leg::Leg;
use streams::Streams;

/// The whole of SIP as one deterministic machine. Drain [`poll_output`](Self::poll_output) after every call into
/// it, and hand it [`Input::Timeout`] when [`poll_timeout`](Self::poll_timeout) has come.
pub struct Endpoint {
    settings: Settings,
    entropy: ChaCha12Rng,
    /// Keys the tags of replies that keep no state.
    tag_key: [u8; 32],
    schedule: Schedule<TimerKey>,
    transactions: Transactions<ClientUser, ServerUser>,
    legs: BTreeMap<DialogId, Leg>,
    /// Our tags: what a peer's in-dialog request is found by.
    tags: Index<Bytes, DialogId>,
    bindings: Bindings,
    streams: Streams,
    trunks: Vec<alive::TrunkState>,
    resolving: BTreeMap<ResolveId, Resolving>,
    credentials: identify::Credentials,
    /// Where an account stands in the settings.
    accounts: BTreeMap<Name, usize>,
    nonces: Nonces,
    throttle: Throttle,
    rates: Rates,
    notices: Notices,
    ids: Ids,
    /// Their requests that were pending when their leg ended.
    orphans: Vec<TransactionId>,
    /// Records that differ from what was last told.
    dirty: BTreeSet<u64>,
    /// Legs that came back from records, by their Call-IDs, until every old message has left the network.
    restored: BTreeMap<Bytes, DialogId>,
    restored_until: Duration,
    /// This step's outputs, before the records that must go first.
    step: Vec<Output>,
    outputs: VecDeque<Output>,
}

/// What a deadline is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum TimerKey {
    Transaction(TransactionId, Deadline),
    Stream(StreamId),
    /// Say the provisional response again.
    Provisional(DialogId),
    /// Say the 2xx again.
    Unacknowledged(DialogId),
    /// Try the re-INVITE (again).
    Reoffer(DialogId),
    Expiry(u64),
    Ping(u64),
    TrunkPing(usize),
}

/// Who a transaction of ours works for.
#[derive(Clone, Debug)]
enum ClientUser {
    /// Nobody waits for the answer.
    Nobody,
    /// A fork of a leg's INVITE. When the leg has gone on without it, a late 2xx gets ACK and BYE.
    Fork(DialogId),
    Reoffer(DialogId),
    Probe(DialogId),
    Bye(DialogId),
    PhonePing(u64),
    TrunkPing(usize, Name),
}

/// Who answers a transaction of theirs.
#[derive(Clone, Copy, Debug)]
enum ServerUser {
    /// It is answered already.
    Nobody,
    /// A leg's first INVITE.
    Invite(DialogId),
    /// A re-INVITE or an UPDATE.
    Offer(DialogId),
}

/// What a look-up is for.
#[derive(Clone, Debug)]
enum Resolving {
    /// A request that waits.
    Request { transaction: TransactionId, port: u16, transport: crate::door::Transport },
    /// An account's fixed address.
    Fixed { account: Name, port: u16 },
}

/// The numbers that are never used twice, also not after a restart: each is handed out below a mark that is on
/// record.
#[derive(Clone, Copy, Debug)]
struct Ids {
    next: u64,
    mark: u64,
}

/// How many numbers a record of the mark covers.
const IDS_A_MARK: u64 = 4_096;

impl Endpoint {
    /// An endpoint without calls. All its randomness comes from `seed`.
    pub fn new(now: Duration, settings: Settings, seed: [u8; 32]) -> Self {
        let mut endpoint = Self::empty(settings, seed, 1);
        endpoint.configure(now, None);
        endpoint.flush(now);
        endpoint
    }

    fn empty(settings: Settings, seed: [u8; 32], first_id: u64) -> Self {
        let mut entropy = ChaCha12Rng::from_seed(seed);
        // After a restore with an old seed, branches and tags must still be new ones.
        entropy.set_stream(first_id);
        let keyed = Keyed::new([entropy.next_u64(), entropy.next_u64()]);
        let mut key = || {
            let mut key = [0; 32];
            entropy.fill_bytes(&mut key);
            key
        };
        let (nonce_key, tag_key) = (key(), key());
        Self {
            settings,
            tag_key,
            schedule: Schedule::new(),
            transactions: Transactions::new(keyed),
            legs: BTreeMap::new(),
            tags: keyed.index(),
            bindings: Bindings::default(),
            streams: Streams::default(),
            trunks: Vec::new(),
            resolving: BTreeMap::new(),
            credentials: BTreeMap::new(),
            accounts: BTreeMap::new(),
            nonces: Nonces::new(nonce_key),
            throttle: Throttle::new(),
            rates: Rates::new(),
            notices: Notices::new(),
            ids: Ids { next: first_id, mark: first_id },
            orphans: Vec::new(),
            dirty: BTreeSet::new(),
            restored: BTreeMap::new(),
            restored_until: Duration::ZERO,
            step: Vec::new(),
            outputs: VecDeque::new(),
            entropy,
        }
    }

    /// Replaces the configuration. Calls go on; contacts of accounts that are gone are forgotten.
    pub fn reconfigure(&mut self, now: Duration, settings: Settings) {
        let before = std::mem::replace(&mut self.settings, settings);
        self.configure(now, Some(before));
        self.flush(now);
    }

    /// Takes what came.
    pub fn handle(&mut self, now: Duration, input: Input) {
        match input {
            Input::Datagram { local, remote, bytes } => self.on_datagram(now, local, remote, bytes),
            Input::StreamOpened { stream, remote, .. } => self.on_stream_opened(now, stream, remote),
            Input::StreamData { stream, bytes } => self.on_stream_data(now, stream, &bytes),
            Input::StreamClosed { stream } => self.on_stream_closed(now, stream),
            Input::Resolved { job, addresses } => self.on_resolved(now, job, &addresses),
            Input::Timeout => {}
        }
        self.expire(now);
        self.flush(now);
    }

    /// The next thing to do, if any.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to hand in [`Input::Timeout`] at the latest.
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.schedule.next()
    }

    /// Calls somebody. Everything else about the leg comes as events, also that nobody can be reached.
    pub fn invite(&mut self, now: Duration, invite: Invite) -> DialogId {
        let dialog = self.start_calling(now, &invite);
        self.flush(now);
        dialog
    }

    /// Sends a provisional answer (101 to 199) to their INVITE.
    pub fn progress(&mut self, now: Duration, dialog: DialogId, status: u16, sdp: Option<Bytes>) {
        self.send_progress(now, dialog, status, sdp);
        self.flush(now);
    }

    /// Answers their INVITE with 200.
    pub fn answer(&mut self, now: Duration, dialog: DialogId, sdp: Bytes) {
        self.send_answer(now, dialog, sdp);
        self.flush(now);
    }

    /// Refuses their INVITE.
    pub fn reject(&mut self, now: Duration, dialog: DialogId, status: u16, reason: Option<Reason>) {
        self.send_rejection(now, dialog, status, reason.as_ref());
        self.flush(now);
    }

    /// Answers, in the ACK, the offer that came in the 2xx to an INVITE of ours without one.
    pub fn acknowledge(&mut self, now: Duration, dialog: DialogId, sdp: Bytes) {
        self.send_acknowledgement(now, dialog, Some(sdp));
        self.flush(now);
    }

    /// Sends a re-INVITE, at once or as soon as no other one is under way; a later one replaces one that waits.
    pub fn reoffer(&mut self, now: Duration, dialog: DialogId, sdp: Option<Bytes>) {
        self.want_reoffer(now, dialog, sdp);
        self.flush(now);
    }

    /// Answers their re-INVITE or UPDATE with 200.
    pub fn answer_reoffer(&mut self, now: Duration, dialog: DialogId, sdp: Bytes) {
        self.send_reoffer_answer(now, dialog, sdp);
        self.flush(now);
    }

    /// Refuses their re-INVITE or UPDATE; the session stays as it was.
    pub fn reject_reoffer(&mut self, now: Duration, dialog: DialogId, status: u16) {
        self.send_reoffer_rejection(now, dialog, status);
        self.flush(now);
    }

    /// Asks the other end, by OPTIONS within the dialog, whether it still knows the call.
    pub fn probe(&mut self, now: Duration, dialog: DialogId) {
        self.send_probe(now, dialog);
        self.flush(now);
    }

    /// Ends a leg, by CANCEL, BYE or a refusal, whichever fits its state.
    pub fn end(&mut self, now: Duration, dialog: DialogId, reason: Option<Reason>) {
        self.end_leg(now, dialog, reason);
        self.flush(now);
    }

    /// Whether a leg lives: after a restore, whether it came back.
    pub fn is_live(&self, dialog: DialogId) -> bool {
        self.legs.contains_key(&dialog)
    }

    /// How many contacts of an account can be reached.
    pub fn contacts(&self, account: &str) -> usize {
        self.bindings.reachable(account)
    }

    /// Whether the newest contact of an account is reached over IPv6: the address family of what is offered to it.
    pub fn contacts_use_ipv6(&self, account: &str) -> bool {
        self.bindings.use_ipv6(account)
    }

    /// What is live.
    pub fn counts(&self) -> Counts {
        Counts {
            dialogs: self.legs.len(),
            transactions: self.transactions.len(),
            bindings: self.bindings.len(),
            streams: self.streams.len(),
        }
    }

    fn expire(&mut self, now: Duration) {
        while let Some((_, key)) = self.schedule.expire(now) {
            match key {
                TimerKey::Transaction(transaction, deadline) => {
                    self.on_transaction_deadline(now, transaction, deadline)
                }
                TimerKey::Stream(stream) => self.on_stream_deadline(now, stream),
                TimerKey::Provisional(dialog) => self.repeat_provisional(now, dialog),
                TimerKey::Unacknowledged(dialog) => self.repeat_answer(now, dialog),
                TimerKey::Reoffer(dialog) => self.try_reoffer(now, dialog),
                TimerKey::Expiry(binding) => self.expire_binding(binding),
                TimerKey::Ping(binding) => self.ping_phone(now, binding),
                TimerKey::TrunkPing(trunk) => self.ping_trunk(now, trunk),
            }
        }
    }

    /// Puts the step's outputs into the queue, records first.
    fn flush(&mut self, now: Duration) {
        self.answer_orphans(now);
        self.flush_records();
        self.outputs.extend(self.step.drain(..));
    }

    fn tell(&mut self, event: Event) {
        self.step.push(Output::Event(event));
    }

    /// Tells an administrator of something that a source did, unless that was told a moment ago.
    fn notify(&mut self, now: Duration, source: IpAddr, kind: &'static str, notice: Notice) {
        if self.notices.admit(now, source, kind) {
            self.tell(Event::Notice(notice));
        }
    }

    /// A number that was never used.
    fn fresh_id(&mut self) -> u64 {
        if self.ids.next >= self.ids.mark {
            self.ids.mark = self.ids.next + IDS_A_MARK;
            self.dirty.insert(records::IDS_KEY);
        }
        let id = self.ids.next;
        self.ids.next += 1;
        id
    }

    /// A name for a stream that we ask for: even.
    fn fresh_stream(&mut self) -> StreamId {
        StreamId(self.fresh_id() * 2)
    }

    /// A token that nobody can guess.
    fn fresh_token(&mut self, prefix: &str) -> Bytes {
        let mut octets = [0; 12];
        self.entropy.fill_bytes(&mut octets);
        let mut token = String::with_capacity(prefix.len() + 24);
        token.push_str(prefix);
        crate::guard::nonce::push_hex(&mut token, &octets);
        Bytes::from(token)
    }

    /// RFC 3261 §8.1.1.7: a branch begins with the magic cookie.
    fn fresh_branch(&mut self) -> Bytes {
        self.fresh_token("z9hG4bK")
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint").field("counts", &self.counts()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
