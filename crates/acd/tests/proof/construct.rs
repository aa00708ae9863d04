//! A proof built by hand, even out of another.

fn forge(other: acd::proof::Proof) -> acd::proof::Proof {
    acd::proof::Proof { contact: acd::ContactId(1), ..other }
}

fn main() {}
