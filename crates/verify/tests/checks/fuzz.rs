//! Any input for a token or a proof gets an answer and never a panic, and only signed ones are accepted.
//!
//! The corpus has the first inputs, by name. `make test` tries them unchanged and some hundred changes of them, `make
//! fuzz` a thousand times as many. An input that shows a fault is added.

use crate::issuer::SigningKey;
use aws_lc_rs::signature::Ed25519KeyPair;
use domain::UnixMs;
use postern_verify::{ExpectedClaims, Keys, TYP, UnverifiedToken, dpop};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::LazyLock;

const NOW: UnixMs = UnixMs::from_millis(1_100_000);
const EXPECTED: ExpectedClaims<'_> =
    ExpectedClaims { typ: TYP, issuer: "https://portal.example", audience: "https://app.example" };

type Texts = BTreeMap<String, String>;

#[derive(Deserialize)]
struct Tokens {
    keys: Value,
    good: Texts,
    bad: Texts,
}

#[derive(Deserialize)]
struct Proofs {
    method: String,
    url: String,
    good: Texts,
    bad: Texts,
}

static TOKENS: LazyLock<Tokens> = LazyLock::new(|| serde_json::from_str(include_str!("../corpus/jwt.json")).unwrap());
static PROOFS: LazyLock<Proofs> = LazyLock::new(|| serde_json::from_str(include_str!("../corpus/dpop.json")).unwrap());
static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys::parse(TOKENS.keys.to_string().as_bytes()).unwrap());

/// The private half of the corpus' first key.
static ED_DSA: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::EdDsa(Ed25519KeyPair::from_seed_unchecked(&[1; 32]).unwrap()));
static ES256: LazyLock<SigningKey> = LazyLock::new(SigningKey::es256);

/// Verifies a token without any request.
fn token_is_good(token: &str) -> bool {
    let Ok(unverified) = UnverifiedToken::parse(token, TYP, 16 * 1024) else { return false };
    let key = KEYS.get(unverified.kid());
    key.is_some_and(|key| postern_verify::verify::<Value>(token, key, EXPECTED, NOW).is_ok())
}

fn proof_is_good(proof: &str) -> bool {
    dpop::verify(proof, &PROOFS.method, &PROOFS.url).is_some()
}

fn try_as_they_stand(good: &Texts, bad: &Texts, is_good: fn(&str) -> bool) {
    for (name, text) in good {
        assert!(is_good(text), "{name}");
    }
    for (name, text) in bad {
        assert!(!is_good(text), "{name}");
    }
}

#[test]
fn the_corpus_of_tokens() {
    try_as_they_stand(&TOKENS.good, &TOKENS.bad, token_is_good);
}

#[test]
fn the_corpus_of_proofs() {
    try_as_they_stand(&PROOFS.good, &PROOFS.bad, proof_is_good);
}

/// One change of a text.
#[derive(Debug, Clone)]
enum Change {
    Replace(Index, char),
    Insert(Index, String),
    Remove(Index, usize),
    Repeat(Index, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let letter =
        prop_oneof![4 => "[A-Za-z0-9_-]", 1 => "[.=+/ {}\":,\\[\\]]", 1 => any::<char>().prop_map(String::from)];
    let one = letter.clone().prop_filter_map("a letter", |text| text.chars().next());
    prop_oneof![
        (any::<Index>(), one).prop_map(|(at, letter)| Change::Replace(at, letter)),
        (any::<Index>(), proptest::collection::vec(letter, 1..4))
            .prop_map(|(at, text)| Change::Insert(at, text.concat())),
        (any::<Index>(), 1..40_usize).prop_map(|(at, many)| Change::Remove(at, many)),
        (any::<Index>(), 1..40_usize).prop_map(|(at, many)| Change::Repeat(at, many)),
    ]
}

fn changed(text: &str, changes: &[Change]) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for change in changes {
        let at = |index: &Index| index.index(letters.len() + 1);
        match change {
            Change::Replace(index, letter) => {
                let at = at(index);
                letters.splice(at..(at + 1).min(letters.len()), [*letter]);
            }
            Change::Insert(index, text) => {
                let at = at(index);
                letters.splice(at..at, text.chars());
            }
            Change::Remove(index, many) => {
                let at = at(index);
                letters.drain(at..(at + many).min(letters.len()));
            }
            Change::Repeat(index, many) => {
                let at = at(index);
                let again = letters[at..(at + many).min(letters.len())].to_vec();
                letters.splice(at..at, again);
            }
        }
    }
    letters.into_iter().collect()
}

/// Returns a text of the corpus, changed in a few places.
fn near(good: &Texts, bad: &Texts) -> impl Strategy<Value = String> {
    let texts: Vec<_> = good.values().chain(bad.values()).cloned().collect();
    (select(texts), proptest::collection::vec(change(), 0..5)).prop_map(|(text, changes)| changed(&text, &changes))
}

/// Returns JSON with the relevant names.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        "(at\\+jwt|dpop\\+jwt|ES256|EdDSA|none|ed|es|EC|OKP|P-256|POST|https://app.example|\\PC{0,20})"
            .prop_map(Value::from),
    ];
    let names = "(typ|alg|kid|crit|jwk|kty|crv|x|y|d|iss|aud|sub|exp|nbf|sid|jti|htm|htu|iat|nonce|ath|cnf|[a-z]{0,4})";
    leaf.prop_recursive(3, 24, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map(names, inner, 0..8).prop_map(|map| json!(map)),
        ]
    })
}

/// Puts the members of `upper` over those of `under`.
fn over(under: &mut Value, upper: &Value) {
    if let (Some(under), Some(upper)) = (under.as_object_mut(), upper.as_object()) {
        under.extend(upper.clone());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn fuzz_tokens(token in near(&TOKENS.good, &TOKENS.bad)) {
        let signed = TOKENS.good.values().any(|good| *good == token);
        prop_assert_eq!(token_is_good(&token), signed);
    }

    /// Tokens signed by the issuer itself: any content is handled, and a missing member makes them invalid.
    #[test]
    fn fuzz_what_tokens_say(header in any_json(), claims in any_json()) {
        let mut good_header = json!({"typ": TYP, "alg": "EdDSA", "kid": "ed"});
        let mut good_claims = json!({"iss": EXPECTED.issuer, "aud": EXPECTED.audience, "nbf": 1_000, "exp": 1_300});
        token_is_good(&ED_DSA.sign(&header, &claims));
        prop_assert!(!token_is_good(&ED_DSA.sign(&header, &good_claims)) || header["kid"] == "ed");
        token_is_good(&ED_DSA.sign(&good_header, &claims));
        over(&mut good_header, &header);
        over(&mut good_claims, &claims);
        token_is_good(&ED_DSA.sign(&good_header, &good_claims));
    }

    #[test]
    fn fuzz_what_proofs_say(header in any_json(), claims in any_json()) {
        let mut good_header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": ES256.jwk("")});
        let mut good_claims = json!({"jti": "1", "htm": PROOFS.method, "htu": PROOFS.url, "iat": 1});
        proof_is_good(&ES256.sign(&header, &claims));
        proof_is_good(&ES256.sign(&good_header, &claims));
        over(&mut good_header["jwk"], &header);
        over(&mut good_claims, &claims);
        proof_is_good(&ES256.sign(&good_header, &good_claims));
    }

    #[test]
    fn fuzz_proofs(proof in near(&PROOFS.good, &PROOFS.bad)) {
        let signed = PROOFS.good.values().any(|good| *good == proof);
        prop_assert_eq!(proof_is_good(&proof), signed);
    }
}
