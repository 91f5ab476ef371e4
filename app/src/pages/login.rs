use crate::components::{CardTitle, NoCode, SealedNote};
use crate::islands::form::{Alert, PasswordField, Submit};
use crate::islands::{LoginForm, facts};
use crate::text::query::way_back;
use crate::view::{LoginView, SignInReason, Site};
use leptos::prelude::*;
use wire::paths;

/// `/login`.
#[component]
pub fn LoginPage(site: Site, login: LoginView) -> impl IntoView {
    if login.first_run {
        return view! { <NotYet name=site.name /> }.into_any();
    }
    let other = way_back(paths::SIGNUP_PAGE, &login.next);
    let forgotten = way_back(paths::FORGOTTEN_PAGE, &login.next);
    let (closed_ms, incident) = facts::closed().unzip();
    let factor = login.asks_for_factor().then_some("");
    view! {
        <main
            class="page-center"
            data-next=login.next
            data-closed-ms=closed_ms
            data-incident=incident
            data-factor=factor
        >
            <section class="card">
                <CardTitle title=format!("Sign in to {}", site.name) />
                {login.why.map(|why| view! { <p class="why">{reason(why)}</p> })}
                <NoCode />
                <Form name=login.name remember_days=login.remember_days />
                <LoginForm />
                {login
                    .forgotten
                    .then(|| {
                        view! {
                            <p class="quiet aside">
                                <a href=forgotten>"Forgot password?"</a>
                            </p>
                        }
                    })}
                {login
                    .signup
                    .then(|| {
                        view! {
                            <p class="quiet aside other">
                                "No account yet? " <a href=other>"Sign up"</a>
                            </p>
                        }
                    })}
            </section>
            <SealedNote />
        </main>
    }
    .into_any()
}

/// The sign-in form. Until hydration its button is disabled and its password field has no name, so that the password
/// cannot be sent in plain text.
#[component]
fn Form(name: String, remember_days: Option<u32>) -> impl IntoView {
    let name = (!name.is_empty()).then_some(name);
    view! {
        <form class="form" method="post">
            <Alert />
            <label for="username">"Name"</label>
            <input
                id="username"
                name="username"
                autocomplete="username webauthn"
                autocapitalize="none"
                spellcheck="false"
                value=name
                autofocus
                required
            />
            <PasswordField autocomplete="current-password" described_by="caps" />
            <label for="code">
                "One-time code" <span class="hint">" (if your account has one)"</span>
            </label>
            <input
                id="code"
                autocomplete="one-time-code"
                autocapitalize="off"
                spellcheck="false"
                maxlength="40"
            />
            {remember_days.map(|days| view! { <Remember days /> })}
            <Submit label="Sign in" />
            <button id="passkey" class="button plain wide" type="button" hidden>
                "Sign in with a passkey"
            </button>
            <p id="unbound" class="hint"></p>
        </form>
    }
}

#[component]
fn Remember(days: u32) -> impl IntoView {
    let period = if days == 1 { "a day".to_owned() } else { format!("{days} days") };
    view! {
        <label class="check">
            <input id="remember" type="checkbox" />
            <span>"Do not ask this browser for a code for " {period}</span>
        </label>
    }
}

#[component]
fn NotYet(name: String) -> impl IntoView {
    view! {
        <main class="page-center">
            <section class="card">
                <CardTitle title=name />
                <p>"No account exists here yet. The first one is created with the setup link."</p>
                <p>
                    "The server printed that link when it started. To print it again, run " <code>"postern setup"</code>
                    " on the server, then open the link in this browser."
                </p>
                <p class="quiet">"If you expected to find your account here, tell the person who runs this site."</p>
            </section>
        </main>
    }
}

fn reason(why: SignInReason) -> &'static str {
    match why {
        SignInReason::Ended => "Your session has ended. Sign in to continue where you left off.",
        SignInReason::KeyGone => {
            "This browser no longer has the key that your session was tied to. \
             Browsers delete such keys when a site is not used for a while. Sign in again to continue."
        }
        SignInReason::Again => "Sign in again: the app asks for it.",
        SignInReason::Confirm => "Confirm that it is you. Sign in again, and then repeat the change.",
        SignInReason::Factor => {
            "This needs a sign-in with your second factor: your password and its code, or your passkey. If a passkey is \
             required, use the passkey."
        }
        SignInReason::SignedOut { apps: false } => "You are signed out.",
        SignInReason::SignedOut { apps: true } => {
            "You are signed out. An app with a sign-in of its own may keep you signed in until you sign out there."
        }
        SignInReason::PasswordSet => "Your new password is set. Sign in with it.",
        SignInReason::Deleted => "Your account was deleted.",
    }
}
