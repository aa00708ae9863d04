//! The demonstration deployment, carried inside the program so that `vigie demo` works wherever it is installed.

use std::path::Path;
use std::time::SystemTime;

use super::{Deployment, Problems};

/// The texts of [`super::FILES`] in their order; the demonstration needs no prompts of its own.
const TEXTS: [Option<&str>; 6] = [
    Some(include_str!("../../../../seeds/demo/vigie.toml")),
    Some(include_str!("../../../../seeds/demo/trunks.toml")),
    Some(include_str!("../../../../seeds/demo/lines.toml")),
    Some(include_str!("../../../../seeds/demo/operators.toml")),
    Some(include_str!("../../../../seeds/demo/policy.toml")),
    None,
];

/// Loads it. State and key go below `scratch`, a directory that the caller made and removes.
pub fn load(scratch: &Path) -> Result<Deployment, Problems> {
    let read = || super::check(scratch, TEXTS.map(|text| Ok(text.map(str::to_owned))), SystemTime::now());
    let deployment = read()?;
    match super::create_missing(&deployment.missing_secrets) {
        Ok(()) => read(),
        Err(error) => {
            let found = format!("a scratch directory that can't be written to: {error}");
            Err(Problems(vec![super::whole_file("", found, "a directory that this user may write to")]))
        }
    }
}
