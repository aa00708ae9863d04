//! A proof read from bytes.

fn read(bytes: &[u8]) -> acd::proof::Proof {
    postcard::from_bytes(bytes).unwrap()
}

fn main() {}
