//! A proof handed back twice.

fn twice(proof: acd::proof::Proof) -> [acd::Input; 2] {
    [acd::Input::Accepted { proof }, acd::Input::Accepted { proof }]
}

fn main() {}
