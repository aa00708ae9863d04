//! REGISTER, digest, NATs and guesses.

use std::time::Duration;

use super::script::*;
use crate::guard::digest::ha1;
use crate::guard::digest::tests::hash_of;
use crate::wire::{AuthParams, HeaderId, Response};
use crate::*;

/// A phone that registers: it keeps the last challenge and counts.
struct Phone {
    user: &'static str,
    password: &'static str,
    algorithm: Algorithm,
    source: &'static str,
    contact: String,
    sequence: u32,
    nonce: String,
    count: u32,
}

impl Phone {
    fn new(user: &'static str, password: &'static str, source: &'static str) -> Self {
        let contact = format!("<sip:{user}@{source}>");
        let algorithm = Algorithm::Sha256;
        Self { user, password, algorithm, source, contact, sequence: 0, nonce: String::new(), count: 0 }
    }

    fn request(&mut self, method: &str, uri: &str, more: &str) -> String {
        self.sequence += 1;
        let (user, sequence, source) = (self.user, self.sequence, self.source);
        let authorization =
            if self.nonce.is_empty() { String::new() } else { self.authorization(method, uri) };
        let to = if method == "REGISTER" { format!("<sip:{user}@{DOMAIN}>") } else { format!("<{uri}>") };
        format!(
            "{method} {uri} SIP/2.0\nVia: SIP/2.0/UDP {source};rport;branch=z9hG4bK{user}{sequence}\nMax-Forwards: 70\n\
             From: <sip:{user}@{DOMAIN}>;tag=f{user}\nTo: {to}\nCall-ID: {user}-registers\nCSeq: {sequence} {method}\n\
             {authorization}{more}"
        )
    }

    fn authorization(&mut self, method: &str, uri: &str) -> String {
        self.count += 1;
        let name = if self.algorithm == Algorithm::Md5 { "MD5" } else { "SHA-256" };
        let (nonce, nc) = (&self.nonce, format!("{:08x}", self.count));
        let secret = ha1(self.algorithm, self.user, DOMAIN, self.password);
        let request = hash_of(self.algorithm, &[method, uri]);
        let response = hash_of(self.algorithm, &[&secret, nonce, &nc, "cn", "auth", &request]);
        format!(
            "Authorization: Digest username=\"{}\", realm=\"{DOMAIN}\", nonce=\"{nonce}\", uri=\"{uri}\", nc={nc}, \
             cnonce=\"cn\", qop=auth, algorithm={name}, response=\"{response}\"\n",
            self.user
        )
    }

    fn register(&mut self, script: &mut Script, more: &str) -> u16 {
        let contact = format!("Contact: {}\n{more}", self.contact);
        self.send(script, "REGISTER", &format!("sip:{DOMAIN}"), &contact)
    }

    /// Sends once, and again with an answer to the challenge. Tells the last status.
    fn send(&mut self, script: &mut Script, method: &str, uri: &str, more: &str) -> u16 {
        for _ in 0..2 {
            let text = self.request(method, uri, more);
            script.from(self.source, &text);
            let response = script.response();
            let status = response.status().code();
            if status != 401 {
                return status;
            }
            if !self.take_challenge(&response.clone()) {
                return status;
            }
        }
        script.response().status().code()
    }

    fn take_challenge(&mut self, response: &Response) -> bool {
        let challenges: Vec<AuthParams> =
            response.auths(HeaderId::WwwAuthenticate).map(Result::unwrap).collect();
        let wanted: &[u8] = if self.algorithm == Algorithm::Md5 { b"MD5" } else { b"SHA-256" };
        let Some(ours) =
            challenges.iter().find(|challenge| challenge.value("algorithm").as_deref() == Some(wanted))
        else {
            return false;
        };
        self.nonce = String::from_utf8(ours.value("nonce").unwrap().into_owned()).unwrap();
        self.count = 0;
        true
    }
}

const NEAR: &str = "10.0.0.7:5060";

#[test]
fn a_phone_registers_refreshes_and_leaves() {
    for algorithm in [Algorithm::Sha256, Algorithm::Md5] {
        let mut script = Script::new();
        let mut phone = Phone { algorithm, ..Phone::new("g2", "secret", NEAR) };
        assert_eq!(phone.register(&mut script, "Expires: 120\n"), 200);
        assert_eq!(script.told(), ["bindings g2 1 Registered"]);
        assert_eq!(script.endpoint.contacts("g2"), 1);
        let contact =
            String::from_utf8_lossy(script.response().first(HeaderId::Contact).unwrap()).into_owned();
        assert_eq!(contact, "<sip:g2@10.0.0.7:5060>;expires=120");
        assert_eq!(phone.register(&mut script, "Expires: 120\n"), 200, "the nonce serves again");
        assert!(script.told().is_empty());
        assert_eq!(script.records.len(), 2, "the binding and the mark");
        assert_eq!(phone.register(&mut script, "Expires: 0\n"), 200);
        assert_eq!(script.told(), ["bindings g2 0 Unregistered"]);
        assert_eq!(phone.register(&mut script, ""), 200);
        script.told();
        phone.contact = "*".to_owned();
        assert_eq!(phone.register(&mut script, "Expires: 60\n"), 400);
        assert_eq!(phone.register(&mut script, "Expires: 0\n"), 200);
        assert_eq!(script.told(), ["bindings g2 0 Unregistered"]);
        assert_eq!((script.endpoint.counts().bindings, script.records.len()), (0, 1));
    }
}

#[test]
fn what_the_registrar_refuses() {
    let mut script = Script::new();
    let mut phone = Phone::new("g2", "secret", NEAR);
    assert_eq!(phone.register(&mut script, "Expires: 5\n"), 423);
    assert_eq!(script.response().first(HeaderId::MinExpires), Some(&b"60"[..]));
    assert_eq!(phone.register(&mut script, "Expires: 99999999999999999999\n"), 200);
    let contact = String::from_utf8_lossy(script.response().first(HeaderId::Contact).unwrap()).into_owned();
    assert!(contact.ends_with("expires=3600"), "{contact}");
    // RFC 3261 §10.3: the same Call-ID with an older CSeq, long after the first transaction is over.
    script.pass_s(40);
    phone.sequence -= 2;
    let mut again =
        phone.request("REGISTER", &format!("sip:{DOMAIN}"), &format!("Contact: {}\n", phone.contact));
    again = again.replace("branch=z9hG4bK", "branch=z9hG4bKagain");
    script.from(NEAR, &again);
    assert_eq!(script.response().status().code(), 500);
    phone.sequence += 10;
    // Somebody else's address of record, a foreign one, another scheme.
    for (to, expected) in
        [("sip:g3@vigie.example.org", 403), ("sip:g2@elsewhere.example", 404), ("isbn:12", 400)]
    {
        let text = phone.request("REGISTER", &format!("sip:{DOMAIN}"), "");
        script.from(NEAR, &text.replace(&format!("To: <sip:g2@{DOMAIN}>"), &format!("To: <{to}>")));
        assert_eq!(script.response().status().code(), expected, "{to}");
    }
    // A trunk is no account.
    script.from(CARRIER, &request("REGISTER", "r", TO, 1, ""));
    assert_eq!(script.response().status().code(), 401);
    assert_eq!(script.endpoint.counts().bindings, 1);
}

#[test]
fn several_contacts_and_the_bound_on_them() {
    let mut script = Script::with(|settings| settings.limits.contacts_per_account_max = 2);
    let mut phone = Phone::new("g2", "secret", NEAR);
    phone.contact = "<sip:a@10.0.0.7>, <sip:b@10.0.0.7>;expires=600".to_owned();
    assert_eq!(phone.register(&mut script, ""), 200);
    assert_eq!(script.endpoint.contacts("g2"), 2);
    phone.contact = "<sip:c@10.0.0.7>".to_owned();
    assert_eq!(phone.register(&mut script, ""), 200);
    assert_eq!(script.endpoint.contacts("g2"), 2, "the one that would go first has gone");
    script.told();
    script.pass_s(3_601);
    assert_eq!(script.told(), ["bindings g2 1 Expired", "bindings g2 0 Expired"]);
}

#[test]
fn wrong_passwords_and_unknown_users_are_answered_alike_and_slowed_down() {
    let answers = |user, password| {
        let mut script = Script::new();
        let mut phone = Phone::new(user, password, NEAR);
        let mut statuses = Vec::new();
        for _ in 0..10 {
            statuses.push(phone.register(&mut script, ""));
        }
        assert_eq!(script.endpoint.counts().bindings, 0);
        let mut headers: Vec<String> =
            script.response().fields().map(|field| format!("{:?}", field.id)).collect();
        headers.sort();
        (statuses, headers)
    };
    let wrong = answers("g2", "guess");
    assert_eq!(wrong, answers("nobody", "guess"));
    assert!(wrong.0.contains(&401) && wrong.0.contains(&503));

    // The right password from elsewhere, and from there later, still counts.
    let mut script = Script::new();
    let mut thief = Phone::new("g2", "guess", NEAR);
    for _ in 0..10 {
        thief.register(&mut script, "");
    }
    assert!(script.told().iter().any(|told| told == "notice authentication failed"));
    assert_eq!(Phone::new("g2", "secret", "10.0.0.8:5060").register(&mut script, ""), 200);
    assert_eq!(
        Phone::new("g3", "secret", NEAR).register(&mut script, ""),
        200,
        "another user at the same source"
    );
    script.pass_s(400);
    assert_eq!(Phone::new("g2", "secret", NEAR).register(&mut script, ""), 200);
}

#[test]
fn nonces_go_stale_and_are_used_once() {
    let mut script = Script::new();
    let mut phone = Phone::new("g2", "secret", NEAR);
    assert_eq!(phone.register(&mut script, ""), 200);
    // The same count again: right, but not fresh.
    phone.count -= 1;
    let text = phone.request("REGISTER", &format!("sip:{DOMAIN}"), "");
    script.from(NEAR, &text);
    let stale = |script: &Script| {
        let mut challenges = script.response().auths(HeaderId::WwwAuthenticate);
        challenges.next().unwrap().unwrap().value("stale").as_deref() == Some(b"true")
    };
    assert_eq!(script.response().status().code(), 401);
    assert!(stale(&script));
    script.pass(Duration::from_secs(400));
    let text = phone.request("REGISTER", &format!("sip:{DOMAIN}"), "");
    script.from(NEAR, &text);
    assert!(stale(&script));
    assert_eq!(phone.register(&mut script, ""), 200);
    assert!(script.told().iter().all(|told| !told.starts_with("notice")), "an old nonce is no guess");
}

#[test]
fn a_phone_calls_and_is_called_through_its_nat() {
    let mut script = Script::new();
    let mut phone = Phone::new("g2", "secret", PHONE);
    phone.contact = "<sip:g2@192.168.1.20:5060;line=1>".to_owned();
    assert_eq!(phone.register(&mut script, ""), 200);
    script.said();
    let invite = super::world::to_account("g2");
    let leg = script.act(|endpoint, now| endpoint.invite(now, invite));
    assert_eq!(script.sent[0].0.to_string(), PHONE);
    let invite = script.request().clone();
    assert_eq!(invite.uri().as_bytes(), b"sip:g2@192.168.1.20:5060;line=1");
    assert_eq!(
        invite.first(HeaderId::From).map(|from| from.starts_with(b"\"Line 3919, \\\"fr\\\"\" <sip:3919@")),
        Some(true)
    );
    assert!(invite.has(HeaderId::AlertInfo));
    assert_eq!(invite.all(HeaderId::Via).count(), 1, "extra headers cannot forge a Via");
    script
        .from(PHONE, &reply(&invite, 200, "p", &format!("Contact: <sip:g2@192.168.1.20:5060>\n{SDP_BODY}")));
    assert_eq!(script.said(), ["INVITE", "ACK"]);
    script.act(|endpoint, now| endpoint.end(now, leg, None));
    assert_eq!(script.sent[0].0.to_string(), PHONE, "the BYE goes through the NAT too");
    let bye = script.request().clone();
    script.from(PHONE, &reply(&bye, 200, "", ""));
    script.told();
    script.said();

    assert_eq!(phone.send(&mut script, "INVITE", "sip:*71@vigie.example.org", SDP_BODY), 100);
    let Some(Event::Incoming(incoming)) = script.events.pop() else { panic!("no call") };
    assert_eq!((incoming.peer, incoming.request_user.as_str()), (Peer::Account("g2".into()), "*71"));
    assert_eq!(phone.send(&mut script, "INVITE", "sip:x@elsewhere.example", SDP_BODY), 404);
}

#[test]
fn a_phone_behind_nat_is_asked_and_gone_after_two_misses() {
    let mut script = Script::new();
    let mut phone = Phone::new("g2", "secret", PHONE);
    phone.contact = "<sip:g2@192.168.1.20>".to_owned();
    phone.register(&mut script, "");
    script.told();
    script.said();
    for _ in 0..3 {
        script.pass_s(30);
        let options = script.request().clone();
        assert_eq!(options.method().as_bytes(), b"OPTIONS");
        script.from(PHONE, &reply(&options, 404, "x", ""));
        script.said();
    }
    script.pass_s(29 + 32 + 31);
    assert!(script.told().is_empty());
    script.pass_s(5);
    assert_eq!(script.told(), ["bindings g2 0 Unreachable"]);

    // In front of a NAT there is nothing to keep open.
    let mut script = Script::new();
    Phone::new("g2", "secret", NEAR).register(&mut script, "");
    script.said();
    script.pass_s(300);
    assert!(script.said().is_empty());
}

#[test]
fn a_stream_that_closes_takes_its_nat_with_it() {
    let mut script = Script::new();
    script.stream_opened(1, PHONE);
    let mut phone = Phone::new("g2", "secret", PHONE);
    phone.contact = "<sip:g2@192.168.1.20;transport=tcp>".to_owned();
    for _ in 0..2 {
        let text =
            phone.request("REGISTER", &format!("sip:{DOMAIN}"), &format!("Contact: {}\n", phone.contact));
        script.stream_data(1, message(&text));
        let response = script.response().clone();
        phone.take_challenge(&response);
    }
    assert_eq!(script.told(), ["bindings g2 1 Registered"]);
    script.outputs.clear();
    let invite = super::world::to_account("g2");
    script.act(|endpoint, now| endpoint.invite(now, invite));
    assert_eq!(script.outputs, ["write 1"]);
    script.stream_closed(1);
    assert_eq!(script.told(), ["bindings g2 0 Unreachable", "failed 408 gone"]);
}

#[test]
fn an_account_that_leaves_the_configuration_leaves_its_contacts() {
    let mut script = Script::new();
    Phone::new("g2", "secret", NEAR).register(&mut script, "");
    script.told();
    let mut settings = script.settings.clone();
    settings.accounts.retain(|account| &*account.name != "g2");
    script.act(|endpoint, now| endpoint.reconfigure(now, settings));
    assert_eq!(script.told(), ["bindings g2 0 Configured"]);
    assert_eq!(script.records.len(), 1);
}

#[test]
fn a_phone_at_the_trunks_address_is_not_the_trunk() {
    let mut script = Script::new();
    let mut phone = Phone::new("g2", "secret", "10.0.0.2:6000");
    assert_eq!(phone.send(&mut script, "INVITE", "sip:*71@vigie.example.org", SDP_BODY), 100);
    let Some(Event::Incoming(incoming)) = script.events.pop() else { panic!("no call") };
    assert_eq!(incoming.peer, Peer::Account("g2".into()));
}

#[test]
fn a_trunk_with_an_account_proves_itself() {
    let trunk_with = |networks: Vec<(std::net::IpAddr, u8)>| {
        Script::with(|settings| {
            settings.trunks[0].networks = networks;
            settings.trunks[0].credential =
                Some(Credential::from_password("carrier-user", DOMAIN, "carrier-secret", &[Algorithm::Md5]));
        })
    };
    let call = |script: &mut Script, source| {
        let mut carrier =
            Phone { algorithm: Algorithm::Md5, ..Phone::new("carrier-user", "carrier-secret", source) };
        carrier.send(script, "INVITE", "sip:3919@vigie.example.org", SDP_BODY)
    };
    let within = || vec![("10.0.0.0".parse().unwrap(), 24)];
    assert_eq!(call(&mut trunk_with(Vec::new()), STRANGER), 100);
    assert_eq!(call(&mut trunk_with(within()), "10.0.0.2:5060"), 100);
    assert_eq!(call(&mut trunk_with(within()), STRANGER), 401);
    let mut script = trunk_with(within());
    script.from(CARRIER, &invite("a", 1));
    assert_eq!(script.said(), ["401"], "the address alone is not enough");
}
