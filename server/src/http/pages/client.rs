//! `/dashboard/clients/client`: one client, for administrators.

use crate::flows;
use crate::http::ApiError;
use crate::http::clients;
use crate::http::page_request::PageRequest;
use app::Content;
use app::components::{ConsentField, Options, owned};
use app::islands::{Act, ConfirmedAction, Forms, SecretForms};
use app::text::names::first_names;
use app::text::query::{escaped, query};
use app::text::registration::{text, texts};
use domain::bidi::isolated;
use leptos::prelude::*;
use oidc::preset::Preset;
use serde_json::{Map, Value};
use wire::clients::Client;
use wire::paths;

const CHANGED: &str = "The client is changed.";

#[derive(Debug, Clone)]
struct ClientView {
    client: Client,
    issuer: String,
    /// The settings of a known app, by their names there.
    app_settings: &'static [(&'static str, &'static str)],
    /// The names of all groups.
    groups: Vec<String>,
    /// It was just changed.
    done: bool,
}

/// Loads the page.
pub(crate) async fn load(request: PageRequest<'_>) -> Result<Option<Content>, ApiError> {
    let Some(actor) = request.actor() else { return Ok(None) };
    let id = request.asked().id.unwrap_or_default();
    let all = clients::listed(&actor).await?;
    let Some(client) = all.into_iter().find(|client| client.id == id) else { return Ok(None) };
    let groups = flows::profiles::groups(actor.store).await?.into_iter().map(|group| group.name).collect();
    let (issuer, done) = (actor.config.origin.clone(), request.is_done());
    let uris = texts(&client.registration, "redirect_uris");
    let app_settings = Preset::of(&uris).map_or(&[][..], Preset::app_settings);
    let view = ClientView { client, issuer, app_settings, groups, done };
    Ok(Some(Content::new(move |_| show(view))))
}

fn show(view: ClientView) -> impl IntoView {
    let ClientView { client, issuer, app_settings, groups, done } = view;
    let app_settings = app_settings.iter().map(|(name, value)| {
        view! {
            <dt>{*name}</dt>
            <dd><code class="wrap">{*value}</code></dd>
        }
    });
    let path = format!("{}/{}", paths::CLIENTS, escaped(&client.id));
    let page = format!("{}?{}", paths::CLIENT_PAGE, query(&[("id", &client.id), ("done", &"changed".to_owned())]));
    let said = if done { CHANGED } else { "What this app may do, and how it signs people in." };
    let fixed = |text| view! { <Fixed text registration=client.registration.clone() /> };
    let ends = || view! { <Ends path=path.clone() client=client.clone() /> };
    let (settings, actions) = match (client.source.as_str(), &client.problem) {
        ("settings", _) => {
            (fixed("This client is in postern.toml, and is changed there.".to_owned()).into_any(), ().into_any())
        }
        (_, Some(problem)) => {
            let text = format!("The stored settings cannot be read: {problem}. Remove the client, and add it again.");
            (fixed(text).into_any(), ends().into_any())
        }
        ("document", _) => {
            let text = "This client is a document at the address that is its id, and is changed there.".to_owned();
            (fixed(text).into_any(), ends().into_any())
        }
        _ => (
            view! { <Edit path=path.clone() page=page.clone() client=client.clone() groups /> }.into_any(),
            view! {
                <Secret path=path.clone() client=client.clone() />
                {ends()}
            }
            .into_any(),
        ),
    };
    view! {
        <header>
            <h1 tabindex="-1"><bdi>{client.name.clone()}</bdi></h1>
        </header>
        <p id="said" role="status" class="quiet">
            {said}
        </p>
        <div class="columns">
            {settings}
            <div class="stack">
                <section class="panel">
                    <h2>"Values for the app"</h2>
                    <dl class="refusal">
                        <dt>"Issuer"</dt>
                        <dd><code class="wrap">{issuer}</code></dd>
                        <dt>"Client id"</dt>
                        <dd><code class="wrap">{client.id.clone()}</code></dd>
                        <dt>"Client secret"</dt>
                        <dd>{secrets(&client)}</dd>
                        {app_settings.collect_view()}
                    </dl>
                </section>
                {actions}
            </div>
        </div>
        <p class="link-line">
            <a href=paths::CLIENTS_PAGE>"Back to clients"</a>
        </p>
        <SecretForms done=page />
        <Forms />
    }
}

fn secrets(client: &Client) -> &'static str {
    match (client.public, client.secrets) {
        (true, _) => "none: it is a public client and must use PKCE",
        (false, 0) => "none: it proves itself with its own keys",
        (false, 1) => "shown once, when it was created",
        (false, _) => "two are valid, because one is being replaced",
    }
}

#[component]
fn Fixed(text: String, registration: Map<String, Value>) -> impl IntoView {
    let rows = registration.into_iter().map(|(name, value)| {
        let value = match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        view! { <dt>{name}</dt> <dd><code class="wrap">{value}</code></dd> }
    });
    view! {
        <section class="panel">
            <h2>"Settings"</h2>
            <p class="small quiet">{text}</p>
            <dl class="refusal">{rows.collect_view()}</dl>
        </section>
    }
}

const FACTORS: [(&str, &str); 3] =
    [("optional", "As each person likes"), ("required", "Two factors"), ("passkey", "A passkey")];
const PKCE: [(&str, &str); 2] = [("required", "Required"), ("optional", "Optional, for an old app")];

#[component]
fn Edit(path: String, page: String, client: Client, groups: Vec<String>) -> impl IntoView {
    let own = &client.registration;
    let hint = if groups.is_empty() {
        "There are no groups yet. Empty: everybody.".to_owned()
    } else {
        format!("Separate groups with commas. Empty: everybody. Existing groups: {}.", first_names(&groups))
    };
    let registered = client.source == "registered";
    let asks = own.get("consent") != Some(&Value::Bool(false));
    let consent = (!registered).then(|| view! { <ConsentField asks /> });
    // Required, because without it the client would be a public one.
    let keys = own.contains_key("jwks_uri").then(|| {
        view! {
            <label for="jwks_uri">"Address of its public keys"</label>
            <input id="jwks_uri" name="jwks_uri" type="url" value=text(own, "jwks_uri") maxlength="1024" required autocomplete="off" spellcheck="false" />
        }
    });
    let pkce = (!client.public).then(|| {
        view! {
            <label for="pkce">"PKCE"</label>
            <Options id="pkce" chosen=text(own, "pkce") options=owned(&PKCE) />
        }
    });
    let factor = Some(text(own, "second_factor")).filter(|level| !level.is_empty()).unwrap_or("optional".to_owned());
    view! {
        <section class="panel">
            <h2>"Settings"</h2>
            <form class="form" method="post" action=path data-method="PATCH" data-done=page>
                <label for="name">"Name that people see"</label>
                <input id="name" name="name" value=text(own, "name") maxlength="60" autocomplete="off" />
                <label for="url">"Address of the app"</label>
                <input id="url" name="url" type="url" value=text(own, "url") maxlength="1024" autocomplete="off" spellcheck="false" />
                <label for="redirect_uris">"Redirect URIs, one per line"</label>
                <textarea id="redirect_uris" name="redirect_uris" rows="4" autocomplete="off" spellcheck="false">
                    {texts(own, "redirect_uris").join("\n")}
                </textarea>
                <label for="post_logout_redirect_uris">"Pages after sign-out, one per line"</label>
                <textarea id="post_logout_redirect_uris" name="post_logout_redirect_uris" rows="2" autocomplete="off" spellcheck="false">
                    {texts(own, "post_logout_redirect_uris").join("\n")}
                </textarea>
                <label for="backchannel_logout_uri">"Address for notices of sign-out"</label>
                <input id="backchannel_logout_uri" name="backchannel_logout_uri" type="url" value=text(own, "backchannel_logout_uri") maxlength="1024" autocomplete="off" spellcheck="false" />
                {keys}
                <label for="groups">"Groups or roles that may use it"</label>
                <input id="groups" name="groups" value=texts(own, "groups").join(", ") maxlength="1200" aria-describedby="groups-hint" autocomplete="off" spellcheck="false" />
                <p class="small quiet" id="groups-hint">{hint}</p>
                <label for="second_factor">"Second factor that it needs"</label>
                <Options id="second_factor" chosen=factor options=owned(&FACTORS) />
                {consent}
                {pkce}
                <button class="button" type="submit" disabled>
                    "Save settings"
                </button>
            </form>
        </section>
    }
}

#[component]
fn Secret(path: String, client: Client) -> impl IntoView {
    (client.secrets > 0).then(|| {
        view! {
            <section class="panel">
                <h2>"New secret"</h2>
                <form class="form" method="post" action=format!("{path}/secret") data-secret="POST">
                    <label class="tick">
                        <input type="checkbox" name="keep_old" />
                        "The old secret stays valid until the next new one"
                    </label>
                    <button class="button plain" type="submit" disabled>
                        "Make a new secret"
                    </button>
                </form>
            </section>
        }
    })
}

#[component]
fn Ends(path: String, client: Client) -> impl IntoView {
    let (name, is_document) = (isolated(&client.name), client.source == "document");
    let (label, about, yes) = if client.disabled {
        (
            "Enable",
            "People can sign in to it again, and what it got before is valid again until it expires.",
            "Enable client",
        )
    } else {
        (
            "Disable",
            "Nobody can sign in to it, and what it got is refused, until it is enabled again.",
            "Disable client",
        )
    };
    let pause = ConfirmedAction {
        method: "PATCH".to_owned(),
        path: path.clone(),
        body: format!("{{\"disabled\":{}}}", !client.disabled),
        label: label.to_owned(),
        spoken: format!("{label} {name}"),
        title: format!("{label} {name}?"),
        about: about.to_owned(),
        no: "Leave it".to_owned(),
        yes: yes.to_owned(),
    };
    let remove = ConfirmedAction {
        method: "DELETE".to_owned(),
        path,
        label: "Remove".to_owned(),
        spoken: format!("Remove {name}"),
        title: format!("Remove {name}?"),
        about: if is_document {
            "Everything that it got becomes invalid, and people's consents are forgotten. It comes back when somebody opens its \
             link: disable it to keep it out."
        } else {
            "Everything that it got becomes invalid, and people's consents are forgotten. This cannot be undone."
        }
        .to_owned(),
        no: "Keep client".to_owned(),
        yes: "Remove client".to_owned(),
        ..ConfirmedAction::default()
    };
    // Nothing can be set in a registration that cannot be read.
    let pause = client.problem.is_none().then(|| view! { <Act action=pause /> });
    view! {
        <section class="panel">
            <h2>{if client.disabled { "Disabled" } else { "Disable or remove" }}</h2>
            <div class="choices">
                {pause}
                <Act action=remove />
            </div>
        </section>
    }
}
