//! Authorization requests: accepted ones, errors for the person, and errors for the client.
#![expect(clippy::expect_used, reason = "a test that fails says so")]

use domain::UnixSeconds;
use domain::second_factor::Requirement;
use oidc::authorize::{AuthorizationRequest, Redirected, Refusal, Response, ResponseMode};
use oidc::client::Pkce;
use oidc::error::{ErrorCode, OAuthError};
use oidc::step::{SessionFacts, Step, next};
use oidc::{Client, ClientSettings, ClientSource, Params, Scopes};
use serde_json::json;

const URI: &str = "https://app.example/callback";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn settings() -> ClientSettings {
    serde_json::from_value(json!({"id": "app", "redirect_uris": [URI]})).expect("settings")
}

fn client(change: impl FnOnce(&mut ClientSettings)) -> Client {
    let mut settings = settings();
    change(&mut settings);
    let secret = oidc::client::secret_hash("secret");
    Client::new(settings, &[secret], ClientSource::Settings).expect("a client")
}

fn query(changes: &[(&str, &str)]) -> Params {
    let mut pairs = vec![
        ("client_id", "app"),
        ("redirect_uri", URI),
        ("response_type", "code"),
        ("scope", "openid"),
        ("state", "s"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in changes {
        pairs.retain(|(own, _)| own != name);
        pairs.push((name, value));
    }
    Params::parse(oidc::params::with_query("", &pairs).trim_start_matches('?'))
}

fn judge(client: &Client, changes: &[(&str, &str)]) -> Result<AuthorizationRequest, Refusal> {
    AuthorizationRequest::judge(&query(changes), client, false, &[]).map_err(|refusal| *refusal)
}

fn redirected(client: &Client, changes: &[(&str, &str)]) -> Redirected {
    match judge(client, changes) {
        Err(Refusal::Redirected(redirected)) => redirected,
        other => panic!("{changes:?}: {other:?}"),
    }
}

#[test]
fn a_plain_request_is_accepted() {
    let request = judge(&client(|_| {}), &[]).expect("accepted");
    assert_eq!((request.redirect_uri.as_str(), request.state.as_deref()), (URI, Some("s")));
    assert_eq!(request.response_mode, ResponseMode::Query);
    assert_eq!(request.code_challenge.as_deref(), Some(CHALLENGE));
}

#[test]
fn errors_before_the_redirect_uri_is_certain_are_shown() {
    let client = client(|_| {});
    for changes in [[("redirect_uri", "https://app.example/callback/")], [("redirect_uri", "")]] {
        let Err(Refusal::Shown(shown)) = judge(&client, &changes) else { panic!("{changes:?}") };
        let registered = ("Registered redirect_uri", URI.to_owned());
        assert!(shown.facts.contains(&registered), "{shown:?}");
    }
    let Err(Refusal::Shown(shown)) = judge(&client, &[("redirect_uri", "https://evil.example/")]) else { panic!() };
    assert!(shown.facts.contains(&("Presented redirect_uri", "https://evil.example/".to_owned())), "both values");
    let twice = Params::parse(&format!("client_id=app&redirect_uri={URI}&redirect_uri={URI}&response_type=code"));
    assert!(matches!(AuthorizationRequest::judge(&twice, &client, false, &[]).map_err(|e| *e), Err(Refusal::Shown(_))));
}

#[test]
fn errors_of_the_request_go_to_the_client_with_state_and_issuer() {
    let client = client(|_| {});
    for (changes, code) in [
        (vec![("response_type", "")], ErrorCode::InvalidRequest),
        (vec![("response_type", "token")], ErrorCode::UnsupportedResponseType),
        (vec![("response_type", "id_token")], ErrorCode::UnsupportedResponseType),
        (vec![("response_type", "code id_token")], ErrorCode::UnsupportedResponseType),
        (vec![("response_mode", "fragment")], ErrorCode::InvalidRequest),
        (vec![("scope", "")], ErrorCode::InvalidScope),
        (vec![("scope", "unheard-of")], ErrorCode::InvalidScope),
        (vec![("request", "eyJ")], ErrorCode::RequestNotSupported),
        (vec![("request_uri", "https://app.example/request")], ErrorCode::RequestUriNotSupported),
        (vec![("registration", "{}")], ErrorCode::RegistrationNotSupported),
        (vec![("prompt", "none login")], ErrorCode::InvalidRequest),
        (vec![("prompt", "wink")], ErrorCode::InvalidRequest),
        (vec![("max_age", "-1")], ErrorCode::InvalidRequest),
        (vec![("max_age", "soon")], ErrorCode::InvalidRequest),
        (vec![("claims", "[]")], ErrorCode::InvalidRequest),
        (vec![("claims", "{\"id_token\":7}")], ErrorCode::InvalidRequest),
        (vec![("dpop_jkt", "short")], ErrorCode::InvalidRequest),
        (vec![("resource", "https://api.example")], ErrorCode::InvalidTarget),
        (vec![("code_challenge", "short")], ErrorCode::InvalidRequest),
    ] {
        let refused = redirected(&client, &changes);
        assert_eq!(refused.error.code, code, "{changes:?}");
        assert_eq!(refused.to.state.as_deref(), Some("s"));
        let uri = Response::error(refused.to, &refused.error, "https://auth.example").query_uri();
        assert!(uri.starts_with(&format!("{URI}?error={}&", code.as_str())), "{uri}");
        assert!(uri.contains("&state=s&iss=https%3A%2F%2Fauth.example"), "{uri}");
    }
}

/// The developer of the app sees what the request says and what would be right.
#[test]
fn a_refusal_has_both_values() {
    let limited = client(|settings| {
        settings.scopes = vec!["openid".to_owned(), "email".to_owned()];
        settings.resources = vec!["https://api.example".to_owned()];
    });
    for (name, value, expected) in [
        ("response_type", "token", ("Supported response_type", "code")),
        ("response_mode", "fragment", ("Supported response_mode", "query, form_post")),
        ("scope", "profile groups", ("Allowed scope", "email openid")),
        ("resource", "https://other.example", ("Registered resource", "https://api.example")),
        ("code_challenge_method", "plain", ("Supported code_challenge_method", "S256")),
        ("prompt", "none login", ("Supported prompt", "none; or login, consent and select_account")),
    ] {
        let refused = redirected(&limited, &[(name, value)]);
        let values = |wanted: &str| {
            let of = refused.facts.iter().filter(|(fact, _)| *fact == wanted);
            of.map(|(_, value)| value.clone()).collect::<Vec<_>>()
        };
        assert_eq!(values(&format!("Presented {name}")), [value], "{name}");
        assert_eq!(values(expected.0), [expected.1], "{name}");
        assert!(!refused.error.description.contains(value) || name == "resource", "a link puts no text into the app");
    }
    let Err(Refusal::Shown(shown)) = judge(&limited, &[("redirect_uri", "https://app.example/")]) else { panic!() };
    let words = shown.in_words().description;
    assert!(
        words.ends_with(&format!("; Presented redirect_uri: https://app.example/; Registered redirect_uri: {URI}"))
    );
}

#[test]
fn attack_pkce_cannot_be_left_out_or_weakened() {
    let strict = client(|_| {});
    let no_pkce = [("code_challenge", ""), ("code_challenge_method", "")];
    assert_eq!(redirected(&strict, &no_pkce).error.code, ErrorCode::InvalidRequest);
    for method in ["plain", "", "s256"] {
        let changes = [("code_challenge_method", method)];
        assert_eq!(redirected(&strict, &changes).error.code, ErrorCode::InvalidRequest, "{method}");
    }
    let old = client(|settings| settings.pkce = Pkce::Optional);
    assert_eq!(judge(&old, &no_pkce).expect("allowed").code_challenge, None);
    assert_eq!(redirected(&old, &[("code_challenge_method", "plain")]).error.code, ErrorCode::InvalidRequest);
    let public = Client::new(ClientSettings { pkce: Pkce::Optional, ..settings() }, &[], ClientSource::Settings);
    assert_eq!(public.expect_err("a public client needs PKCE").setting, "pkce");
}

#[test]
fn a_repeated_parameter_is_refused() {
    let text = query(&[]).encode_without(&[]);
    for name in ["state", "nonce", "scope", "unknown"] {
        let params = Params::parse(&format!("{text}&{name}=a&{name}=b"));
        let refused = AuthorizationRequest::judge(&params, &client(|_| {}), false, &[]).map_err(|refusal| *refusal);
        let Err(Refusal::Redirected(refused)) = refused else { panic!("{name}: {refused:?}") };
        assert_eq!(refused.error.code, ErrorCode::InvalidRequest);
    }
}

#[test]
fn unknown_parameters_and_scopes_are_ignored() {
    let request = judge(&client(|_| {}), &[("scope", "phone openid more address"), ("extra", "1")]).expect("accepted");
    assert_eq!(request.scopes, Scopes::parse("address openid phone"));
    let limited = client(|settings| settings.scopes = vec!["openid".to_owned(), "email".to_owned()]);
    let request = judge(&limited, &[("scope", "openid email groups")]).expect("accepted");
    assert_eq!(request.scopes, Scopes::parse("openid email"));
}

#[test]
fn a_client_that_must_push_its_requests_does() {
    let client = client(|settings| settings.require_par = true);
    assert_eq!(redirected(&client, &[]).error.code, ErrorCode::InvalidRequest);
    assert!(AuthorizationRequest::judge(&query(&[]), &client, true, &[]).is_ok());
}

const NOW: UnixSeconds = UnixSeconds::from_seconds(1_000_000);

fn facts(auth_time: UnixSeconds) -> SessionFacts<'static> {
    SessionFacts {
        user: Some("u1"),
        auth_time,
        acr: Some("urn:postern:acr:1"),
        groups: vec!["user"],
        reachable: Requirement::Optional,
        agreed: None,
    }
}

fn step(
    changes: &[(&str, &str)],
    session: Option<&SessionFacts<'_>>,
    sent: Option<UnixSeconds>,
    hint: Option<&str>,
) -> Step {
    let client = client(|_| {});
    next(&judge(&client, changes).expect("accepted"), &client, session, sent, hint, NOW)
}

fn refused(step: &Step) -> Option<ErrorCode> {
    match step {
        Step::Refuse(OAuthError { code, .. }) => Some(*code),
        _ => None,
    }
}

#[test]
fn signed_in_already_means_an_answer_at_once() {
    assert_eq!(step(&[], Some(&facts(NOW - 9_999)), None, None), Step::Answer);
    assert_eq!(step(&[], None, None, None), Step::SignIn { again: false });
    assert_eq!(step(&[("prompt", "none")], Some(&facts(NOW)), None, None), Step::Answer);
    assert_eq!(refused(&step(&[("prompt", "none")], None, None, None)), Some(ErrorCode::LoginRequired));
}

#[test]
fn prompt_and_max_age_make_the_person_sign_in_again() {
    let session = facts(NOW - 100);
    let again = Step::SignIn { again: true };
    assert_eq!(step(&[("prompt", "login")], Some(&session), None, None), again);
    assert_eq!(step(&[("prompt", "select_account")], Some(&session), None, None), again);
    assert_eq!(step(&[("prompt", "login")], Some(&session), Some(NOW - 100), None), Step::Answer);
    assert_eq!(step(&[("prompt", "login")], Some(&session), Some(NOW - 70), None), Step::Answer, "a slow clock");
    assert_eq!(step(&[("prompt", "login")], Some(&session), Some(NOW - 69), None), again, "an older sign-in");
    assert_eq!(step(&[("max_age", "99")], Some(&session), None, None), again);
    assert_eq!(step(&[("max_age", "100")], Some(&session), None, None), Step::Answer);
    assert_eq!(step(&[("max_age", "10000")], Some(&session), None, None), Step::Answer);
    let quietly = step(&[("max_age", "1"), ("prompt", "none")], Some(&session), None, None);
    assert_eq!(refused(&quietly), Some(ErrorCode::LoginRequired));
}

#[test]
fn another_person_than_the_hint_names_signs_in() {
    let session = facts(NOW);
    assert_eq!(step(&[], Some(&session), None, Some("u1")), Step::Answer);
    assert_eq!(step(&[], Some(&session), None, Some("u2")), Step::SignIn { again: true });
    assert_eq!(refused(&step(&[], Some(&session), Some(NOW), Some("u2"))), Some(ErrorCode::LoginRequired));
    let quietly = step(&[("prompt", "none")], Some(&session), None, Some("u2"));
    assert_eq!(refused(&quietly), Some(ErrorCode::LoginRequired));
    let claims = r#"{"id_token":{"sub":{"value":"u2"}}}"#;
    assert_eq!(step(&[("claims", claims)], Some(&session), None, None), Step::SignIn { again: true });
}

#[test]
fn people_are_asked_once_for_each_scope() {
    let asking = client(|settings| settings.consent = Some(true));
    let with = |scope: &str, agreed: Option<&str>, prompt: &str| {
        let session = SessionFacts { agreed: agreed.map(Scopes::parse), ..facts(NOW) };
        let request = judge(&asking, &[("scope", scope), ("prompt", prompt)]).expect("accepted");
        next(&request, &asking, Some(&session), None, None, NOW)
    };
    assert_eq!(with("openid", None, ""), Step::Ask);
    assert_eq!(with("openid", Some("openid email"), ""), Step::Answer);
    assert_eq!(with("openid email", Some("openid"), ""), Step::Ask);
    assert_eq!(with("openid", Some("openid"), "consent"), Step::Ask);
    assert_eq!(refused(&with("openid", None, "none")), Some(ErrorCode::ConsentRequired));
    assert_eq!(with("openid", Some("openid"), "none"), Step::Answer);
}

#[test]
fn people_are_asked_each_time_by_public_clients_on_their_device() {
    let uris = ["http://127.0.0.1/callback", "http://localhost/callback", "com.example.app:/callback", URI];
    let native = |secrets: &[String]| {
        let settings: ClientSettings =
            serde_json::from_value(json!({"id": "app", "redirect_uris": uris})).expect("settings");
        Client::new(settings, secrets, ClientSource::Settings).expect("a client")
    };
    let (public, confidential) = (native(&[]), native(&[oidc::client::secret_hash("secret")]));
    let session = SessionFacts { agreed: Some(Scopes::parse("openid")), ..facts(NOW) };
    let with = |client: &Client, uri: &str, prompt: &str| {
        let request = judge(client, &[("redirect_uri", uri), ("prompt", prompt)]).expect("accepted");
        next(&request, client, Some(&session), None, None, NOW)
    };
    for uri in ["http://127.0.0.1:49152/callback", "http://localhost:49152/callback", "com.example.app:/callback"] {
        assert_eq!(with(&public, uri, ""), Step::Ask, "{uri}");
        assert_eq!(refused(&with(&public, uri, "none")), Some(ErrorCode::ConsentRequired), "{uri}");
        assert_eq!(with(&confidential, uri, ""), Step::Answer, "{uri}");
    }
    assert_eq!(with(&public, URI, ""), Step::Answer);
}

#[test]
fn a_claim_by_name_counts_as_its_scope() {
    let claims = r#"{"id_token":{"email":null,"acr":null,"sub":null},"userinfo":{"groups":null,"auth_time":null}}"#;
    let changes = [("claims", claims)];
    let request = judge(&client(|_| {}), &changes).expect("accepted");
    assert_eq!(
        (&request.scopes, request.consent_scopes()),
        (&Scopes::parse("openid"), Scopes::parse("email groups openid"))
    );
    let limited = client(|settings| settings.scopes = vec!["openid".to_owned(), "groups".to_owned()]);
    let request = judge(&limited, &changes).expect("accepted");
    assert_eq!(request.consent_scopes(), Scopes::parse("groups openid"));
    assert_eq!(request.claims.id_token, ["acr", "sub"], "the claims of the sign-in need no scope");
    assert_eq!(request.claims.userinfo, ["auth_time", "groups"]);
    let asking = client(|settings| settings.consent = Some(true));
    let request = judge(&asking, &changes).expect("accepted");
    for (agreed, step) in [("openid", Step::Ask), ("openid email groups", Step::Answer)] {
        let session = SessionFacts { agreed: Some(Scopes::parse(agreed)), ..facts(NOW) };
        assert_eq!(next(&request, &asking, Some(&session), None, None, NOW), step, "{agreed}");
    }
}

#[test]
fn a_higher_level_reaches_a_lower_one() {
    for (asked, acr, named) in [
        (r#"["urn:postern:acr:1"]"#, "urn:postern:acr:phr", Some("urn:postern:acr:1")),
        (r#"["urn:postern:acr:2"]"#, "urn:postern:acr:phr", Some("urn:postern:acr:2")),
        (r#"["urn:postern:acr:1","urn:postern:acr:2"]"#, "urn:postern:acr:2", Some("urn:postern:acr:2")),
        (r#"["urn:other","urn:postern:acr:1"]"#, "urn:postern:acr:2", Some("urn:postern:acr:1")),
        (r#"["urn:postern:acr:phr"]"#, "urn:postern:acr:2", None),
        (r#"["urn:other"]"#, "urn:postern:acr:phr", None),
        (r#"["urn:postern:acr:1"]"#, "urn:other", None),
    ] {
        let claims = format!(r#"{{"id_token":{{"acr":{{"essential":true,"values":{asked}}}}}}}"#);
        let request = judge(&client(|_| {}), &[("claims", &claims)]).expect("accepted");
        assert_eq!(request.claims.is_reached_by(Some(acr)), named.is_some(), "{asked} {acr}");
        assert!(!request.claims.is_reached_by(None));
        assert_eq!(request.named_acr(acr), named.unwrap_or(acr));
    }
    let request = judge(&client(|_| {}), &[]).expect("accepted");
    assert!(request.claims.is_reached_by(None), "no level is required");
    assert_eq!(request.named_acr("urn:postern:acr:phr"), "urn:postern:acr:phr");
}

#[test]
fn voluntary_levels_ask_for_a_factor_that_the_account_has() {
    let (one, two, phr) = ("urn:postern:acr:1", "urn:postern:acr:2", "urn:postern:acr:phr");
    let low = facts(NOW);
    let with_codes = SessionFacts { reachable: Requirement::Required, ..facts(NOW) };
    let stepped =
        |values: &str, session: &SessionFacts<'_>, sent| step(&[("acr_values", values)], Some(session), sent, None);
    assert_eq!(stepped(two, &with_codes, None), Step::StepUp);
    assert_eq!(stepped(two, &with_codes, Some(NOW)), Step::Answer, "asked once");
    assert_eq!(stepped(two, &low, None), Step::Answer, "the account has no factor");
    assert_eq!(stepped(phr, &with_codes, None), Step::Answer, "nor a passkey");
    assert_eq!(stepped(&format!("{two} {one}"), &with_codes, None), Step::Answer, "each of them is enough");
    assert_eq!(stepped("urn:other", &with_codes, None), Step::Answer);
    let quiet = step(&[("acr_values", two), ("prompt", "none")], Some(&with_codes), None, None);
    assert_eq!(quiet, Step::Answer);
    let request = judge(&client(|_| {}), &[("acr_values", &format!("{one} {two}"))]).expect("accepted");
    for (reached, named) in [(one, one), (two, two), (phr, two)] {
        assert_eq!(request.named_acr(reached), named, "{reached}");
    }
}

#[test]
fn access_by_group_and_by_level() {
    let staff = client(|settings| settings.groups = vec!["staff".to_owned()]);
    let request = judge(&staff, &[]).expect("accepted");
    let refusal = next(&request, &staff, Some(&facts(NOW)), None, None, NOW);
    assert_eq!(refused(&refusal), Some(ErrorCode::AccessDenied));
    let member = SessionFacts { groups: vec!["user", "staff"], ..facts(NOW) };
    assert_eq!(next(&request, &staff, Some(&member), None, None, NOW), Step::Answer);
    let member = SessionFacts { groups: vec!["user", "Staff"], ..facts(NOW) };
    assert_eq!(next(&request, &staff, Some(&member), None, None, NOW), Step::Answer, "case makes no other group");

    let claims = r#"{"id_token":{"acr":{"essential":true,"values":["urn:postern:acr:2"]}}}"#;
    let low = step(&[("claims", claims)], Some(&facts(NOW)), None, None);
    assert_eq!(low, Step::StepUp, "a second factor may be missing");
    let low = step(&[("claims", claims)], Some(&facts(NOW)), Some(NOW), None);
    assert_eq!(refused(&low), Some(ErrorCode::UnmetAuthenticationRequirements), "and still is");
    let quiet = step(&[("claims", claims), ("prompt", "none")], Some(&facts(NOW)), None, None);
    assert_eq!(refused(&quiet), Some(ErrorCode::UnmetAuthenticationRequirements));
    let voluntary = r#"{"id_token":{"acr":{"values":["urn:postern:acr:2"]}}}"#;
    assert_eq!(step(&[("claims", voluntary)], Some(&facts(NOW)), None, None), Step::Answer);

    let strict = client(|settings| settings.second_factor = Requirement::Required);
    let request = judge(&strict, &[]).expect("accepted");
    for (acr, first) in [
        (Some("urn:postern:acr:1"), Step::StepUp),
        (None, Step::StepUp),
        (Some("urn:postern:acr:2"), Step::Answer),
        (Some("urn:postern:acr:phr"), Step::Answer),
    ] {
        let session = SessionFacts { acr, ..facts(NOW) };
        assert_eq!(next(&request, &strict, Some(&session), None, None, NOW), first, "{acr:?}");
    }
    let closed = client(|settings| {
        settings.second_factor = Requirement::Required;
        settings.groups = vec!["staff".to_owned()];
    });
    let refusal = next(&request, &closed, Some(&facts(NOW)), None, None, NOW);
    assert_eq!(refused(&refusal), Some(ErrorCode::AccessDenied), "nobody signs in again for nothing");
}

#[test]
fn a_form_is_posted_to_http_addresses_only() {
    let native = "com.example.app:/callback";
    let client = client(|settings| settings.redirect_uris = vec![native.to_owned(), URI.to_owned()]);
    let refused = redirected(&client, &[("redirect_uri", native), ("response_mode", "form_post")]);
    assert_eq!((refused.error.code, refused.to.mode), (ErrorCode::InvalidRequest, ResponseMode::Query));
    assert!(judge(&client, &[("redirect_uri", native)]).is_ok());
    let posted = judge(&client, &[("response_mode", "form_post")]).expect("accepted");
    assert_eq!(posted.response_mode, ResponseMode::FormPost);
}
