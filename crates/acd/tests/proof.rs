//! What cannot be written about a `Proof`: the compiler refuses it.
//!
//! Knows: the door alone. Each file beside says in its name what it tries.

#[test]
fn a_proof_cannot_be_forged_copied_or_used_twice() {
    trybuild::TestCases::new().compile_fail("tests/proof/*.rs");
}
