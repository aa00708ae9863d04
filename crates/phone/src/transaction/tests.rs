//! The machines' tables.

use super::*;

const UDP: Hop = Hop::Udp(SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 5060));
const TCP: Hop = Hop::Stream(StreamId(1));

fn client(method: &str, hop: Hop) -> Client {
    Client::new(Duration::ZERO, "b".to_owned(), Message::request(method, "sip:a@b"), hop, Purpose::Farewell)
}

#[test]
fn client_transactions_follow_the_table() {
    use ClientState::{Accepted, Calling, Completed, Proceeding};
    use Verdict::{Absorb, AcknowledgeAgain, Tell};
    let seconds = Duration::from_secs;
    /// Method, hop, responses; then state, verdict of the last, end.
    type Row = (&'static str, Hop, &'static [u16], ClientState, Verdict, Option<Duration>);
    let table: [Row; 10] = [
        ("INVITE", UDP, &[100], Proceeding, Tell, None),
        ("INVITE", UDP, &[180, 180], Proceeding, Tell, None),
        ("INVITE", UDP, &[486], Completed, Tell, Some(seconds(32))),
        ("INVITE", TCP, &[486], Completed, Tell, Some(seconds(0))),
        ("INVITE", UDP, &[486, 486], Completed, AcknowledgeAgain, Some(seconds(32))),
        ("INVITE", UDP, &[486, 200], Completed, Absorb, Some(seconds(32))),
        ("INVITE", UDP, &[200, 180], Accepted, Absorb, Some(seconds(32))),
        ("BYE", UDP, &[100], Proceeding, Tell, Some(seconds(32))),
        ("BYE", UDP, &[100, 200], Completed, Tell, Some(seconds(5))),
        ("BYE", UDP, &[481, 200], Completed, Absorb, Some(seconds(5))),
    ];
    for (method, hop, responses, state, verdict, end) in table {
        let mut client = client(method, hop);
        assert_eq!((client.state, client.resend.is_some()), (Calling, hop == UDP));
        let verdicts = responses.iter().map(|status| client.on_response(Duration::ZERO, *status, Some("t")));
        let last = verdicts.last().unwrap();
        assert_eq!((client.state, last, client.ends_at), (state, verdict, end), "{method} {responses:?}");
    }
}

#[test]
fn a_200_from_the_same_fork_gets_the_same_ack() {
    let mut client = client("INVITE", UDP);
    assert_eq!(client.on_response(Duration::ZERO, 200, Some("one")), Verdict::Tell);
    client.acks.push(("one".to_owned(), Vec::new(), UDP));
    assert_eq!(client.on_response(Duration::ZERO, 200, Some("one")), Verdict::AcknowledgeAgain);
    for fork in 1..FORKS_MAX {
        assert_eq!(client.on_response(Duration::ZERO, 200, Some(&fork.to_string())), Verdict::Tell);
        client.acks.push((fork.to_string(), Vec::new(), UDP));
    }
    assert_eq!(client.on_response(Duration::ZERO, 200, Some("too many")), Verdict::Absorb);
}

#[test]
fn server_transactions_follow_the_table() {
    use ServerState::{Accepted, Completed, Confirmed, Proceeding};
    let key = |method: &str| ServerKey { branch: "b".into(), sent_by: "h".into(), method: method.into() };
    let seconds = Duration::from_secs;
    /// Method, hop, statuses, ACK; then state, whether it repeats, whether it resends by itself, end.
    type Row = (&'static str, Hop, &'static [u16], bool, ServerState, bool, bool, Option<Duration>);
    let table: [Row; 9] = [
        ("INVITE", UDP, &[], false, Proceeding, false, false, None),
        ("INVITE", UDP, &[100, 180], false, Proceeding, true, false, None),
        ("INVITE", UDP, &[180, 200], false, Accepted, false, false, Some(seconds(32))),
        ("INVITE", UDP, &[486], false, Completed, true, true, Some(seconds(32))),
        ("INVITE", UDP, &[486], true, Confirmed, false, false, Some(seconds(5))),
        ("INVITE", TCP, &[486], false, Completed, true, false, Some(seconds(32))),
        ("INVITE", TCP, &[486], true, Confirmed, false, false, Some(seconds(0))),
        ("BYE", UDP, &[200], false, Completed, true, false, Some(seconds(32))),
        ("BYE", TCP, &[200], false, Completed, true, false, Some(seconds(0))),
    ];
    for (method, hop, statuses, ack, state, repeats, resends, end) in table {
        let mut server = Server::new(key(method), hop);
        statuses.iter().for_each(|status| server.on_sent(Duration::ZERO, *status, vec![1]));
        if ack {
            server.on_ack(Duration::ZERO);
        }
        let got = (server.state, server.repeated().is_some(), server.resend.is_some(), server.ends_at);
        assert_eq!(got, (state, repeats, resends, end), "{method} {statuses:?} ack {ack}");
    }
}

#[test]
fn requests_without_a_cookie_are_told_apart_by_call_and_number() {
    let mut request = Message::request("INVITE", "sip:a@b");
    request.push("Call-ID", "c");
    request.push("CSeq", "1 INVITE");
    let via = Via { sent_by: "h".into(), branch: String::new(), rport: false };
    let one = ServerKey::of(&request, &via);
    request.set("CSeq", "2 INVITE");
    assert_ne!(one, ServerKey::of(&request, &via));
}
