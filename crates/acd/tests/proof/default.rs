//! A proof from nothing.

fn main() {
    let _: acd::proof::Proof = Default::default();
}
