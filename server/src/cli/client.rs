//! `postern client add|list|show|set|disable|enable|rotate|remove|token|tokens|revoke-token|explain`

use super::print::{self, not_found, printable};
use super::wrong_value::wrong_value;
use super::{Failure, Outcome};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::entropy::SystemEntropy;
use crate::flows::actor::Actor;
use crate::flows::oauth_clients::{self, ClientError, ClientPlace, Listed};
use crate::flows::oauth_explanation;
use crate::flows::oauth_initial_tokens;
use crate::flows::profiles;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use domain::account::Role;
use oidc::ClientSource;
use oidc::document::is_document_id;
use oidc::preset::Preset;
use serde_json::{Map, Value, json};
use wire::clients::{RegistrationToken, RequestVerdict};

#[derive(Debug, Subcommand)]
pub(super) enum ClientCommand {
    /// Add an app that signs people in with OpenID Connect; prints its secret once
    Add(Box<AddArgs>),
    /// List the clients of postern.toml and of the database
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a client's registration as JSON
    Show {
        /// The client id
        #[arg(allow_hyphen_values = true)]
        id: String,
    },
    /// Change settings of a client
    Set {
        /// The client id
        #[arg(allow_hyphen_values = true)]
        id: String,
        /// A setting of [[clients]] and its new value, as name=value; lists have spaces between their parts, and groups
        /// commas; an empty value is the default
        #[arg(required = true, value_name = "NAME=VALUE")]
        changes: Vec<String>,
    },
    /// Refuse all requests of a client, and keep its registration
    Disable {
        /// The client id
        #[arg(allow_hyphen_values = true)]
        id: String,
    },
    /// Enable a disabled client
    Enable {
        /// The client id
        #[arg(allow_hyphen_values = true)]
        id: String,
    },
    /// Make a token with which clients register themselves, and print it once; needs oauth.registration
    Token {
        /// Number of clients that it may register
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
        uses: u32,
        /// Validity in hours
        #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=720))]
        hours: u32,
        /// A note for administrators
        #[arg(long, default_value = "")]
        note: String,
    },
    /// List the tokens with which clients may still register themselves
    Tokens {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Revoke a token with which clients register themselves
    RevokeToken {
        /// The id in the list of postern client tokens
        #[arg(allow_hyphen_values = true)]
        id: String,
    },
    /// Make a new secret and print it once; the old one is invalid now, and tokens stay valid
    Rotate {
        /// The client id
        #[arg(allow_hyphen_values = true)]
        id: String,
        /// Keep the old secret valid until the next rotation
        #[arg(long)]
        keep_old: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove a client, and invalidate its tokens
    Remove {
        /// The client id
        #[arg(allow_hyphen_values = true)]
        id: String,
    },
    /// Check an authorization request of an app, and print the reason if it would be refused
    Explain {
        /// The link to /oauth/authorize, or its query string
        url: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct AddArgs {
    /// The client id: letters, digits and . _ ~ -
    #[arg(allow_hyphen_values = true)]
    id: String,
    /// The name that people see [default: the id]
    #[arg(long)]
    name: Option<String>,
    /// A redirect URI of the app, compared byte by byte; may be repeated
    #[arg(long, value_name = "URI")]
    redirect_uri: Vec<String>,
    /// A page of the app for people who signed out; may be repeated
    #[arg(long, value_name = "URI")]
    post_logout_redirect_uri: Vec<String>,
    /// URL of the app that receives a notice when a session has ended
    #[arg(long, value_name = "URI")]
    backchannel_logout_uri: Option<String>,
    /// URL of the app's public keys, for private_key_jwt instead of a secret
    #[arg(long, value_name = "URI", conflicts_with = "public")]
    jwks_uri: Option<String>,
    /// The page that the app's tile opens
    #[arg(long)]
    url: Option<String>,
    /// Without a secret: an app in a browser or on a phone
    #[arg(long)]
    public: bool,
    /// Do not ask people for consent: this is your own app
    #[arg(long)]
    no_consent: bool,
    /// Group or role of which a person needs one; may be repeated
    #[arg(long)]
    group: Vec<String>,
    /// The second factor that a sign-in needs: optional, required or passkey
    #[arg(long, value_name = "LEVEL")]
    second_factor: Option<String>,
    /// Settings that an app is known to need; its redirect URI is derived from --url
    #[arg(long, value_parser = PossibleValuesParser::new(Preset::ALL.map(Preset::as_str)))]
    preset: Option<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(config: Config, command: ClientCommand) -> Outcome {
    let store = super::store::open(&config).await?;
    let actor = Actor::command_line(&*store, &config, &SystemEntropy, SystemClock.now());
    match command {
        ClientCommand::Add(args) => add(&actor, *args).await,
        ClientCommand::List { json } => list(&oauth_clients::list(&actor).await?, json),
        ClientCommand::Show { id } => {
            let listed = oauth_clients::find(&actor, &id).await.map_err(known)?;
            if let Err(problem) = listed.client {
                return Err(ClientError::Unreadable(problem).into());
            }
            print::json(&oauth_clients::shown(&listed)?.registration)
        }
        ClientCommand::Set { id, changes } => {
            let split = |change: &String| -> Result<(String, Value), Failure> {
                let (name, value) =
                    change.split_once('=').ok_or_else(|| wrong_value(format!("'{change}' is not NAME=VALUE")))?;
                Ok((name.trim().to_owned(), value.into()))
            };
            let changes: Map<String, Value> = changes.iter().map(split).collect::<Result<_, _>>()?;
            change(&actor, &id, &changes, "changed").await
        }
        ClientCommand::Disable { id } => set_disabled(&actor, &id, true).await,
        ClientCommand::Enable { id } => set_disabled(&actor, &id, false).await,
        ClientCommand::Token { uses, hours, note } => {
            if !config_allows_registration(&actor) {
                return Err("clients may not register themselves: set oauth.registration = true".into());
            }
            println!("{}", oauth_initial_tokens::make(&actor, &note, uses, hours).await?);
            eprintln!("It registers {uses} client(s) within {hours} hours, and is not shown again.");
            Ok(())
        }
        ClientCommand::Tokens { json } => tokens(&oauth_initial_tokens::list(&actor).await?, json),
        ClientCommand::RevokeToken { id } => {
            if !oauth_initial_tokens::revoke(&actor, &id).await? {
                return Err(not_found(format!("no token has the id {id}: postern client tokens lists them")));
            }
            println!("The token is revoked. Clients that it has registered stay.");
            Ok(())
        }
        ClientCommand::Rotate { id, keep_old, json } => {
            let made = oauth_clients::rotate(&actor, &id, keep_old).await.map_err(known)?;
            if json {
                return print::json(&made);
            }
            println!("{}", made.client_secret.unwrap_or_default());
            eprintln!("This is the new secret of {id}. It is not shown again.");
            Ok(())
        }
        ClientCommand::Remove { id } => {
            if !oauth_clients::remove(&actor, &id).await? {
                return Err(known(ClientError::NotFound));
            }
            println!("{id} is removed, and its codes and tokens are invalid.");
            if is_document_id(&id) {
                println!(
                    "Its document is fetched again when somebody opens its link. To keep it out, disable it then."
                );
            }
            Ok(())
        }
        ClientCommand::Explain { url } => explain(oauth_explanation::explain(&actor, &url).await?),
    }
}

fn config_allows_registration(actor: &Actor<'_>) -> bool {
    actor.config.settings.oauth.registration
}

fn known(error: ClientError) -> Failure {
    match error {
        ClientError::NotFound => not_found(error.to_string()),
        other => other.into(),
    }
}

async fn change(actor: &Actor<'_>, id: &str, changes: &Map<String, Value>, done: &str) -> Outcome {
    let changed = oauth_clients::change(actor, id, changes).await.map_err(known)?;
    println!("{id} is {done}. Running servers follow within a second.");
    warn(actor, &changed.settings.groups).await
}

/// Warns if no role or group has a name that a client requires: its sign-ins would all be refused.
async fn warn(actor: &Actor<'_>, required: &[String]) -> Outcome {
    let groups = profiles::groups(actor.store).await?;
    let exists = |name: &String| groups.iter().any(|group| group.name.eq_ignore_ascii_case(name));
    for name in required.iter().filter(|name| Role::parse(name).is_none() && !exists(name)) {
        eprintln!("There is no group {name}, so it admits no one to the client. Add it: postern group add \"{name}\".");
    }
    Ok(())
}

async fn set_disabled(actor: &Actor<'_>, id: &str, disabled: bool) -> Outcome {
    let changes = Map::from_iter([("disabled".to_owned(), disabled.into())]);
    change(actor, id, &changes, if disabled { "disabled" } else { "enabled" }).await
}

async fn add(actor: &Actor<'_>, args: AddArgs) -> Outcome {
    let mut members = Map::new();
    let mut set = |name: &str, value: Value| members.insert(name.to_owned(), value);
    set("id", args.id.into());
    set("public", args.public.into());
    set("preset", args.preset.into());
    set("name", args.name.into());
    set("redirect_uris", args.redirect_uri.into());
    set("post_logout_redirect_uris", args.post_logout_redirect_uri.into());
    set("backchannel_logout_uri", args.backchannel_logout_uri.into());
    set("jwks_uri", args.jwks_uri.into());
    set("url", args.url.into());
    set("groups", args.group.into());
    set("second_factor", args.second_factor.into());
    set("consent", args.no_consent.then_some(false).into());
    let (settings, public) = oauth_clients::parse_new(members)?;
    let (client, secret) = oauth_clients::add(actor, settings, public).await?;
    if args.json {
        return print::json(&json!({
            "issuer": secret.issuer, "client_id": client.id(), "client_secret": secret.client_secret,
            "registration": client.settings,
        }));
    }
    println!("{} is added. Give the app these values:", client.id());
    println!("  issuer         {}", secret.issuer);
    println!("  client id      {}", client.id());
    match secret.client_secret {
        Some(secret) => println!("  client secret  {secret}  (not shown again)"),
        None if client.is_public() => println!("  client secret  none: it is a public client and must use PKCE"),
        None => println!("  client secret  none: it proves itself with its own keys"),
    }
    for uri in &client.settings.redirect_uris {
        println!("  redirect URI   {uri}");
    }
    if let Some(preset) = Preset::of(&client.settings.redirect_uris) {
        println!("Set these in {}:", preset.name());
        for (name, value) in preset.app_settings() {
            println!("  {name}: {value}");
        }
    }
    warn(actor, &client.settings.groups).await
}

fn list(clients: &[Listed], json: bool) -> Outcome {
    if json {
        let shown: Result<Vec<_>, _> = clients.iter().map(oauth_clients::shown).collect();
        return print::json(&shown?);
    }
    if clients.is_empty() {
        print::empty("There is no client. Add one: postern client add --redirect-uri URI ID");
        return Ok(());
    }
    let rows = clients.iter().map(|Listed { id, client, stored }| {
        let place = match stored {
            ClientPlace::Settings => "postern.toml",
            ClientPlace::Database(row) if row.source == ClientSource::Registered.as_str() => "itself",
            ClientPlace::Database(_) => "database",
            ClientPlace::Document(_) => "document",
        };
        let Ok(client) = client else {
            return [id.as_str(), "", "", place, "unreadable", ""].map(str::to_owned);
        };
        let kind = if client.is_public() { "public" } else { "confidential" };
        let state = if client.settings.disabled { "disabled" } else { "enabled" };
        let uri = client.settings.redirect_uris.first().map_or("", String::as_str);
        [id.as_str(), client.name(), kind, place, state, uri].map(str::to_owned)
    });
    print::table(["ID", "NAME", "KIND", "FROM", "STATE", "REDIRECT URI"], rows);
    Ok(())
}

fn tokens(tokens: &[RegistrationToken], json: bool) -> Outcome {
    if json {
        return print::json(&tokens);
    }
    if tokens.is_empty() {
        print::empty("There is no token. Make one: postern client token");
        return Ok(());
    }
    let rows = tokens.iter().map(|token| {
        [token.id.clone(), token.note.clone(), token.uses_left.to_string(), print::utc_time(token.expires_at)]
    });
    print::table(["ID", "NOTE", "USES LEFT", "EXPIRES"], rows);
    Ok(())
}

fn explain(verdict: RequestVerdict) -> Outcome {
    let facts: Vec<_> =
        verdict.facts.iter().map(|fact| format!("\n  {}: {}", fact.name, printable(&fact.value))).collect();
    let facts = facts.concat();
    match verdict.error {
        None => {
            println!("Accepted. {}{facts}", printable(&verdict.description));
            Ok(())
        }
        Some(error) => Err(format!("refused: {error}: {}{facts}", verdict.description).into()),
    }
}
