//! Opening tickets.

use domain::UnixMs;
use domain::encoding::from_base64url;
use jwe::PrivateKey;
use std::fmt;
use verify::{Error, Verifier};
use wire::tickets::{Claims, Header, SEALED_TYP, TYP};
use wire::time::CloseReason;
use zeroize::Zeroizing;

/// Nothing longer is looked at.
const LONGEST_TICKET: usize = 3072;

/// Opens tickets with the service's key, and judges them by the auth server's.
#[derive(Debug)]
pub struct Tickets {
    key: PrivateKey,
    kid: String,
    verifier: Verifier,
}

/// Who is here, by a ticket, and for how long.
#[derive(Clone, PartialEq, Eq)]
pub struct Visit {
    pub sub: String,
    pub sid: String,
    /// Thumbprint of the client's key.
    pub jkt: String,
    /// Of the user's key.
    pub version: u32,
    /// When that key ends.
    pub until: UnixMs,
}

/// What only the beginning of a connection needs.
pub struct Opened {
    pub visit: Visit,
    pub jti: String,
    pub user_key: Zeroizing<[u8; 32]>,
}

impl Tickets {
    pub fn new(key: PrivateKey, verifier: Verifier) -> Self {
        Self { kid: jwe::thumbprint(&key.public()), key, verifier }
    }

    pub async fn open(&self, ticket: &str, now: UnixMs) -> Result<Opened, CloseReason> {
        if ticket.len() > LONGEST_TICKET {
            return Err(CloseReason::TooLarge);
        }
        let inner = self.unseal(ticket).ok_or(CloseReason::BadTicket)?;
        let claims = self.verifier.verify::<Claims>(&inner, TYP, now).await.map_err(|error| refusal(&error))?;
        let user_key = from_base64url(&claims.user_key.k).map(Zeroizing::new).ok_or(CloseReason::BadTicket)?;
        let user_key = <[u8; 32]>::try_from(user_key.as_slice()).map_err(|_| CloseReason::BadTicket)?;
        let until = claims.user_key.until.saturating_mul(1000);
        if now >= until {
            return Err(CloseReason::KeyEnded);
        }
        let visit =
            Visit { sub: claims.sub, sid: claims.sid, jkt: claims.cnf.jkt, version: claims.user_key.version, until };
        Ok(Opened { visit, jti: claims.jti, user_key: Zeroizing::new(user_key) })
    }

    fn unseal(&self, ticket: &str) -> Option<Zeroizing<String>> {
        let sealed = jwe::parse::<Header>(ticket).ok()?;
        let header = sealed.header();
        if header.typ != SEALED_TYP || header.cty != "JWT" || header.kid != self.kid {
            return None;
        }
        let content = sealed.open(&*self.key.agree(sealed.epk()).ok()?).ok()?;
        std::str::from_utf8(&content).ok().map(|text| Zeroizing::new(text.to_owned()))
    }
}

fn refusal(error: &Error) -> CloseReason {
    match error {
        Error::Expired => CloseReason::TicketExpired,
        Error::NoKeys(_) | Error::NoRevocations(_) => CloseReason::Unavailable,
        other => {
            tracing::debug!(cause = %other, "a ticket was refused");
            CloseReason::BadTicket
        }
    }
}

impl fmt::Debug for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Visit({}, session {}, key {})", self.sub, self.sid, self.version)
    }
}
