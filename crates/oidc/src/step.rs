//! The next step of an authorization request: sign in, ask, answer or refuse.

use crate::authorize::AuthorizationRequest;
use crate::client::Client;
use crate::error::{ErrorCode, OAuthError};
use crate::scope::Scopes;
use domain::UnixSeconds;
use domain::second_factor::Requirement;

/// How far the clocks of two nodes may differ.
const SKEW_SECONDS: i64 = 30;

/// The part of a session that the decision needs.
#[derive(Debug, Clone)]
pub struct SessionFacts<'a> {
    /// The `sub` of its person. `None`: the client has never got one.
    pub user: Option<&'a str>,
    /// When the person signed in.
    pub auth_time: UnixSeconds,
    /// The level of the sign-in.
    pub acr: Option<&'a str>,
    /// Roles and groups of the person.
    pub groups: Vec<&'a str>,
    /// The strictest level that the person's factors can reach.
    pub reachable: Requirement,
    /// The scopes that the person agreed to for this client, if any.
    pub agreed: Option<Scopes>,
}

/// The next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The person must sign in. `again`: although a session exists.
    SignIn { again: bool },
    /// The person must sign in with a second factor, although a session exists.
    StepUp,
    /// The person must be asked.
    Ask,
    /// A code may be issued.
    Answer,
    /// The client gets an error.
    Refuse(OAuthError),
}

/// Decides the next step.
///
/// `sent_to_sign_in`: the time at which this very request sent the person to sign in, if it did. `hint`: the `sub` of
/// the request's valid `id_token_hint`.
pub fn next(
    request: &AuthorizationRequest,
    client: &Client,
    session: Option<&SessionFacts<'_>>,
    sent_to_sign_in: Option<UnixSeconds>,
    hint: Option<&str>,
    now: UnixSeconds,
) -> Step {
    let refuse = |code, text: &str| Step::Refuse(OAuthError::new(code, text));
    let sign_in = |again| {
        if request.prompt.none {
            refuse(ErrorCode::LoginRequired, "the person must sign in first")
        } else {
            Step::SignIn { again }
        }
    };
    let Some(session) = session else { return sign_in(false) };
    let wanted = request.claims.subject().or(hint);
    let other_person = wanted.is_some_and(|sub| Some(sub) != session.user);
    // A request that sent the person to sign in is satisfied by a sign-in since then, perhaps at a node whose clock is slow.
    let has_just = sent_to_sign_in.is_some_and(|sent| session.auth_time >= sent - SKEW_SECONDS);
    let too_old = request.max_age.is_some_and(|max_age| now.since(session.auth_time) > max_age);
    if (request.prompt.login || too_old || other_person) && !has_just {
        return sign_in(true);
    }
    if other_person {
        return refuse(ErrorCode::LoginRequired, "another person has signed in than the one that was asked for");
    }
    if !client.admits(session.groups.iter().copied()) {
        return refuse(ErrorCode::AccessDenied, "this account may not use the app");
    }
    if !request.claims.is_reached_by(session.acr) || !client.settings.second_factor.is_met_by_acr(session.acr) {
        if !has_just && !request.prompt.none {
            return Step::StepUp;
        }
        let text =
            "the sign-in does not reach the level that the app needs: set up a second factor on the account page";
        return refuse(ErrorCode::UnmetAuthenticationRequirements, text);
    }
    // These levels are voluntary, so nobody is asked for a factor that the account does not have.
    let wanted_level = request.wanted_level().filter(|level| !level.is_met_by_acr(session.acr));
    if wanted_level.is_some_and(|level| level <= session.reachable) && !has_just && !request.prompt.none {
        return Step::StepUp;
    }
    let agreed = session.agreed.as_ref().is_some_and(|agreed| request.consent_scopes().is_within(agreed));
    let always = client.may_be_impersonated_at(&request.redirect_uri);
    if request.prompt.consent || always || (client.asks_consent() && !agreed) {
        if request.prompt.none {
            let text = if always {
                "people are asked each time, because another program on their device could pass for this app"
            } else {
                "the person has not agreed to these scopes and claims yet"
            };
            return refuse(ErrorCode::ConsentRequired, text);
        }
        return Step::Ask;
    }
    Step::Answer
}
