//! The RFCs' own examples.

use super::*;

const RFC2617: &str = "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";

#[test]
fn rfc_2617_section_3_5() {
    let challenge = Challenge::parse(RFC2617).unwrap();
    let answer = Answer {
        user: "Mufasa",
        password: "Circle Of Life",
        method: "GET",
        uri: "/dir/index.html",
        nonce_count: 1,
        client_nonce: "0a4f113b",
    };
    assert_eq!(challenge.response(&answer), "6629fae49393a05397450978507c4ef1");
    let line = challenge.authorization(&answer);
    assert!(
        line.contains("nc=00000001") && line.contains("opaque=\"5ccc069c403ebaf9f0171e9517f40e41\""),
        "{line}"
    );
}

#[test]
fn rfc_2069_form_without_qop() {
    let challenge = Challenge::parse(&RFC2617.replace("qop=\"auth,auth-int\", ", "")).unwrap();
    let answer = Answer {
        user: "Mufasa",
        password: "Circle Of Life",
        method: "GET",
        uri: "/dir/index.html",
        nonce_count: 1,
        client_nonce: "",
    };
    assert_eq!(challenge.response(&answer), "670fd8c2df070c60b045671b8b24ff02");
    assert!(!challenge.authorization(&answer).contains("qop"));
}

#[test]
fn rfc_7616_section_3_9_1_and_the_choice_between_its_challenges() {
    let fields = "realm=\"http-auth@example.org\", qop=\"auth, auth-int\", nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";
    let (md5, sha) =
        (format!("Digest {fields}, algorithm=MD5"), format!("Digest {fields}, algorithm=SHA-256"));
    let answer = Answer {
        user: "Mufasa",
        password: "Circle of Life",
        method: "GET",
        uri: "/dir/index.html",
        nonce_count: 1,
        client_nonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    };
    assert_eq!(Challenge::parse(&md5).unwrap().response(&answer), "8ca523f5e9506fed4657c9700eebdbec");
    let strongest = Challenge::strongest([md5.as_str(), sha.as_str()].into_iter()).unwrap();
    assert_eq!(
        strongest.response(&answer),
        "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
    );
}

#[test]
fn what_cannot_be_answered_is_no_challenge() {
    for value in
        ["Basic realm=\"x\"", "Digest realm=\"x\"", "Digest nonce=\"n\", algorithm=SHA-512-256", "Digest"]
    {
        assert_eq!(Challenge::parse(value), None, "{value}");
    }
}
