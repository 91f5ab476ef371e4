//! The server's own keys, for administrators.

use crate::cli_error::Outcome;
use crate::context::Context;
use crate::print::{self, utc_time};
use client::Session;
use wire::server_keys::{ServerKeyKind, ServerKeyState};

pub(crate) async fn list(context: &Context, session: &Session) -> Outcome {
    let keys = session.server_keys().await?;
    if context.json {
        return print::json(&keys);
    }
    let rows = keys
        .keys
        .into_iter()
        .map(|key| [kind(key.kind).to_owned(), key.kid, key.alg, state(key.state).to_owned(), utc_time(key.used_from)]);
    print::table(["kind", "key", "algorithm", "state", "used from (UTC)"], rows)
}

pub(crate) async fn rotate(context: &Context, session: &Session, which: ServerKeyKind) -> Outcome {
    session.rotate_server_key(which).await?;
    list(context, session).await
}

fn kind(kind: ServerKeyKind) -> &'static str {
    match kind {
        ServerKeyKind::Envelope => "envelope",
        ServerKeyKind::Signing => "signing",
        ServerKeyKind::IdToken => "id_token",
        ServerKeyKind::Mac => "mac",
    }
}

fn state(state: ServerKeyState) -> &'static str {
    match state {
        ServerKeyState::Next => "next",
        ServerKeyState::Current => "in use",
        ServerKeyState::Overlap => "replaced, serves on",
        ServerKeyState::Ended => "ended",
        ServerKeyState::Revoked => "revoked",
    }
}
