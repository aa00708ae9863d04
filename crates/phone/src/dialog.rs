//! A dialog (RFC 3261 §12): who talks to whom, by which way, at which number.
//!
//! It knows tags, targets, routes and sequence numbers, and makes requests of them. It must never know
//! what a call is doing.

use crate::address::{NameAddr, uri_socket};
use crate::text::{Message, Start};
use crate::transaction::Hop;
use std::net::SocketAddr;

#[derive(Debug, Clone)]
pub(crate) struct Dialog {
    pub(crate) call_id: String,
    pub(crate) local_tag: String,
    pub(crate) remote_tag: Option<String>,
    /// Our `From` value, with its tag.
    pub(crate) local: String,
    /// Their value, with its tag when known.
    pub(crate) remote: String,
    /// The Request-URI of what we send.
    pub(crate) target: String,
    pub(crate) routes: Vec<String>,
    pub(crate) local_number: u32,
    pub(crate) remote_number: Option<u32>,
    /// The way back: a stream, or the server's address for when the target is a name.
    pub(crate) hop: Hop,
}

impl Dialog {
    /// The caller's side, of its own INVITE and a response with a tag.
    pub(crate) fn of_response(invite: &Message, response: &Message, hop: Hop) -> Option<Self> {
        let (local, remote) = (invite.header("From")?, response.header("To")?);
        let request_uri = match &invite.start {
            Start::Request { uri, .. } => uri.clone(),
            Start::Response { .. } => return None,
        };
        // RFC 3261 §12.1.2: the caller's route set is the Record-Route reversed.
        let mut routes = response.values("Record-Route");
        routes.reverse();
        Some(Self {
            call_id: invite.call_id()?.to_owned(),
            local_tag: NameAddr::parse(local)?.tag?,
            remote_tag: NameAddr::parse(remote)?.tag,
            local: local.to_owned(),
            remote: remote.to_owned(),
            target: contact_of(response).unwrap_or(request_uri),
            routes,
            local_number: invite.cseq()?.0,
            remote_number: None,
            hop,
        })
    }

    /// The called side, of the INVITE it got.
    pub(crate) fn of_request(invite: &Message, local_tag: &str, hop: Hop) -> Option<Self> {
        let (local, remote) = (invite.header("To")?, invite.header("From")?);
        Some(Self {
            call_id: invite.call_id()?.to_owned(),
            local_tag: local_tag.to_owned(),
            remote_tag: NameAddr::parse(remote)?.tag,
            local: format!("{local};tag={local_tag}"),
            remote: remote.to_owned(),
            target: contact_of(invite)?,
            // RFC 3261 §12.1.1: the called side's route set is the Record-Route in order.
            routes: invite.values("Record-Route"),
            local_number: 0,
            remote_number: Some(invite.cseq()?.0),
            hop,
        })
    }

    /// Whether an incoming in-dialog request is this dialog's.
    pub(crate) fn owns(&self, request: &Message, to_tag: &str, from_tag: Option<&str>) -> bool {
        request.call_id() == Some(self.call_id.as_str())
            && self.local_tag == to_tag
            && self.remote_tag.as_deref() == from_tag
    }

    /// A new request with the next number, and where it goes.
    pub(crate) fn request(&mut self, method: &str) -> (Message, Hop) {
        self.local_number += 1;
        (self.message(method, self.local_number), self.way())
    }

    /// RFC 3261 §13.2.2.4: the ACK of a 2xx has the INVITE's number and its credentials.
    pub(crate) fn ack(&self, invite: &Message) -> (Message, Hop) {
        let number = invite.cseq().map_or(0, |(number, _)| number);
        let mut ack = self.message("ACK", number);
        for name in ["Authorization", "Proxy-Authorization"] {
            if let Some(value) = invite.header(name) {
                ack.push(name, value);
            }
        }
        (ack, self.way())
    }

    /// RFC 3261 §12.2: every target refresh moves the target.
    pub(crate) fn refresh_target(&mut self, message: &Message) {
        if let Some(target) = contact_of(message) {
            self.target = target;
        }
    }

    fn message(&self, method: &str, number: u32) -> Message {
        let mut message = Message::request(method, &self.target);
        message.push("Max-Forwards", "70");
        for route in &self.routes {
            message.push("Route", route.clone());
        }
        message.push("From", self.local.clone());
        message.push("To", self.remote.clone());
        message.push("Call-ID", self.call_id.clone());
        message.push("CSeq", format!("{number} {method}"));
        message
    }

    fn way(&self) -> Hop {
        let first = self.routes.first().and_then(|route| NameAddr::parse(route)).map(|route| route.uri);
        let next: Option<SocketAddr> = uri_socket(first.as_deref().unwrap_or(&self.target));
        match (self.hop, next) {
            // A dialog stays on its stream: most phones can't be connected to.
            (Hop::Stream(_), _) | (_, None) => self.hop,
            (Hop::Udp(_), Some(address)) => Hop::Udp(address),
        }
    }
}

fn contact_of(message: &Message) -> Option<String> {
    let contacts = message.values("Contact");
    NameAddr::parse(contacts.first()?).map(|contact| contact.uri)
}
