//! Token requests: credentials, codes, refreshes and opaque tokens.
#![expect(clippy::expect_used, reason = "a test that fails says so")]

use base64ct::{Base64, Encoding};
use domain::UnixMs;
use domain::UnixSeconds;
use domain::thumbprint::Thumbprint;
use oidc::access_token::{OpaqueToken, Targets};
use oidc::client_auth::{AssertionClaims, Credentials};
use oidc::error::ErrorCode;
use oidc::exchange::{
    CodeFacts, CodeVerdict, id_token_issued_at, judge_code, narrowed, still_allowed, still_named, targets,
};
use oidc::{Client, ClientSettings, ClientSource, Params, Scopes, pkce};
use proptest::prelude::*;
use serde_json::json;

const URI: &str = "https://app.example/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

fn time(ms: i64) -> UnixMs {
    UnixMs::from_millis(ms)
}

fn settings(id: &str) -> ClientSettings {
    serde_json::from_value(json!({"id": id, "redirect_uris": [URI]})).expect("settings")
}

fn client(id: &str) -> Client {
    Client::new(settings(id), &[oidc::client::secret_hash("s3cret+/=%")], ClientSource::Settings).expect("a client")
}

fn basic(text: &str) -> String {
    format!("Basic {}", Base64::encode_string(text.as_bytes()))
}

#[test]
fn both_ways_of_a_secret_are_accepted_by_each_client() {
    let client = client("app");
    for (header, form) in [
        (Some(basic("app:s3cret+/=%")), ""),
        (Some(basic("app:s3cret%2B%2F%3D%25")), "client_id=app"),
        (None, "client_id=app&client_secret=s3cret%2B%2F%3D%25"),
    ] {
        let read = Credentials::read(header.as_deref(), &Params::parse(form)).expect("read");
        assert_eq!(read.client_id(), "app");
        // A plus in Basic means a space if the client encodes, and itself if it does not.
        assert!(read.fit(&client), "{header:?} {form}");
    }
    let wrong = Credentials::read(None, &Params::parse("client_id=app&client_secret=wrong")).expect("read");
    assert!(!wrong.fit(&client));
}

#[test]
fn attack_a_confidential_client_cannot_be_impersonated_without_its_secret() {
    let client = client("app");
    let none = Credentials::read(None, &Params::parse("client_id=app")).expect("read");
    assert!(!none.fit(&client), "its id alone is public");
    let empty = Credentials::read(Some(&basic("app:")), &Params::parse("")).expect("read");
    assert!(!empty.fit(&client));
    let hash = Credentials::read(
        None,
        &Params::parse(&format!("client_id=app&client_secret={}", oidc::client::secret_hash("s3cret+/=%"))),
    );
    assert!(!hash.expect("read").fit(&client), "what is stored is no secret");
    let public = Client::new(settings("spa"), &[], ClientSource::Settings).expect("public");
    let with_secret = Credentials::read(None, &Params::parse("client_id=spa&client_secret=x")).expect("read");
    assert!(!with_secret.fit(&public));
}

#[test]
fn attack_a_client_with_keys_is_impersonated_with_its_old_secret() {
    let mut keyed = settings("app");
    keyed.jwks_uri = Some("https://app.example/keys.json".to_owned());
    let secrets = [oidc::client::secret_hash("s3cret+/=%")];
    let keyed = Client::new(keyed, &secrets, ClientSource::Administrator).expect("keyed");
    for (header, form) in
        [(None, "client_id=app&client_secret=s3cret%2B%2F%3D%25"), (Some(basic("app:s3cret+/=%")), "")]
    {
        let read = Credentials::read(header.as_deref(), &Params::parse(form)).expect("read");
        assert!(read.fit(&client("app")) && !read.fit(&keyed), "{form}");
    }
}

#[test]
fn two_ways_at_once_are_refused() {
    for (header, form, code) in [
        (Some(basic("app:s")), "client_secret=s&client_id=app", ErrorCode::InvalidRequest),
        (Some(basic("app:s")), "client_id=other", ErrorCode::InvalidRequest),
        (None, "client_secret=s", ErrorCode::InvalidRequest),
        (None, "", ErrorCode::InvalidClient),
        (None, "client_id=a&client_id=a", ErrorCode::InvalidRequest),
        (Some("Basic !!!".to_owned()), "", ErrorCode::InvalidClient),
        (None, "client_assertion=a.b.c&client_assertion_type=x", ErrorCode::InvalidRequest),
    ] {
        let error = Credentials::read(header.as_deref(), &Params::parse(form)).expect_err("refused");
        assert_eq!(error.code, code, "{header:?} {form}");
    }
}

#[test]
fn an_assertion_is_of_its_client_for_this_server_and_for_a_short_time() {
    let good = AssertionClaims {
        iss: "app".to_owned(),
        sub: "app".to_owned(),
        aud: json!(["https://auth.example/oauth/token"]),
        exp: UnixSeconds::from_seconds(1_060),
        nbf: None,
        jti: "1".to_owned(),
    };
    let audiences = ["https://auth.example", "https://auth.example/oauth/token"];
    let fits = |claims: &AssertionClaims| claims.are_of("app", &audiences, UnixSeconds::from_seconds(1_000));
    assert!(fits(&good));
    assert!(fits(&AssertionClaims { aud: json!("https://auth.example"), ..good.clone() }));
    assert!(fits(&AssertionClaims {
        nbf: Some(UnixSeconds::from_seconds(1_030)),
        exp: UnixSeconds::from_seconds(1_630),
        ..good.clone()
    }));
    for wrong in [
        AssertionClaims { iss: "other".to_owned(), ..good.clone() },
        AssertionClaims { sub: "other".to_owned(), ..good.clone() },
        AssertionClaims { aud: json!("https://evil.example"), ..good.clone() },
        AssertionClaims { aud: json!(7), ..good.clone() },
        AssertionClaims { aud: json!(["https://auth.example", "https://other.example"]), ..good.clone() },
        AssertionClaims { nbf: Some(UnixSeconds::from_seconds(1_031)), ..good.clone() },
        AssertionClaims { exp: UnixSeconds::from_seconds(970), ..good.clone() },
        AssertionClaims { exp: UnixSeconds::from_seconds(1_631), ..good.clone() },
        AssertionClaims { exp: UnixSeconds::MAX, ..good.clone() },
        AssertionClaims { exp: UnixSeconds::MIN, ..good.clone() },
        AssertionClaims { jti: String::new(), ..good.clone() },
    ] {
        assert!(!fits(&wrong), "{wrong:?}");
    }
}

fn code(challenge: Option<&str>) -> CodeFacts<'_> {
    CodeFacts {
        client: "app",
        redirect_uri: URI,
        code_challenge: challenge,
        dpop_jkt: None,
        expires_at: time(1_000),
        used: false,
    }
}

fn refusal(verdict: CodeVerdict) -> Option<ErrorCode> {
    match verdict {
        CodeVerdict::Refused(error) => Some(error.code),
        CodeVerdict::Good | CodeVerdict::Reused => None,
    }
}

#[test]
fn a_code_is_good_for_its_client_its_uri_and_its_verifier() {
    let challenge = pkce::challenge(VERIFIER);
    let (code, client) = (code(Some(&challenge)), client("app"));
    assert_eq!(judge_code(&code, &client, Some(URI), Some(VERIFIER), None, time(999)), CodeVerdict::Good);
    assert_eq!(judge_code(&code, &client, None, Some(VERIFIER), None, time(999)), CodeVerdict::Good, "as in OAuth 2.1");
    let invalid = Some(ErrorCode::InvalidGrant);
    assert_eq!(refusal(judge_code(&code, &client, Some(URI), Some(VERIFIER), None, time(1_000))), invalid, "expired");
    let other = Some("https://app.example/other");
    assert_eq!(refusal(judge_code(&code, &client, other, Some(VERIFIER), None, time(999))), invalid, "another URI");
    let used = CodeFacts { used: true, ..code };
    assert_eq!(judge_code(&used, &client, Some(URI), Some(VERIFIER), None, time(999_999)), CodeVerdict::Reused);
}

#[test]
fn attack_a_code_of_another_client_is_not_exchanged() {
    let challenge = pkce::challenge(VERIFIER);
    let (code, other) = (code(Some(&challenge)), client("other"));
    let invalid = Some(ErrorCode::InvalidGrant);
    assert_eq!(refusal(judge_code(&code, &other, Some(URI), Some(VERIFIER), None, time(1))), invalid);
    let used = CodeFacts { used: true, ..code };
    assert_eq!(
        refusal(judge_code(&used, &other, Some(URI), Some(VERIFIER), None, time(1))),
        invalid,
        "and revokes nothing"
    );
}

#[test]
fn attack_a_code_without_its_verifier_or_with_a_verifier_too_many() {
    let challenge = pkce::challenge(VERIFIER);
    let client = client("app");
    let wrong = "a".repeat(43);
    for (challenge, verifier) in [
        (Some(challenge.as_str()), None),
        (Some(challenge.as_str()), Some(wrong.as_str())),
        (Some(challenge.as_str()), Some(challenge.as_str())),
        (None, Some(VERIFIER)),
    ] {
        let verdict = judge_code(&code(challenge), &client, Some(URI), verifier, None, time(1));
        assert_eq!(refusal(verdict), Some(ErrorCode::InvalidGrant), "{challenge:?} {verifier:?}");
    }
    assert_eq!(judge_code(&code(None), &client, Some(URI), None, None, time(1)), CodeVerdict::Good);
    assert!(refusal(judge_code(&code(None), &client, None, None, None, time(1))).is_some(), "no URI and no PKCE");
}

#[test]
fn attack_a_bound_code_needs_the_proof_of_its_key() {
    let challenge = pkce::challenge(VERIFIER);
    let bound = CodeFacts { dpop_jkt: Some(Thumbprint::of("key")), ..code(Some(&challenge)) };
    let client = client("app");
    for jkt in [None, Some(Thumbprint::of("another"))] {
        assert!(refusal(judge_code(&bound, &client, Some(URI), Some(VERIFIER), jkt, time(1))).is_some(), "{jkt:?}");
    }
    assert_eq!(
        judge_code(&bound, &client, Some(URI), Some(VERIFIER), Some(Thumbprint::of("key")), time(1)),
        CodeVerdict::Good
    );
}

#[test]
fn an_id_token_is_not_older_than_its_sign_in() {
    for (auth_time, issued_at) in [(0, 970), (970, 970), (971, 971), (995, 995), (1_000, 1_000), (1_020, 1_000)] {
        let (auth_time, issued_at) = (UnixSeconds::from_seconds(auth_time), UnixSeconds::from_seconds(issued_at));
        assert_eq!(
            id_token_issued_at(UnixSeconds::from_seconds(970), auth_time, UnixSeconds::from_seconds(1_000)),
            issued_at,
            "{auth_time}"
        );
    }
}

#[test]
fn attack_a_refresh_adds_no_scope_and_no_resource() {
    let granted = Scopes::parse("openid email");
    assert_eq!(narrowed(&granted, None), Ok(granted.clone()));
    assert_eq!(narrowed(&granted, Some(&Scopes::parse("openid"))), Ok(Scopes::parse("openid")));
    assert_eq!(narrowed(&granted, Some(&Scopes::parse(" "))).map_err(|error| error.code), Err(ErrorCode::InvalidScope));
    let more = narrowed(&granted, Some(&Scopes::parse("openid groups")));
    assert_eq!(more.expect_err("more").code, ErrorCode::InvalidScope);
    let own = ["https://api.example".to_owned()];
    assert!(targets(&own, &own).is_ok());
    assert_eq!(targets(&own, &["https://b.example".to_owned()]).expect_err("more").code, ErrorCode::InvalidTarget);
}

#[test]
fn the_resources_of_an_opaque_token_are_those_of_its_request() {
    let granted = ["https://a.example", "https://b.example", "https://c.example"].map(str::to_owned);
    for (asked, targets) in [
        (vec![], Targets::Part(0)),
        (vec![1], Targets::Part(0b10)),
        (vec![2, 0], Targets::Part(0b101)),
        (vec![0, 1, 2], Targets::All),
    ] {
        let mut named: Vec<_> = asked.iter().filter_map(|place: &usize| granted.get(*place).cloned()).collect();
        let found = Targets::among(&granted, &named);
        assert_eq!(found, targets, "{asked:?}");
        named.sort();
        assert_eq!(found.of(&granted), named);
    }
    assert_eq!(Targets::among(&[], &[]), Targets::All);
    let many: Vec<_> = (0..70).map(|n| format!("https://{n}.example")).collect();
    assert_eq!(Targets::among(&many, &many[69..]).of(&many), Vec::<&str>::new(), "fewer, and never more");
}

#[test]
fn scopes_and_resources_that_a_client_lost_are_left_out() {
    let registered = |scopes: &[&str], resources: &[&str]| {
        let mut settings = settings("app");
        settings.scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        settings.resources = resources.iter().map(|resource| (*resource).to_owned()).collect();
        Client::new(settings, &[], ClientSource::Settings).expect("a client")
    };
    let granted = Scopes::parse("openid email offline_access");
    let left = |scopes: &[&str]| still_allowed(&registered(scopes, &[]), &granted);
    assert_eq!(left(&[]).expect("all"), granted);
    assert_eq!(left(&["openid", "groups"]).expect("fewer"), Scopes::parse("openid"));
    assert_eq!(left(&["groups"]).expect_err("none").code, ErrorCode::InvalidGrant);
    let (a, b) = ("https://a.example", "https://b.example");
    let named = |resources: &[&str]| still_named(&registered(&[], resources), vec![a.to_owned(), b.to_owned()], &[]);
    assert_eq!(named(&[b]).expect("one"), [b]);
    assert_eq!(named(&[]).expect_err("none").code, ErrorCode::InvalidTarget);
    assert!(still_named(&registered(&[], &[]), Vec::new(), &[]).expect("for the client itself").is_empty());
}

proptest! {
    #[test]
    fn an_opaque_token_is_read_as_it_was_made_and_no_other_is(
        grant: [u8; 16], generation: u32, expires_at: i64, places: Option<u64>, at in 0usize..72, flip in 1u8..64,
    ) {
        let expires_at = UnixSeconds::from_seconds(expires_at);
        let key = [7; 32];
        let targets = places.map_or(Targets::All, Targets::Part);
        let token = OpaqueToken { grant, generation, expires_at, scopes: Scopes::parse("openid email"), targets };
        let text = token.reveal(&key);
        let read = OpaqueToken::authenticate(&key, &text);
        prop_assert_eq!(read, Some(token));
        prop_assert!(OpaqueToken::authenticate(&[8; 32], &text).is_none());
        let mut bytes = text.clone().into_bytes();
        let at = at % bytes.len();
        bytes[at] ^= flip;
        if let Ok(forged) = String::from_utf8(bytes) {
            prop_assert!(OpaqueToken::authenticate(&key, &forged).is_none());
        }
        prop_assert!(OpaqueToken::authenticate(&key, &text[1..]).is_none());
    }
}
