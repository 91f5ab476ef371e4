//! Addresses, networks and devices as administrators and the command line write them.

use crate::input;
use domain::client_key::ClientKey;

/// Checks `data`: the text.
pub(crate) fn check(data: &[u8]) {
    let Some(text) = input::text(data) else { return };
    for prefix in [0, 56, 64, 128] {
        if let Ok(identity) = ClientKey::read(text, prefix) {
            let written = identity.to_string();
            assert_eq!(written.parse(), Ok(identity), "{written}");
        }
    }
}
