//! `/dashboard/clients`, for administrators.

use crate::flows::{self, paging};
use crate::http::ApiError;
use crate::http::page_request::PageRequest;
use crate::http::{clients, request};
use app::Content;
use app::components::{ConsentField, More, Options, When};
use app::islands::{Act, ConfirmedAction, Forms, SecretForms};
use app::text::query::query;
use app::text::registration::texts;
use app::view::Site;
use domain::bidi::isolated;
use leptos::prelude::*;
use oidc::preset::Preset;
use serde::Deserialize;
use wire::clients::{Client, RegistrationToken, RequestVerdict};
use wire::paths;

#[derive(Debug, Clone)]
struct ClientsView {
    clients: Vec<Client>,
    /// Names of known apps.
    presets: Vec<&'static str>,
    /// Tokens with which apps may still register themselves.
    tokens: Vec<RegistrationToken>,
    /// The request of an app to explain, as typed.
    asked: String,
    verdict: Option<RequestVerdict>,
    /// The entry after which the next page begins.
    next: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ClientsQuery {
    /// An app's request to explain.
    request: String,
    after: String,
}

/// Loads the page.
pub(crate) async fn load(request: PageRequest<'_>) -> Result<Option<Content>, ApiError> {
    let Some(actor) = request.actor() else { return Ok(None) };
    let asked: ClientsQuery = request::query(request.uri).unwrap_or_default();
    let all = clients::listed(&actor).await?;
    let (clients, next) = paging::page(all, |client| &client.id, &asked.after);
    let verdict = if asked.request.is_empty() {
        None
    } else {
        Some(flows::oauth_explanation::explain(&actor, &asked.request).await?)
    };
    let presets = Preset::ALL.map(Preset::as_str).to_vec();
    let tokens = flows::oauth_initial_tokens::list(&actor).await?;
    let view = ClientsView { clients, presets, tokens, asked: asked.request, verdict, next };
    Ok(Some(Content::new(move |site| show(site, view))))
}

fn show(site: Site, view: ClientsView) -> impl IntoView {
    let now = site.now;
    let ClientsView { clients, presets, tokens, asked, verdict, next } = view;
    let said = if clients.is_empty() {
        "No clients yet. A client is an app that signs people in here with OpenID Connect."
    } else {
        "Apps that sign people in here with OpenID Connect."
    };
    let card = move |client: Client| view! { <Card client now /> };
    view! {
        <header>
            <h1 tabindex="-1">"Clients"</h1>
        </header>
        <p id="said" role="status" class="quiet">
            {said}
        </p>
        // The list may be long, so the forms are above it.
        <div class="columns">
            <NewClient presets open=clients.is_empty() />
            <Explain asked verdict />
        </div>
        <ul class="devices">{clients.into_iter().map(card).collect_view()}</ul>
        <More path=paths::CLIENTS_PAGE next label="More clients" />
        <Tokens tokens now />
        <SecretForms done=paths::CLIENTS_PAGE.to_owned() />
        <Forms />
    }
}

#[component]
fn Card(client: Client, now: i64) -> impl IntoView {
    let from = match client.source.as_str() {
        "settings" => "in postern.toml",
        "registered" => "registered by the app",
        "document" => "a document",
        _ => "added by an administrator or a command",
    };
    let kind = if client.public { "public" } else { "confidential" };
    let added = client.created_at.map(|at| view! { " \u{b7} added " <When now at /> });
    let expires = client.expires_at.map(|at| view! { " \u{b7} expires " <When now at /> });
    let page = format!("{}?{}", paths::CLIENT_PAGE, query(&[("id", &client.id)]));
    let uri = texts(&client.registration, "redirect_uris").into_iter().next();
    view! {
        <li class="device">
            <div>
                <h2 class="device-name">
                    <a href=page><bdi>{client.name.clone()}</bdi></a>
                    {client.disabled.then(|| view! { <span class="badge">"disabled"</span> })}
                    {client.problem.is_some().then(|| view! { <span class="badge">"unreadable"</span> })}
                </h2>
                <p class="small quiet">
                    <code>{client.id.clone()}</code> " \u{b7} " {kind} " \u{b7} " {from} {added} {expires}
                </p>
                {uri.map(|uri| view! { <p class="small quiet"><code class="wrap">{uri}</code></p> })}
            </div>
        </li>
    }
}

/// Tokens with which apps register themselves, if there are any.
#[component]
fn Tokens(tokens: Vec<RegistrationToken>, now: i64) -> impl IntoView {
    let row = move |token: RegistrationToken| {
        let RegistrationToken { id, note, uses_left, created_at, expires_at } = token;
        let title = if note.is_empty() { "No note".to_owned() } else { note };
        let apps = if uses_left == 1 { "one app".to_owned() } else { format!("{uses_left} apps") };
        let revoke = ConfirmedAction {
            method: "DELETE".to_owned(),
            path: format!("{}/{id}", paths::REGISTRATION_TOKENS),
            label: "Revoke".to_owned(),
            spoken: format!("Revoke {}", isolated(&title)),
            title: "Revoke this token?".to_owned(),
            about: "No app can register with it any more. Apps that it has registered stay.".to_owned(),
            no: "Keep token".to_owned(),
            yes: "Revoke token".to_owned(),
            ..ConfirmedAction::default()
        };
        view! {
            <li class="device">
                <div>
                    <h3 class="device-name"><bdi>{title}</bdi></h3>
                    <p class="small quiet">
                        "for " {apps} " \u{b7} made " <When now at=created_at /> " \u{b7} expires " <When now at=expires_at />
                    </p>
                </div>
                <Act action=revoke />
            </li>
        }
    };
    (!tokens.is_empty()).then(|| {
        view! {
            <section>
                <h2>"Registration tokens"</h2>
                <p class="small quiet">"An app that has one registers itself as a client."</p>
                <ul class="devices">{tokens.into_iter().map(row).collect_view()}</ul>
            </section>
        }
    })
}

#[component]
fn NewClient(
    presets: Vec<&'static str>,
    /// Whether the form is visible before somebody asks for it.
    open: bool,
) -> impl IntoView {
    let none = [(String::new(), "Another app".to_owned())];
    let presets = presets.into_iter().map(|name| (name.to_owned(), capitalized(name)));
    view! {
        <details class="panel fold" id="add" open=open>
            <summary>
                <h2>"Add a client"</h2>
            </summary>
            <form class="form" method="post" action=paths::CLIENTS data-secret="POST">
                <label for="preset">"App"</label>
                <Options id="preset" chosen=String::new() options=none.into_iter().chain(presets).collect() />
                <label for="id">"Client id"</label>
                <input id="id" name="id" maxlength="64" required autocomplete="off" spellcheck="false" aria-describedby="id-hint" />
                <p class="small quiet" id="id-hint">"Letters, digits and . _ ~ -"</p>
                <label for="name">"Name that people see"</label>
                <input id="name" name="name" maxlength="60" autocomplete="off" />
                <label for="url">"Address of the app"</label>
                <input id="url" name="url" type="url" maxlength="1024" autocomplete="off" spellcheck="false" aria-describedby="url-hint" />
                <p class="small quiet" id="url-hint">
                    "The overview links to this address. Presets derive redirect URIs from it."
                </p>
                <label for="redirect_uris">"Redirect URIs, one per line"</label>
                <textarea id="redirect_uris" name="redirect_uris" rows="3" autocomplete="off" spellcheck="false"></textarea>
                <ConsentField asks=true />
                <label for="jwks_uri">"Address of its public keys, instead of a secret"</label>
                <input id="jwks_uri" name="jwks_uri" type="url" maxlength="1024" autocomplete="off" spellcheck="false" />
                <label class="tick">
                    <input type="checkbox" name="public" />
                    "Public: an app in a browser or on a phone, without a secret"
                </label>
                <button class="button" type="submit" disabled>
                    "Add client"
                </button>
            </form>
        </details>
    }
}

#[component]
fn Explain(asked: String, verdict: Option<RequestVerdict>) -> impl IntoView {
    let open = verdict.is_some();
    let answer = verdict.map(|verdict| {
        let facts = verdict
            .facts
            .into_iter()
            .map(|fact| view! { <dt>{fact.name}</dt> <dd><code class="wrap">{fact.value}</code></dd> });
        let word = if verdict.accepted { "Accepted. " } else { "Refused. " };
        let error = verdict.error.map(|error| view! { <code>{error}</code> ": " });
        view! {
            <div role="status">
                <p class:warning-line=!verdict.accepted>{word} {error} {verdict.description}</p>
                <dl class="refusal">{facts.collect_view()}</dl>
            </div>
        }
    });
    view! {
        <details class="panel fold" id="explain" open=open>
            <summary>
                <h2>"Explain a request"</h2>
            </summary>
            <p class="small quiet">
                "Paste the link to which an app sends people, from the address bar of the browser. This says whether it would be accepted, and if not, why."
            </p>
            <form class="form" method="get" action=format!("{}#explain", paths::CLIENTS_PAGE)>
                <label for="request">"Link of the app"</label>
                <input id="request" name="request" value=asked maxlength="4000" required autocomplete="off" spellcheck="false" />
                <button class="button plain" type="submit">
                    "Explain"
                </button>
            </form>
            {answer}
        </details>
    }
}

fn capitalized(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}
