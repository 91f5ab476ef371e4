use crate::islands::{DeletionForm, PasswordForm};
use crate::parts::{Frame, Here};
use crate::view::{AccountView, Site};
use leptos::prelude::*;
use wire::paths;

/// `/dashboard/account`: one's own password.
#[component]
pub fn AccountPage(site: Site, account: AccountView) -> impl IntoView {
    let min = account.password_min.to_string();
    view! {
        <Frame site viewer=account.viewer here=Here::Account password_min=min>
            <header>
                <h1>"Account"</h1>
            </header>
            <section class="panel narrow">
                <h2>"Change your password"</h2>
                <p class="small quiet">"Every other session of yours ends with it."</p>
                <p id="changed" role="status"></p>
                <PasswordForm />
            </section>
            <section class="panel narrow">
                <h2>"Leave"</h2>
                <p class="small quiet">"Your account, your sessions and your name are deleted for good."</p>
                <p>
                    <a href=paths::DELETE_PAGE>"Delete my account"</a>
                </p>
            </section>
        </Frame>
    }
}

/// `/dashboard/account/delete`.
#[component]
pub fn DeletePage(site: Site, account: AccountView) -> impl IntoView {
    view! {
        <Frame site viewer=account.viewer here=Here::Account>
            <header>
                <h1>"Delete your account"</h1>
            </header>
            <section class="panel narrow">
                <p>
                    "You are signed out everywhere, and nobody can sign in under your name any more. Of what happened \
                     to your account only the times stay, under an id without a name. This cannot be undone."
                </p>
                <DeletionForm />
                <p>
                    <a href=paths::ACCOUNT_PAGE>"Keep my account"</a>
                </p>
            </section>
        </Frame>
    }
}
