//! The server's own keys, for administrators.

use crate::desk::Desk;
use crate::print::{self, moment};
use crate::stop::Outcome;
use client::Session;
use wire::server_keys::{Kind, State};

pub async fn list(desk: &Desk, session: &Session) -> Outcome {
    let keys = session.server_keys().await?;
    if desk.json {
        return print::json(&keys);
    }
    let rows = keys
        .keys
        .into_iter()
        .map(|key| [kind(key.kind).to_owned(), key.kid, key.alg, state(key.state).to_owned(), moment(key.used_from)]);
    print::table(["kind", "key", "algorithm", "state", "used from (UTC)"], rows)
}

pub async fn rotate(desk: &Desk, session: &Session, which: Kind) -> Outcome {
    session.rotate_server_key(which).await?;
    list(desk, session).await
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Envelope => "envelope",
        Kind::Signing => "signing",
        Kind::Mac => "mac",
    }
}

fn state(state: State) -> &'static str {
    match state {
        State::Next => "next",
        State::Current => "in use",
        State::Overlap => "replaced, serves on",
        State::Ended => "ended",
        State::Revoked => "revoked",
    }
}
