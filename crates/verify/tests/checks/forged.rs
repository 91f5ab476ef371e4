//! Forged tokens: none is accepted, and all get the same answer.

use crate::client::{NOW, World};
use crate::forgeries::{Genuine, forgeries};
use axum::http::StatusCode;
use serde_json::json;
use std::collections::BTreeSet;

#[tokio::test]
async fn forged_tokens_all_get_the_same_answer() {
    let world = World::start().await;
    let genuine = Genuine {
        header: World::header(),
        claims: World::claims(),
        sign: &|header, claims| world.key.sign_text(header, claims),
        jwk: world.key.jwk("one"),
        key_set: world.issuer.answer.lock().unwrap().body.clone(),
        now: NOW.to_seconds(),
        elsewhere: format!("{}/evil.json", world.issuer.origin),
    };
    let mut texts = BTreeSet::new();
    for (name, token) in forgeries(&genuine) {
        let answer = world.bearer(&token).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{name}");
        texts.insert((answer.text.clone(), answer.challenges().join(" ")));
    }
    assert_eq!(texts.len(), 1, "{texts:?}");
    for name in ["jku", "x5u"] {
        // The member is ignored: a correctly signed token stays valid.
        let token = genuine.with(name, json!(genuine.elsewhere));
        assert_eq!(world.bearer(&token).await.status, StatusCode::OK, "{name}");
    }
    assert_eq!(world.bearer(&genuine.token()).await.status, StatusCode::OK);
    assert_eq!(world.issuer.asked(), 1, "and nobody was asked for what a token names");
}
