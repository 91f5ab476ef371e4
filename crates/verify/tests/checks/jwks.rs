use crate::issuer::{Issuer, SigningKey};
use axum::http::{StatusCode, header};
use domain::UnixMs;
use postern_verify::{Jwks, TokenError};

const NOW: UnixMs = UnixMs::from_millis(1_000_000_000);
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

async fn with_one_key() -> (Issuer, Jwks) {
    let issuer = Issuer::start().await;
    issuer.publish(&[("one", &SigningKey::es256())]);
    let jwks = Jwks::new(&issuer.url).unwrap();
    (issuer, jwks)
}

async fn has(jwks: &Jwks, kid: &str, now: UnixMs) -> bool {
    jwks.find(kid, now).await.unwrap().is_some()
}

#[tokio::test]
async fn however_many_wait_one_request_is_out() {
    let (issuer, jwks) = with_one_key().await;
    let waiting: Vec<_> = (0..50)
        .map(|number| {
            let jwks = jwks.clone();
            tokio::spawn(async move { has(&jwks, if number % 2 == 0 { "one" } else { "two" }, NOW).await })
        })
        .collect();
    let mut found = 0;
    for task in waiting {
        found += usize::from(task.await.unwrap());
    }
    assert_eq!((found, issuer.asked()), (25, 1));
}

#[tokio::test]
async fn an_unknown_key_makes_it_look_once_a_minute() {
    let (issuer, jwks) = with_one_key().await;
    assert!(!has(&jwks, "two", NOW).await);
    issuer.publish(&[("one", &SigningKey::es256()), ("two", &SigningKey::ed_dsa())]);
    for later in [0, 1, MINUTE - 1] {
        assert!(!has(&jwks, "two", NOW + later).await);
    }
    assert_eq!(issuer.asked(), 1);
    assert!(has(&jwks, "two", NOW + MINUTE).await);
    assert!(!has(&jwks, "three", NOW + MINUTE).await);
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test]
async fn keys_are_asked_for_again_when_they_are_old_within_bounds() {
    for (says, age) in [
        (None, 5 * MINUTE),
        (Some("public, max-age=600"), 10 * MINUTE),
        (Some("max-age=1"), MINUTE),
        (Some("no-cache, max-age=0"), MINUTE),
        (Some("max-age=86400"), HOUR),
        (Some("max-age=99999999999999999999"), 5 * MINUTE),
    ] {
        let (issuer, jwks) = with_one_key().await;
        issuer.answer.lock().unwrap().headers =
            says.map(|says| (header::CACHE_CONTROL, says.to_owned())).into_iter().collect();
        assert!(has(&jwks, "one", NOW).await);
        assert!(has(&jwks, "one", NOW + age - 1).await);
        assert_eq!(issuer.asked(), 1, "{says:?}");
        assert!(has(&jwks, "one", NOW + age).await);
        assert_eq!(issuer.asked(), 2, "{says:?}");
    }
}

#[tokio::test]
async fn a_key_that_is_withdrawn_is_gone_with_the_next_answer() {
    let (issuer, jwks) = with_one_key().await;
    assert!(has(&jwks, "one", NOW).await);
    issuer.publish(&[("two", &SigningKey::es256())]);
    assert!(!has(&jwks, "one", NOW + 5 * MINUTE).await);
}

#[tokio::test]
async fn the_last_good_keys_outlive_an_outage_of_a_day() {
    let (issuer, jwks) = with_one_key().await;
    assert!(has(&jwks, "one", NOW).await);
    issuer.answer.lock().unwrap().status = StatusCode::SERVICE_UNAVAILABLE;
    for later in [6 * MINUTE, HOUR, 24 * HOUR - 1] {
        assert!(has(&jwks, "one", NOW + later).await);
        assert!(matches!(jwks.find("two", NOW + later).await, Err(TokenError::NoKeys(_))));
    }
    assert_eq!(issuer.asked(), 4, "one try each time");
    assert!(matches!(jwks.find("one", NOW + 24 * HOUR).await, Err(TokenError::NoKeys(_))));
    issuer.publish(&[("one", &SigningKey::es256())]);
    assert!(has(&jwks, "one", NOW + 25 * HOUR).await);
}

#[tokio::test]
async fn an_issuer_that_starts_later_is_found() {
    let (issuer, jwks) = with_one_key().await;
    issuer.answer.lock().unwrap().status = StatusCode::BAD_GATEWAY;
    assert!(jwks.find("one", NOW).await.is_err());
    issuer.publish(&[("one", &SigningKey::es256())]);
    assert!(jwks.find("one", NOW + 1).await.is_err(), "not asked again at once");
    assert_eq!(issuer.asked(), 1);
    assert!(has(&jwks, "one", NOW + 2_000).await);
}

#[tokio::test]
async fn an_invalid_jwks_is_not_accepted() {
    let other = with_one_key().await.0;
    let good = other.answer.lock().unwrap().body.clone();
    for (status, body) in [
        (StatusCode::OK, "{}".to_owned()),
        (StatusCode::OK, r#"{"keys":[]}"#.to_owned()),
        (StatusCode::OK, r#"{"keys":[{"kty":"oct","kid":"one","k":"AA"}]}"#.to_owned()),
        (StatusCode::OK, " ".repeat(100_000)),
        (StatusCode::CREATED, good),
        (StatusCode::FOUND, String::new()),
    ] {
        let (issuer, jwks) = with_one_key().await;
        {
            let mut answer = issuer.answer.lock().unwrap();
            (answer.status, answer.body) = (status, body);
            answer.headers = vec![(header::LOCATION, other.url.clone())];
        }
        assert!(matches!(jwks.find("one", NOW).await, Err(TokenError::NoKeys(_))), "{status}");
    }
    assert_eq!(other.asked(), 0, "no redirect is followed");
    assert!(Jwks::new("portal").is_err());
}
