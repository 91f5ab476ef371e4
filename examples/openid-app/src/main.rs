//! Signs a person in with the crate openidconnect: the code of docs/clients/openidconnect.md, which a test compares.

mod http;

use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata, CoreUserInfoClaims};
use openidconnect::url::Url;
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken, IssuerUrl, Nonce, OAuth2TokenResponse,
    PkceCodeChallenge, RedirectUrl, Scope, TokenResponse,
};
use std::collections::HashMap;
use std::error::Error;
use std::{env, io};

fn main() -> Result<(), Box<dyn Error>> {
    let var = |name| env::var(name).map_err(|_| format!("{name} is not set"));
    let issuer = IssuerUrl::new(var("ISSUER")?)?; // "https://auth.example.com"
    let metadata = CoreProviderMetadata::discover(&issuer, &http::send)?;
    let secret = ClientSecret::new(var("CLIENT_SECRET")?);
    let client = CoreClient::from_provider_metadata(metadata, ClientId::new("rust-app".to_owned()), Some(secret))
        .set_redirect_uri(RedirectUrl::new(var("REDIRECT_URI")?)?); // "https://app.example.com/callback"

    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let flow = CoreAuthenticationFlow::AuthorizationCode;
    let (url, state, nonce) = client
        .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
        .add_scopes(["profile", "email", "offline_access"].map(|scope| Scope::new(scope.to_owned())))
        .set_pkce_challenge(challenge)
        .url();
    println!("{url}");

    // The address that the browser comes back to.
    let back = Url::parse(io::stdin().lines().next().ok_or("nobody came back")??.trim())?;
    let returned: HashMap<_, _> = back.query_pairs().into_owned().collect();
    if returned.get("state") != Some(state.secret()) {
        return Err("the answer is not for this request".into());
    }
    let code = AuthorizationCode::new(returned.get("code").ok_or("no code")?.clone());
    let tokens = client.exchange_code(code)?.set_pkce_verifier(verifier).request(&http::send)?;
    let id_token = tokens.id_token().ok_or("no ID token")?;
    let verifier = client.id_token_verifier();
    let claims = id_token.claims(&verifier, &nonce)?;
    if let Some(expected) = claims.access_token_hash() {
        let key = id_token.signing_key(&verifier)?;
        let hash = AccessTokenHash::from_token(tokens.access_token(), id_token.signing_alg()?, key)?;
        if hash != *expected {
            return Err("the access token is not the one of the ID token".into());
        }
    }

    let subject = claims.subject().clone();
    let person: CoreUserInfoClaims =
        client.user_info(tokens.access_token().clone(), Some(subject))?.request(&http::send)?;
    println!("{}", person.preferred_username().ok_or("no name")?.as_str());

    let refresh_token = tokens.refresh_token().ok_or("no refresh token")?;
    let renewed = client.exchange_refresh_token(refresh_token)?.request(&http::send)?;
    println!("renewed for {} seconds", renewed.expires_in().ok_or("no lifetime")?.as_secs());
    Ok(())
}
