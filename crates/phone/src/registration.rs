//! Keeping registered (RFC 3261 §10): REGISTER, refresh at half of what was granted, un-register.
//!
//! It knows one address of record at one registrar. It must never know calls.

use crate::address::{NameAddr, parameter};
use crate::digest::Challenge;
use crate::phone::Phone;
use crate::text::Message;
use crate::transaction::Purpose;
use crate::{Event, Refusal};
use std::time::Duration;

/// What is known about our registration.
#[derive(Default)]
pub(crate) struct Registration {
    /// Whether we should be registered.
    wanted: bool,
    under_way: bool,
    call_id: String,
    tag: String,
    number: u32,
    /// RFC 3261 §10.2.8: raised by a 423.
    expires_s_min: u32,
    pub(crate) next_at: Option<Duration>,
    /// The last challenge and how often its nonce was used: refreshes answer it unasked.
    nonce: Option<Nonce>,
}

/// A server nonce in use.
pub(crate) struct Nonce {
    pub(crate) challenge: Challenge,
    pub(crate) count: u32,
    pub(crate) proxy: bool,
}

impl Registration {
    /// A challenge was answered under that number.
    pub(crate) fn note_number(&mut self, number: u32) {
        self.number = number;
    }

    /// The answered challenge, to be used again.
    pub(crate) fn remember(&mut self, nonce: Nonce) {
        self.nonce = Some(nonce);
    }
}

impl Phone {
    pub(crate) fn register(&mut self, now: Duration) {
        self.registration.wanted = true;
        self.send_register(now);
    }

    pub(crate) fn unregister(&mut self, now: Duration) {
        if !self.registration.wanted {
            self.event(Event::Refused { why: Refusal::WrongState });
            return;
        }
        self.registration.wanted = false;
        self.send_register(now);
    }

    /// Sends a REGISTER for what is wanted now, unless one is under way: its end looks again.
    pub(crate) fn send_register(&mut self, now: Duration) {
        self.registration.next_at = None;
        if self.registration.under_way {
            return;
        }
        if self.registration.call_id.is_empty() {
            (self.registration.call_id, self.registration.tag) = (self.token(), self.token());
        }
        let uri = format!("sip:{}", self.config.domain);
        let own = format!("sip:{}@{}", self.config.user.as_str(), self.config.domain);
        let mut request = Message::request("REGISTER", &uri);
        let registration = &mut self.registration;
        registration.number += 1;
        let expires_s = match registration.wanted {
            true => self.config.registering.expires_s.max(registration.expires_s_min),
            false => 0,
        };
        request.push("Max-Forwards", "70");
        request.push("From", format!("<{own}>;tag={}", registration.tag));
        request.push("To", format!("<{own}>"));
        request.push("Call-ID", registration.call_id.clone());
        request.push("CSeq", format!("{} REGISTER", registration.number));
        request.push("Contact", format!("{};expires={expires_s}", self.contact()));
        request.push("Expires", expires_s.to_string());
        request.push("User-Agent", self.config.user_agent.clone());
        if let Some(mut nonce) = self.registration.nonce.take() {
            // RFC 7616 §3.4: the count grows with every use of the same nonce.
            nonce.count += 1;
            self.authorize(&mut request, &nonce);
            self.registration.nonce = Some(nonce);
        }
        self.registration.under_way =
            self.start_client(now, request, self.server_hop(), Purpose::Register, 0);
        if !self.registration.under_way {
            self.registration.next_at = Some(now + self.config.registering.retry_after);
        }
    }

    /// The final answer to a REGISTER; `None` when there was none.
    pub(crate) fn on_registered(&mut self, now: Duration, request: &Message, response: Option<&Message>) {
        self.registration.under_way = false;
        let asked_s: u32 = request.header("Expires").and_then(|text| text.parse().ok()).unwrap_or(0);
        let status = response.and_then(Message::status).unwrap_or(408);
        match (status, response) {
            (200..300, Some(response)) => {
                self.on_granted(now, asked_s, response);
            }
            (423, Some(response)) if self.registration.wanted => {
                let least =
                    response.header("Min-Expires").and_then(|text| text.trim().parse().ok()).unwrap_or(0);
                if least > asked_s {
                    self.registration.expires_s_min = least;
                    self.send_register(now);
                } else {
                    self.on_refused(now, status);
                }
            }
            _ => self.on_refused(now, status),
        }
    }

    fn on_granted(&mut self, now: Duration, asked_s: u32, response: &Message) {
        if asked_s == 0 {
            self.event(Event::Unregistered);
            if self.registration.wanted {
                self.send_register(now);
            }
            return;
        }
        let expires_s = self.granted_s(response).unwrap_or(asked_s);
        self.event(Event::Registered { expires_s });
        if self.registration.wanted {
            let half = Duration::from_millis(u64::from(expires_s) * 500);
            self.registration.next_at = Some(now + half.max(Duration::from_secs(1)));
        } else {
            self.send_register(now);
        }
    }

    fn on_refused(&mut self, now: Duration, status: u16) {
        // A nonce that did not help is not worth keeping.
        self.registration.nonce = None;
        self.event(Event::RegisterFailed { status });
        if self.registration.wanted {
            self.registration.next_at = Some(now + self.config.registering.retry_after);
        }
    }

    /// RFC 3261 §10.2.4: what our own contact was granted, else the Expires header.
    fn granted_s(&self, response: &Message) -> Option<u32> {
        let ours = NameAddr::parse(&self.contact())?.uri;
        let contacts = response.values("Contact");
        let mine = contacts.iter().find(|value| NameAddr::parse(value).is_some_and(|have| have.uri == ours));
        mine.and_then(|value| parameter(&value[value.find('>').unwrap_or(0)..], "expires")?.parse().ok())
            .or_else(|| response.header("Expires")?.trim().parse().ok())
    }
}
