//! The one function that makes proofs, called from outside.

fn main() {
    let _ = acd::proof::prove;
}
