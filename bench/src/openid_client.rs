//! A client of the OpenID provider for the measurements, with its codes and tokens.

use anyhow::{Context, Result};
use axum::extract::FromRef;
use domain::encoding::{base64url, sha256};
use oidc::ClientSettings;
use oidc::client::secret_hash;
use oidc::exchange::{CODE_MS, TokenRequest};
use serde_json::json;
use server::flows::oauth_token;
use server::state::AppState;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use store::audit::{AuditEntry, AuditEvent};
use store::oauth::NewCode;

const CLIENT: &str = "bench";
const SECRET: &str = "a-secret-for-measurements";
const URI: &str = "https://app.example/callback";
/// Exchanges of one measurement.
pub(crate) const EXCHANGES: u16 = 300;

/// Returns the settings of the measured app.
pub(crate) fn client() -> Result<ClientSettings> {
    Ok(serde_json::from_value(json!({
        "id": CLIENT, "secret_hash": secret_hash(SECRET), "redirect_uris": [URI], "pkce": "optional",
    }))?)
}

/// Returns the body of an introspection.
pub(crate) fn introspection(token: &str) -> String {
    oidc::params::with_query("", &[("token", token), ("client_id", CLIENT), ("client_secret", SECRET)])
        .trim_start_matches('?')
        .to_owned()
}

/// Stores a code of the session of a token that is good, and returns it.
pub(crate) async fn code(state: &AppState, access_token: &str) -> Result<String> {
    let now = state.now();
    let claims = state.tokens.verify_for(&state.config.origin, access_token, now).context("the session is over")?;
    let code = state.entropy.secret();
    let audit = AuditEntry::new(state.ulid(), now, AuditEvent::AppOpened);
    let row = NewCode {
        code_hash: base64url(&sha256(code.as_bytes())),
        client: CLIENT.to_owned(),
        session: claims.sid.clone(),
        redirect_uri: URI.to_owned(),
        code_challenge: None,
        jkt: None,
        details: json!({"scope": "openid profile", "auth_time": now.to_seconds()}).to_string(),
        expires_at: now + 10 * CODE_MS,
        pushed: None,
        device: None,
        agreed: None,
        consent: None,
        audit,
        now,
    };
    anyhow::ensure!(state.store.add_code(&row).await?, "the code was not stored");
    Ok(code)
}

/// Exchanges a code, and returns the access token.
pub(crate) async fn exchange(state: &AppState, code: String) -> Result<String> {
    let client = state.clients.find(CLIENT, state.now()).context("no client")?;
    let caller = server::client::Client::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 64, &http::HeaderMap::new());
    let request =
        TokenRequest::Code { code, redirect_uri: Some(URI.to_owned()), verifier: None, resources: Vec::new() };
    let answer = oauth_token::exchange(Arc::from_ref(state), caller, client, request, None).await;
    Ok(answer.map_err(|error| anyhow::anyhow!("{error:?}"))?.access_token)
}
