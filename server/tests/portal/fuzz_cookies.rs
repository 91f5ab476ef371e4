//! Random values of `Cookie`: only issued ones are accepted. `corpus/cookies.json` holds the initial values, with
//! `{access}` and so on for issued values; `make fuzz` tries many more changes of them.

use crate::support::{ORIGIN, Portal, Visitor};
use domain::app_session::AppSession;
use domain::encoding::base64url;
use domain::known_device::KnownDevice;
use domain::refresh_token::RefreshToken;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestRunner;
use serde::Deserialize;
use server::cookies::{self, CookieName};
use std::collections::BTreeMap;
use wire::paths;

const WIKI: &str = "https://wiki.example";
/// Every cookie of the portal, and its placeholder in the corpus.
const NAMES: [(CookieName, &str); 4] = [
    (CookieName::Access, "{access}"),
    (CookieName::Refresh, "{refresh}"),
    (CookieName::Device, "{device}"),
    (CookieName::App, "{app}"),
];

#[derive(Deserialize)]
struct Corpus {
    good: BTreeMap<String, String>,
    bad: BTreeMap<String, String>,
}

impl Corpus {
    fn read() -> Self {
        serde_json::from_str(include_str!("corpus/cookies.json")).unwrap()
    }
}

struct World {
    portal: Portal,
    alice: Visitor,
    app: String,
}

impl World {
    async fn start() -> Self {
        let portal = Portal::start().await;
        portal.add_user("alice").await;
        let alice = portal.browser("203.0.113.7").signed_in("alice").await;
        let now = portal.state.now();
        let macs = portal.state.keyring.macs(now).unwrap();
        let app = AppSession::of(&base64url(&[7; 16]).as_str().into(), now).unwrap().reveal(&macs.app_session, WIKI);
        Self { portal, alice, app }
    }

    fn issued(&self, name: CookieName) -> String {
        match name {
            CookieName::Access => self.alice.cookie("access"),
            CookieName::Refresh => self.alice.cookie("refresh"),
            CookieName::Device => self.alice.cookie("device"),
            _ => self.app.clone(),
        }
    }

    /// Replaces the placeholders by the values.
    fn fill(&self, text: &str) -> String {
        NAMES.iter().fold(text.to_owned(), |text, (name, place)| text.replace(place, &self.issued(*name)))
    }

    /// Returns the valid value of a cookie in a header with this text, by the portal's own check.
    fn reads(&self, text: &str, name: CookieName) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, in_header(text)?);
        let state = &self.portal.state;
        let macs = state.keyring.macs(state.now()).unwrap();
        let good = |value: &&str| match name {
            CookieName::Access => state.tokens.verify_for(ORIGIN, value, state.now()).is_some(),
            CookieName::Refresh => RefreshToken::authenticate(&macs.refresh, value).is_some(),
            CookieName::Device => KnownDevice::read(&macs.device, value, state.now()).is_some(),
            _ => AppSession::read(&macs.app_session, WIKI, value).is_some(),
        };
        cookies::all(&headers, &state.config, name).find(good).map(str::to_owned)
    }
}

/// Encodes a header: each letter up to U+00FF is one byte.
fn in_header(text: &str) -> Option<HeaderValue> {
    let bytes: Option<Vec<u8>> = text.chars().map(|letter| u8::try_from(u32::from(letter)).ok()).collect();
    HeaderValue::from_bytes(&bytes?).ok()
}

#[tokio::test]
async fn the_corpus_of_cookies() {
    let world = World::start().await;
    let corpus = Corpus::read();
    for (name, text) in &corpus.good {
        assert_eq!(world.reads(&world.fill(text), CookieName::Access), Some(world.alice.cookie("access")), "{name}");
    }
    let program = world.portal.program("203.0.113.7");
    for (name, text) in &corpus.bad {
        let text = world.fill(text);
        for (cookie, _) in NAMES {
            assert_eq!(world.reads(&text, cookie), None, "{name}");
        }
        let Some(value) = in_header(&text).and_then(|value| value.to_str().ok().map(str::to_owned)) else { continue };
        let answer = program.send(Method::GET, paths::SESSION, None, &[("cookie", &value)]).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{name}");
        world.portal.clock.advance(20);
    }
}

fn text() -> impl Strategy<Value = String> {
    let Corpus { good, bad } = Corpus::read();
    let texts: Vec<_> = good.into_values().chain(bad.into_values()).collect();
    let piece = prop_oneof![
        "[ -~]{0,3}",
        "[;=\", %\t]{1,3}",
        "[\u{80}-\u{ff}]{1,2}",
        "__Host-postern-(access|refresh|device|app)=?",
        "\\{(access|refresh|device|app)\\}"
    ];
    let changes = proptest::collection::vec((any::<Index>(), 0..6_usize, piece), 0..5);
    (select(texts), changes).prop_map(|(text, changes)| {
        let mut letters: Vec<char> = text.chars().collect();
        for (at, gone, piece) in changes {
            let at = at.index(letters.len() + 1);
            letters.splice(at..(at + gone).min(letters.len()), piece.chars());
        }
        letters.into_iter().collect()
    })
}

#[test]
fn fuzz_cookies() {
    let world = tokio::runtime::Runtime::new().unwrap().block_on(World::start());
    let mut runner = TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() });
    let test = |text: String| {
        let text = world.fill(&text);
        for (name, _) in NAMES {
            let read = world.reads(&text, name);
            prop_assert!(read.is_none_or(|value| value == world.issued(name)), "{text}");
        }
        Ok(())
    };
    runner.run(&text(), test).unwrap();
}
