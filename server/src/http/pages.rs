//! The pages: their data is loaded here before rendering.

use super::challenge::pre_login;
use super::enrol::{self, FACTOR};
use super::sign_in_path::sign_in_path;
use super::{ApiError, administration, help, render, site_state};
use crate::client::Client;
use crate::config::SignupMode;
use crate::flows::actor::Actor;
use crate::flows::{self, paging};
use crate::guards::administrator::Administrator;
use crate::guards::factor_policy;
use crate::guards::recent_factor;
use crate::guards::signed_in::SignedIn;
use crate::state::AppState;
use app::view::{
    AccountView, ActivityView, BanNotice, DevicesView, ForgottenView, GroupsView, HeldFactors, InvitationsView,
    KeysView, LoginView, OverviewView, PersonView, ProfileDone, ProfileView, ResetView, ResumeView, SignInReason,
    SignupView, TimeView, UsersView, View, Viewer,
};
use axum::Extension;
use axum::extract::{Query, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use domain::account::Role;
use domain::ban::Scope;
use domain::encoding::{base64url, sha256};
use domain::ids::UserId;
use domain::local_path::{local_path, written_out};
use http::{HeaderMap, Uri};
use serde::Deserialize;
use tower_cookies::Cookies;
use wire::passkeys::Passkeys;
use wire::paths;

const WEEK_MS: i64 = 7 * 24 * 60 * 60_000;
const OVERVIEW_LINES: usize = 5;
/// The `why` of a browser that has lost its key.
const KEY_GONE: &str = "key_gone";
/// The `why` of a person who signs in again for an app.
const AGAIN: &str = "again";
/// The `why` of a person who must be authenticated again.
const CONFIRM: &str = "confirm";
const ACTIVITY_ROWS: u32 = 500;

/// Query parameters of a page.
#[derive(Debug, Default, Deserialize)]
struct PageQuery {
    next: Option<String>,
    why: Option<String>,
    /// The last entry of a list's previous part.
    after: Option<String>,
    /// The search text of a list.
    word: Option<String>,
    /// An account.
    id: Option<String>,
    done: Option<String>,
    /// The second factor that an app requires.
    factor: Option<String>,
}

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

/// Returns the error page; the cause goes to the log.
pub(crate) async fn broken(state: AppState, error: ApiError, request: Request) -> Response {
    let cause = error.into_response().extensions().get::<crate::api_error::Cause>().cloned();
    let mut response = render::document(State(state), View::Broken, request).await;
    if let Some(cause) = cause {
        response.extensions_mut().insert(cause);
    }
    response
}

fn asked(uri: &Uri) -> PageQuery {
    Query::<PageQuery>::try_from_uri(uri).map(|query| query.0).unwrap_or_default()
}

/// Whether the page shows the result of a change.
fn is_done(uri: &Uri) -> bool {
    asked(uri).done.as_deref() == Some("changed")
}

/// Returns the change that the page of the person's own profile reports.
fn profile_done(uri: &Uri) -> Option<ProfileDone> {
    match asked(uri).done.as_deref() {
        Some("changed") => Some(ProfileDone::Changed),
        Some("sent") => Some(ProfileDone::Sent),
        Some("proved") => Some(ProfileDone::Proved),
        _ => None,
    }
}

fn after(uri: &Uri) -> String {
    asked(uri).after.unwrap_or_default()
}

enum Page {
    View(View),
    Elsewhere(String),
}

async fn view(state: &AppState, client: &Client, uri: &Uri, headers: &HeaderMap) -> Result<Page, ApiError> {
    let asked = asked(uri);
    let target = local_path(asked.next.as_deref().map(written_out).as_deref()).to_owned();
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
    let closed = client.closed(state, Scope::SignIn);
    Ok(Page::View(View::Login(LoginView {
        next,
        why: match why {
            Some("ended") => Some(SignInReason::Ended),
            Some(KEY_GONE) => Some(SignInReason::KeyGone),
            Some(AGAIN) => Some(SignInReason::Again),
            Some(CONFIRM) => Some(SignInReason::Confirm),
            Some(FACTOR) => Some(SignInReason::Factor),
            Some("signed_out") => Some(SignInReason::SignedOut),
            Some("password_set") => Some(SignInReason::PasswordSet),
            Some("deleted") => Some(SignInReason::Deleted),
            _ => None,
        },
        closed: closed.map(|closed| BanNotice { until: closed.until, incident: closed.incident }),
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

async fn dashboard(
    state: &AppState,
    client: &Client,
    uri: &Uri,
    path: &str,
    signed_in: &SignedIn,
) -> Result<Page, ApiError> {
    let claims = &signed_in.claims;
    let viewer = viewer(state, signed_in).await?;
    let password_min = state.config.settings.password.min;
    let view = match path {
        paths::ACCOUNT_PAGE => {
            let passkeys = flows::passkeys::list(state, &claims.sub, &claims.preferred_username).await?;
            let factors = flows::factors::list(state, signed_in).await?;
            let profile = Some(flows::profiles::own(&*state.store, &claims.sub).await?);
            let consents = flows::oauth_consents::list(state, &claims.sub).await?;
            View::Account(Box::new(AccountView { viewer, profile, password_min, passkeys, factors, consents }))
        }
        paths::PROFILE_PAGE => {
            let profile = flows::profiles::own(&*state.store, &claims.sub).await?;
            let mail = state.mailer.is_some();
            View::Profile(ProfileView { viewer, profile, mail, done: profile_done(uri) })
        }
        paths::DELETE_PAGE => {
            let consents = Vec::new();
            let (passkeys, factors) = (Passkeys::default(), wire::second_factor::SecondFactors::default());
            View::Delete(Box::new(AccountView { viewer, profile: None, password_min, passkeys, factors, consents }))
        }
        paths::DASHBOARD_PAGE => View::Overview(Box::new(overview(state, viewer, signed_in).await?)),
        paths::DEVICES_PAGE => {
            let devices = flows::sessions::devices(state, &claims.sub, &claims.sid).await?;
            let others = devices.len() > 1;
            let (devices, next) = paging::page(devices, |device| &device.id, &after(uri));
            let remembered = flows::remembered_devices::list(state, signed_in).await?.devices;
            View::Devices(DevicesView { viewer, devices, others, next, remembered })
        }
        paths::KEYS_PAGE => {
            let keys = flows::user_keys::list(state, &claims.sub).await?;
            View::Keys(KeysView { viewer, keys })
        }
        paths::TIME_PAGE => {
            let url = &state.config.settings.time.url;
            View::Time(TimeView { viewer, url: (!url.is_empty()).then(|| url.clone()) })
        }
        paths::ACTIVITY_PAGE => {
            let entries = flows::activity::lines(state, &claims.sub, ACTIVITY_ROWS).await?;
            View::Activity(ActivityView { viewer, entries })
        }
        _ => administration(state, client, uri, viewer, signed_in).await?,
    };
    Ok(Page::View(view))
}

/// Whether this is the manual or a page of it.
fn is_help(path: &str) -> bool {
    path.strip_prefix(paths::HELP_PAGE).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Loads a page for administrators. For other people, these pages do not exist.
async fn administration(
    state: &AppState,
    client: &Client,
    uri: &Uri,
    viewer: Viewer,
    signed_in: &SignedIn,
) -> Result<View, ApiError> {
    let Some(administrator) = Administrator::find(state, signed_in.clone()).await? else { return Ok(View::NotFound) };
    Ok(match uri.path() {
        paths::USERS_PAGE => {
            let word = asked(uri).word.unwrap_or_default();
            let (users, count, next) = if word.trim().is_empty() {
                let (users, next) = flows::users::page(&*state.store, &after(uri), paging::ENTRIES).await?;
                (users, usize::try_from(state.store.user_count().await?).unwrap_or(usize::MAX), next)
            } else {
                let users = flows::users::search(&*state.store, &word).await?;
                let count = users.len();
                let (users, next) = paging::page(users, |user| &user.id, &after(uri));
                (users, count, next)
            };
            let (me, mail) = (administrator.user.id.into(), state.mailer.is_some());
            View::Users(UsersView { viewer, me, users, mail, word, count, next })
        }
        paths::PERSON_PAGE => person(state, uri, viewer).await?,
        paths::GROUPS_PAGE => {
            let groups = flows::profiles::groups(&*state.store).await?;
            let (groups, next) = paging::page(groups, |group| &group.id, &after(uri));
            let unknown = flows::profiles::unknown_groups(&*state.store, &state.config.apps).await?;
            let unknown = unknown.into_iter().map(|(app, group)| (app, group.to_string())).collect();
            View::Groups(GroupsView { viewer, groups, unknown, next })
        }
        paths::CLIENTS_PAGE => {
            let actor = Actor::administrator(state, client, &administrator);
            administration::clients(&actor, uri, viewer).await?
        }
        paths::CLIENT_PAGE => {
            let actor = Actor::administrator(state, client, &administrator);
            administration::client(&actor, uri, viewer).await?
        }
        paths::INVITATIONS_PAGE => {
            let invitations = flows::invitations::open(&*state.store, state.now()).await?;
            let (invitations, next) = paging::page(invitations, |invitation| &invitation.id, &after(uri));
            let mail = state.mailer.is_some();
            View::Invitations(InvitationsView { viewer, invitations, mail, next })
        }
        paths::BANS_PAGE => administration::bans(state, client, uri, viewer, &administrator).await?,
        paths::TOLL_PAGE => administration::toll(state, viewer).await?,
        paths::SERVER_KEYS_PAGE => administration::server_keys(state, viewer).await?,
        paths::AUDIT_PAGE => administration::audit_page(state, uri, viewer).await?,
        path if is_help(path) => help::load(state.site, path, asked(uri).word.unwrap_or_default(), viewer),
        _ => View::NotFound,
    })
}

/// Loads the page of one account's profile.
async fn person(state: &AppState, uri: &Uri, viewer: Viewer) -> Result<View, ApiError> {
    let id = UserId::from(asked(uri).id.unwrap_or_default());
    let Some(user) = state.store.user_by_id(&id).await? else { return Ok(View::NotFound) };
    let profile = state.store.profile(&id).await?.unwrap_or_default();
    let groups = flows::profiles::groups(&*state.store).await?.into_iter().map(|group| group.name).collect();
    let account = flows::users::shown(user, &profile);
    let held = state.store.factors(&id, state.config.relying_party()).await?;
    let factors = HeldFactors { totp: held.totp, passkeys: held.passkeys, recovery_codes: held.recovery_codes };
    Ok(View::Person(Box::new(PersonView { viewer, account, groups, factors, done: is_done(uri) })))
}

async fn overview(state: &AppState, viewer: Viewer, signed_in: &SignedIn) -> Result<OverviewView, ApiError> {
    let claims = &signed_in.claims;
    let devices = flows::sessions::devices(state, &claims.sub, &claims.sid).await?;
    let mut activity = flows::activity::lines(state, &claims.sub, 100).await?;
    activity.truncate(OVERVIEW_LINES);
    let odd = state.store.odd_entries(&claims.sub, state.now() - WEEK_MS).await?;
    let signed_in_at =
        devices.iter().find(|device| device.current).map_or(claims.iat * 1000, |device| device.created_at);
    let site = match Administrator::find(state, signed_in.clone()).await? {
        Some(_) => Some(site_state::load(state).await?),
        None => None,
    };
    let passkeys = flows::passkeys::list(state, &claims.sub, &claims.preferred_username).await?;
    let notices = flows::notices::unread(state, signed_in).await?;
    let apps = flows::oauth_consents::tiles(state, &claims.sub, &claims.roles).await?;
    let held = passkeys.user_id.is_some().then(|| passkeys.passkeys.iter().map(|one| one.credential_id.as_str()));
    let stamp = held.map(|ids| {
        let ids = ids.collect::<Vec<_>>().join(" ");
        base64url(&sha256(format!("{} {} {ids}", passkeys.username, passkeys.display_name).as_bytes()))
    });
    let offer_passkey = passkeys.passkeys.is_empty() && passkeys.rp_id.is_some();
    let (_, recent) = recent_factor::fresh_until(state, signed_in).await?;
    Ok(OverviewView {
        apps,
        viewer,
        notices,
        devices,
        activity,
        odd: u32::try_from(odd).unwrap_or(u32::MAX),
        signed_in_at,
        offer_passkey,
        passkeys: stamp,
        upgrade: offer_passkey && recent.is_some() && claims.amr.iter().any(|method| method == "pwd"),
        site,
    })
}

/// Redirects `/` to the dashboard.
pub(crate) async fn home() -> Redirect {
    Redirect::to(paths::DASHBOARD_PAGE)
}
