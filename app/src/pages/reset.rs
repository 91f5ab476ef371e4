use crate::components::{CardTitle, NoCode, SealedNote};
use crate::islands::ResetForm;
use crate::islands::form::{Alert, PasswordField, Strength, Submit};
use crate::view::{ResetView, Site};
use leptos::prelude::*;
use wire::paths;

/// `/reset`.
#[component]
pub fn ResetPage(site: Site, reset: ResetView) -> impl IntoView {
    view! {
        <main class="page-center" data-password-min=reset.password_min.to_string()>
            <section class="card">
                <CardTitle title=format!("Set a new password for {}", site.name) />
                <p class="why">"This signs you out everywhere. Afterwards, sign in with the new password."</p>
                <NoCode action="Setting a password" />
                <Form />
                <ResetForm />
                <p class="quiet aside">
                    <a href=paths::LOGIN_PAGE>"Back to sign-in"</a>
                </p>
            </section>
            <SealedNote />
        </main>
    }
}

#[component]
fn Form() -> impl IntoView {
    view! {
        <form class="form" method="post">
            <Alert />
            <PasswordField label="New password" autocomplete="new-password" described_by="strength caps" />
            <Strength />
            <Submit label="Set password" />
        </form>
    }
}
