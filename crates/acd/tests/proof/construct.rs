//! A proof built by hand.

fn main() {
    let _ = acd::proof::Proof {
        contact: acd::ContactId(1),
        operator: "ada".into(),
        offer: acd::OfferId(1),
        epoch: 1,
    };
}
