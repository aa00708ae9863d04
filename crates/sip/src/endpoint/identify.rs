//! Who sent a request, and how that is proven.
//!
//! Knows: trunks' networks, credentials, fixed addresses, the guards. Must never know: what the request asks for.
//!
//! In order: an exact fixed address; a request that speaks as one of our accounts, which must prove it; a trunk by
//! its network; any other fixed address; and whoever else answers a challenge. Speaking as an account comes before
//! the trunk's network, so that a phone which shares an address with a trunk is never taken for the trunk.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::Endpoint;
use super::streams::Flow;
use crate::door::{Account, Algorithm, Credential, Name, Notice, Peer, Settings, Trunk};
use crate::guard::digest::{Answer, algorithm_name};
use crate::guard::nonce::Freshness;
use crate::wire::{AuthField, HeaderId, MessageBuilder, Method, Request};

/// What is known of a sender.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Sender {
    /// Proven.
    Proven(Peer),
    /// It is to prove itself; `stale` says that its proof was right but its nonce too old.
    Unproven { stale: bool },
    /// It guessed too often, and is to wait so long.
    Throttled(Duration),
    /// There is nothing by which it could prove itself.
    Stranger,
}

/// Whose credential a user name is.
pub(super) type Credentials = BTreeMap<Name, (Peer, Credential)>;

/// The credentials of a configuration. An account's comes before a trunk's of the same name.
pub(super) fn credentials(settings: &Settings) -> Credentials {
    let trunks = settings.trunks.iter().map(|trunk| (Peer::Trunk(trunk.name.clone()), &trunk.credential));
    let accounts =
        settings.accounts.iter().map(|account| (Peer::Account(account.name.clone()), &account.credential));
    trunks
        .chain(accounts)
        .filter_map(|(peer, credential)| {
            credential.clone().map(|credential| (credential.user.clone(), (peer, credential)))
        })
        .collect()
}

impl Endpoint {
    /// Who sent this request.
    pub(super) fn identify(&mut self, now: Duration, flow: Flow, request: &Request) -> Sender {
        let source = flow.remote();
        if let Some(peer) = self.at_fixed_address(source, true) {
            return Sender::Proven(peer);
        }
        if *request.method() != Method::Register
            && !self.speaks_as_account(flow, request)
            && let Some(trunk) = self.trunk_of(source.ip()).filter(|trunk| trunk.credential.is_none())
        {
            return Sender::Proven(Peer::Trunk(trunk.name.clone()));
        }
        match self.judge_credentials(now, source, request) {
            Sender::Unproven { stale: false } if !self.has_credentials(request) => {
                match self.at_fixed_address(source, false) {
                    Some(peer) => Sender::Proven(peer),
                    None if self.credentials.is_empty() => Sender::Stranger,
                    None => Sender::Unproven { stale: false },
                }
            }
            sender => sender,
        }
    }

    fn has_credentials(&self, request: &Request) -> bool {
        self.answer_of(request).is_some()
    }

    fn answer_of(&self, request: &Request) -> Option<Answer> {
        let answers = request.auths(HeaderId::Authorization).filter_map(Result::ok);
        answers
            .filter_map(|params| Answer::read(&params))
            .find(|answer| answer.realm == *self.settings.domain)
    }

    fn judge_credentials(&mut self, now: Duration, source: SocketAddr, request: &Request) -> Sender {
        let Some(answer) = self.answer_of(request) else { return Sender::Unproven { stale: false } };
        if let Some(wait) = self.throttle.wait(now, source.ip(), &answer.username) {
            return Sender::Throttled(wait);
        }
        let method = String::from_utf8_lossy(request.method().as_bytes()).into_owned();
        let known = self.credentials.get(answer.username.as_str());
        let proven = answer.proves(&self.settings.domain, &method, known.map(|(_, credential)| credential));
        if !proven {
            let account = known.map(|(peer, _)| match peer {
                Peer::Account(name) | Peer::Trunk(name) => name.clone(),
            });
            self.throttle.wrong(now, source.ip(), &answer.username);
            let source = source.ip();
            self.notify(now, source, "authentication", Notice::AuthenticationFailed { source, account });
            return Sender::Unproven { stale: false };
        }
        let peer = known.map(|(peer, _)| peer.clone());
        self.throttle.right(source.ip(), &answer.username);
        let fresh = answer.count().map(|count| self.nonces.redeem(now, &answer.nonce, count));
        match (fresh, peer) {
            (Some(Freshness::Fresh), Some(Peer::Trunk(name))) if !self.may_come_from(&name, source.ip()) => {
                Sender::Unproven { stale: false }
            }
            (Some(Freshness::Fresh), Some(peer)) => Sender::Proven(peer),
            _ => Sender::Unproven { stale: true },
        }
    }

    /// Whether a request says that it comes from one of our accounts: by its From, or by using a phone's flow.
    fn speaks_as_account(&self, flow: Flow, request: &Request) -> bool {
        let from = request.from().uri();
        let by_name = from.host().is_some_and(|host| self.is_our_host(host))
            && from.user_unescaped().is_some_and(|user| {
                std::str::from_utf8(&user).is_ok_and(|user| self.account(user).is_some())
            });
        by_name || self.bindings.is_known_flow(flow)
    }

    /// The account at this fixed address, if it needs no other proof. `exact`: the port must be its own too.
    fn at_fixed_address(&self, source: SocketAddr, exact: bool) -> Option<Peer> {
        let mut found = self.bindings.fixed_at(source.ip()).filter(|(name, address)| {
            (!exact || *address == source)
                && self.account(name).is_some_and(|account| account.credential.is_none())
        });
        let (name, _) = found.next()?;
        // Two accounts behind one address are told apart by their ports alone.
        found.next().is_none().then(|| Peer::Account(name.clone()))
    }

    /// An account of the configuration.
    pub(super) fn account(&self, name: &str) -> Option<&Account> {
        self.settings.accounts.get(*self.accounts.get(name)?)
    }

    /// The trunk whose networks hold this address.
    pub(super) fn trunk_of(&self, source: IpAddr) -> Option<&Trunk> {
        self.settings.trunks.iter().find(|trunk| is_within(source, &trunk.networks))
    }

    fn may_come_from(&self, trunk: &Name, source: IpAddr) -> bool {
        let trunk = self.settings.trunks.iter().find(|known| known.name == *trunk);
        trunk.is_some_and(|trunk| trunk.networks.is_empty() || is_within(source, &trunk.networks))
    }

    /// Takes a token for a source that nobody vouches for; trunks and registered phones need none.
    pub(super) fn admit_unknown(&mut self, now: Duration, source: IpAddr) -> bool {
        if self.trunk_of(source).is_some() || self.bindings.is_known_source(source) {
            return true;
        }
        let admitted = self.rates.admit(now, source, self.settings.limits.unknown_rate_per_s);
        if !admitted {
            let bound = "unknown_rate_per_s";
            self.notify(now, source, bound, Notice::Limited { source, bound });
        }
        admitted
    }

    /// Adds challenges: those of the account that a request claims to be, else of the trunk that lives at its source,
    /// else those that most users get; so an account that does not exist can't be told from one that does.
    pub(super) fn with_challenge(
        &mut self,
        now: Duration,
        mut builder: MessageBuilder,
        source: IpAddr,
        user: &[u8],
        stale: bool,
    ) -> MessageBuilder {
        const DEFAULT: &[Algorithm] = &[Algorithm::Sha256, Algorithm::Md5];
        let claimed = std::str::from_utf8(user)
            .ok()
            .and_then(|user| self.account(user))
            .and_then(|account| account.credential.as_ref())
            .or_else(|| self.trunk_of(source)?.credential.as_ref());
        let usual = self.settings.accounts.iter().find_map(|account| account.credential.as_ref());
        let algorithms = claimed
            .or(usual)
            .map_or_else(|| DEFAULT.to_vec(), |credential| credential.algorithms().collect::<Vec<_>>());
        let nonce = self.nonces.issue(now);
        for algorithm in algorithms {
            let mut fields = vec![
                AuthField::Quoted("realm", self.settings.domain.as_bytes()),
                AuthField::Quoted("nonce", nonce.as_bytes()),
                AuthField::Token("algorithm", algorithm_name(algorithm)),
                AuthField::Quoted("qop", b"auth"),
            ];
            if stale {
                fields.push(AuthField::Token("stale", b"true"));
            }
            builder = builder.digest(HeaderId::WwwAuthenticate, &fields);
        }
        builder
    }
}

/// Whether an address lies in one of the networks. An IPv4 address mapped into IPv6 is an IPv4 address.
fn is_within(address: IpAddr, networks: &[(IpAddr, u8)]) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|(network, prefix)| match (address, network.to_canonical()) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(u32::from(*prefix))).unwrap_or(0);
            address.to_bits() & mask == network.to_bits() & mask
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(u32::from(*prefix))).unwrap_or(0);
            address.to_bits() & mask == network.to_bits() & mask
        }
        _ => false,
    })
}
