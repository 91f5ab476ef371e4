use crate::components::{CardTitle, NoCode, SealedNote};
use crate::islands::SignupForm;
use crate::islands::form::{Alert, PasswordField, Strength, Submit};
use crate::text::query::way_back;
use crate::view::{SignupView, Site};
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
                <NoCode />
                <Form />
                <SignupForm />
                {(!first)
                    .then(|| {
                        view! {
                            <p class="quiet aside">
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

#[component]
fn Shut(name: String) -> impl IntoView {
    view! {
        <main class="page-center">
            <section class="card">
                <CardTitle title=name />
                <p>"Sign-up is closed on this site. Ask the person who runs it for an account."</p>
                <p><a class="button" href=paths::LOGIN_PAGE>"Sign in"</a></p>
            </section>
        </main>
    }
}
