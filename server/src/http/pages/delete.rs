//! `/dashboard/account/delete`

use crate::http::ApiError;
use crate::http::page_request::PageRequest;
use app::Content;
use app::islands::DeletionForm;
use leptos::prelude::*;
use wire::paths;

/// Loads the page.
#[expect(clippy::unused_async, reason = "as the other pages")]
pub(crate) async fn load(_: PageRequest<'_>) -> Result<Option<Content>, ApiError> {
    Ok(Some(Content::new(|_| show()).with_private_bundle()))
}

fn show() -> impl IntoView {
    view! {
        <header>
            <h1>"Delete your account"</h1>
        </header>
        <section class="panel narrow destructive">
            <p>
                "This signs you out everywhere and deletes your account and your name. The audit log keeps the times \
                 of past events, under an id without a name. This cannot be undone."
            </p>
            <DeletionForm />
            <p class="link-line">
                <a href=paths::ACCOUNT_PAGE>"Keep my account"</a>
            </p>
        </section>
    }
}
