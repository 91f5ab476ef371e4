//! The explanation of a judgement: why the server accepts or refuses an app's authorization request.

use super::actor::Actor;
use super::oauth_clients::{ClientError, ClientPlace, Listed, list};
use domain::encoding::{base64url, from_base64url, sha256};
use oidc::authorize::{self, AuthorizationRequest, PUSHED, Refusal, ShownError};
use oidc::document::is_document_id;
use oidc::error::{ErrorCode, OAuthError};
use oidc::{Client, Params};
use serde_json::Value;
use wire::clients::{Fact, RequestVerdict};
use wire::paths;

/// Judges an app's authorization request as the server does. `url`: the link, or its query string.
///
/// # Errors
/// As [`list`].
pub async fn explain(actor: &Actor<'_>, url: &str) -> Result<RequestVerdict, ClientError> {
    if is_token_request(url.trim()) {
        return Ok(not_explained());
    }
    let query = url.trim().split_once('?').map_or(url.trim(), |(_, query)| query);
    let given = Params::parse(query.split('#').next().unwrap_or_default());
    let (params, pushed) = match given.get("request_uri").and_then(|uri| uri.strip_prefix(PUSHED)) {
        Some(reference) => {
            let hash = base64url(&sha256(reference.as_bytes()));
            match actor.store.pushed_request(&hash, actor.now).await? {
                Some(stored) => (Params::parse(&stored.parameters), true),
                None => {
                    let text = "the pushed request has expired or was used: explain a new one within its lifetime";
                    let error = OAuthError::new(ErrorCode::InvalidRequestUri, text);
                    return Ok(shown_error(None, ShownError { error, facts: Vec::new() }));
                }
            }
        }
        None => (given, false),
    };
    let id = match authorize::client_id(&params) {
        Ok(id) => id,
        Err(refused) => return Ok(shown_error(None, refused)),
    };
    let clients = list(actor).await?;
    let client = clients.iter().find(|listed| listed.id == id).and_then(|listed| listed.client.as_ref().ok());
    let Some(client) = client else { return Ok(shown_error(None, unknown(actor, id, &clients))) };
    if client.settings.disabled {
        return Ok(shown_error(Some(client), authorize::disabled_client(id)));
    }
    let resources = &actor.config.settings.oauth.resources;
    Ok(match AuthorizationRequest::judge(&params, client, pushed, resources).map_err(|refusal| *refusal) {
        Ok(request) => match wrong_hint(&request, client, &actor.config.origin) {
            Some(refused) => shown_error(Some(client), refused),
            None => RequestVerdict {
                accepted: true,
                client: Some(client.name().to_owned()),
                error: None,
                description: format!("{} gets the scopes: {}", client.name(), request.scopes),
                facts: conditions(client, &request),
            },
        },
        Err(Refusal::Shown(refused)) => shown_error(Some(client), refused),
        Err(Refusal::Redirected(refused)) => {
            let facts = refused.facts.into_iter().chain([("Sent to", refused.to.redirect_uri)]).collect();
            shown_error(Some(client), ShownError { error: refused.error, facts })
        }
    })
}

/// Whether a URL is one that the servers of apps post to, and not one that people open.
fn is_token_request(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    [paths::OAUTH_TOKEN, paths::OAUTH_PAR, paths::OAUTH_USERINFO, paths::OAUTH_INTROSPECT, paths::OAUTH_REVOKE]
        .iter()
        .any(|endpoint| path.ends_with(endpoint))
}

fn not_explained() -> RequestVerdict {
    let text = "this explains links that people open, to /oauth/authorize. The credentials of a request to this endpoint \
                are in its header or body, and not in the URL";
    let error = OAuthError::new(ErrorCode::InvalidRequest, text);
    let log = "the line \"client authentication failed\" names the client and the reason".to_owned();
    let answer = "error_description of the answer that the app got names every other reason".to_owned();
    shown_error(None, ShownError { error, facts: vec![("In the server's log", log), ("In the app's log", answer)] })
}

fn unknown(actor: &Actor<'_>, id: &str, clients: &[Listed]) -> ShownError {
    let mut refused = authorize::unknown_client(id);
    if actor.config.settings.oauth.client_documents && is_document_id(id) {
        let text = "the client is a document that was not fetched yet: it is when a signed-in person opens the link";
        text.clone_into(&mut refused.error.description);
        return refused;
    }
    let added = clients.iter().filter(|listed| !matches!(listed.stored, ClientPlace::Document(_)));
    refused.facts.extend(added.map(|listed| ("Registered client_id", listed.id.clone())));
    refused
}

/// Returns the error for an `id_token_hint` that names another issuer or client. Its signature is not verified here.
fn wrong_hint(request: &AuthorizationRequest, client: &Client, issuer: &str) -> Option<ShownError> {
    let token = request.id_token_hint.as_ref()?;
    let payload = token.split('.').nth(1).and_then(from_base64url);
    let claims: Value = payload.and_then(|payload| serde_json::from_slice(&payload).ok()).unwrap_or_default();
    let claim = |name: &str| claims[name].as_str().unwrap_or("none").to_owned();
    let named = format!("iss {}, aud {}", claim("iss"), claim("aud"));
    let expected = format!("iss {issuer}, aud {}", client.id());
    if named == expected {
        return None;
    }
    let text = "id_token_hint is not an ID token of this server for this client";
    let error = OAuthError::new(ErrorCode::InvalidRequest, text);
    let facts = vec![("Presented id_token_hint", named), ("Expected id_token_hint", expected)];
    Some(ShownError { error, facts })
}

/// Returns what a person needs besides, and what only the server checks.
fn conditions(client: &Client, request: &AuthorizationRequest) -> Vec<Fact> {
    let mut facts = Vec::new();
    if request.id_token_hint.is_some() {
        let text = "is checked when the link is opened".to_owned();
        facts.push(Fact { name: "Signature of id_token_hint".to_owned(), value: text });
    }
    if client.may_be_impersonated_at(&request.redirect_uri) {
        let text = "each time, because another program on the person's device could pass for this public client";
        facts.push(Fact { name: "Asks for consent".to_owned(), value: text.to_owned() });
    }
    if !client.settings.groups.is_empty() {
        facts.push(Fact { name: "Needs one of these groups".to_owned(), value: client.settings.groups.join(", ") });
    }
    if client.settings.second_factor != domain::second_factor::Requirement::Optional {
        facts.push(Fact { name: "Second factor".to_owned(), value: client.settings.second_factor.as_str().to_owned() });
    }
    facts
}

fn shown_error(client: Option<&Client>, refused: ShownError) -> RequestVerdict {
    let fact = |(name, value): (&str, String)| Fact { name: name.to_owned(), value };
    RequestVerdict {
        accepted: false,
        client: client.map(|client| client.name().to_owned()),
        error: Some(refused.error.code.as_str().to_owned()),
        description: refused.error.description,
        facts: refused.facts.into_iter().map(fact).collect(),
    }
}
