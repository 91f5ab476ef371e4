//! An app that verifies tokens by itself, beside real portals, with time limits.

use crate::support::{ORIGIN, PASSWORD, Program, Visitor, postern};
use axum::Router;
use axum::body::{Body, to_bytes};
use http::{Request, StatusCode};
use std::time::{Duration, Instant};
use tower::ServiceExt;
use verify::{Guard, IssuerSettings, OutagePolicy};
use wire::paths;

/// Maximum time until an app refuses an ended session's token.
const PROPAGATION: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);
/// Time after which a test fails.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Starts the sample app, for tokens of the portal itself.
fn app(portal: &Program) -> Router {
    let issuer = IssuerSettings { name: ORIGIN, reached_at: Some(&portal.at()), outage: OutagePolicy::default() };
    hello_app::router(&Guard::of(&issuer, ORIGIN).unwrap())
}

async fn ask(app: &Router, token: &str) -> (StatusCode, String) {
    let request = Request::get("/").header("authorization", format!("Bearer {token}")).body(Body::empty()).unwrap();
    let (parts, body) = app.clone().oneshot(request).await.unwrap().into_parts();
    let text = to_bytes(body, 1 << 16).await.unwrap();
    (parts.status, String::from_utf8(text.to_vec()).unwrap())
}

async fn sign_in(program: &Visitor) -> String {
    let answer = program.login("alice", PASSWORD).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()["tokens"]["access_token"].as_str().unwrap().to_owned()
}

/// Returns the time until the app refuses.
async fn until_refused(app: &Router, token: &str) -> Duration {
    let begun = Instant::now();
    while begun.elapsed() < TIMEOUT {
        let (status, text) = ask(app, token).await;
        match status {
            StatusCode::UNAUTHORIZED => return begun.elapsed(),
            StatusCode::OK => tokio::time::sleep(PAUSE).await,
            other => panic!("{other}: {text}"),
        }
    }
    panic!("it was never refused");
}

async fn log_out(program: &Visitor, token: &str) {
    let headers = [("authorization", &*format!("Bearer {token}"))];
    let answer = program.send(http::Method::POST, paths::LOGOUT, Some("{}".to_owned()), &headers).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_logout_reaches_an_app_within_five_seconds() {
    let folder = tempfile::tempdir().unwrap();
    assert!(postern(folder.path(), &["user", "add", "alice"], &format!("{PASSWORD}\n")).status.success());
    let portal = Program::start(folder.path(), &[]);
    let (app, alice) = (app(&portal), portal.program());
    let (token, other) = (sign_in(&alice).await, sign_in(&alice).await);
    let (status, text) = ask(&app, &token).await;
    assert_eq!(status, StatusCode::OK, "{text}");
    assert!(text.starts_with("Hello, alice!"), "{text}");
    log_out(&alice, &token).await;
    let elapsed = until_refused(&app, &token).await;
    assert!(elapsed < PROPAGATION, "{elapsed:?}");
    assert_eq!(ask(&app, &other).await.0, StatusCode::OK, "another session goes on");
}

#[tokio::test]
async fn an_end_in_the_database_reaches_an_app_within_five_seconds() {
    let folder = tempfile::tempdir().unwrap();
    assert!(postern(folder.path(), &["user", "add", "alice"], &format!("{PASSWORD}\n")).status.success());
    let portal = Program::start(folder.path(), &[]);
    let (app, alice) = (app(&portal), portal.program());
    let token = sign_in(&alice).await;
    assert_eq!(ask(&app, &token).await.0, StatusCode::OK);
    // Another process writes it, as another node would.
    assert!(
        postern(folder.path(), &["user", "add", "root", "--role", "administrator"], &format!("{PASSWORD}\n"))
            .status
            .success()
    );
    assert!(postern(folder.path(), &["user", "disable", "alice"], "").status.success());
    let elapsed = until_refused(&app, &token).await;
    assert!(elapsed < PROPAGATION, "{elapsed:?}");
}

#[tokio::test]
async fn a_revoked_signing_key_is_trusted_for_five_seconds_at_most() {
    let folder = tempfile::tempdir().unwrap();
    assert!(postern(folder.path(), &["user", "add", "alice"], &format!("{PASSWORD}\n")).status.success());
    let portal = Program::start(folder.path(), &[]);
    let (app, alice) = (app(&portal), portal.program());
    let token = sign_in(&alice).await;
    assert_eq!(ask(&app, &token).await.0, StatusCode::OK);
    let keys = alice.get(paths::JWKS).await.json();
    let kid = keys["keys"][0]["kid"].as_str().unwrap();
    let revoked = postern(folder.path(), &["key", "revoke", "--kind", "signing", kid], "");
    assert!(revoked.status.success(), "{}", crate::support::output_text(&revoked));
    let elapsed = until_refused(&app, &token).await;
    assert!(elapsed < PROPAGATION, "{elapsed:?}");
    let new = sign_in(&alice).await;
    assert_eq!(ask(&app, &new).await.0, StatusCode::OK, "what the next key signs is good");
}
