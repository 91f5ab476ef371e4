//! `/oauth/form_post`: the page that posts an answer to an app.

use super::app_page::STYLE;
use super::oauth_authorize::leave_host;
use super::{not_found, pages};
use crate::flows::oauth_marks;
use crate::guards::oauth_client;
use crate::state::AppState;
use axum::extract::{Request, State};
use axum::response::{Html, IntoResponse, Response};
use domain::encoding::base64url;
use domain::html::escaped;
use http::{HeaderValue, header};
use oidc::{Client, Params, redirect_uri};
use std::collections::BTreeSet;

/// Posts the fragment's parameters if they are the answer that this server gave, and removes them from the history first.
/// Without https, a script cannot compute a digest, so the person must press the button. The same holds for a client
/// that nobody has checked: it may have got the link for itself, and have registered the URI of another app.
const POST_FORM: &str = "const f=document.forms[0],h=location.hash.slice(1);\
history.replaceState(null,'',location.pathname);\
const fill=()=>{for(const [n,v] of new URLSearchParams(h)){\
const i=document.createElement('input');i.type='hidden';i.name=n;i.value=v;f.append(i)}};\
if(!globalThis.crypto?.subtle){fill();f.hidden=false}\
else crypto.subtle.digest('SHA-256',new TextEncoder().encode(h)).then(d=>{\
const t=btoa(String.fromCharCode(...new Uint8Array(d))).replace(/\\+/g,'-').replace(/\\//g,'_').replace(/=/g,'');\
if(t===f.dataset.digest){fill();'ask' in f.dataset?f.hidden=false:f.submit()}else document.getElementById('wrong').hidden=false})";

/// Posts an answer of this server to a client at a registered redirect URI. A link without its mark
/// could post anything there, with the cookies of that app.
pub(crate) async fn form_post(State(state): State<AppState>, request: Request) -> Response {
    let params = Params::parse(request.uri().query().unwrap_or_default());
    let id = params.get("client_id").unwrap_or_default();
    let client = match oauth_client::find(&state, id).await {
        Ok(client) => client,
        Err(error) => return pages::broken(state, error, request).await,
    };
    let uri = params.get("redirect_uri").filter(|uri| client.as_ref().is_some_and(|client| client.redirects_to(uri)));
    let digest = uri.and_then(|uri| oauth_marks::answer_digest(&state, params.get("mark")?, id, uri));
    let (Some(client), Some(uri), Some(digest)) = (&client, uri, digest) else {
        return not_found::not_found(State(state), request).await;
    };
    let nonce = base64url(&state.entropy.bytes::<16>());
    let ask = if client.is_unchecked() { " data-ask" } else { "" };
    let html = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Opening</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><style nonce=\"{nonce}\">{STYLE}</style></head><body><main>\
         <form method=\"post\" action=\"{}\" data-digest=\"{}\"{ask} hidden><h1>Continue to {}?</h1>\
         <button>Continue</button></form>\
         <p id=\"wrong\" hidden>This link is not complete. Begin again in the app.</p></main>\
         <noscript>Opening this app needs JavaScript.</noscript>\
         <script nonce=\"{nonce}\">{POST_FORM}</script></body></html>\n",
        escaped(uri),
        escaped(&digest),
        escaped(&leave_host(uri))
    );
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; base-uri 'none'; form-action {}; \
         frame-ancestors 'none'",
        origins(client, uri)
    );
    let mut response = Html(html).into_response();
    if let Ok(policy) = HeaderValue::try_from(policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Returns the origins to which the form may lead. Chromium also checks the redirects that follow a form, which may
/// lead to the app's other origins.
fn origins(client: &Client, uri: &str) -> String {
    let settings = &client.settings;
    let all = settings.redirect_uris.iter().chain(&settings.url).map(String::as_str).chain([uri]);
    all.filter_map(redirect_uri::origin).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(" ")
}
