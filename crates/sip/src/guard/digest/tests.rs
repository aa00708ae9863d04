//! RFC 7616's own example values, and what is refused.

use super::*;

fn credential(algorithms: &[Algorithm]) -> Credential {
    Credential::from_password("Mufasa", "http-auth@example.org", "Circle of Life", algorithms)
}

/// RFC 7616 §3.9.1.
fn example(algorithm: &str, response: &str) -> String {
    format!(
        "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", algorithm={algorithm}, \
         nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, \
         cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, response=\"{response}\", \
         opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
    )
}

const MD5: &str = "8ca523f5e9506fed4657c9700eebdbec";
const SHA_256: &str = "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1";

/// For tests that play the client.
pub(crate) fn hash_of(algorithm: Algorithm, parts: &[&str]) -> String {
    hash(algorithm, parts)
}

fn parse(value: &str) -> Option<Answer> {
    Answer::read(&AuthParams::parse(value.to_owned().into()).ok()?)
}

#[test]
fn the_rfcs_examples_prove_the_password() {
    let both = credential(&[Algorithm::Sha256, Algorithm::Md5]);
    for (algorithm, response) in [("MD5", MD5), ("SHA-256", SHA_256), ("sha-256", SHA_256)] {
        let answer = parse(&example(algorithm, response)).unwrap();
        assert!(answer.proves("http-auth@example.org", "GET", Some(&both)), "{algorithm}");
        assert!(!answer.proves("http-auth@example.org", "PUT", Some(&both)));
        assert!(!answer.proves("elsewhere.example.org", "GET", Some(&both)));
        assert!(!answer.proves("http-auth@example.org", "GET", None));
        assert_eq!(answer.count(), Some(1));
    }
}

#[test]
fn an_algorithm_that_was_not_offered_proves_nothing() {
    let answer = parse(&example("MD5", MD5)).unwrap();
    assert!(!answer.proves("http-auth@example.org", "GET", Some(&credential(&[Algorithm::Sha256]))));
}

#[test]
fn what_cannot_be_taken_apart_is_none() {
    for value in [
        "",
        "Digest",
        "Digest ",
        "Basic abc",
        "Digest username",
        "Digest username=\"a",
        "Digest nonce=x",
        "Digeste x=y",
    ] {
        assert!(parse(value).is_none(), "{value}");
    }
}

#[test]
fn escapes_and_odd_spacing() {
    let value =
        "DIGEST  username = \"a\\\"b\" ,realm=r,uri=u,nonce=n,,NC=0000000a , qop=\"auth\",response=ABC";
    let answer = parse(value).unwrap();
    assert_eq!((answer.username.as_str(), answer.nonce.as_str(), answer.count()), ("a\"b", "n", Some(10)));
    assert_eq!(answer.response, "abc");
    assert!(parse(&format!("{value}, username=other")).is_none());
}
