use crate::components::{CardTitle, NoCode, SealedNote, Stuck};
use crate::islands::form::{Alert, PasswordField, Strength, Submit};
use crate::islands::{Forms, SignupForm};
use crate::text::query::way_back;
use crate::view::{SignupView, Site, Viewer};
use leptos::prelude::*;
use wire::paths;

/// `/signup`.
#[component]
pub fn SignupPage(site: Site, signup: SignupView) -> impl IntoView {
    if signup.shut {
        return view! { <Shut name=site.name /> }.into_any();
    }
    let first = signup.first_run;
    let needs = match (first, signup.invited) {
        (true, _) => Some("setup"),
        (false, true) => Some("invitation"),
        (false, false) => None,
    };
    let other = way_back(paths::LOGIN_PAGE, &signup.next);
    let title = if first { format!("Set up {}", site.name) } else { format!("Sign up at {}", site.name) };
    view! {
        <main class="page-center" data-next=signup.next data-needs=needs data-password-min=signup.password_min.to_string()>
            <section class="card">
                <CardTitle title />
                {first
                    .then(|| {
                        view! {
                            <p class="why">
                                "This is the first account, so it becomes an administrator of this site."
                            </p>
                        }
                    })}
                <NoCode action="Creating an account" />
                <Form />
                <SignupForm />
                {(!first)
                    .then(|| {
                        view! {
                            <p class="quiet aside other">
                                "Already have an account? " <a href=other>"Sign in"</a>
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
fn Form() -> impl IntoView {
    view! {
        <form class="form" method="post">
            <Alert />
            <label for="username">"Name"</label>
            <input
                id="username"
                name="username"
                autocomplete="username"
                autocapitalize="none"
                spellcheck="false"
                required
            />
            <PasswordField autocomplete="new-password" described_by="strength caps" />
            <Strength />
            <Submit label="Create account" />
            <p id="unbound" class="hint"></p>
        </form>
    }
}

/// `/signup` for a person who is signed in: an invitation is usually for another account.
#[component]
pub fn SignedInPage(viewer: Viewer) -> impl IntoView {
    view! {
        <main class="page-center" data-account=viewer.account>
            <section class="card">
                <CardTitle title="You are signed in" />
                <p>
                    "You are signed in as " <b><bdi>{viewer.username}</bdi></b> ". This page creates another account. If an \
                     invitation led you here, it was not used: sign out to use it, or keep it for the person whom it is for."
                </p>
                <noscript>
                    <p class="why">"Signing out needs JavaScript. Switch it on for this site, then reload this page."</p>
                </noscript>
                <Stuck loss="its button does nothing" />
                <p id="said" role="status" class="quiet"></p>
                // Reloads this page after the sign-out, because the invitation's code is in its fragment.
                <form class="form" method="post" action=paths::LOGOUT data-method="POST" data-done="">
                    <button class="button" type="submit" disabled>
                        "Sign out and continue"
                    </button>
                </form>
                <Forms />
                <p class="aside"><a href=paths::DASHBOARD_PAGE>"Stay signed in and go to your overview"</a></p>
            </section>
        </main>
    }
}

#[component]
fn Shut(name: String) -> impl IntoView {
    view! {
        <main class="page-center">
            <section class="card">
                <CardTitle title=name />
                <p>
                    "Sign-up is closed on this site. If you were given a link, it no longer works: ask the person who runs \
                     this site for an account."
                </p>
                <p><a class="button" href=paths::LOGIN_PAGE>"Sign in"</a></p>
            </section>
        </main>
    }
}
