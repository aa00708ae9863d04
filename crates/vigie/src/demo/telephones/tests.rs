//! Two telephones call each other over real sockets, without a vigie between them.

use phone::{Answering, Behaviour, Dial, Signature, Voice};

use super::*;

const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

#[tokio::test]
async fn two_telephones_hear_each_other() {
    let mut telephones = Telephones::new(1);
    let place = || Place { address: LOOPBACK, port: 0, calls_max: 1 };
    let nowhere = SocketAddr::new(LOOPBACK, 9);
    let mut called_at = nowhere;
    let called = telephones
        .plug_in(place(), nowhere, |mut config| {
            called_at = config.address;
            config.voice = Voice::Signature(Signature::of(7));
            config.behaviour =
                Behaviour { answering: Answering::Accept { after: Duration::ZERO }, ..Behaviour::default() };
            config
        })
        .await
        .unwrap();
    let caller = telephones
        .plug_in(place(), called_at, |mut config| {
            config.voice = Voice::Signature(Signature::of(9));
            config
        })
        .await
        .unwrap();
    telephones.command(caller, Command::Dial(Box::new(Dial::to(&format!("sip:x@{called_at}")))));
    let mut heard = Vec::new();
    while heard.len() < 2 && telephones.now() < Duration::from_secs(20) {
        telephones.turn(Duration::from_secs(20)).await;
        while let Some((telephone, event)) = telephones.poll_event() {
            if let Event::MediaHeard { signature, .. } = event {
                heard.push((telephone, signature));
            }
        }
    }
    heard.sort_unstable();
    assert_eq!(heard, [(called, Signature::of(9)), (caller, Signature::of(7))]);
}

#[tokio::test]
async fn a_taken_port_is_no_obstacle() {
    let taken = UdpSocket::bind((LOOPBACK, 0)).await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let mut telephones = Telephones::new(1);
    let place = Place { address: LOOPBACK, port, calls_max: 1 };
    let mut got = port;
    telephones
        .plug_in(place, SocketAddr::new(LOOPBACK, 9), |config| {
            got = config.address.port();
            config
        })
        .await
        .unwrap();
    assert_ne!(got, port);
}
