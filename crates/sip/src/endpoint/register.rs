//! The registrar: RFC 3261 §10.3.
//!
//! Knows: which contacts an account says it has, and for how long. Must never know: calls.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use super::bindings::Binding;
use super::outside::Arrived;
use super::streams::Flow;
use super::transmit::DEFAULT_PORT;
use super::{Endpoint, ServerUser, TimerKey};
use crate::door::{BindingChange, Event, Name, Peer};
use crate::transaction::table::TransactionId;
use crate::wire::{Contacts, HeaderId, Request, Uri};

/// A contact with the time that is granted to it; zero takes it back.
struct Wanted {
    contact: Uri,
    expires_s: u32,
}

/// What a REGISTER asks for, or the status that refuses it.
enum Asked {
    /// Nothing: it only reads.
    Nothing,
    /// RFC 3261 §10.2.2: take everything back.
    RemoveAll,
    Update(Vec<Wanted>),
    Refused(u16),
}

impl Endpoint {
    pub(super) fn on_register(&mut self, now: Duration, flow: Flow, reply: Flow, request: Request) {
        let arrived = Arrived { request: &request, flow, reply };
        let Some(peer) = self.proven(now, &arrived) else { return };
        // RFC 3261 §10.3 steps 2 to 5: whose bindings, and may this peer change them.
        let Peer::Account(account) = peer else { return self.refuse(now, &arrived, 403, |builder| builder) };
        let to = request.to().uri();
        if !to.is_sip() {
            return self.refuse(now, &arrived, 400, |builder| builder);
        }
        if !to.host().is_some_and(|host| self.is_our_host(host)) {
            return self.refuse(now, &arrived, 404, |builder| builder);
        }
        if to.user_unescaped().is_none_or(|user| *user != *account.as_bytes()) {
            return self.refuse(now, &arrived, 403, |builder| builder);
        }
        let asked = self.asked(&account, &request);
        let call_id = Bytes::copy_from_slice(request.call_id());
        let sequence = request.cseq().sequence;
        let id = self.start_server(flow, reply, request, ServerUser::Nobody);
        match asked {
            Asked::Refused(status) => return self.finish_register(now, id, status, None),
            Asked::Nothing => {}
            Asked::RemoveAll => {
                for binding in self.bindings.registered(&account).collect::<Vec<_>>() {
                    self.remove_binding(binding, BindingChange::Unregistered);
                }
            }
            Asked::Update(wanted) => {
                for wanted in wanted {
                    self.update_binding(now, &account, wanted, flow, &call_id, sequence);
                }
            }
        }
        self.finish_register(now, id, 200, Some(&account));
    }

    /// RFC 3261 §10.3 steps 6 and 7, as far as they can refuse: nothing is changed until everything is judged.
    fn asked(&self, account: &Name, request: &Request) -> Asked {
        let outdated = |binding: u64| {
            self.bindings.find(binding).is_some_and(|binding| {
                binding.call_id == *request.call_id() && binding.sequence >= request.cseq().sequence
            })
        };
        let general = request.seconds(HeaderId::Expires);
        let listed = match request.contacts() {
            Ok(Contacts::Listed(contacts)) => contacts,
            Ok(Contacts::All) if general != Some(0) => return Asked::Refused(400),
            Ok(Contacts::All) if self.bindings.registered(account).any(outdated) => {
                return Asked::Refused(500);
            }
            Ok(Contacts::All) => return Asked::RemoveAll,
            Err(_) => return Asked::Refused(400),
        };
        let limits = &self.settings.limits;
        let mut wanted = Vec::new();
        for contact in &listed {
            if !contact.uri().is_sip() {
                return Asked::Refused(400);
            }
            let expires_s =
                contact.expires_s().or(general).unwrap_or(limits.expires_s_max).min(limits.expires_s_max);
            // RFC 3261 §10.3 step 7: too brief an interval, but never for taking a contact back.
            if expires_s > 0 && expires_s < limits.expires_s_min {
                return Asked::Refused(423);
            }
            if self.bindings.equivalent(account, contact.uri()).is_some_and(outdated) {
                return Asked::Refused(500);
            }
            wanted.push(Wanted { contact: contact.uri().detached(), expires_s });
        }
        if wanted.is_empty() { Asked::Nothing } else { Asked::Update(wanted) }
    }

    fn update_binding(
        &mut self,
        now: Duration,
        account: &Name,
        wanted: Wanted,
        flow: Flow,
        call_id: &Bytes,
        sequence: u32,
    ) {
        let known = self.bindings.equivalent(account, &wanted.contact);
        if wanted.expires_s == 0 {
            if let Some(binding) = known {
                self.remove_binding(binding, BindingChange::Unregistered);
            }
            return;
        }
        if known.is_none() {
            self.make_room_for_binding(account);
        }
        let id = known.unwrap_or_else(|| self.fresh_id());
        let (flow, behind_nat) = way_to(&wanted.contact, flow);
        let before = self.take_binding(id);
        let expires_at = now + Duration::from_secs(u64::from(wanted.expires_s));
        let expiry = Some(self.schedule.set(expires_at, TimerKey::Expiry(id)));
        let binding = Binding {
            account: account.clone(),
            contact: wanted.contact,
            flow,
            behind_nat,
            call_id: call_id.clone(),
            sequence,
            expires_at,
            expiry,
            ping: None,
            pinging: before.as_ref().and_then(|binding| binding.pinging),
            misses: 0,
        };
        self.bindings.insert(id, binding);
        self.schedule_ping(now, id);
        self.dirty.insert(id);
        if before.is_none() {
            self.tell_bindings(account, BindingChange::Registered);
        }
    }

    /// A phone that takes a new Contact at each start would fill its account up; the one that would go first goes
    /// now.
    fn make_room_for_binding(&mut self, account: &Name) {
        let ids: Vec<u64> = self.bindings.registered(account).collect();
        if ids.len() < self.settings.limits.contacts_per_account_max.max(1) {
            return;
        }
        let first =
            ids.into_iter().min_by_key(|id| self.bindings.find(*id).map(|binding| binding.expires_at));
        if let Some(first) = first {
            self.remove_binding(first, BindingChange::Expired);
        }
    }

    fn finish_register(&mut self, now: Duration, id: TransactionId, status: u16, account: Option<&Name>) {
        let Some(server) = self.transactions.server(id) else { return };
        let (request, source) = (server.request.clone(), server.source);
        let tag = self.fresh_token("");
        let mut builder = self.reply(&request, source, status, Some(&tag));
        if status == 423 {
            builder = builder.number(HeaderId::MinExpires, u64::from(self.settings.limits.expires_s_min));
        }
        // RFC 3261 §10.3 step 8: every binding, with what is left of it.
        for binding in account.into_iter().flat_map(|account| self.bindings.registered(account)) {
            let Some(binding) = self.bindings.find(binding) else { continue };
            let left = binding.expires_at.saturating_sub(now).as_secs();
            let mut value = b"<".to_vec();
            value.extend_from_slice(binding.contact.as_bytes());
            value.extend_from_slice(format!(">;expires={left}").as_bytes());
            builder = builder.header(HeaderId::Contact, value);
        }
        let bytes = builder.finish();
        self.respond(now, id, status, bytes);
    }

    /// A binding's time is over.
    pub(super) fn expire_binding(&mut self, binding: u64) {
        if let Some(entry) = self.bindings.find_mut(binding) {
            entry.expiry = None;
        }
        self.remove_binding(binding, BindingChange::Expired);
    }

    /// Takes a binding out and tells of it.
    pub(super) fn remove_binding(&mut self, binding: u64, change: BindingChange) {
        if let Some(entry) = self.take_binding(binding) {
            self.dirty.insert(binding);
            self.tell_bindings(&entry.account, change);
        }
    }

    /// Takes a binding out, with its deadlines.
    fn take_binding(&mut self, binding: u64) -> Option<Binding> {
        let entry = self.bindings.remove(binding)?;
        for timer in [entry.expiry, entry.ping].into_iter().flatten() {
            self.schedule.cancel(timer);
        }
        Some(entry)
    }

    pub(super) fn tell_bindings(&mut self, account: &Name, change: BindingChange) {
        let contacts = self.bindings.reachable(account);
        self.tell(Event::Bindings { account: account.clone(), contacts, change });
    }
}

/// The way to a contact whose REGISTER came by `flow`, and whether a NAT stands between: whether the Contact is not
/// where it came from. A Contact by name is not looked up; the flow leads there.
pub(super) fn way_to(contact: &Uri, flow: Flow) -> (Flow, bool) {
    let told = contact
        .host()
        .and_then(|host| host.ip())
        .map(|address| SocketAddr::new(address, contact.port().unwrap_or(DEFAULT_PORT)));
    match (flow, told) {
        (Flow::Datagram { remote, .. }, Some(told)) => (flow, told != remote),
        (Flow::Stream { stream, remote }, Some(told)) if told.ip() == remote.ip() => {
            (Flow::Stream { stream, remote: told }, false)
        }
        _ => (flow, true),
    }
}
