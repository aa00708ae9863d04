//! One endpoint against hand-written messages: what is sent is text, and so is what comes back.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use super::world::{brief, settings, tcp, trunk, udp};
use crate::wire::{HeaderId, Message, Request, Response, read_datagram};
use crate::*;

pub(super) const CENTRE: &str = "10.0.0.1:5060";
pub(super) const CARRIER: &str = "10.0.0.2:5060";
pub(super) const PHONE: &str = "198.51.100.7:40112";
pub(super) const STRANGER: &str = "203.0.113.9:5060";
pub(super) const DOMAIN: &str = "vigie.example.org";

pub(super) struct Script {
    pub(super) endpoint: Endpoint,
    pub(super) now: Duration,
    pub(super) events: Vec<Event>,
    /// What was sent, with its destination, since it was last taken.
    pub(super) sent: Vec<(SocketAddr, Message)>,
    pub(super) outputs: Vec<String>,
    pub(super) records: BTreeMap<u64, Bytes>,
    pub(super) settings: Settings,
}

impl Script {
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    /// A centre with a trunk at `CARRIER`, and an account `g2` with the password `secret`.
    pub(super) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = settings(vec![udp(CENTRE), tcp(CENTRE)]);
        settings.trunks.push(trunk("carrier", "10.0.0.2", Transport::Udp));
        for name in ["g2", "g3"] {
            let credential =
                Credential::from_password(name, DOMAIN, "secret", &[Algorithm::Sha256, Algorithm::Md5]);
            settings.accounts.push(Account { name: name.into(), credential: Some(credential), fixed: None });
        }
        change(&mut settings);
        let mut script = Self {
            endpoint: Endpoint::new(Duration::ZERO, settings.clone(), [3; 32]),
            now: Duration::ZERO,
            events: Vec::new(),
            sent: Vec::new(),
            outputs: Vec::new(),
            records: BTreeMap::new(),
            settings,
        };
        script.drain();
        script
    }

    pub(super) fn restart(&mut self) {
        self.endpoint = Endpoint::restore(self.now, self.settings.clone(), [4; 32], self.records.clone());
        self.drain();
    }

    pub(super) fn drain(&mut self) {
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                Output::Datagram { remote, bytes, .. } => {
                    let message = read_datagram(bytes).expect("what we send can be read");
                    self.sent.push((remote, message));
                }
                Output::StreamWrite { stream, bytes } => {
                    self.outputs.push(format!("write {}", stream.0));
                    if let Ok(message) = read_datagram(bytes) {
                        self.sent.push((SocketAddr::from(([0, 0, 0, 0], 0)), message));
                    }
                }
                Output::StreamConnect { stream, remote, .. } => {
                    self.outputs.push(format!("connect {remote} even {}", stream.0 % 2 == 0));
                }
                Output::StreamClose { stream } => self.outputs.push(format!("close {}", stream.0)),
                Output::Resolve { host, .. } => self.outputs.push(format!("resolve {host}")),
                Output::Event(event) => self.events.push(event),
                Output::Persist { key, record } => {
                    match record {
                        Some(record) => self.records.insert(key, record),
                        None => self.records.remove(&key),
                    };
                }
            }
        }
    }

    pub(super) fn act<T>(&mut self, act: impl FnOnce(&mut Endpoint, Duration) -> T) -> T {
        let value = act(&mut self.endpoint, self.now);
        self.drain();
        value
    }

    /// A datagram from `remote`; line ends and Content-Length come of themselves.
    pub(super) fn from(&mut self, remote: &str, text: &str) {
        let input = Input::Datagram {
            local: CENTRE.parse().unwrap(),
            remote: remote.parse().unwrap(),
            bytes: message(text),
        };
        self.act(|endpoint, now| endpoint.handle(now, input));
    }

    pub(super) fn stream_opened(&mut self, stream: u64, remote: &str) {
        let input = Input::StreamOpened {
            stream: StreamId(stream),
            transport: Transport::Tcp,
            local: CENTRE.parse().unwrap(),
            remote: remote.parse().unwrap(),
        };
        self.act(|endpoint, now| endpoint.handle(now, input));
    }

    pub(super) fn stream_data(&mut self, stream: u64, bytes: Bytes) {
        self.act(|endpoint, now| endpoint.handle(now, Input::StreamData { stream: StreamId(stream), bytes }));
    }

    pub(super) fn stream_closed(&mut self, stream: u64) {
        self.act(|endpoint, now| endpoint.handle(now, Input::StreamClosed { stream: StreamId(stream) }));
    }

    /// Lets time pass, deadline by deadline.
    pub(super) fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(at) = self.endpoint.poll_timeout().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.act(|endpoint, now| endpoint.handle(now, Input::Timeout));
        }
        self.now = until;
    }

    pub(super) fn pass_s(&mut self, s: u64) {
        self.pass(Duration::from_secs(s));
    }

    /// The statuses of the responses that were sent, and the methods of the requests, since the last call.
    pub(super) fn said(&mut self) -> Vec<String> {
        let said = self
            .sent
            .iter()
            .map(|(_, message)| match message {
                Message::Request(request) => {
                    String::from_utf8_lossy(request.method().as_bytes()).into_owned()
                }
                Message::Response(response) => response.status().code().to_string(),
            })
            .collect();
        self.sent.clear();
        said
    }

    /// The last response that was sent.
    pub(super) fn response(&self) -> &Response {
        self.sent
            .iter()
            .rev()
            .find_map(|(_, message)| match message {
                Message::Response(response) => Some(response),
                Message::Request(_) => None,
            })
            .expect("a response was sent")
    }

    /// The last request that was sent.
    pub(super) fn request(&self) -> &Request {
        self.requests().pop().expect("a request was sent")
    }

    pub(super) fn requests(&self) -> Vec<&Request> {
        let requests = self.sent.iter().filter_map(|(_, message)| match message {
            Message::Request(request) => Some(request),
            Message::Response(_) => None,
        });
        requests.collect()
    }

    pub(super) fn told(&mut self) -> Vec<String> {
        brief(&std::mem::take(&mut self.events))
    }

    /// The leg of the last call that came in.
    pub(super) fn leg(&self) -> DialogId {
        self.events
            .iter()
            .rev()
            .find_map(|event| match event {
                Event::Incoming(incoming) => Some(incoming.dialog),
                _ => None,
            })
            .expect("a call came in")
    }
}

/// Text with LF as it is written in a test, as a message.
pub(super) fn message(text: &str) -> Bytes {
    let text = text.trim_start();
    let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
    let body = body.replace('\n', "\r\n");
    let length = if head.contains("Content-Length") {
        String::new()
    } else {
        format!("Content-Length: {}\r\n", body.len())
    };
    Bytes::from(format!("{}\r\n{length}\r\n{body}", head.replace('\n', "\r\n")))
}

/// A request of the carrier's, outside of any dialog unless `to` has a tag.
pub(super) fn request(method: &str, branch: &str, to: &str, sequence: u32, more: &str) -> String {
    format!(
        "{method} sip:3919@10.0.0.1 SIP/2.0\n\
         Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK{branch}\n\
         Max-Forwards: 70\n\
         From: <sip:0612345678@10.0.0.2>;tag=carrier1\n\
         To: {to}\n\
         Call-ID: call-1@10.0.0.2\n\
         CSeq: {sequence} {method}\n\
         Contact: <sip:0612345678@10.0.0.2:5060>\n{more}"
    )
}

pub(super) const TO: &str = "<sip:3919@10.0.0.1>";
pub(super) const SDP_BODY: &str = "Content-Type: application/sdp\n\nv=0\no=- 1 1 IN IP4 10.0.0.2\ns=-\n";

pub(super) fn invite(branch: &str, sequence: u32) -> String {
    request("INVITE", branch, TO, sequence, SDP_BODY)
}

/// The To of our last response, tag included.
pub(super) fn to_of(script: &Script) -> String {
    String::from_utf8_lossy(script.response().first(HeaderId::To).unwrap()).into_owned()
}

/// A response to a request of ours.
pub(super) fn reply(request: &Request, status: u16, tag: &str, more: &str) -> String {
    let text = |id| String::from_utf8_lossy(request.first(id).unwrap()).into_owned();
    let to = match text(HeaderId::To) {
        to if to.contains("tag=") || tag.is_empty() => to,
        to => format!("{to};tag={tag}"),
    };
    format!(
        "SIP/2.0 {status} Whatever\nVia: {}\nFrom: {}\nTo: {to}\nCall-ID: {}\nCSeq: {}\n{more}",
        text(HeaderId::Via),
        text(HeaderId::From),
        text(HeaderId::CallId),
        text(HeaderId::CSeq),
    )
}
