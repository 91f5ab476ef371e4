//! Client metadata (RFC 7591, section 2), and changes of a registration by an administrator.

use crate::client::{Client, ClientSettings, IdTokenAlg, InvalidClient, SubjectType};
use crate::device;
use crate::scope::{SUPPORTED, Scopes};
use domain::UnixMs;
use serde_json::{Map, Value, json};

/// The way in which a client authenticates (RFC 7591, section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthMethod {
    None,
    SecretBasic,
    SecretPost,
    PrivateKeyJwt,
}

impl AuthMethod {
    const ALL: [Self; 4] = [Self::None, Self::SecretBasic, Self::SecretPost, Self::PrivateKeyJwt];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::SecretBasic => "client_secret_basic",
            Self::SecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
        }
    }

    pub fn uses_secret(self) -> bool {
        matches!(self, Self::SecretBasic | Self::SecretPost)
    }
}

/// A client's own description of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    pub settings: ClientSettings,
    pub method: AuthMethod,
}

/// Reads client metadata. Unknown members are ignored, as RFC 7591 demands. `default`: the method without
/// `token_endpoint_auth_method`.
///
/// # Errors
/// Names the member that is not accepted.
pub fn read(id: &str, metadata: &Map<String, Value>, default: AuthMethod) -> Result<Metadata, InvalidClient> {
    let invalid = |setting, problem: &str| InvalidClient { setting, problem: problem.to_owned() };
    let text = |name: &'static str| match metadata.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(invalid(name, "is not a text")),
    };
    let texts = |name: &'static str| texts(metadata, name);
    let method = match text("token_endpoint_auth_method")? {
        None => default,
        Some(named) => AuthMethod::ALL.into_iter().find(|method| method.as_str() == named).ok_or_else(|| {
            invalid("token_endpoint_auth_method", "none, client_secret_basic, client_secret_post or private_key_jwt")
        })?,
    };
    let has_keys = method == AuthMethod::PrivateKeyJwt;
    let jwks = metadata.get("jwks").filter(|jwks| has_keys && !jwks.is_null()).cloned();
    let jwks_uri = text("jwks_uri")?.filter(|_| has_keys).map(str::to_owned);
    if has_keys && jwks.is_none() && jwks_uri.is_none() {
        return Err(invalid("jwks", "or jwks_uri is needed for private_key_jwt"));
    }
    // A document describes the client to every server, so what is not supported here is left out (RFC 7591, section 2).
    if texts("response_types")?.is_some_and(|kinds| !kinds.iter().any(|kind| kind == "code")) {
        return Err(invalid("response_types", "only code is supported"));
    }
    let grants = texts("grant_types")?.unwrap_or_else(|| vec!["authorization_code".to_owned()]);
    let ways_in = ["authorization_code", device::GRANT_TYPE];
    if !grants.iter().any(|grant| ways_in.contains(&grant.as_str())) {
        return Err(invalid("grant_types", "needs authorization_code or device_code"));
    }
    let alg = match text("id_token_signed_response_alg")? {
        None | Some("RS256") => IdTokenAlg::Rs256,
        Some("ES256") => IdTokenAlg::Es256,
        Some("EdDSA") => IdTokenAlg::EdDsa,
        Some(_) => return Err(invalid("id_token_signed_response_alg", "RS256, ES256 or EdDSA")),
    };
    let subject_type = match text("subject_type")? {
        None | Some("public") => SubjectType::Public,
        Some("pairwise") => SubjectType::Pairwise,
        Some(_) => return Err(invalid("subject_type", "public or pairwise")),
    };
    if text("sector_identifier_uri")?.is_some() {
        return Err(invalid("sector_identifier_uri", "is not supported: use one host for all redirect URIs"));
    }
    let mut settings = blank(id)?;
    settings.name = text("client_name")?.map(str::to_owned);
    settings.redirect_uris = texts("redirect_uris")?.unwrap_or_default();
    settings.post_logout_redirect_uris = texts("post_logout_redirect_uris")?.unwrap_or_default();
    settings.backchannel_logout_uri = text("backchannel_logout_uri")?.map(str::to_owned);
    settings.jwks = jwks;
    settings.jwks_uri = jwks_uri;
    settings.id_token_alg = alg;
    settings.subject_type = subject_type;
    settings.device = grants.iter().any(|grant| grant == device::GRANT_TYPE);
    settings.dpop = metadata.get("dpop_bound_access_tokens") == Some(&Value::Bool(true));
    settings.require_par = metadata.get("require_pushed_authorization_requests") == Some(&Value::Bool(true));
    if let Some(scope) = text("scope")? {
        let known = Scopes::parse(scope).limited_to(&SUPPORTED.into_iter().collect());
        settings.scopes = known.iter().map(str::to_owned).collect();
        if settings.scopes.is_empty() {
            settings.scopes.push("openid".to_owned());
        }
    }
    Ok(Metadata { settings, method })
}

/// Returns the registration after a client has described itself again (RFC 7592, section 2.2). Settings that are no
/// client metadata stay as an administrator set them, and the client does not undo a restriction.
///
/// # Errors
/// Names the member that is not accepted.
pub fn replaced(own: &ClientSettings, wish: ClientSettings) -> Result<ClientSettings, InvalidClient> {
    if let Some(more) = wish.scopes.iter().find(|scope| !own.scopes.is_empty() && !own.scopes.contains(scope)) {
        return Err(InvalidClient { setting: "scope", problem: format!("{more} was not in the registration") });
    }
    let is_pairwise = own.subject_type == SubjectType::Pairwise;
    Ok(ClientSettings {
        name: wish.name,
        jwks: wish.jwks,
        jwks_uri: wish.jwks_uri,
        redirect_uris: wish.redirect_uris,
        post_logout_redirect_uris: wish.post_logout_redirect_uris,
        backchannel_logout_uri: wish.backchannel_logout_uri,
        id_token_alg: wish.id_token_alg,
        device: wish.device,
        scopes: if wish.scopes.is_empty() { own.scopes.clone() } else { wish.scopes },
        subject_type: if is_pairwise { SubjectType::Pairwise } else { wish.subject_type },
        dpop: own.dpop || wish.dpop,
        require_par: own.require_par || wish.require_par,
        ..own.clone()
    })
}

fn texts(metadata: &Map<String, Value>, name: &'static str) -> Result<Option<Vec<String>>, InvalidClient> {
    let invalid = || InvalidClient { setting: name, problem: "is not a list of texts".to_owned() };
    let items = match metadata.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(items)) => items,
        Some(_) => return Err(invalid()),
    };
    items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(invalid)).collect::<Result<_, _>>().map(Some)
}

/// Describes a client in the terms of RFC 7591, section 3.2.1.
pub fn metadata(client: &Client, issued_at: UnixMs) -> Map<String, Value> {
    let settings = &client.settings;
    let method = match (settings.has_keys(), client.is_public()) {
        (true, _) => AuthMethod::PrivateKeyJwt,
        (false, true) => AuthMethod::None,
        (false, false) => AuthMethod::SecretBasic,
    };
    let mut grants = vec!["authorization_code", "refresh_token"];
    grants.extend(settings.device.then_some(device::GRANT_TYPE));
    let scopes = if settings.scopes.is_empty() { SUPPORTED.join(" ") } else { settings.scopes.join(" ") };
    let whole = json!({
        "client_id": settings.id,
        "client_id_issued_at": issued_at.to_seconds(),
        "client_name": client.name(),
        "redirect_uris": settings.redirect_uris,
        "post_logout_redirect_uris": settings.post_logout_redirect_uris,
        "backchannel_logout_uri": settings.backchannel_logout_uri,
        "jwks": settings.jwks,
        "jwks_uri": settings.jwks_uri,
        "token_endpoint_auth_method": method.as_str(),
        "grant_types": grants,
        "response_types": ["code"],
        "scope": scopes,
        "subject_type": settings.subject_type,
        "id_token_signed_response_alg": settings.id_token_alg.as_str(),
        "dpop_bound_access_tokens": settings.dpop,
        "require_pushed_authorization_requests": settings.require_par,
    });
    let members = whole.as_object().cloned().unwrap_or_default();
    members.into_iter().filter(|(_, value)| !value.is_null()).collect()
}

/// Returns a registration with the default of each setting.
///
/// # Errors
/// Never: every setting but the id has a default.
pub fn blank(id: &str) -> Result<ClientSettings, InvalidClient> {
    serde_json::from_value(json!({ "id": id })).map_err(|error| unreadable(&error))
}

/// Settings that are lists. A plain form sends them as text: groups with commas between them, the rest with spaces.
const LISTS: [&str; 6] = ["redirect_uris", "post_logout_redirect_uris", "scopes", "resources", "introspects", "groups"];
/// Settings that are true or false. A plain form sends them as text.
const SWITCHES: [&str; 6] = ["consent", "disabled", "id_token_claims", "dpop", "device", "require_par"];
/// Settings that an administrator does not change: the id is the client, and secrets have their own operation.
const FIXED: [(&str, &str); 3] = [
    ("id", "cannot be changed: add another client"),
    ("secret_file", "is for clients of the settings file"),
    ("secret_hash", "is for clients of the settings file"),
];

/// Applies changes to a registration. `null` or an empty text gives a setting its default (RFC 7396).
///
/// # Errors
/// Names the setting that is unknown, fixed, or of the wrong type.
pub fn changed(settings: &ClientSettings, changes: &Map<String, Value>) -> Result<ClientSettings, InvalidClient> {
    let invalid = |setting, problem: &str| InvalidClient { setting, problem: problem.to_owned() };
    if let Some((setting, problem)) = FIXED.iter().find(|(setting, _)| changes.contains_key(*setting)) {
        return Err(invalid(setting, problem));
    }
    let Value::Object(mut members) = serde_json::to_value(settings).map_err(|error| unreadable(&error))? else {
        return Err(invalid("registration", "cannot be read"));
    };
    for (name, value) in changes {
        match typed(name, value) {
            Value::Null => members.remove(name),
            value => members.insert(name.clone(), value),
        };
    }
    serde_json::from_value(Value::Object(members)).map_err(|error| unreadable(&error))
}

fn unreadable(error: &serde_json::Error) -> InvalidClient {
    InvalidClient { setting: "registration", problem: error.to_string() }
}

/// Gives a text of a plain form the type of its setting.
fn typed(name: &str, value: &Value) -> Value {
    let Value::String(text) = value else { return value.clone() };
    let text = text.trim();
    if text.is_empty() {
        return Value::Null;
    }
    if LISTS.contains(&name) {
        let of_spaces = |c: char| c.is_whitespace() || (c == ',' && name == "scopes");
        let of_commas = |c: char| c == ',';
        let split: Vec<_> =
            if name == "groups" { text.split(of_commas).collect() } else { text.split(of_spaces).collect() };
        return split.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect();
    }
    match (SWITCHES.contains(&name), text) {
        (true, "true") => Value::Bool(true),
        (true, "false") => Value::Bool(false),
        // A text that is no JSON is refused as a set of keys.
        _ if name == "jwks" => serde_json::from_str(text).unwrap_or_else(|_| value.clone()),
        _ if name.ends_with("_token_seconds") => text.parse::<i64>().map_or_else(|_| value.clone(), Value::from),
        _ => Value::String(text.to_owned()),
    }
}
