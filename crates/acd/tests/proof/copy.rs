//! Two proofs from one.

fn copy(proof: &acd::proof::Proof) -> acd::proof::Proof {
    proof.clone()
}

fn main() {}
