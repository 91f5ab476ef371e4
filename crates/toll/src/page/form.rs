//! Parses the form of the page.

use domain::local_path::{HOME, local_path};
use wire::toll::SCHEME;

/// A payment as pasted by a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PaymentForm {
    pub challenge: String,
    pub txid: String,
    pub proof: String,
    /// The requested path on this host.
    pub back: String,
}

/// A field is missing or occurs twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a field of the form is missing or occurs twice")]
pub(crate) struct MalformedForm;

impl PaymentForm {
    /// Reads `application/x-www-form-urlencoded`.
    ///
    /// # Errors
    /// [`MalformedForm`]
    pub(crate) fn read(body: &[u8]) -> Result<Self, MalformedForm> {
        let field = |wanted: &str| {
            let mut found = form_urlencoded::parse(body).filter(|(name, _)| name == wanted).map(|(_, value)| value);
            let value = found.next().ok_or(MalformedForm)?;
            if found.next().is_some() { Err(MalformedForm) } else { Ok(value.into_owned()) }
        };
        // Text copied from a wallet may contain spaces and line breaks.
        let pasted = |name| field(name).map(|text| text.split_whitespace().collect::<String>());
        Ok(Self {
            challenge: field("challenge")?,
            txid: pasted("txid")?.to_ascii_lowercase(),
            proof: pasted("proof")?,
            back: local(&field("back")?),
        })
    }

    /// Returns the credential in a client's form.
    pub(crate) fn credential(&self) -> String {
        format!("{SCHEME} {}:{}", self.txid, self.proof)
    }
}

/// Returns the field `back` of a form or query: a path on this host.
pub(crate) fn back(fields: &[u8]) -> String {
    let back = form_urlencoded::parse(fields).find(|(name, _)| name == "back");
    local(&back.map_or_else(|| "/".into(), |(_, value)| value))
}

/// Returns a path on this host, or its root.
pub(super) fn local(path: &str) -> String {
    let checked = local_path(Some(path));
    let strange = checked == HOME && path != HOME;
    if strange { "/".to_owned() } else { checked.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pasted_text_loses_its_blanks() {
        let body = b"challenge=Ab-_&txid=+AB%0D%0Acd+&proof=OutProofV2%0A1x+2&back=%2Fprice%3Fa%3Db";
        let payment = PaymentForm::read(body).expect("read");
        assert_eq!((payment.txid.as_str(), payment.proof.as_str()), ("abcd", "OutProofV21x2"));
        assert_eq!((payment.challenge.as_str(), payment.back.as_str()), ("Ab-_", "/price?a=b"));
        assert_eq!(payment.credential(), "TPAT abcd:OutProofV21x2");
    }

    #[test]
    fn a_form_that_is_not_whole_is_refused() {
        for body in ["", "challenge=a&txid=b&proof=c", "challenge=a&txid=b&proof=c&back=/&txid=d", "%ff%fe=\u{0}"] {
            assert_eq!(PaymentForm::read(body.as_bytes()), Err(MalformedForm), "{body}");
        }
    }

    #[test]
    fn the_way_back_stays_on_this_host() {
        for strange in ["//evil.example", "https://evil.example/", "/\\evil.example", "", "javascript:alert(1)"] {
            assert_eq!(local(strange), "/", "{strange}");
        }
        assert_eq!(local("/dashboard"), "/dashboard");
    }
}
