//! `postern client add|list|show|rotate|remove|explain`

use super::print::{self, not_found};
use super::{Failure, Outcome};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::entropy::SystemEntropy;
use crate::flows::actor::Actor;
use crate::flows::oauth_clients::{self, ClientError};
use clap::{Args, Subcommand, ValueEnum};
use oidc::authorize::{self, AuthorizationRequest, Refusal};
use oidc::client::{AccessTokenFormat, Pkce};
use oidc::{Client, ClientSettings, Params};
use serde_json::json;

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
    Show { id: String },
    /// Make a new secret and print it once
    Rotate {
        id: String,
        /// The old secret stays valid until the next rotation
        #[arg(long)]
        keep_old: bool,
    },
    /// Remove a client; everything that it got becomes invalid
    Remove { id: String },
    /// Say whether an app's authorization request would be accepted, and if not, why
    Explain {
        /// The link to /oauth/authorize, or its query string
        url: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct AddArgs {
    /// The client id: letters, digits and . _ ~ -
    id: String,
    /// The name that people see [default: the id]
    #[arg(long)]
    name: Option<String>,
    /// Where the app receives its answers, byte by byte; may be repeated
    #[arg(long, value_name = "URI")]
    redirect_uri: Vec<String>,
    /// Where people may go after signing out at the app; may be repeated
    #[arg(long, value_name = "URI")]
    post_logout_redirect_uri: Vec<String>,
    /// Where the app learns that a session has ended
    #[arg(long, value_name = "URI")]
    backchannel_logout_uri: Option<String>,
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
    /// Settings that an app is known to need
    #[arg(long, value_enum)]
    preset: Option<AppPreset>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// What apps are known to need. The redirect URI is derived from --url.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum AppPreset {
    Nextcloud,
    Grafana,
    Forgejo,
    Immich,
    Jellyfin,
    Paperless,
}

impl AppPreset {
    /// Returns the path of the redirect URI and that of the back-channel logout, if the app has one.
    fn paths(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Nextcloud => ("/apps/user_oidc/code", Some("/apps/user_oidc/backchannel-logout/postern")),
            Self::Grafana => ("/login/generic_oauth", None),
            Self::Forgejo => ("/user/oauth2/postern/callback", None),
            Self::Immich => ("/auth/login", None),
            Self::Jellyfin => ("/sso/OID/redirect/postern", None),
            Self::Paperless => ("/accounts/oidc/postern/login/callback/", None),
        }
    }

    fn apply(self, settings: &mut ClientSettings) -> Result<(), Failure> {
        let Some(url) = &settings.url else { return Err("--preset needs --url, the address of the app".into()) };
        let base = url.trim_end_matches('/').to_owned();
        let (callback, logout) = self.paths();
        settings.redirect_uris.push(format!("{base}{callback}"));
        if self == Self::Immich {
            settings.redirect_uris.push(format!("{base}/user-settings"));
            settings.redirect_uris.push("app.immich:///oauth-callback".to_owned());
        }
        settings.post_logout_redirect_uris.push(format!("{base}/"));
        if settings.backchannel_logout_uri.is_none() {
            settings.backchannel_logout_uri = logout.map(|path| format!("{base}{path}"));
        }
        // These plug-ins send no code_challenge in some of their versions.
        if matches!(self, Self::Jellyfin | Self::Forgejo) {
            settings.pkce = Pkce::Optional;
        }
        Ok(())
    }
}

pub(super) async fn run(config: Config, command: ClientCommand) -> Outcome {
    let store = super::store::open(&config).await?;
    let actor = Actor::command_line(&*store, &config, &SystemEntropy, SystemClock.now());
    match command {
        ClientCommand::Add(args) => add(&actor, *args).await,
        ClientCommand::List { json } => list(&oauth_clients::list(&actor).await?, json),
        ClientCommand::Show { id } => print::json(&oauth_clients::find(&actor, &id).await.map_err(known)?.settings),
        ClientCommand::Rotate { id, keep_old } => {
            let secret = oauth_clients::rotate(&actor, &id, keep_old).await.map_err(known)?;
            println!("{secret}");
            eprintln!("This is the new secret of {id}. It is not shown again.");
            Ok(())
        }
        ClientCommand::Remove { id } => {
            if !oauth_clients::remove(&actor, &id).await? {
                return Err(known(ClientError::NotFound));
            }
            println!("{id} is removed, and everything that it got is invalid.");
            Ok(())
        }
        ClientCommand::Explain { url } => explain(&actor, &url).await,
    }
}

fn known(error: ClientError) -> Failure {
    match error {
        ClientError::NotFound => not_found(error.to_string()),
        other => other.into(),
    }
}

async fn add(actor: &Actor<'_>, args: AddArgs) -> Outcome {
    let mut settings: ClientSettings = serde_json::from_value(json!({ "id": args.id }))?;
    settings.name = args.name;
    settings.redirect_uris = args.redirect_uri;
    settings.post_logout_redirect_uris = args.post_logout_redirect_uri;
    settings.backchannel_logout_uri = args.backchannel_logout_uri;
    settings.url = args.url;
    settings.groups = args.group;
    settings.consent = args.no_consent.then_some(false);
    settings.access_token = AccessTokenFormat::default();
    if let Some(preset) = args.preset {
        preset.apply(&mut settings)?;
    }
    let (client, secret) = oauth_clients::add(actor, settings, args.public).await?;
    let issuer = &actor.config.origin;
    if args.json {
        return print::json(&json!({
            "issuer": issuer, "client_id": client.id(), "client_secret": secret, "registration": client.settings,
        }));
    }
    println!("{} is added. Give the app these values:", client.id());
    println!("  issuer         {issuer}");
    println!("  client id      {}", client.id());
    match secret {
        Some(secret) => println!("  client secret  {secret}  (not shown again)"),
        None => println!("  client secret  none: it is a public client and must use PKCE"),
    }
    for uri in &client.settings.redirect_uris {
        println!("  redirect URI   {uri}");
    }
    Ok(())
}

fn list(clients: &[Client], json: bool) -> Outcome {
    if json {
        return print::json(&clients.iter().map(|client| &client.settings).collect::<Vec<_>>());
    }
    if clients.is_empty() {
        print::empty("There is no client. Add one: postern client add --redirect-uri URI ID");
        return Ok(());
    }
    let rows = clients.iter().map(|client| {
        let place = if client.configured { "postern.toml" } else { "database" };
        let kind = if client.is_public() { "public" } else { "confidential" };
        let uri = client.settings.redirect_uris.first().cloned().unwrap_or_default();
        [client.id().to_owned(), client.name().to_owned(), kind.to_owned(), place.to_owned(), uri]
    });
    print::table(["ID", "NAME", "KIND", "FROM", "REDIRECT URI"], rows);
    Ok(())
}

/// Judges a request as the server does.
async fn explain(actor: &Actor<'_>, url: &str) -> Outcome {
    let query = url.split_once('?').map_or(url, |(_, query)| query);
    let params = Params::parse(query.split('#').next().unwrap_or_default());
    let refused = |error: &oidc::OAuthError, facts: &[(&'static str, String)]| -> Failure {
        let mut text = format!("refused: {error}");
        for (name, value) in facts {
            text = format!("{text}\n  {name}: {value}");
        }
        text.into()
    };
    let id = authorize::client_id(&params).map_err(|shown| refused(&shown.error, &shown.facts))?;
    let clients = oauth_clients::list(actor).await?;
    let Some(client) = clients.iter().find(|client| client.id() == id) else {
        let shown = authorize::unknown_client(id);
        let known: Vec<_> = clients.iter().map(|client| ("Registered client_id", client.id().to_owned())).collect();
        return Err(refused(&shown.error, &[shown.facts, known].concat()));
    };
    match AuthorizationRequest::judge(&params, client, false).map_err(|refusal| *refusal) {
        Ok(request) => {
            println!("Accepted. {} gets the scopes: {}", client.name(), request.scopes);
            Ok(())
        }
        Err(Refusal::Shown(shown)) => Err(refused(&shown.error, &shown.facts)),
        Err(Refusal::Redirected(redirected)) => {
            let to = ("Sent to", redirected.to.redirect_uri.clone());
            Err(refused(&redirected.error, &[to]))
        }
    }
}
