//! Bounds: how much is read, and that the work grows with the octets and no faster.

use bytes::Bytes;

use super::super::{Fault, HEAD_BYTES_MAX, HEADERS_MAX, HeaderId, PARAMS_MAX, Params, Status, read_datagram};
use super::{octets, options_with};

#[test]
fn too_many_header_fields() {
    let base = 6;
    let fits = options_with(&"X-Y: z\n".repeat(HEADERS_MAX - base));
    assert!(read_datagram(octets(&fits)).is_ok());
    let refused = read_datagram(octets(&options_with(&"X-Y: z\n".repeat(7_000)))).expect_err("7,000 fields");
    assert_eq!((refused.fault, refused.fault.status()), (Fault::TooManyHeaders, Status::MESSAGE_TOO_LARGE));
    assert!(refused.request.is_some());
}

#[test]
fn the_largest_datagram() {
    let filler = "a".repeat(HEAD_BYTES_MAX - octets(&options_with("X: \n")).len());
    let text = options_with(&format!("X: {filler}\n"));
    assert_eq!(octets(&text).len(), HEAD_BYTES_MAX);
    assert!(read_datagram(octets(&text)).is_ok());
    let refused =
        read_datagram(octets(&options_with(&format!("X: {filler}a\n")))).expect_err("one octet more");
    assert_eq!(refused.fault, Fault::HeadTooLong);
    assert!(refused.request.is_some());
}

#[test]
fn params_are_counted() {
    let params = |count: usize| Params::parse(Bytes::from(";p".repeat(count)));
    assert_eq!(params(PARAMS_MAX).expect("allowed").iter().count(), PARAMS_MAX);
    assert!(params(PARAMS_MAX + 1).is_err());
}

/// Octets that invite an element to look at the rest of the message again and again. The test is that it ends: at
/// 64 KB a quadratic reader takes billions of steps.
#[test]
fn hostile_lists_cost_linear_time() {
    for unit in [
        ",", "\"", "<", ">", ";", "a,", "\"a,", "<a,", "\\", "\"\\\",", ";=", "<sip:a>,", "%", "@", "(", "\t",
    ] {
        let value = unit.repeat(60_000 / unit.len());
        for name in [
            "Via",
            "Contact",
            "Route",
            "Require",
            "Accept",
            "Reason",
            "Authorization",
            "From",
            "Content-Type",
        ] {
            let text = octets(&options_with(&format!("{name}: {value}\n")));
            let read = read_datagram(text);
            let head = match &read {
                Ok(message) => message.head(),
                Err(refused) => &refused.request.as_ref().expect("answerable").head,
            };
            super::properties::read_everything(head);
        }
    }
}

#[test]
fn a_list_of_many_is_read_whole() {
    let routes = vec!["<sip:p;lr>"; 5_000].join(",");
    let read = super::request(&options_with(&format!("Route: {routes}\n")));
    assert_eq!(read.addresses(HeaderId::Route).filter(Result::is_ok).count(), 5_000);
}
