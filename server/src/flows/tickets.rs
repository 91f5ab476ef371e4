//! Tickets, with which a signed-in person talks to a service privately.

use super::user_keys::{randoms, serving, session};
use crate::api_error::ApiError;
use crate::guards::signed_in::ProvenSession;
use crate::state::KeyState;
use crate::tokens::issued_at;
use domain::encoding::base64url;
use domain::service::admits;
use wire::jwk::EcJwk;
use wire::problem::Code;
use wire::tickets::{
    Confirmation, IssuedTicket, LIFETIME_MS, SEALED_TYP, TicketClaims, TicketHeader, TicketRequest, TicketUserKey,
};
use zeroize::Zeroizing;

/// Issues a ticket.
///
/// # Errors
/// `no_service`, `role_missing`, `key_ended`, `no_session`
pub async fn issue(
    state: &KeyState,
    proven: &ProvenSession,
    request: &TicketRequest,
) -> Result<IssuedTicket, ApiError> {
    let session = session(state, proven).await?;
    let service = state.store.service(&request.service).await?.ok_or_else(|| ApiError::new(Code::NoService))?;
    if !admits(service.role, session.role) {
        return Err(ApiError::new(Code::RoleMissing));
    }
    let recipient: EcJwk = serde_json::from_str(&service.jwk).map_err(ApiError::broken)?;
    let key = serving(state, &session.user, request.version).await?;

    let now = state.now();
    let (iat, until) = (issued_at(now).as_seconds(), key.until.to_seconds());
    let exp = (now + LIFETIME_MS).to_seconds().min(until);
    let claims = TicketClaims {
        iss: state.config.origin.clone(),
        aud: service.name,
        sub: session.user.into(),
        jti: state.ulid(),
        sid: session.id.into(),
        iat,
        nbf: iat,
        exp: exp.as_seconds(),
        roles: vec![session.role.as_str().to_owned()],
        cnf: Confirmation { jkt: proven.jkt.to_string() },
        user_key: TicketUserKey { version: key.version.number, k: base64url(&key.secret), until: until.as_seconds() },
    };
    let signed = Zeroizing::new(state.tokens.sign_ticket(&claims, now).map_err(ApiError::broken)?);
    let header = |epk| TicketHeader {
        alg: jwe::ALG.to_owned(),
        enc: jwe::ENC.to_owned(),
        typ: SEALED_TYP.to_owned(),
        cty: "JWT".to_owned(),
        kid: service.kid,
        epk,
    };
    let ticket = jwe::seal(&recipient, header, signed.as_bytes(), &randoms(state)).map_err(ApiError::broken)?;
    let (version, expires_at, key_until) = (claims.user_key.version, exp.to_millis(), until.to_millis());
    Ok(IssuedTicket {
        ticket,
        jti: claims.jti,
        version,
        expires_at: expires_at.as_millis(),
        key_until: key_until.as_millis(),
    })
}
