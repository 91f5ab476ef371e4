//! Claims about a person, by scope and by the `claims` parameter (OpenID Connect Core, sections 5.1, 5.4 and 5.5).

use crate::client::Client;
use crate::scope::{EMAIL, GROUPS, PROFILE, Scopes};
use domain::second_factor::Requirement;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// The claims that can be requested by name.
pub const SUPPORTED: [&str; 11] = [
    "sub",
    "name",
    "preferred_username",
    "email",
    "email_verified",
    "groups",
    "roles",
    "auth_time",
    "acr",
    "amr",
    "sid",
];

/// The data of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// A stable id that is never used for another person.
    pub sub: String,
    pub username: String,
    /// The display name; without one, the user name.
    pub name: String,
    pub email: Option<String>,
    /// Whether the address was proved, or an administrator vouches for it.
    pub email_verified: bool,
    pub groups: Vec<String>,
    pub role: String,
}

impl Person {
    /// Returns the claims of these scopes and names, with `sub`.
    pub fn claims(&self, scopes: &Scopes, named: &[String]) -> Map<String, Value> {
        let wanted = |claim: &str| {
            scope_of(claim).is_some_and(|scope| scopes.contains(scope)) || named.iter().any(|name| name == claim)
        };
        let mut claims = Map::new();
        claims.insert("sub".to_owned(), self.sub.clone().into());
        if wanted("preferred_username") {
            claims.insert("preferred_username".to_owned(), self.username.clone().into());
        }
        if wanted("name") {
            claims.insert("name".to_owned(), self.name.clone().into());
        }
        if let Some(email) = &self.email {
            if wanted("email") {
                claims.insert("email".to_owned(), email.clone().into());
            }
            if wanted("email_verified") {
                claims.insert("email_verified".to_owned(), self.email_verified.into());
            }
        }
        if wanted("groups") {
            claims.insert("groups".to_owned(), self.groups.clone().into());
        }
        if wanted("roles") {
            claims.insert("roles".to_owned(), vec![self.role.clone()].into());
        }
        claims
    }
}

/// Returns the scope whose data a claim belongs to. `None`: it belongs to the sign-in and not to a scope.
fn scope_of(claim: &str) -> Option<&'static str> {
    match claim {
        "name" | "preferred_username" | "updated_at" => Some(PROFILE),
        "email" | "email_verified" => Some(EMAIL),
        "groups" | "roles" => Some(GROUPS),
        _ => None,
    }
}

/// Returns the scopes whose data these claims give.
pub fn scopes_of<'a>(names: impl IntoIterator<Item = &'a String>) -> Scopes {
    names.into_iter().filter_map(|name| scope_of(name)).collect()
}

impl Client {
    /// Returns the claims by name that this client may have: those of its scopes, and those of the sign-in. Others are
    /// left out (OpenID Connect Core, section 5.5).
    pub fn allowed_claims(&self, names: &[String]) -> Vec<String> {
        let allowed = self.allowed(&scopes_of(names));
        let may_have = |name: &&String| scope_of(name).is_none_or(|scope| allowed.contains(scope));
        names.iter().filter(may_have).cloned().collect()
    }
}

/// The `claims` parameter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClaimsRequest {
    pub userinfo: Vec<String>,
    pub id_token: Vec<String>,
    subject: Option<String>,
    essential_acr: Option<Vec<String>>,
}

impl ClaimsRequest {
    /// Reads the parameter. Unknown names are dropped. `None`: it has another form.
    pub fn parse(text: &str) -> Option<Self> {
        let Value::Object(members) = serde_json::from_str(text).ok()? else { return None };
        let part = |name: &str| match members.get(name) {
            None | Some(Value::Null) => Some(Map::new()),
            Some(Value::Object(claims)) => Some(claims.clone()),
            Some(_) => None,
        };
        let (userinfo, id_token) = (part("userinfo")?, part("id_token")?);
        let well_formed = |claim: &Value| matches!(claim, Value::Null | Value::Object(_));
        if !userinfo.values().chain(id_token.values()).all(well_formed) {
            return None;
        }
        let known = |claims: &Map<String, Value>| {
            let names: BTreeSet<_> = claims.keys().filter(|name| SUPPORTED.contains(&name.as_str())).cloned().collect();
            names.into_iter().collect()
        };
        let of = |claims: &Map<String, Value>, claim: &str| claims.get(claim).and_then(Value::as_object).cloned();
        let subject = of(&id_token, "sub").or_else(|| of(&userinfo, "sub"));
        let acr = of(&id_token, "acr").filter(|acr| acr.get("essential") == Some(&Value::Bool(true)));
        Some(Self {
            subject: subject.and_then(|sub| sub.get("value")?.as_str().map(str::to_owned)),
            essential_acr: acr.map(|acr| values(&acr)).filter(|values| !values.is_empty()),
            userinfo: known(&userinfo),
            id_token: known(&id_token),
        })
    }

    /// Leaves out the claims that the client may not have.
    #[must_use]
    pub fn allowed_to(self, client: &Client) -> Self {
        let (userinfo, id_token) = (client.allowed_claims(&self.userinfo), client.allowed_claims(&self.id_token));
        Self { userinfo, id_token, ..self }
    }

    /// Returns the person that the client asks for.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// Whether a sign-in with this `acr` reaches one of the levels that the client requires. A higher level reaches a lower
    /// one.
    pub fn is_reached_by(&self, acr: Option<&str>) -> bool {
        self.essential_acr.is_none() || acr.is_some_and(|acr| self.named_acr(acr).is_some())
    }

    /// Returns the strongest level that the client requires and that a sign-in with this `acr` reaches.
    pub fn named_acr(&self, reached: &str) -> Option<&str> {
        strongest_reached(self.essential_acr.as_deref().unwrap_or_default(), reached)
    }
}

/// Returns the strongest of these levels that a sign-in with this `acr` reaches.
pub(crate) fn strongest_reached<'a>(levels: &'a [String], acr: &str) -> Option<&'a str> {
    let reached = Requirement::of_acr(acr)?;
    let levels = levels.iter().filter_map(|value| Some((Requirement::of_acr(value)?, value)));
    levels.filter(|(level, _)| *level <= reached).max_by_key(|(level, _)| *level).map(|(_, value)| value.as_str())
}

fn values(claim: &Map<String, Value>) -> Vec<String> {
    let one = claim.get("value").and_then(Value::as_str).map(str::to_owned);
    let more = claim.get("values").and_then(Value::as_array).into_iter().flatten();
    one.into_iter().chain(more.filter_map(|value| value.as_str().map(str::to_owned))).collect()
}
