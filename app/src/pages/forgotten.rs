use crate::components::{CardTitle, Stuck};
use crate::islands::Forms;
use crate::text::query::{query, way_back};
use crate::view::{ForgottenView, Site};
use leptos::prelude::*;
use wire::paths;

/// `/forgotten`: asks for a link that sets a new password.
#[component]
pub fn ForgottenPage(site: Site, forgotten: ForgottenView) -> impl IntoView {
    let done =
        format!("{}?{}", paths::FORGOTTEN_PAGE, query(&[("done", &"sent".to_owned()), ("next", &forgotten.next)]));
    let content = if forgotten.done {
        view! {
            <p role="status">
                "If this account exists and has an e-mail address that was checked, a link is on its way there. It works \
                 once, for an hour."
            </p>
            <p class="small quiet">
                "No message? Look among the unwanted ones, or ask the person who runs this site for a link."
            </p>
        }
        .into_any()
    } else {
        view! {
            <p class="why">
                "We mail a link that sets a new password to the address of your account. Your second factor stays as it is."
            </p>
            <noscript>
                <p class="why">"This form needs JavaScript. Ask the person who runs this site for a link."</p>
            </noscript>
            <Stuck loss="the form sends nothing" />
            <p id="said" role="status"></p>
            <form
                class="form"
                method="post"
                action=paths::FORGOTTEN_PASSWORD
                data-method="POST"
                data-done=done
            >
                <label for="account">"Account name"</label>
                <input id="account" name="account" required maxlength="254" autocomplete="username" autocapitalize="none" spellcheck="false" />
                <button class="button" type="submit" disabled>
                    "Mail me a link"
                </button>
            </form>
            <Forms />
        }
        .into_any()
    };
    view! {
        <main class="page-center">
            <section class="card">
                <CardTitle title=format!("New password for {}", site.name) />
                {content}
                <p class="quiet aside">
                    <a href=way_back(paths::LOGIN_PAGE, &forgotten.next)>"Back to sign-in"</a>
                </p>
            </section>
        </main>
    }
}
