use crate::components::{Frame, Here, Tied};
use crate::islands::{DeletionForm, PasswordForm};
use crate::view::{AccountView, Site, Viewer};
use leptos::prelude::*;
use wire::paths;

/// `/dashboard/account`: one's own password and account.
#[component]
pub fn AccountPage(site: Site, account: AccountView) -> impl IntoView {
    let (min, insecure) = (account.password_min.to_string(), site.insecure);
    let person = account.viewer.clone();
    view! {
        <Frame site viewer=account.viewer here=Here::Account password_min=min>
            <header>
                <h1>"Account"</h1>
            </header>
            <div class="columns">
                <section class="panel">
                    <h2>"Change password"</h2>
                    <p class="small quiet">"Your other sessions end when you change it."</p>
                    <p id="changed" role="status"></p>
                    <PasswordForm />
                </section>
                <div class="stack">
                    <Person viewer=person insecure />
                    <section class="panel">
                        <h2>"Delete account"</h2>
                        <p>"Deletes your account, your sessions and your name. This cannot be undone."</p>
                        <p>
                            <a class="button danger" href=paths::DELETE_PAGE>
                                "Delete account"
                            </a>
                        </p>
                    </section>
                </div>
            </div>
        </Frame>
    }
}

#[component]
fn Person(viewer: Viewer, insecure: bool) -> impl IntoView {
    let role = if viewer.administrator { "Administrator" } else { "User" };
    view! {
        <section class="panel">
            <h2>"Profile"</h2>
            <dl class="facts">
                <div>
                    <dt>"Name"</dt>
                    <dd>{viewer.username.clone()}</dd>
                </div>
                <div>
                    <dt>"Role"</dt>
                    <dd>{role}</dd>
                </div>
            </dl>
            <Tied viewer insecure />
            <p>
                <a href=paths::DEVICES_PAGE>"Devices"</a> " \u{b7} " <a href=paths::KEYS_PAGE>"Keys"</a> " \u{b7} "
                <a href=paths::ACTIVITY_PAGE>"Activity"</a>
            </p>
        </section>
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
            <section class="panel narrow grave">
                <p>
                    "This signs you out everywhere and deletes your account and your name. The audit log keeps the times \
                     of past events, under an id without a name. This cannot be undone."
                </p>
                <DeletionForm />
                <p>
                    <a href=paths::ACCOUNT_PAGE>"Keep my account"</a>
                </p>
            </section>
        </Frame>
    }
}
