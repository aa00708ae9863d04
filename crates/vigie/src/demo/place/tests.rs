//! Ports that are taken, directories that are not.

use super::*;

#[test]
fn a_taken_port_gives_the_next_one() {
    let port = free_port(0).unwrap();
    let _taken = TcpListener::bind((ADDRESS, port)).unwrap();
    let next = free_port(port).unwrap();
    assert!(next > port && (next - port).is_multiple_of(2), "{port} → {next}");
}

#[test]
fn the_port_goes_everywhere_and_what_was_left_goes() {
    let port = free_port(0).unwrap();
    let path = directory(port).unwrap();
    fs::write(path.join("left"), "").unwrap();
    assert_eq!(directory(port).unwrap(), path);
    assert!(!path.join("left").exists());
    let deployment = deployment(&path, port).unwrap();
    assert!(deployment.node.sip.listen.iter().all(|listen| listen.address.port() == port));
    assert!(deployment.node.sip.listen.iter().any(|listen| listen.address.ip() == ADDRESS));
    fs::remove_dir_all(path).unwrap();
}
