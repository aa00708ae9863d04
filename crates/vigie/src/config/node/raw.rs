//! `vigie.toml` as it stands, before anything in it is believed.

use serde::Deserialize;
use toml::Spanned;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct RawNodeFile {
    pub(super) node: Option<Spanned<RawNode>>,
    pub(super) sip: Option<Spanned<RawSip>>,
    pub(super) rtp: Option<Spanned<RawRtp>>,
    pub(super) state: Option<Spanned<RawState>>,
    pub(super) admission: Option<Spanned<RawAdmission>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawNode {
    pub(super) name: Option<Spanned<String>>,
    pub(super) country_code: Option<Spanned<String>>,
    pub(super) international_prefix: Option<Spanned<String>>,
    pub(super) national_prefix: Option<Spanned<String>>,
    pub(super) national_digits: Option<Spanned<i64>>,
    pub(super) languages: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) default_language: Option<Spanned<String>>,
    pub(super) time_zone: Option<Spanned<String>>,
    pub(super) log_level: Option<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSip {
    pub(super) domain: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) aliases: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) listen_udp: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) listen_tcp: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) advertised: Vec<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRtp {
    pub(super) addresses: Option<Spanned<Vec<Spanned<String>>>>,
    #[serde(default)]
    pub(super) advertised: Vec<Spanned<String>>,
    pub(super) port_first: Option<Spanned<i64>>,
    pub(super) port_last: Option<Spanned<i64>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawState {
    pub(super) directory: Option<Spanned<String>>,
    pub(super) journal: Option<Spanned<String>>,
    pub(super) live_directory: Option<Spanned<String>>,
    pub(super) control_socket: Option<Spanned<String>>,
    pub(super) pseudonym_key_file: Option<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAdmission {
    pub(super) calls_max: Option<Spanned<i64>>,
    pub(super) dialogs_max: Option<Spanned<i64>>,
    pub(super) transactions_max: Option<Spanned<i64>>,
    pub(super) streams_max: Option<Spanned<i64>>,
    pub(super) phones_per_account_max: Option<Spanned<i64>>,
    pub(super) unknown_requests_per_second_max: Option<Spanned<i64>>,
    pub(super) registration_seconds_min: Option<Spanned<i64>>,
    pub(super) registration_seconds_max: Option<Spanned<i64>>,
}
