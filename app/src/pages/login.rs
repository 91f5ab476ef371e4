use crate::islands::{LoginForm, facts};
use crate::parts::{Door, NoCode, SealedNote};
use crate::view::{LoginView, Site, Why};
use crate::words::query::way_back;
use leptos::prelude::*;
use wire::paths;

/// `/login`.
#[component]
pub fn LoginPage(site: Site, login: LoginView) -> impl IntoView {
    if login.first_run {
        return view! { <NotYet name=site.name /> }.into_any();
    }
    let other = way_back(paths::SIGNUP_PAGE, &login.next);
    let (closed_ms, incident) = facts::closed().unzip();
    view! {
        <main class="page-center" data-next=login.next data-closed-ms=closed_ms data-incident=incident>
            <section class="card">
                <Door title=format!("Sign in to {}", site.name) />
                {login.why.map(|why| view! { <p class="why">{reason(why)}</p> })}
                <NoCode />
                <LoginForm />
                {login
                    .signup
                    .then(|| {
                        view! {
                            <p class="quiet aside">
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

#[component]
fn NotYet(name: String) -> impl IntoView {
    view! {
        <main class="page-center">
            <section class="card">
                <Door title=name />
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

fn reason(why: Why) -> &'static str {
    match why {
        Why::Ended => "Your session has ended. Sign in to continue where you left off.",
        Why::KeyGone => {
            "This browser no longer has the key that your session was tied to. \
             Browsers delete such keys when a site is not used for a while. Sign in again to continue."
        }
        Why::SignedOut => "You are signed out.",
        Why::PasswordSet => "Your new password is set. Sign in with it.",
        Why::Deleted => "Your account was deleted.",
    }
}
