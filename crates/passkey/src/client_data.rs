//! `clientDataJSON` (section 5.8.1): the browser's statement about the request.

use crate::PasskeyError;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64ct::{Base64UrlUnpadded, Encoding};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::borrow::Cow;

/// The values that a response must have been made for.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The relying party's id, a host name.
    pub relying_party: &'a str,
    /// The only permitted origin, as browsers write it: `https://host` or `https://host:port`.
    pub origin: &'a str,
    pub challenge: &'a [u8],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ceremony {
    Registration,
    Assertion,
}

/// The known members; others are permitted, because the specification will add some.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    challenge: Cow<'a, str>,
    #[serde(borrow)]
    origin: Cow<'a, str>,
    #[serde(default)]
    cross_origin: bool,
    top_origin: Option<IgnoredAny>,
}

/// Checks type, challenge and origin.
///
/// # Errors
/// The first of them that differs.
pub(crate) fn check(bytes: &[u8], ceremony: Ceremony, expected: &Expected) -> Result<(), PasskeyError> {
    let data: ClientData = serde_json::from_slice(bytes).map_err(|_| PasskeyError::ClientData)?;
    let expected_type = match ceremony {
        Ceremony::Registration => "webauthn.create",
        Ceremony::Assertion => "webauthn.get",
    };
    if data.r#type != expected_type {
        return Err(PasskeyError::Type);
    }
    let challenge = Base64UrlUnpadded::decode_vec(&data.challenge).map_err(|_| PasskeyError::Challenge)?;
    verify_slices_are_equal(&challenge, expected.challenge).map_err(|_| PasskeyError::Challenge)?;
    // Compared for equality, because a comparison of a suffix or a host alone would accept other sites.
    if data.origin != expected.origin {
        return Err(PasskeyError::Origin);
    }
    if data.cross_origin || data.top_origin.is_some() { Err(PasskeyError::CrossOrigin) } else { Ok(()) }
}
