//! Registering and authenticating against a scripted server.

use super::*;
use crate::{Credentials, Registering};

const SERVER: usize = 1;

/// A phone, and what it sent to a server that the test plays.
struct Scripted {
    now: Duration,
    phone: Phone,
    events: Vec<Event>,
}

impl Scripted {
    fn new() -> Self {
        let mut config = config(0);
        config.credentials = Some(Credentials { user: "ann".to_owned(), password: "secret".to_owned() });
        config.registering = Registering { expires_s: 300, retry_after: SECOND * 30 };
        Self { now: Duration::ZERO, phone: Phone::new(config, [9; 32]), events: Vec::new() }
    }

    fn command(&mut self, command: Command) -> Vec<Message> {
        self.phone.handle(self.now, Input::Command(command));
        self.drain()
    }

    fn drain(&mut self) -> Vec<Message> {
        let mut sent = Vec::new();
        while let Some(output) = self.phone.poll_output() {
            match output {
                Output::SipDatagram { to, bytes } => {
                    assert_eq!(to, address(SERVER));
                    sent.push(Message::parse(&bytes).unwrap());
                }
                Output::Event(event) => self.events.push(event),
                _ => {}
            }
        }
        sent
    }

    fn reply(&mut self, request: &Message, status: u16, headers: &[(&str, &str)]) -> Vec<Message> {
        let mut response = Message::response(status, "x");
        for name in ["Via", "From", "Call-ID", "CSeq"] {
            response.push(name, request.header(name).unwrap());
        }
        response.push("To", format!("{};tag=server", request.header("To").unwrap()));
        headers.iter().for_each(|(name, value)| response.push(name, *value));
        self.now += 10 * MS;
        self.phone.handle(self.now, Input::SipDatagram { from: address(SERVER), bytes: &response.print() });
        self.drain()
    }

    /// Runs timers until something is sent.
    fn wait(&mut self) -> Vec<Message> {
        for _ in 0..100 {
            self.now = self.phone.poll_timeout().expect("something to wait for");
            self.phone.handle(self.now, Input::Timeout);
            let sent = self.drain();
            if !sent.is_empty() {
                return sent;
            }
        }
        panic!("nothing was sent");
    }
}

const MD5: &str = "Digest realm=\"r\", nonce=\"n1\", qop=\"auth\", algorithm=MD5";
const SHA256: &str = "Digest realm=\"r\", nonce=\"n2\", qop=\"auth\", algorithm=SHA-256";

#[test]
fn it_registers_with_the_strongest_digest_refreshes_at_half_and_counts_nonces() {
    let mut script = Scripted::new();
    let first = script.command(Command::Register);
    assert!(first[0].header("Authorization").is_none());
    let second = script.reply(&first[0], 401, &[("WWW-Authenticate", MD5), ("WWW-Authenticate", SHA256)]);
    let authorization = second[0].header("Authorization").unwrap();
    assert!(authorization.contains("algorithm=SHA-256") && authorization.contains("nc=00000001"));
    assert_eq!(second[0].cseq(), Some((2, "REGISTER")));
    let contact = format!("{};expires=120", script.phone.contact());
    script.reply(&second[0], 200, &[("Contact", "<sip:other@192.0.2.7>;expires=7"), ("Contact", &contact)]);
    assert_eq!(script.events, [Event::Registered { expires_s: 120 }]);
    let granted_at = script.now;
    let refresh = script.wait();
    assert_eq!(script.now, granted_at + SECOND * 60);
    assert!(refresh[0].header("Authorization").unwrap().contains("nc=00000002"));
    assert_eq!(refresh[0].cseq(), Some((3, "REGISTER")));
    assert_eq!(refresh[0].call_id(), first[0].call_id());
    // The nonce has grown old in the meantime.
    let again = script.reply(&refresh[0], 401, &[("WWW-Authenticate", &format!("{SHA256}, stale=true"))]);
    script.reply(&again[0], 200, &[("Expires", "300")]);
    assert_eq!(script.events.len(), 2);
    let gone = script.command(Command::Unregister);
    assert_eq!(gone[0].header("Expires"), Some("0"));
    script.reply(&gone[0], 200, &[]);
    assert_eq!(script.events.last(), Some(&Event::Unregistered));
}

#[test]
fn a_new_nonce_without_stale_is_answered_after_a_guess() {
    let mut script = Scripted::new();
    let first = script.command(Command::Register);
    let second = script.reply(&first[0], 401, &[("WWW-Authenticate", MD5)]);
    script.reply(&second[0], 200, &[]);
    let refresh = script.wait();
    let again = script.reply(&refresh[0], 401, &[("WWW-Authenticate", SHA256)]);
    assert!(again[0].header("Authorization").unwrap().contains("nonce=\"n2\""));
}

#[test]
fn a_wrong_password_is_told_and_retried_later() {
    let mut script = Scripted::new();
    let first = script.command(Command::Register);
    let second = script.reply(&first[0], 401, &[("WWW-Authenticate", MD5)]);
    assert!(script.reply(&second[0], 401, &[("WWW-Authenticate", MD5)]).is_empty());
    assert_eq!(script.events, [Event::RegisterFailed { status: 401 }]);
    let failed_at = script.now;
    script.wait();
    assert_eq!(script.now, failed_at + SECOND * 30);
}

#[test]
fn too_brief_an_interval_is_raised() {
    let mut script = Scripted::new();
    let first = script.command(Command::Register);
    let second = script.reply(&first[0], 423, &[("Min-Expires", "900")]);
    assert_eq!(second[0].header("Expires"), Some("900"));
    script.reply(&second[0], 200, &[("Expires", "900")]);
    assert_eq!(script.events, [Event::Registered { expires_s: 900 }]);
}

#[test]
fn silence_is_a_failure_after_eleven_requests() {
    let mut script = Scripted::new();
    let mut sent = script.command(Command::Register);
    while script.events.is_empty() {
        script.now = script.phone.poll_timeout().unwrap();
        script.phone.handle(script.now, Input::Timeout);
        sent.extend(script.drain());
    }
    assert_eq!(script.events, [Event::RegisterFailed { status: 408 }]);
    assert_eq!(sent.len(), 11, "RFC 3261 §17.1.2.2: at 0, 0.5, 1.5, 3.5, 7.5, then each 4 s");
}

#[test]
fn an_invite_is_challenged_by_a_proxy_and_sent_again() {
    let mut script = Scripted::new();
    let first = script.command(Command::Dial(Box::new(Dial::to("sip:x@192.0.2.2"))));
    let answer = script.reply(&first[0], 407, &[("Proxy-Authenticate", MD5)]);
    assert_eq!(answer[0].method(), Some("ACK"));
    assert_eq!(answer[1].method(), Some("INVITE"));
    assert_eq!(answer[1].cseq(), Some((2, "INVITE")));
    assert!(answer[1].header("Proxy-Authorization").is_some());
    assert_eq!(answer[1].body, first[0].body);
    assert_ne!(answer[1].header("Via"), first[0].header("Via"));
    let ack = script.reply(&answer[1], 200, &[("Contact", "<sip:s@192.0.2.2>")]);
    assert_eq!(ack[0].method(), Some("ACK"));
    assert_eq!(ack[0].cseq(), Some((2, "ACK")));
    assert!(ack[0].header("Proxy-Authorization").is_some(), "RFC 3261 §22.3");
}
