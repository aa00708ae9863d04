//! Our own requests: sent, sent again, challenged, answered or not (RFC 3261 §17.1, §22.2).
//!
//! It knows client transactions and whom their results are for. It must never know what a result means
//! to a call: `uac`, `refresh` and `registration` do.

use crate::Event;
use crate::digest::{Answer, Challenge};
use crate::phone::Phone;
use crate::registration::Nonce;
use crate::text::{Message, Start};
use crate::transaction::{Client, ClientState, Hop, Purpose, Verdict};
use crate::uac::tag_of;
use std::time::Duration;

/// Requests of one phone that may be under way or remembered at once: many times a person's pace.
const CLIENTS_MAX: usize = 128;
/// Challenges answered for one request: the first, a stale nonce, and a second server's.
const CHALLENGES_MAX: u8 = 3;

impl Phone {
    /// Sends a new request; false when too many are under way.
    pub(crate) fn start_client(
        &mut self,
        now: Duration,
        mut request: Message,
        hop: Hop,
        purpose: Purpose,
        challenges: u8,
    ) -> bool {
        if self.clients.len() == CLIENTS_MAX {
            return false;
        }
        let branch = self.stamp(&mut request, hop);
        if let Purpose::Invite(call) = purpose {
            self.note_branch(call, &branch);
        }
        let bytes = request.print();
        let mut client = Client::new(now, branch, request, hop, purpose);
        client.challenges = challenges;
        self.clients.push(client);
        self.transmit(hop, bytes);
        true
    }

    /// Puts a fresh Via on top, in place of the last one.
    pub(crate) fn stamp(&mut self, request: &mut Message, hop: Hop) -> String {
        let branch = format!("z9hG4bK{}", self.token());
        let transport = if hop.is_reliable() { "TCP" } else { "UDP" };
        request.remove("Via");
        let via = format!("SIP/2.0/{transport} {};branch={branch};rport", self.config.address);
        request.headers.insert(0, ("Via".to_owned(), via));
        branch
    }

    pub(crate) fn on_response(&mut self, now: Duration, branch: &str, response: &Message) {
        let method = response.cseq().map_or("", |(_, method)| method);
        let found =
            self.clients.iter().position(|client| client.branch == branch && client.method() == method);
        let (Some(at), Some(status)) = (found, response.status()) else {
            self.counters.unmatched_responses += 1;
            return;
        };
        let tag = tag_of(response, "To");
        let verdict = self.clients[at].on_response(now, status, tag.as_deref());
        let client = &self.clients[at];
        if client.invite && status >= 300 && verdict != Verdict::Absorb {
            let (ack, hop) = (client.failure_ack(response).print(), client.hop);
            self.transmit(hop, ack);
        } else if verdict == Verdict::AcknowledgeAgain {
            let again = client.acks.iter().find(|(have, ..)| Some(have) == tag.as_ref());
            if let Some((_, bytes, hop)) = again.cloned() {
                self.transmit(hop, bytes);
            }
        }
        if verdict == Verdict::Tell && !self.answer_challenge(now, at, response) {
            let (purpose, request) = (self.clients[at].purpose, self.clients[at].request.clone());
            self.conclude(now, purpose, branch, &request, Some(response));
        }
        self.clients.retain(|client| client.ends_at.is_none_or(|at| at > now));
    }

    /// Hands a response, or its absence, to whoever asked.
    fn conclude(
        &mut self,
        now: Duration,
        purpose: Purpose,
        branch: &str,
        request: &Message,
        response: Option<&Message>,
    ) {
        let status = response.and_then(Message::status).unwrap_or(408);
        match purpose {
            Purpose::Invite(call) => self.on_invite_response(now, call, branch, request, response),
            _ if status < 200 => {}
            Purpose::Refresh(call) => self.on_refresh_response(now, call, branch, request, response),
            Purpose::Farewell => {}
            Purpose::Register => self.on_registered(now, request, response),
            Purpose::Options => self.event(Event::OptionsAnswered { status }),
        }
    }

    /// RFC 3261 §22.2: sends the request again with credentials; false when there is nothing to add.
    fn answer_challenge(&mut self, now: Duration, at: usize, response: &Message) -> bool {
        let client = &self.clients[at];
        let (field, proxy) = match response.status() {
            Some(401) => ("WWW-Authenticate", false),
            Some(407) => ("Proxy-Authenticate", true),
            _ => return false,
        };
        // RFC 3261 §22.1: a CANCEL cannot be sent again, so it must not be challenged.
        if client.method() == "CANCEL" {
            return false;
        }
        let values = response.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(field));
        let challenge = Challenge::strongest(values.map(|(_, value)| value.as_str()));
        let Some(challenge) = challenge.filter(|_| self.config.credentials.is_some()) else { return false };
        let answered =
            client.request.header(if proxy { "Proxy-Authorization" } else { "Authorization" }).is_some();
        // A second refusal that is not about an old nonce means a wrong password, unless the credentials
        // were a guess of ours made from the registration's last nonce.
        let guessed = client.purpose == Purpose::Register && client.challenges == 0;
        if client.challenges == CHALLENGES_MAX || (answered && !challenge.stale && !guessed) {
            return false;
        }
        let (purpose, hop, challenges) = (client.purpose, client.hop, client.challenges + 1);
        let mut request = client.request.clone();
        let Some((number, method)) = request.cseq().map(|(number, method)| (number + 1, method.to_owned()))
        else {
            return false;
        };
        if !self.may_ask_again(purpose, number) {
            return false;
        }
        request.set("CSeq", format!("{number} {method}"));
        let nonce = Nonce { challenge, count: 1, proxy };
        self.authorize(&mut request, &nonce);
        if purpose == Purpose::Register {
            self.registration.remember(nonce);
        }
        self.start_client(now, request, hop, purpose, challenges)
    }

    /// Adds the credentials for a challenge.
    pub(crate) fn authorize(&mut self, request: &mut Message, nonce: &Nonce) {
        let client_nonce = self.token();
        let (Some(credentials), Start::Request { method, uri }) = (&self.config.credentials, &request.start)
        else {
            return;
        };
        let value = nonce.challenge.authorization(&Answer {
            user: &credentials.user,
            password: &credentials.password,
            method,
            uri,
            nonce_count: nonce.count,
            client_nonce: &client_nonce,
        });
        request.set(if nonce.proxy { "Proxy-Authorization" } else { "Authorization" }, value);
    }

    pub(crate) fn run_client(&mut self, now: Duration, at: usize) {
        let client = &mut self.clients[at];
        if client.ends_at.is_some_and(|at| at <= now) {
            let client = self.clients.remove(at);
            if matches!(client.state, ClientState::Calling | ClientState::Proceeding) {
                self.conclude(now, client.purpose, &client.branch, &client.request, None);
            }
            return;
        }
        let capped = !client.invite;
        if let Some(resend) = &mut client.resend {
            resend.advance(now, capped);
            let (hop, bytes) = (client.hop, client.request.print());
            self.transmit(hop, bytes);
        }
    }
}
