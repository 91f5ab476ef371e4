//! The pages: their data is loaded here before rendering. Each page of the dashboard is a file, which the table of
//! [`app::dashboard_pages`] names.

#![expect(clippy::unused_async, reason = "a page that reads nothing is loaded like the others")]

use super::challenge::pre_login;
use super::enrol::{self, FACTOR};
use super::page_request::{PageRequest, asked};
use super::sign_in_path::sign_in_path;
use super::{ApiError, render};
use crate::client::Client;
use crate::config::SignupMode;
use crate::flows;
use crate::guards::administrator::Administrator;
use crate::guards::factor_policy;
use crate::guards::signed_in::SignedIn;
use crate::oauth::clients::is_terminal;
use crate::state::AppState;
use app::dashboard::{DashboardPage, PageViewers};
use app::view::{BanNotice, ForgottenView, LoginView, ResetView, ResumeView, SignInReason, SignupView, Viewer};
use app::{Content, DashboardView, View};
use axum::Extension;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use domain::account::Role;
use domain::ban::Scope;
use domain::local_path::{local_page, written_out};
use http::{HeaderMap, Uri};
use tower_cookies::Cookies;
use wire::paths;

/// The `why` of a browser that has lost its key.
const KEY_GONE: &str = "key_gone";
/// The `why` of a person who signs in again for an app.
const AGAIN: &str = "again";
/// The `why` of a person who must be authenticated again.
const CONFIRM: &str = "confirm";

/// Loads the view of a page, or redirects.
pub(crate) async fn load(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    cookies: Cookies,
    mut request: Request,
    next: Next,
) -> Response {
    // The request itself cannot be used, because its body cannot be shared between threads.
    let (uri, headers) = (request.uri().clone(), request.headers().clone());
    match view(&state, &client, &uri, &headers).await {
        Ok(Page::View(view)) => {
            if matches!(view, View::Login(_)) {
                // Without it, the page's challenges for password and passkey would each set one, and the second replaces
                // the first.
                pre_login(&state, &cookies, &headers);
            }
            request.extensions_mut().insert(view);
            next.run(request).await
        }
        Ok(Page::Elsewhere(path)) => Redirect::to(&path).into_response(),
        Err(error) => broken(state, error, request).await,
    }
}

/// Leads from a page's path with a slash at its end to the page. The route matched, so the rest is a path of ours.
pub(crate) async fn without_slash(uri: Uri) -> Redirect {
    let path = uri.path().trim_end_matches('/');
    Redirect::permanent(&uri.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}")))
}

/// Returns the error page; the cause goes to the log.
pub(crate) async fn broken(state: AppState, error: ApiError, request: Request) -> Response {
    let cause = error.into_response().extensions().get::<crate::api_error::Cause>().cloned();
    let mut response = render::document(State(state), View::Broken, request).await;
    if let Some(cause) = cause {
        response.extensions_mut().insert(cause);
    }
    response
}

enum Page {
    View(View),
    Elsewhere(String),
}

async fn view(state: &AppState, client: &Client, uri: &Uri, headers: &HeaderMap) -> Result<Page, ApiError> {
    let asked = asked(uri);
    let target = local_page(asked.next.as_deref().map(written_out).as_deref()).to_owned();
    let signed_in = SignedIn::find(state, Some(client), headers).await?;
    match (uri.path(), signed_in) {
        // A session whose key is lost cannot prove anything, so the person signs in again.
        (paths::LOGIN_PAGE | paths::RESUME_PAGE, Some(_))
            if !matches!(asked.why.as_deref(), Some(KEY_GONE | AGAIN | CONFIRM | FACTOR)) =>
        {
            Ok(Page::Elsewhere(target))
        }
        (paths::SIGNUP_PAGE, Some(_)) if asked.next.is_some() => Ok(Page::Elsewhere(target)),
        (paths::SIGNUP_PAGE, Some(signed_in)) => Ok(Page::View(View::SignedIn(viewer(state, &signed_in).await?))),
        (paths::LOGIN_PAGE, _) => login(state, client, target, asked.why.as_deref()).await,
        (paths::RESUME_PAGE, _) => Ok(Page::View(View::Resume(ResumeView { next: target }))),
        (paths::SIGNUP_PAGE, None) => signup(state, target).await,
        // Another person may be signed in in this browser; the link takes precedence.
        (paths::RESET_PAGE, _) => {
            Ok(Page::View(View::Reset(ResetView { password_min: state.config.settings.password.min })))
        }
        (paths::FORGOTTEN_PAGE, _) if state.mailer.is_some() => {
            let done = asked.done.as_deref() == Some("sent");
            Ok(Page::View(View::Forgotten(ForgottenView { next: target, done })))
        }
        (paths::FORGOTTEN_PAGE, _) => Ok(Page::View(View::NotFound)),
        (path, Some(signed_in)) => match factor_policy::missing(state, &signed_in.claims).await? {
            Some(missing) if path != paths::ENROL_PAGE => Ok(Page::Elsewhere(enrol::path_of(missing, uri))),
            _ if path == paths::ENROL_PAGE => {
                let viewer = viewer(state, &signed_in).await?;
                let page = enrol::load(state, &signed_in, viewer, asked.factor.as_deref(), &target).await?;
                Ok(page.map_or(Page::Elsewhere(target), |page| Page::View(View::Enrol(Box::new(page)))))
            }
            _ => dashboard(state, client, uri, path, &signed_in).await,
        },
        (_, None) => Ok(Page::Elsewhere(sign_in_path(state, headers, uri))),
    }
}

async fn login(state: &AppState, client: &Client, next: String, why: Option<&str>) -> Result<Page, ApiError> {
    let closed = client.closed(&state.defence, Scope::SignIn);
    let name = flows::oauth_authorize::login_hint(state, &next).await?.unwrap_or_default();
    Ok(Page::View(View::Login(LoginView {
        next,
        name,
        why: match why {
            Some("ended") => Some(SignInReason::Ended),
            Some(KEY_GONE) => Some(SignInReason::KeyGone),
            Some(AGAIN) => Some(SignInReason::Again),
            Some(CONFIRM) => Some(SignInReason::Confirm),
            Some(FACTOR) => Some(SignInReason::Factor),
            Some("signed_out") => {
                let clients = state.clients.all(state.now());
                Some(SignInReason::SignedOut { apps: clients.iter().any(|client| !is_terminal(client)) })
            }
            Some("password_set") => Some(SignInReason::PasswordSet),
            Some("deleted") => Some(SignInReason::Deleted),
            _ => None,
        },
        closed: closed.map(|closed| BanNotice { until: closed.until.as_millis(), incident: closed.incident }),
        first_run: !state.store.has_users().await?,
        signup: state.config.settings.signup.mode == SignupMode::Open,
        forgotten: state.mailer.is_some(),
        remember_days: flows::remembered_devices::days(state),
    })))
}

async fn signup(state: &AppState, next: String) -> Result<Page, ApiError> {
    let first_run = !state.store.has_users().await?;
    let settings = &state.config.settings;
    Ok(Page::View(View::Signup(SignupView {
        next,
        first_run,
        shut: !first_run && settings.signup.mode == SignupMode::Closed,
        invited: settings.signup.mode == SignupMode::Invite,
        password_min: settings.password.min,
    })))
}

async fn viewer(state: &AppState, signed_in: &SignedIn) -> Result<Viewer, ApiError> {
    let claims = &signed_in.claims;
    let administrator = claims.roles.iter().any(|role| role == Role::Administrator.as_str());
    Ok(Viewer {
        account: claims.sub.to_string(),
        username: claims.preferred_username.clone(),
        administrator,
        bound: claims.cnf.is_some(),
        toll: administrator && flows::toll::is_configured(&*state.store, &state.config.settings.toll).await?,
    })
}

/// Loads a page of the dashboard. For other people, the pages of administrators do not exist.
async fn dashboard(
    state: &AppState,
    client: &Client,
    uri: &Uri,
    path: &str,
    signed_in: &SignedIn,
) -> Result<Page, ApiError> {
    let Some(page) = DashboardPage::at(path) else { return Ok(Page::View(View::NotFound)) };
    let viewer = viewer(state, signed_in).await?;
    let administrator = match page.viewers() {
        PageViewers::Everyone => None,
        PageViewers::Administrators => match Administrator::find(state, signed_in.clone()).await? {
            Some(administrator) => Some(administrator),
            None => return Ok(Page::View(View::NotFound)),
        },
    };
    let request = PageRequest { state, client, uri, signed_in, viewer: viewer.clone(), administrator };
    let content = content(page, request).await?;
    let view = content.map(|content| View::Dashboard(Box::new(DashboardView { page, viewer, content })));
    Ok(Page::View(view.unwrap_or(View::NotFound)))
}

macro_rules! pages {
    ($($page:ident $path:tt $title:tt, $place:expr, $viewers:ident, $file:ident;)+) => {
        $(mod $file;)+

        /// Loads a page's content. `None`: the page does not exist.
        async fn content(page: DashboardPage, request: PageRequest<'_>) -> Result<Option<Content>, ApiError> {
            match page {
                $(DashboardPage::$page => $file::load(request).await,)+
            }
        }
    };
}

app::dashboard_pages!(pages);

/// Redirects `/` to the dashboard.
pub(crate) async fn home() -> Redirect {
    Redirect::to(paths::DASHBOARD_PAGE)
}
