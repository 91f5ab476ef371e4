//! The second factors that a site or an app requires, for sessions that exist.
//!
//! A session that does not meet the requirement of its account reaches the pages and paths that set a factor up or
//! prove one, and nothing else. The stored row decides: another node may have renewed it a moment ago.

use crate::api_error::ApiError;
use crate::state::CoreState;
use crate::tokens::AccessTokenClaims;
use domain::account::Role;
use domain::authentication::Methods;
use domain::ids::UserId;
use domain::profile::GroupName;
use domain::second_factor::{FactorStep, Factors, ProofKind, Requirement};
use store::sessions::SessionRow;
use wire::paths;
use wire::problem::Code;

/// A requirement that a session does not meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissingFactor {
    pub required: Requirement,
    factors: Factors,
    methods: Methods,
}

impl MissingFactor {
    /// Builds the answer to a program. Without `proofs`, a factor must be set up first.
    pub fn refusal(self, state: &CoreState) -> ApiError {
        let kinds = match self.required {
            _ if !self.can_be_proven() => Vec::new(),
            Requirement::Passkey => vec![ProofKind::Passkey],
            Requirement::Optional | Requirement::Required => self.factors.kinds(),
        };
        let error = ApiError::insufficient_user_authentication(&kinds).at_level(self.required.acr());
        if kinds.is_empty() {
            let page = format!("{}{}", state.config.origin, paths::ENROL_PAGE);
            error.with_detail(format!("This account needs a {}. Set it up first: {page}", name(self.required)))
        } else {
            error
        }
    }

    /// Whether the account has a factor that would be sufficient.
    pub fn can_be_proven(self) -> bool {
        self.required.can_be_met_with(self.factors)
    }

    /// Whether the person should sign in with that factor next. A person who has proven two factors and lacks a passkey may
    /// have lost it. The page that adds one comes next, because sign-in would ask again and again.
    pub fn is_for_sign_in(self) -> bool {
        self.can_be_proven() && !self.methods.are_two_factors()
    }
}

/// Returns the name of a requirement for people.
pub fn name(required: Requirement) -> &'static str {
    match required {
        Requirement::Optional | Requirement::Required => "second factor",
        Requirement::Passkey => "passkey",
    }
}

/// Whether a path sets a factor up or proves one. Signing out and renewing a session read no access token.
fn is_for_factors(path: &str) -> bool {
    matches!(path, paths::SESSION | paths::PASSKEYS | paths::CONFIRM | paths::NOTICES_READ)
        || path.starts_with("/api/passkeys/")
        || (path.starts_with("/api/account/") && path != paths::ACCOUNT_DELETE)
}

/// Refuses a request of a session that does not meet the requirement of its account.
///
/// # Errors
/// `insufficient_user_authentication` with the level; the store fails.
pub async fn check(state: &CoreState, claims: &AccessTokenClaims, path: &str) -> Result<(), ApiError> {
    if is_for_factors(path) {
        return Ok(());
    }
    match missing(state, claims).await? {
        Some(missing) => Err(missing.refusal(state)),
        None => Ok(()),
    }
}

/// Returns the requirement of its account that a session does not meet.
///
/// # Errors
/// The session has ended; the store fails.
pub async fn missing(state: &CoreState, claims: &AccessTokenClaims) -> Result<Option<MissingFactor>, ApiError> {
    // Methods are only ever added to a session, so its token says no more than the session reached.
    if state.config.factor_policy.strictest().is_met_by_acr(claims.acr.as_deref()) {
        return Ok(None);
    }
    let row = state.store.session(&claims.sid).await?.ok_or_else(|| ApiError::new(Code::NoSession))?;
    let required = of_account(state, &row.user, row.role).await?;
    lacks(state, &row, required).await
}

/// As [`missing`], with the requirement of an app or a client on top of the account's.
///
/// # Errors
/// The session has ended; the store fails.
pub async fn missing_for(
    state: &CoreState,
    claims: &AccessTokenClaims,
    required: Requirement,
) -> Result<Option<MissingFactor>, ApiError> {
    let own = missing(state, claims).await?;
    if own.is_none() && required.is_met_by_acr(claims.acr.as_deref()) {
        return Ok(None);
    }
    let row = state.store.session(&claims.sid).await?.ok_or_else(|| ApiError::new(Code::NoSession))?;
    lacks(state, &row, own.map_or(required, |own| own.required.max(required))).await
}

/// Returns the requirement of an account.
///
/// # Errors
/// The store fails.
pub async fn of_account(state: &CoreState, user: &UserId, role: Role) -> Result<Requirement, ApiError> {
    let policy = &state.config.factor_policy;
    let groups: Vec<GroupName> =
        if policy.groups.is_empty() { Vec::new() } else { state.store.profile(user).await?.unwrap_or_default().groups };
    Ok(policy.of(role, &groups))
}

/// Returns `required` if a session does not meet it.
///
/// # Errors
/// The store fails.
pub async fn lacks(
    state: &CoreState,
    row: &SessionRow,
    required: Requirement,
) -> Result<Option<MissingFactor>, ApiError> {
    if required.is_met_by(row.authentication.methods) {
        return Ok(None);
    }
    let (factors, methods) = (held(state, &row.user).await?, row.authentication.methods);
    let step = required.next_step(methods, factors);
    Ok((step != FactorStep::Met).then_some(MissingFactor { required, factors, methods }))
}

/// Returns the factors of an account, with the passkeys that work at this host.
///
/// # Errors
/// The store fails.
pub async fn held(state: &CoreState, user: &UserId) -> Result<Factors, ApiError> {
    Ok(state.store.factors(user, state.config.relying_party()).await?)
}

/// Returns the strictest requirement of apps and clients. Groups are not asked, because people join them later.
pub fn of_apps(state: &CoreState) -> Requirement {
    let apps = state.config.apps.iter().map(|app| app.rules.strictest().second_factor);
    let clients = state.clients.all(state.now()).into_iter().map(|client| client.settings.second_factor);
    apps.chain(clients).fold(Requirement::Optional, Requirement::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paths_that_set_a_factor_up_are_open() {
        for open in [
            "/api/passkeys",
            "/api/passkeys/options",
            "/api/account/totp/confirm",
            "/api/account/confirm",
            "/api/session",
        ] {
            assert!(is_for_factors(open), "{open}");
        }
        for shut in
            ["/api/account/delete", "/api/password", "/api/keys/user", "/api/admin/users", "/api/passkeysx", "/"]
        {
            assert!(!is_for_factors(shut), "{shut}");
        }
    }
}
