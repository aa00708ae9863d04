//! Keep-alives: OPTIONS to trunks and to phones behind NAT; and what a configuration sets going.
//!
//! Knows: who is asked how often, and what silence means. Must never know: calls.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::transmit::{DEFAULT_PORT, Hop};
use super::{ClientUser, Endpoint, Resolving, TimerKey};
use crate::door::{BindingChange, Event, Name, Settings, Target};
use crate::timer::TimerId;
use crate::transaction::table::TransactionId;
use crate::wire::{HeaderId, Method, Uri};

/// How often a phone behind a NAT is asked. NATs forget a datagram's way after 30 s at the earliest (RFC 4787 §4.3
/// asks for two minutes; home routers do what they like).
const PHONE_PING_EVERY: Duration = Duration::from_secs(29);
/// Unanswered OPTIONS after which a contact is gone.
const MISSES_MAX: u32 = 2;

/// A trunk that is asked whether it is alive.
pub(super) struct TrunkState {
    name: Name,
    timer: Option<TimerId>,
    /// The verdict, once there is one.
    alive: Option<bool>,
}

impl Endpoint {
    /// Sets going what the present settings say; `before` are those that they replace.
    pub(super) fn configure(&mut self, now: Duration, before: Option<Settings>) {
        self.credentials = super::identify::credentials(&self.settings);
        self.accounts = self
            .settings
            .accounts
            .iter()
            .enumerate()
            .map(|(index, account)| (account.name.clone(), index))
            .collect();
        let accounts: Vec<(Name, Option<Target>)> = self
            .settings
            .accounts
            .iter()
            .map(|account| (account.name.clone(), account.fixed.clone()))
            .collect();
        for binding in self.bindings.ids() {
            let known =
                self.bindings.find(binding).is_some_and(|binding| self.account(&binding.account).is_some());
            if !known {
                self.remove_binding(binding, BindingChange::Configured);
            }
        }
        for gone in before.iter().flat_map(|before| &before.accounts) {
            let still_fixed = accounts.iter().any(|(name, fixed)| *name == gone.name && fixed.is_some());
            if !still_fixed && self.bindings.set_fixed(&gone.name, None) {
                self.tell_bindings(&gone.name, BindingChange::Configured);
            }
        }
        for (account, fixed) in accounts {
            let Some(target) = fixed else { continue };
            let port = target.port.unwrap_or(DEFAULT_PORT);
            match target.host.parse::<IpAddr>() {
                Ok(address) => self.fixed_resolved(&account, Some(SocketAddr::new(address, port))),
                Err(_) => self.resolve(target.host.clone(), Resolving::Fixed { account, port }),
            }
        }
        self.configure_trunks(now);
    }

    fn configure_trunks(&mut self, now: Duration) {
        let before = std::mem::take(&mut self.trunks);
        for (index, trunk) in self.settings.trunks.iter().enumerate() {
            let known = before.iter().find(|known| known.name == trunk.name);
            let asked = trunk.keep_alive.is_some() && trunk.target.is_some();
            let timer = asked.then(|| self.schedule.set(now, TimerKey::TrunkPing(index)));
            let alive = known.filter(|_| asked).and_then(|known| known.alive);
            self.trunks.push(TrunkState { name: trunk.name.clone(), timer, alive });
        }
        for timer in before.into_iter().filter_map(|known| known.timer) {
            self.schedule.cancel(timer);
        }
    }

    /// A fixed address is known, or is found not to exist.
    pub(super) fn fixed_resolved(&mut self, account: &Name, address: Option<SocketAddr>) {
        let still_fixed = self.account(account).is_some_and(|account| account.fixed.is_some());
        if still_fixed && self.bindings.set_fixed(account, Some(address)) {
            self.tell_bindings(account, BindingChange::Configured);
        }
    }

    /// Where a target is, by address or by name.
    pub(super) fn hop_to_target(&mut self, now: Duration, target: &Target) -> Option<Hop> {
        let port = target.port.unwrap_or(DEFAULT_PORT);
        match target.host.parse::<IpAddr>() {
            Ok(address) => self.flow_to(now, target.transport, SocketAddr::new(address, port)).map(Hop::Flow),
            Err(_) => Some(Hop::Name { host: target.host.clone(), port, transport: target.transport }),
        }
    }

    pub(super) fn ping_trunk(&mut self, now: Duration, index: usize) {
        let Some(trunk) = self.settings.trunks.get(index) else { return };
        let (name, every, target) = (trunk.name.clone(), trunk.keep_alive, trunk.target.clone());
        let (Some(every), Some(target)) = (every, target) else { return };
        let timer = self.schedule.set(now + every.max(Duration::from_secs(1)), TimerKey::TrunkPing(index));
        if let Some(state) = self.trunks.get_mut(index) {
            state.timer = Some(timer);
        }
        let user = ClientUser::TrunkPing(index, name.clone());
        let sent = target_uri(&target, None).and_then(|uri| {
            self.hop_to_target(now, &target).map(|hop| self.send_options(now, &uri, hop, user))
        });
        if sent.is_none() {
            self.on_trunk_answered(now, index, &name, 503);
        }
    }

    /// Any final answer but 503 and 408 means that a trunk is alive.
    pub(super) fn on_trunk_answered(&mut self, _now: Duration, index: usize, name: &Name, status: u16) {
        let Some(state) = self.trunks.get_mut(index).filter(|state| state.name == *name) else { return };
        let alive = !matches!(status, 408 | 503);
        if state.alive.replace(alive) != Some(alive) {
            self.tell(Event::TrunkAlive { trunk: name.clone(), alive });
        }
    }

    /// Sets a binding's next keep-alive; only a way through a NAT needs one.
    pub(super) fn schedule_ping(&mut self, now: Duration, binding: u64) {
        let Some(entry) = self.bindings.find_mut(binding) else { return };
        let at = entry.behind_nat.then_some(now + PHONE_PING_EVERY);
        self.schedule.replace(&mut entry.ping, at, TimerKey::Ping(binding));
    }

    pub(super) fn ping_phone(&mut self, now: Duration, binding: u64) {
        let Some(entry) = self.bindings.find_mut(binding) else { return };
        entry.ping = None;
        if entry.pinging.is_some() {
            return;
        }
        let (uri, hop) = (entry.contact.without_headers(), Hop::Flow(entry.flow));
        let id = self.send_options(now, &uri, hop, ClientUser::PhonePing(binding));
        // A stream that is gone fails at once, and may have taken the binding with it.
        if self.transactions.client(id).is_some()
            && let Some(entry) = self.bindings.find_mut(binding)
        {
            entry.pinging = Some(id);
        }
    }

    pub(super) fn on_phone_answered(&mut self, now: Duration, binding: u64) {
        if let Some(entry) = self.bindings.find_mut(binding) {
            entry.pinging = None;
            entry.misses = 0;
            self.schedule_ping(now, binding);
        }
    }

    pub(super) fn on_phone_silent(&mut self, now: Duration, binding: u64) {
        let Some(entry) = self.bindings.find_mut(binding) else { return };
        entry.pinging = None;
        entry.misses += 1;
        if entry.misses >= MISSES_MAX {
            self.remove_binding(binding, BindingChange::Unreachable);
        } else {
            self.schedule.replace(&mut entry.ping, Some(now), TimerKey::Ping(binding));
        }
    }

    /// A call got no sign of life from a contact: that is one miss, and a reason to ask.
    pub(super) fn suspect(&mut self, now: Duration, binding: u64) {
        let Some(entry) = self.bindings.find_mut(binding) else { return };
        if entry.pinging.is_none() {
            self.on_phone_silent(now, binding);
        }
    }

    fn send_options(&mut self, now: Duration, uri: &Uri, hop: Hop, user: ClientUser) -> TransactionId {
        let (branch, tag, call_id) = (self.fresh_branch(), self.fresh_token(""), self.fresh_token(""));
        let from = format!("<sip:{}>;tag={}", self.our_host(), String::from_utf8_lossy(&tag));
        let mut to = b"<".to_vec();
        to.extend_from_slice(uri.as_bytes());
        to.push(b'>');
        let bytes = self
            .outside_dialog(&Method::Options, uri, from.as_bytes(), &to, &call_id, 1, &branch, &hop)
            .header(HeaderId::Accept, super::compose::SDP)
            .finish();
        self.start_client(now, &Method::Options, branch, bytes, hop, user)
    }
}

/// The Request-URI for a target, with this user part or its own.
pub(super) fn target_uri(target: &Target, user: Option<&str>) -> Option<Uri> {
    let host = match target.host.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) => format!("[{address}]"),
        _ => target.host.to_string(),
    };
    let user =
        user.or(target.user.as_deref()).map(|user| format!("{}@", escape_user(user))).unwrap_or_default();
    let port = target.port.map(|port| format!(":{port}")).unwrap_or_default();
    let transport = match target.transport {
        crate::door::Transport::Udp => "",
        crate::door::Transport::Tcp => ";transport=tcp",
    };
    Uri::parse_text(&format!("sip:{user}{host}{port}{transport}")).ok()
}

/// RFC 3261 §25.1: what may stand in a user part stays, everything else is escaped.
pub(super) fn escape_user(user: &str) -> String {
    let mut escaped = String::with_capacity(user.len());
    for octet in user.bytes() {
        if octet.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/".contains(&octet) {
            escaped.push(char::from(octet));
        } else {
            escaped.push_str(&format!("%{octet:02X}"));
        }
    }
    escaped
}
