//! `postern key list|rotate|revoke|rewrap`

use super::file_name::file_name;
use super::print::{self, not_found, remaining, utc_time};
use super::wrong_value::wrong_value;
use super::{Failure, Outcome, service};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::entropy::SystemEntropy;
use crate::flows::actor::Actor;
use crate::flows::server_keys::{self, RotationOutcome};
use crate::flows::{rewrap, services};
use clap::{Subcommand, ValueEnum};
use domain::UnixMs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;
use store::keys::{KeyKind, RevokeKeyOutcome};
use wire::server_keys::{ServerKey, ServerKeyState};

#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// List the keys, newest first
    List {
        /// Only keys of this kind
        #[arg(long, value_enum)]
        kind: Option<KindName>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a new key; the current one remains valid for its overlap
    Rotate {
        /// Kind of the key
        #[arg(long, value_enum)]
        kind: KindName,
        /// With --kind service: the service's name
        #[arg(required_if_eq("kind", "service"), allow_hyphen_values = true)]
        name: Option<String>,
        /// The service's new public P-256 key as a JWK
        #[arg(long, value_name = "FILE", required_if_eq("kind", "service"), value_parser = file_name())]
        key: Option<PathBuf>,
        /// When it comes into use: 2027-01-31, 2027-01-31T04:00:00Z or 12h [default: as soon as caches allow]
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Revoke keys now: anything signed, authenticated or sealed with them becomes invalid, and new ones are in use
    ///
    /// Sessions continue. A MAC key ends the refresh tokens of OpenID Connect apps too: such an app sends people through
    /// the portal again.
    Revoke {
        /// Kind of the key
        #[arg(long, value_enum, required_unless_present = "all")]
        kind: Option<KindName>,
        /// The key's id in the list, or the service's name: it gets no more tickets
        // A kid may begin with a hyphen: it is base64url.
        #[arg(allow_hyphen_values = true, required_unless_present = "all", conflicts_with = "all")]
        name: Option<String>,
        /// After a leak: all keys of the kind, or all of the server's own keys without --kind
        #[arg(long)]
        all: bool,
    },
    /// Encrypt everything under a new key-encryption key while servers run; can be interrupted and repeated
    Rewrap {
        /// Only append the new key to the file, to copy it to other machines first
        #[arg(long)]
        prepare: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum KindName {
    /// Decrypts logins
    Envelope,
    /// Signs tokens and tickets
    Signing,
    /// Signs ID tokens of apps (RS256)
    #[value(name = "id_token")]
    IdToken,
    /// Authenticates cookies, nonces, forms and refresh tokens
    Mac,
    /// Encrypts tickets for a service, which has the private half
    Service,
}

impl KindName {
    /// Returns the kind of a server key; `None` for a service's key.
    fn server_kind(self) -> Option<KeyKind> {
        match self {
            Self::Envelope => Some(KeyKind::Envelope),
            Self::Signing => Some(KeyKind::Signing),
            Self::IdToken => Some(KeyKind::IdToken),
            Self::Mac => Some(KeyKind::Mac),
            Self::Service => None,
        }
    }
}

pub(super) async fn run(config: Config, command: KeyCommand) -> Outcome {
    let store = super::store::open(&config).await?;
    let actor = Actor::command_line(&*store, &config, &SystemEntropy, SystemClock.now());
    match command {
        KeyCommand::List { kind, json } => list(&actor, kind, json).await,
        KeyCommand::Rotate { kind, name, key, at, json } => match kind.server_kind() {
            Some(kind) => rotate(&actor, kind, at.as_deref(), json).await,
            None => replace(&actor, &name.unwrap_or_default(), &key.unwrap_or_default(), json).await,
        },
        KeyCommand::Revoke { kind, all: true, .. } => match kind.map(KindName::server_kind) {
            Some(None) => Err(wrong_value("a service manages its own key: name the service instead of --all")),
            kind => revoke_all(&actor, kind.flatten()).await,
        },
        KeyCommand::Revoke { kind, name, all: false } => match kind.and_then(KindName::server_kind) {
            Some(kind) => revoke(&actor, kind, &name.unwrap_or_default()).await,
            None => service::remove(&actor, &name.unwrap_or_default()).await,
        },
        KeyCommand::Rewrap { prepare: true } => {
            rewrap::prepare(&actor)?;
            println!("A new key was appended to the file and is not used yet.");
            println!("Copy the file to every machine of this site, then run 'postern key rewrap' on one.");
            Ok(())
        }
        KeyCommand::Rewrap { prepare: false } => {
            let done = rewrap::rewrap(&actor).await?;
            println!(
                "{} values are encrypted under the key {} now, and earlier keys were deleted.",
                done.resealed, done.sealer
            );
            println!("It replaced no signing, envelope or MAC key: after a leak, run 'postern key revoke --all' too.");
            println!("Earlier backups need the old key: keep a copy of it as long as you keep those backups.");
            Ok(())
        }
    }
}

async fn list(actor: &Actor<'_>, kind: Option<KindName>, json: bool) -> Outcome {
    let services = match kind {
        None | Some(KindName::Service) => services::list(actor.store).await?,
        Some(_) => Vec::new(),
    };
    if json && kind == Some(KindName::Service) {
        return print::json(&services);
    }
    let mut keys = server_keys::list(actor.store, actor.config, actor.now).await?;
    keys.retain(|key| kind.is_none_or(|kind| kind.server_kind() == Some(kind_of(key))));
    if json {
        return print::json(&keys);
    }
    if keys.is_empty() && services.is_empty() {
        print::empty("There is no such key.");
        return Ok(());
    }
    let own = keys.into_iter().map(|key| {
        let (kind, state) = (kind_of(&key).as_str().to_owned(), state(&key, actor.now));
        [key.kid, kind, key.alg, state, utc_time(key.used_from)]
    });
    let theirs = services.into_iter().map(|service| {
        let kind = format!("service {}", service.name);
        [service.kid, kind, jwe::ALG.to_owned(), "in use".to_owned(), utc_time(service.changed_at)]
    });
    print::table(["KEY", "KIND", "ALGORITHM", "STATE", "USED FROM (UTC)"], own.chain(theirs));
    Ok(())
}

/// Replaces a service's key. Issued tickets remain encrypted to the old one for five minutes.
async fn replace(actor: &Actor<'_>, name: &str, key: &Path, json: bool) -> Outcome {
    let Some(before) = services::list(actor.store).await?.into_iter().find(|service| service.name == name) else {
        return Err(not_found(format!("no service is named {name}")));
    };
    let service = services::set(actor, name, &service::read(key)?, before.role.as_deref()).await?;
    if json {
        return print::json(&service);
    }
    println!("Tickets for {} are now encrypted to the key {}.", service.name, service.kid);
    Ok(())
}

async fn rotate(actor: &Actor<'_>, kind: KeyKind, at: Option<&str>, json: bool) -> Outcome {
    let at = at.map(|text| time(text, actor.now)).transpose()?;
    let rotated = server_keys::rotate(actor, &super::store::key(actor).await?, kind, at).await?;
    if json {
        return print::json(rotated.key());
    }
    let (kid, used_from) = (&rotated.key().kid, utc_time(rotated.key().used_from));
    match rotated {
        RotationOutcome::Made(_) => println!("The new key {kid} is used from {used_from} UTC."),
        RotationOutcome::Waits(_) => {
            println!("Nothing to do: the key {kid} is already waiting, used from {used_from} UTC.");
        }
    }
    Ok(())
}

async fn revoke(actor: &Actor<'_>, kind: KeyKind, kid: &str) -> Outcome {
    match server_keys::revoke(actor, &super::store::key(actor).await?, kid, Some(kind)).await? {
        Some((_, RevokeKeyOutcome::Replaced)) => {
            println!("{kid} is revoked, and a new key is in use. Running servers follow within a second.");
            println!("{}", ended_with(kind));
            Ok(())
        }
        Some(_) => {
            println!("{kid} is revoked. Running servers follow within a second.");
            println!("{}", ended_with(kind));
            Ok(())
        }
        None => Err(not_found(format!("no active {} key has the id {kid}", kind.as_str()))),
    }
}

async fn revoke_all(actor: &Actor<'_>, kind: Option<KeyKind>) -> Outcome {
    let revoked = server_keys::revoke_all(actor, &super::store::key(actor).await?, kind).await?;
    for key in &revoked {
        println!("The {} key {} is revoked.", kind_of(key).as_str(), key.kid);
    }
    let kinds = [KeyKind::Envelope, KeyKind::Signing, KeyKind::IdToken, KeyKind::Mac];
    for kind in kinds.into_iter().filter(|kind| revoked.iter().any(|key| kind_of(key) == *kind)) {
        println!("{}", ended_with(kind));
    }
    println!("New keys are in use. Running servers and the paid gate follow within a second.");
    println!(
        "If somebody may have the key-encryption key too, run 'postern key rewrap': see docs/running.md, After a leak."
    );
    Ok(())
}

/// Returns a sentence about what has ended with a revoked key.
fn ended_with(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Envelope => "Open sign-in forms are encrypted again automatically.",
        KeyKind::Signing => "Access tokens and tickets that it signed are invalid. Sessions continue with new ones.",
        KeyKind::IdToken => "ID tokens that it signed are invalid.",
        KeyKind::Mac => {
            "Refresh tokens of OpenID Connect apps are invalid: such an app sends people through the portal again. \
             Sessions at the portal continue. Known devices are unknown until their next sign-in, and tokens of \
             browsers at the paid gate are invalid."
        }
        KeyKind::Digest => "",
    }
}

fn state(key: &ServerKey, now: UnixMs) -> String {
    match (key.state, key.ends_at, key.revoked_at) {
        (ServerKeyState::Next, ..) => format!("next, in use in {}", remaining(key.used_from - now.as_millis())),
        (ServerKeyState::Current, ..) => "in use".to_owned(),
        (ServerKeyState::Overlap, Some(ends_at), _) => format!("ends in {}", remaining(ends_at - now.as_millis())),
        (ServerKeyState::Overlap, ..) => "replaced".to_owned(),
        (ServerKeyState::Ended, ..) => "ended".to_owned(),
        (ServerKeyState::Revoked, _, at) => format!("revoked {}", utc_time(at.unwrap_or_default())),
    }
}

fn kind_of(key: &ServerKey) -> KeyKind {
    server_keys::stored_kind(key.kind)
}

/// Parses a day, a time, or a period from now.
fn time(text: &str, now: UnixMs) -> Result<UnixMs, Failure> {
    if let Ok(span) = humantime::parse_duration(text) {
        return Ok(now + i64::try_from(span.as_millis()).unwrap_or(i64::MAX));
    }
    let exact = if text.len() == "2027-01-31".len() { format!("{text}T00:00:00Z") } else { text.to_owned() };
    let since = humantime::parse_rfc3339_weak(&exact).ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let ms = since.and_then(|since| i64::try_from(since.as_millis()).ok());
    ms.map(UnixMs::from_millis)
        .ok_or_else(|| wrong_value(format!("'{text}' is not a time: write 2027-01-31, 2027-01-31T04:00:00Z or 12h")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_days_moments_or_spans() {
        for (text, expected) in
            [("2027-01-31", 1_801_353_600_000), ("2027-01-31T04:00:00Z", 1_801_368_000_000), ("12h", 43_200_000)]
        {
            assert_eq!(time(text, UnixMs::EPOCH).ok(), Some(UnixMs::from_millis(expected)), "{text}");
        }
        for wrong in ["", "soon", "2027-13-01", "1969-12-31"] {
            assert!(time(wrong, UnixMs::EPOCH).is_err(), "{wrong}");
        }
    }
}
