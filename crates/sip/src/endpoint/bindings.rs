//! Where accounts can be reached: registered contacts and fixed addresses.
//!
//! Knows: RFC 3261 §10's bindings and by which flow each was made. Must never know: how a REGISTER is proven, or
//! what is sent to a contact.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;

use crate::door::{Name, StreamId};
use crate::endpoint::streams::Flow;
use crate::timer::TimerId;
use crate::transaction::table::TransactionId;
use crate::wire::{Host, Uri};

/// One contact of one account.
pub(crate) struct Binding {
    pub(crate) account: Name,
    /// As registered, headers included (RFC 4475 §3.3.14).
    pub(crate) contact: Uri,
    /// The way the REGISTER came.
    pub(crate) flow: Flow,
    /// The contact's address is not where the REGISTER came from: requests take the flow, and keep it open.
    pub(crate) behind_nat: bool,
    pub(crate) call_id: Bytes,
    pub(crate) sequence: u32,
    pub(crate) expires_at: Duration,
    pub(crate) expiry: Option<TimerId>,
    pub(crate) ping: Option<TimerId>,
    pub(crate) pinging: Option<TransactionId>,
    pub(crate) misses: u32,
}

/// All of them.
#[derive(Default)]
pub(crate) struct Bindings {
    all: BTreeMap<u64, Binding>,
    by_account: BTreeMap<Name, BTreeSet<u64>>,
    by_stream: BTreeMap<StreamId, BTreeSet<u64>>,
    /// By user and host of the Contact.
    by_contact: BTreeMap<(Vec<u8>, Vec<u8>), BTreeSet<u64>>,
    by_datagram: BTreeMap<SocketAddr, BTreeSet<u64>>,
    by_source: BTreeMap<IpAddr, usize>,
    /// Accounts with a fixed address, and where it is once its name is known.
    fixed: BTreeMap<Name, Option<SocketAddr>>,
}

impl Bindings {
    /// How many registered contacts there are.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// How many ways lead to an account, its fixed address among them.
    pub(crate) fn reachable(&self, account: &str) -> usize {
        self.registered(account).count() + usize::from(self.fixed.get(account).is_some_and(Option::is_some))
    }

    /// The registered contacts of an account, oldest first.
    pub(crate) fn registered(&self, account: &str) -> impl Iterator<Item = u64> {
        self.by_account.get(account).into_iter().flatten().copied()
    }

    /// The fixed address of an account.
    pub(crate) fn fixed(&self, account: &str) -> Option<SocketAddr> {
        self.fixed.get(account).copied().flatten()
    }

    /// Whether the newest way to an account is IPv6.
    pub(crate) fn use_ipv6(&self, account: &str) -> bool {
        let newest = self.registered(account).last().and_then(|binding| self.all.get(&binding));
        match newest {
            Some(binding) => binding.flow.remote().is_ipv6(),
            None => self.fixed(account).is_some_and(|address| address.is_ipv6()),
        }
    }

    /// The accounts at this fixed address.
    pub(crate) fn fixed_at(&self, source: IpAddr) -> impl Iterator<Item = (&Name, SocketAddr)> {
        self.fixed
            .iter()
            .filter_map(|(account, address)| Some((account, (*address)?)))
            .filter(move |(_, address)| address.ip() == source)
    }

    /// Sets or takes an account's fixed address; true when that changes it.
    pub(crate) fn set_fixed(&mut self, account: &Name, address: Option<Option<SocketAddr>>) -> bool {
        let before = self.fixed.get(account).copied().flatten();
        match address {
            Some(address) => self.fixed.insert(account.clone(), address),
            None => self.fixed.remove(account),
        };
        before != address.flatten()
    }

    /// One of them.
    pub(crate) fn find(&self, binding: u64) -> Option<&Binding> {
        self.all.get(&binding)
    }

    /// One of them.
    pub(crate) fn find_mut(&mut self, binding: u64) -> Option<&mut Binding> {
        self.all.get_mut(&binding)
    }

    /// The binding of this account for an equivalent contact (RFC 3261 §10.3 step 7).
    pub(crate) fn equivalent(&self, account: &str, contact: &Uri) -> Option<u64> {
        self.registered(account)
            .find(|binding| self.all.get(binding).is_some_and(|known| known.contact.is_equivalent(contact)))
    }

    /// The binding with an equivalent contact, whosever it is.
    pub(crate) fn of_contact(&self, contact: &Uri) -> Option<&Binding> {
        let ids = self.by_contact.get(&contact_key(contact)?)?;
        ids.iter().filter_map(|id| self.all.get(id)).find(|binding| binding.contact.is_equivalent(contact))
    }

    /// Those whose REGISTER came over this stream.
    pub(crate) fn over(&self, stream: StreamId) -> Vec<u64> {
        self.by_stream.get(&stream).into_iter().flatten().copied().collect()
    }

    /// Whether a contact is registered from this address.
    pub(crate) fn is_known_source(&self, source: IpAddr) -> bool {
        self.by_source.contains_key(&source) || self.fixed_at(source).next().is_some()
    }

    /// Whether a contact was registered over this very flow.
    pub(crate) fn is_known_flow(&self, flow: Flow) -> bool {
        match flow {
            Flow::Stream { stream, .. } => self.by_stream.contains_key(&stream),
            Flow::Datagram { remote, .. } => self.by_datagram.contains_key(&remote),
        }
    }

    /// Adds one, or replaces it whole.
    pub(crate) fn insert(&mut self, id: u64, binding: Binding) {
        self.remove(id);
        self.by_account.entry(binding.account.clone()).or_default().insert(id);
        if let Some(key) = contact_key(&binding.contact) {
            self.by_contact.entry(key).or_default().insert(id);
        }
        *self.by_source.entry(binding.flow.remote().ip()).or_default() += 1;
        match binding.flow {
            Flow::Stream { stream, .. } => self.by_stream.entry(stream).or_default().insert(id),
            Flow::Datagram { remote, .. } => self.by_datagram.entry(remote).or_default().insert(id),
        };
        self.all.insert(id, binding);
    }

    /// Takes one out.
    pub(crate) fn remove(&mut self, id: u64) -> Option<Binding> {
        let binding = self.all.remove(&id)?;
        forget(&mut self.by_account, &binding.account, id);
        if let Some(key) = contact_key(&binding.contact) {
            forget(&mut self.by_contact, &key, id);
        }
        let source = binding.flow.remote().ip();
        if let Some(count) = self.by_source.get_mut(&source) {
            *count -= 1;
            if *count == 0 {
                self.by_source.remove(&source);
            }
        }
        match binding.flow {
            Flow::Stream { stream, .. } => forget(&mut self.by_stream, &stream, id),
            Flow::Datagram { remote, .. } => forget(&mut self.by_datagram, &remote, id),
        }
        Some(binding)
    }

    /// All ids, in order.
    pub(crate) fn ids(&self) -> Vec<u64> {
        self.all.keys().copied().collect()
    }
}

/// What equivalent contacts have in common.
fn contact_key(contact: &Uri) -> Option<(Vec<u8>, Vec<u8>)> {
    let host = match contact.host()? {
        Host::Name(name) => name.to_ascii_lowercase(),
        Host::Ip(address) => address.to_string().into_bytes(),
    };
    Some((contact.user_unescaped().unwrap_or_default().into_owned(), host))
}

fn forget<K: Ord>(index: &mut BTreeMap<K, BTreeSet<u64>>, key: &K, id: u64) {
    if let Some(ids) = index.get_mut(key) {
        ids.remove(&id);
        if ids.is_empty() {
            index.remove(key);
        }
    }
}
