//! Creates the password and key files that a deployment names and that do not exist yet.
//!
//! Nobody has to invent a password, and no deployment runs with an example's. Must never do: overwrite a file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use zeroize::Zeroizing;

use super::secret::{MissingSecret, SecretKind, hex};

/// No letters or digits that are taken for each other when typed into a phone.
const PASSWORD_ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// 20 letters of 5 bits: 100 bits.
const PASSWORD_LETTERS: usize = 20;

/// Creates each missing file, readable by its owner only, in a directory that nobody else may enter. Load the
/// deployment again after this. A file that came into being meanwhile is left as it is.
pub fn create_missing(secrets: &[MissingSecret]) -> io::Result<()> {
    let mut entropy = File::open("/dev/urandom")?;
    for secret in secrets {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        entropy.read_exact(bytes.as_mut())?;
        let text = Zeroizing::new(match secret.kind {
            SecretKind::Key => hex(bytes.as_ref()),
            SecretKind::Password => password(bytes.as_ref()),
        });
        create(&secret.path, &text)?;
    }
    Ok(())
}

fn password(bytes: &[u8]) -> String {
    let letters = bytes.iter().take(PASSWORD_LETTERS);
    letters.map(|byte| char::from(PASSWORD_ALPHABET[usize::from(*byte) % PASSWORD_ALPHABET.len()])).collect()
}

fn create(path: &Path, text: &str) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            writeln!(file, "{text}")?;
            file.sync_all()
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}
