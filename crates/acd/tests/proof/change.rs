//! A proof for somebody else.

fn change(proof: &mut acd::proof::Proof) {
    proof.operator = "zoe".into();
}

fn main() {}
