use crate::issuer::{Issuer, SigningKey};
use axum::http::{StatusCode, header};
use domain::UnixMs;
use domain::revocation::mark;
use postern_verify::{Jwks, OutagePolicy, Revocations, TokenError};
use serde_json::{Value, json};

const NOW: UnixMs = UnixMs::from_millis(1_000_000_000);
const ISSUER: &str = "https://portal.example";

struct World {
    issuer: Issuer,
    key: SigningKey,
    list: Revocations,
}

impl World {
    async fn with(outage: OutagePolicy) -> Self {
        let (issuer, key) = (Issuer::start().await, SigningKey::es256());
        issuer.publish(&[("one", &key)]);
        let keys = Jwks::new(&issuer.url).unwrap();
        let list = Revocations::new(&issuer.list_url, ISSUER, keys, outage).unwrap();
        let world = Self { issuer, key, list };
        world.say(&[], &[], NOW);
        world
    }

    fn say(&self, sessions: &[&str], keys: &[&str], now: UnixMs) {
        self.say_more(sessions, keys, now, |_, _| ());
    }

    fn say_more(&self, sessions: &[&str], keys: &[&str], now: UnixMs, change: impl Fn(&mut Value, &mut Value)) {
        let marks: Vec<_> = sessions.iter().map(|id| mark(id)).collect();
        let iat = now.as_millis() / 60_000 * 60;
        let mut header = json!({"typ": "revocations+jwt", "alg": "ES256", "kid": "one"});
        let mut claims = json!({"iss": ISSUER, "iat": iat, "exp": iat + 180, "sessions": marks, "keys": keys});
        change(&mut header, &mut claims);
        let mut answer = self.issuer.list.answer.lock().unwrap();
        answer.body = self.key.sign(&header, &claims);
        answer.headers = vec![(header::ETAG, format!("W/\"{}\"", mark(&claims.to_string())))];
        answer.status = StatusCode::OK;
    }

    fn fail(&self) {
        self.issuer.list.answer.lock().unwrap().status = StatusCode::SERVICE_UNAVAILABLE;
        self.issuer.list.answer.lock().unwrap().headers.clear();
    }

    async fn check(&self, sid: &str, now: UnixMs) -> &'static str {
        match self.list.check("one", Some(sid), now).await {
            Ok(()) => "good",
            Err(TokenError::Revoked) => "revoked",
            Err(TokenError::NoRevocations(_)) => "unknown",
            Err(_) => "else",
        }
    }
}

#[tokio::test]
async fn an_end_is_known_within_two_seconds() {
    let world = World::with(OutagePolicy::default()).await;
    assert_eq!(world.check("ada", NOW).await, "good");
    world.say(&["ada"], &[], NOW);
    assert_eq!(world.check("ada", NOW + 1_999).await, "good", "nobody asks so soon");
    assert_eq!(world.check("ada", NOW + 2_000).await, "revoked");
    assert_eq!(world.check("bob", NOW + 2_000).await, "good");
    assert_eq!(world.issuer.list.asked(), 2);
}

#[tokio::test]
async fn a_revoked_key_is_good_for_nothing() {
    let world = World::with(OutagePolicy::default()).await;
    world.say(&[], &["stolen"], NOW);
    assert!(matches!(world.list.check("stolen", None, NOW).await, Err(TokenError::Revoked)));
    assert!(world.list.check("one", None, NOW).await.is_ok());
}

#[tokio::test]
async fn however_many_ask_one_request_is_out() {
    let world = World::with(OutagePolicy::default()).await;
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let list = world.list.clone();
            tokio::spawn(async move { list.check("one", Some("ada"), NOW).await.is_ok() })
        })
        .collect();
    for task in tasks {
        assert!(task.await.unwrap());
    }
    assert_eq!(world.issuer.list.asked(), 1);
}

#[tokio::test]
async fn an_unchanged_list_is_not_sent_again_and_counts_as_fresh() {
    let world = World::with(OutagePolicy::default()).await;
    world.say(&["ada"], &[], NOW);
    assert_eq!(world.check("ada", NOW).await, "revoked");
    // A 304 contains nothing new: an unreadable body shows that none was read.
    world.issuer.list.answer.lock().unwrap().body = "not read".to_owned();
    for seconds in 1..30 {
        assert_eq!(world.check("bob", NOW + seconds * 2_000).await, "good");
    }
    assert_eq!(world.check("ada", NOW + 60_000).await, "revoked");
    assert_eq!(world.issuer.list.asked(), 31);
}

#[tokio::test]
async fn the_last_list_goes_on_for_half_a_minute() {
    let world = World::with(OutagePolicy::default()).await;
    world.say(&["ada"], &[], NOW);
    assert_eq!(world.check("bob", NOW).await, "good");
    world.fail();
    assert_eq!(world.check("bob", NOW + 2_000).await, "good");
    assert_eq!(world.check("bob", NOW + 2_500).await, "good", "not asked again at once");
    assert_eq!(world.issuer.list.asked(), 2);
    assert_eq!(world.check("bob", NOW + 29_999).await, "good");
    assert_eq!(world.check("bob", NOW + 30_000).await, "unknown");
    assert_eq!(world.check("ada", NOW + 30_000).await, "revoked");
    world.say(&[], &[], NOW + 31_000);
    assert_eq!(world.check("bob", NOW + 31_000).await, "good");
}

#[tokio::test]
async fn before_the_first_list_nothing_is_known() {
    let world = World::with(OutagePolicy::default()).await;
    world.fail();
    assert_eq!(world.check("ada", NOW).await, "unknown");
    let trusting = World::with(OutagePolicy::GoOn).await;
    trusting.say(&["ada"], &[], NOW);
    assert_eq!(trusting.check("bob", NOW).await, "good");
    trusting.fail();
    assert_eq!(trusting.check("bob", NOW + 86_400_000).await, "good");
    assert_eq!(trusting.check("ada", NOW + 86_400_000).await, "revoked");
}

#[tokio::test]
async fn only_the_issuers_own_young_list_counts() {
    type Change = fn(&mut Value, &mut Value);
    let changes: [(&str, Change); 9] = [
        ("another issuer", |_, claims| claims["iss"] = json!("https://other.example")),
        ("over", |_, claims| claims["exp"] = json!(NOW.to_seconds() - 30)),
        ("from the future", |_, claims| claims["iat"] = json!(NOW.to_seconds() + 31)),
        ("another kind", |header, _| header["typ"] = json!("at+jwt")),
        ("no algorithm", |header, _| header["alg"] = json!("none")),
        ("another key", |header, _| header["kid"] = json!("two")),
        ("an extension", |header, _| header["crit"] = json!(["b64"])),
        ("no sessions", |_, claims| claims["sessions"] = json!(null)),
        ("no keys", |_, claims| claims["keys"] = json!({})),
    ];
    for (name, change) in changes {
        let world = World::with(OutagePolicy::default()).await;
        world.say_more(&[], &[], NOW, change);
        assert_eq!(world.check("ada", NOW).await, "unknown", "{name}");
    }
    let world = World::with(OutagePolicy::default()).await;
    let other = SigningKey::es256();
    world.issuer.publish(&[("one", &other)]);
    assert_eq!(world.check("ada", NOW).await, "unknown", "another's signature");
}

#[tokio::test]
async fn a_list_under_a_new_key_makes_it_look_for_the_key_at_once() {
    let world = World::with(OutagePolicy::default()).await;
    assert_eq!(world.check("ada", NOW).await, "good");
    world.issuer.publish(&[("two", &world.key)]);
    world.say_more(&["ada"], &["one"], NOW, |header, _| header["kid"] = json!("two"));
    assert_eq!(world.check("ada", NOW + 2_000).await, "revoked");
    assert_eq!(world.issuer.asked(), 2, "and not a minute later");
}
