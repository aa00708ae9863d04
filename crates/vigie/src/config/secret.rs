//! Passwords and keys: read from the file itself, from a file of their own, or as a digest; never printable.
//!
//! Knows: which passwords are too weak, who may read a secret's file. Must never do: let a secret into a problem, a log
//! or a `Debug` output.

use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use md5::Digest;
use toml::Spanned;
use zeroize::Zeroizing;

use super::document::Span;
use super::reader::Reader;

/// Digest authentication is as strong as the password: below this, guessing is cheap.
const PASSWORD_CHARACTERS_MIN: usize = 10;

/// A line of a password file; longer is no password but the wrong file.
const PASSWORD_BYTES_MAX: usize = 256;

/// What guessers try first, and what examples teach people to leave in place.
const KNOWN_PASSWORDS: &[&str] = &[
    "password",
    "passw0rd",
    "motdepasse",
    "changeme",
    "change-me",
    "secret",
    "admin",
    "azerty",
    "qwerty",
    "letmein",
    "vigie",
    "asterisk",
    "default",
    "example",
    "123",
    "000",
    "111",
];

/// A password in clear. Wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// The password itself. Every use of this is a place to review.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// How a peer proves who it is.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// By a password.
    Password(Password),
    /// By HA1 = H(user:realm:password) in lower-case hex, for each algorithm that is offered.
    Ha1 {
        /// For SHA-256.
        sha256: Option<String>,
        /// For MD5.
        md5: Option<String>,
    },
    /// The password file does not exist yet; see [`create_missing`](super::create_missing).
    NotYetCreated(PathBuf),
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password(_) => "Password(…)",
            Self::Ha1 { .. } => "Ha1(…)",
            Self::NotYetCreated(_) => "NotYetCreated",
        })
    }
}

/// A digest algorithm (RFC 8760).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DigestAlgorithm {
    /// SHA-256.
    Sha256,
    /// MD5, for phones that know nothing better.
    Md5,
}

const ALGORITHMS: &[(&str, &[DigestAlgorithm])] = &[
    ("sha-256", &[DigestAlgorithm::Sha256]),
    ("md5", &[DigestAlgorithm::Md5]),
    ("both", &[DigestAlgorithm::Sha256, DigestAlgorithm::Md5]),
];

/// A digest account (RFC 7616).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Credential {
    /// The user name.
    pub user: String,
    /// The realm. Equals the node's SIP domain unless the trunk names another.
    pub realm: String,
    /// The proof.
    pub secret: Secret,
    /// What is offered in challenges, the preferred first.
    pub algorithms: Vec<DigestAlgorithm>,
}

impl Credential {
    /// HA1 in lower-case hex, if this algorithm is offered and the secret is there.
    pub fn ha1(&self, algorithm: DigestAlgorithm) -> Option<String> {
        if !self.algorithms.contains(&algorithm) {
            return None;
        }
        match (&self.secret, algorithm) {
            (Secret::Password(password), _) => {
                // RFC 7616 §3.4.2: A1 = username ":" realm ":" password.
                let a1 = Zeroizing::new(format!("{}:{}:{}", self.user, self.realm, password.reveal()));
                Some(match algorithm {
                    DigestAlgorithm::Sha256 => hex(&sha2::Sha256::digest(a1.as_bytes())),
                    DigestAlgorithm::Md5 => hex(&md5::Md5::digest(a1.as_bytes())),
                })
            }
            (Secret::Ha1 { sha256, .. }, DigestAlgorithm::Sha256) => sha256.clone(),
            (Secret::Ha1 { md5, .. }, DigestAlgorithm::Md5) => md5.clone(),
            (Secret::NotYetCreated(_), _) => None,
        }
    }
}

/// The fields by which an entry tells its secret; the same for operators and for trunks.
pub(super) struct RawSecret {
    pub(super) password: Option<Spanned<String>>,
    pub(super) password_file: Option<Spanned<String>>,
    pub(super) ha1_sha256: Option<Spanned<String>>,
    pub(super) ha1_md5: Option<Spanned<String>>,
    pub(super) algorithm: Option<Spanned<String>>,
}

/// A file that the first start creates.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MissingSecret {
    /// Where.
    pub path: PathBuf,
    /// What.
    pub kind: SecretKind,
}

/// What a created file holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SecretKind {
    /// A password that a person types into a phone.
    Password,
    /// 32 random bytes in hex.
    Key,
}

impl RawSecret {
    /// How many ways of proof are told: one is right.
    pub(super) fn ways(&self) -> usize {
        [
            self.password.is_some(),
            self.password_file.is_some(),
            self.ha1_sha256.is_some() || self.ha1_md5.is_some(),
        ]
        .into_iter()
        .filter(|told| *told)
        .count()
    }

    /// The credential of `user`; none, and a problem, if there is no usable secret.
    pub(super) fn read(
        &self,
        reader: &mut Reader<'_>,
        entry: &Span,
        user: &str,
        realm: &str,
        directory: &Path,
        missing: &mut Vec<MissingSecret>,
    ) -> Option<Credential> {
        let algorithms = reader.choice(&self.algorithm, ALGORITHMS[2].1, ALGORITHMS);
        if self.ways() > 1 {
            let expected = "only one of password, password_file, or ha1_sha256 with ha1_md5";
            reader.error(entry, "more than one way to tell the secret", expected);
        }
        let (secret, algorithms) = if let Some(password) = &self.password {
            (Secret::Password(clear_password(reader, password, user)), algorithms.to_vec())
        } else if let Some(file) = &self.password_file {
            (password_from_file(reader, file, user, directory, missing), algorithms.to_vec())
        } else if self.ways() > 0 {
            self.digests(reader, algorithms)
        } else if ["password", "ha1_sha256", "ha1_md5"].iter().any(|field| reader.was_told(entry, field)) {
            return None;
        } else {
            reader.missing(entry, "password_file", "a password_file, a password, or ha1_sha256 and ha1_md5");
            return None;
        };
        Some(Credential { user: user.to_owned(), realm: realm.to_owned(), secret, algorithms })
    }

    fn digests(
        &self,
        reader: &mut Reader<'_>,
        algorithms: &[DigestAlgorithm],
    ) -> (Secret, Vec<DigestAlgorithm>) {
        let mut digest = |value: &Option<Spanned<String>>, digits: usize| {
            let value = value.as_ref()?;
            let text = value.get_ref().to_ascii_lowercase();
            if text.len() != digits || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
                let expected = format!("H(user:realm:password) as {digits} hexadecimal digits");
                reader.error(&value.span(), "something else", expected);
            }
            Some((text, value.span()))
        };
        let sha256 = digest(&self.ha1_sha256, 64);
        let md5 = digest(&self.ha1_md5, 32);
        let mut offered = Vec::new();
        for algorithm in algorithms {
            let told = match algorithm {
                DigestAlgorithm::Sha256 => &sha256,
                DigestAlgorithm::Md5 => &md5,
            };
            if told.is_some() {
                offered.push(*algorithm);
            }
        }
        if offered.is_empty()
            && let (Some((_, span)), _) | (None, Some((_, span))) = (&sha256, &md5)
        {
            reader.error(span, "a digest for another algorithm only", "the digest for the entry's algorithm");
        }
        (Secret::Ha1 { sha256: sha256.map(|(text, _)| text), md5: md5.map(|(text, _)| text) }, offered)
    }
}

fn clear_password(reader: &mut Reader<'_>, value: &Spanned<String>, user: &str) -> Password {
    let text = value.get_ref();
    if text.is_empty() {
        reader.error(&value.span(), "an empty password", "a password");
    } else if let Some(weakness) = weakness(text, user) {
        reader.warning(&value.span(), weakness, "a long random password, best in a password_file");
    }
    Password(Zeroizing::new(text.clone()))
}

fn password_from_file(
    reader: &mut Reader<'_>,
    value: &Spanned<String>,
    user: &str,
    directory: &Path,
    missing: &mut Vec<MissingSecret>,
) -> Secret {
    let path = directory.join(value.get_ref());
    match read_secret_file(reader, value, &path) {
        FileContent::Missing => {
            missing.push(MissingSecret { path: path.clone(), kind: SecretKind::Password });
            let expected = "the password; `vigie run` creates this file with a random one";
            reader.warning(&value.span(), format!("no file at {}", path.display()), expected);
            Secret::NotYetCreated(path)
        }
        FileContent::Unreadable => Secret::NotYetCreated(path),
        FileContent::Text(text) => {
            if text.is_empty() || text.len() > PASSWORD_BYTES_MAX || text.contains('\n') {
                let expected = format!("one line of at most {PASSWORD_BYTES_MAX} bytes in that file");
                reader.error(&value.span(), "no password", expected);
            } else if let Some(weakness) = weakness(&text, user) {
                reader.warning(&value.span(), weakness, "a long random password");
            }
            Secret::Password(Password(text))
        }
    }
}

/// Why a password would be guessed; none if it would not.
fn weakness(password: &str, user: &str) -> Option<&'static str> {
    let lower = Zeroizing::new(password.to_lowercase());
    if password.chars().count() < PASSWORD_CHARACTERS_MIN {
        Some("a password shorter than 10 characters")
    } else if lower.contains(&user.to_lowercase()) && !user.is_empty() {
        Some("a password that contains the user name")
    } else if KNOWN_PASSWORDS.iter().any(|known| lower.starts_with(known)) {
        Some("a password that everybody tries first")
    } else if password.bytes().all(|b| b.is_ascii_digit()) {
        Some("a password of digits only")
    } else {
        None
    }
}

/// The pseudonym key: 32 bytes, unprintable.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyBytes(Zeroizing<[u8; 32]>);

impl KeyBytes {
    /// The key itself, for `facts::PseudonymKey::new`.
    pub fn reveal(&self) -> [u8; 32] {
        *self.0
    }
}

impl fmt::Debug for KeyBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyBytes(…)")
    }
}

/// Reads a key file of 64 hexadecimal digits.
pub(super) fn read_key(
    reader: &mut Reader<'_>,
    value: &Spanned<String>,
    path: &Path,
    missing: &mut Vec<MissingSecret>,
) -> Option<KeyBytes> {
    let text = match read_secret_file(reader, value, path) {
        FileContent::Text(text) => text,
        FileContent::Unreadable => return None,
        FileContent::Missing => {
            missing.push(MissingSecret { path: path.to_owned(), kind: SecretKind::Key });
            let expected = "the key of the callers' pseudonyms; `vigie run` creates this file with a random one. If \
                            you had one, restore it: with another key, callers who come back are counted as new";
            reader.warning(&value.span(), format!("no file at {}", path.display()), expected);
            return None;
        }
    };
    let key = unhex(&text);
    if key.is_none() {
        reader.error(&value.span(), "a file that holds something else", "64 hexadecimal digits in that file");
    }
    key
}

enum FileContent {
    Missing,
    Unreadable,
    Text(Zeroizing<String>),
}

fn read_secret_file(reader: &mut Reader<'_>, value: &Spanned<String>, path: &Path) -> FileContent {
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return FileContent::Missing,
        other => other,
    };
    let text = metadata.and_then(|metadata| {
        let mode = metadata.permissions().mode();
        if mode & 0o007 != 0 {
            let found =
                format!("a secret that every user of the machine may reach (mode {:o})", mode & 0o777);
            reader.error(&value.span(), found, format!("mode 600: chmod 600 {}", path.display()));
        }
        fs::read_to_string(path)
    });
    match text {
        Ok(text) => {
            let text = Zeroizing::new(text);
            FileContent::Text(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
        }
        Err(error) => {
            reader.error(&value.span(), format!("{}: {error}", path.display()), "a file that can be read");
            FileContent::Unreadable
        }
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<KeyBytes> {
    let mut key = Zeroizing::new([0_u8; 32]);
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (index, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(KeyBytes(key))
}
