use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::engine_thread::{self, Lanes};

const PATIENCE: Duration = Duration::from_secs(10);

fn loopback(transport: Transport) -> (Transport, SocketAddr) {
    (transport, "127.0.0.1:0".parse().unwrap())
}

async fn next(lanes: &Lanes) -> sip::Input {
    let network = lanes.network_for_tests().clone();
    tokio::task::spawn_blocking(move || network.recv_timeout(PATIENCE).unwrap()).await.unwrap()
}

#[test]
fn a_taken_port_is_named_with_a_remedy() {
    let first = Bound::bind([loopback(Transport::Udp)]).unwrap();
    let error = Bound::bind(first.addresses()).err().unwrap();
    assert!(error.to_string().contains("another program uses that port"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn datagrams_go_both_ways() {
    let (doors, lanes) = engine_thread::lanes();
    let bound = Bound::bind([loopback(Transport::Udp)]).unwrap();
    let local = bound.addresses()[0].1;
    let mut net = bound.start(&Handle::current(), &doors, 10).unwrap();
    let peer = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    peer.send_to(b"in", local).await.unwrap();
    let sip::Input::Datagram { local: at, remote, bytes } = next(&lanes).await else { panic!() };
    assert_eq!((at, remote, &bytes[..]), (local, peer.local_addr().unwrap(), &b"in"[..]));
    net.send(Output::Datagram { local, remote, bytes: Bytes::from_static(b"out") });
    let mut buffer = [0; 16];
    let (length, from) = peer.recv_from(&mut buffer).await.unwrap();
    assert_eq!((&buffer[..length], from), (&b"out"[..], local));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_read_written_and_its_end_told_once() {
    let (doors, lanes) = engine_thread::lanes();
    let bound = Bound::bind([loopback(Transport::Tcp)]).unwrap();
    let local = bound.addresses()[0].1;
    let mut net = bound.start(&Handle::current(), &doors, 10).unwrap();
    let mut peer = TcpStream::connect(local).await.unwrap();
    let sip::Input::StreamOpened { stream, remote, .. } = next(&lanes).await else { panic!() };
    assert_eq!(stream.0 % 2, 1, "accepted streams are odd");
    assert_eq!(remote, peer.local_addr().unwrap());
    peer.write_all(b"hello").await.unwrap();
    let sip::Input::StreamData { bytes, .. } = next(&lanes).await else { panic!() };
    assert_eq!(&bytes[..], b"hello");
    net.send(Output::StreamWrite { stream, bytes: Bytes::from_static(b"bye") });
    net.send(Output::StreamClose { stream });
    let mut said = Vec::new();
    peer.read_to_end(&mut said).await.unwrap();
    assert_eq!(said, b"bye", "what was queued is written before the close");
    let sip::Input::StreamClosed { stream: closed } = next(&lanes).await else { panic!() };
    assert_eq!(closed, stream);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_refused_is_told() {
    let (doors, lanes) = engine_thread::lanes();
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut net = Bound::bind([]).unwrap().start(&Handle::current(), &doors, 10).unwrap();
    let (stream, transport) = (sip::StreamId(2), sip::Transport::Tcp);
    net.send(Output::StreamConnect { stream, transport, remote: gone });
    assert!(matches!(next(&lanes).await, sip::Input::StreamClosed { stream } if stream.0 == 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_never_reads_is_closed_and_delays_nobody() {
    let (doors, lanes) = engine_thread::lanes();
    let bound = Bound::bind([loopback(Transport::Tcp)]).unwrap();
    let local = bound.addresses()[0].1;
    let mut net = bound.start(&Handle::current(), &doors, 10).unwrap();
    let _deaf = TcpStream::connect(local).await.unwrap();
    let sip::Input::StreamOpened { stream, .. } = next(&lanes).await else { panic!() };
    let message = Bytes::from(vec![b'x'; 64 << 10]);
    let mut written = 0;
    while net.counters.streams_too_slow.load(Ordering::Relaxed) == 0 {
        net.send(Output::StreamWrite { stream, bytes: message.clone() });
        written += 1;
        assert!(written < 10_000, "the queue is bounded");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_can_be_written_as_soon_as_it_is_told() {
    const ROUNDS: usize = 200;
    let (doors, lanes) = engine_thread::lanes();
    let bound = Bound::bind([loopback(Transport::Tcp)]).unwrap();
    let local = bound.addresses()[0].1;
    let mut net = bound.start(&Handle::current(), &doors, 10).unwrap();
    for _ in 0..ROUNDS {
        let mut peer = TcpStream::connect(local).await.unwrap();
        let sip::Input::StreamOpened { stream, .. } = next(&lanes).await else { panic!() };
        net.send(Output::StreamWrite { stream, bytes: Bytes::from_static(b"at once") });
        let mut said = [0; 7];
        tokio::time::timeout(PATIENCE, peer.read_exact(&mut said)).await.expect("it was written").unwrap();
        drop(peer);
        assert!(matches!(next(&lanes).await, sip::Input::StreamClosed { .. }));
    }
    assert_eq!(net.streams.open_now(), 0, "peers that hang up at once leave nothing behind");
}
