//! The compact form of what is signed (RFC 7515, section 3.1).

use domain::encoding::from_base64url;
use zeroize::Zeroizing;

/// Header and payload are what the token says, before anybody has checked its signature.
pub struct Signed<'a> {
    pub header: Vec<u8>,
    pub payload: Zeroizing<Vec<u8>>,
    pub message: &'a str,
    pub signature: Vec<u8>,
}

/// `None`: these are not three parts of base64url.
pub fn parse(text: &str) -> Option<Signed<'_>> {
    let (message, signature) = text.rsplit_once('.')?;
    let (header, payload) = message.split_once('.')?;
    // What is signed may be a secret: tickets carry keys.
    let payload = Zeroizing::new(from_base64url(payload)?);
    Some(Signed { header: from_base64url(header)?, payload, message, signature: from_base64url(signature)? })
}
