//! `WWW-Authenticate`: a value that is parsed and written again is parsed as the same.

use crate::input;
use tpat::header::{AuthChallenge, RefusedCredential, parse, write};
use wire::toll::{Network, Offer, Piconero};

/// Checks `data`: the header's value; or, after a line break, also the texts of a challenge of ours.
pub(crate) fn check(data: &[u8]) {
    let (value, texts) = input::halves(data);
    if let Some(value) = input::text(value)
        && let Ok(challenges) = parse(value)
    {
        let written: Vec<_> = challenges.iter().map(write_again).collect();
        assert_eq!(parse(&written.join(", ")).as_ref(), Ok(&challenges), "{written:?}");
    }
    if let Some(texts) = input::text(texts).filter(|texts| !texts.is_empty()) {
        ours(texts);
    }
}

fn write_again(challenge: &AuthChallenge) -> String {
    let quote = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let parameters = challenge.parameters.iter().map(|(name, value)| format!("{name}={}", quote(value)));
    let rest = challenge.token68.clone().into_iter().chain(parameters).collect::<Vec<_>>().join(", ");
    if rest.is_empty() { challenge.scheme.clone() } else { format!("{} {rest}", challenge.scheme) }
}

/// Checks one TPAT challenge with any texts.
fn ours(texts: &str) {
    let mut texts = texts.split('\t');
    let mut next = || texts.next().unwrap_or_default().to_owned();
    let (hash, signature) = (next(), next());
    let demand = Offer {
        address: next(),
        min_amt: Piconero(1),
        ttl: 1,
        v: 1,
        realm: next(),
        challenge: next(),
        message: next(),
        expires: 1,
        ttl_s: 1,
        quota: 1,
        conf: 1,
        network: Network::Mainnet,
        redeem: next(),
        jkt: Some(next()),
        title: String::new(),
        accepts: Vec::new(),
    };
    let value = write(&demand, RefusedCredential { hash: &hash, signature: &signature });
    let Ok(read) = parse(&value) else {
        assert!(value.len() > tpat::header::LONGEST, "what is written is not read: {value}");
        return;
    };
    assert_eq!(read.len(), 1, "a text breaks out of its quotes: {value}");
    let plain = |text: &str| text.chars().filter(|c| matches!(c, ' '..='~')).collect::<String>();
    assert_eq!(read[0].get("realm"), Some(plain(&demand.realm).as_str()));
    assert_eq!(read[0].get("redeem"), Some(plain(&demand.redeem).as_str()));
}
