//! Pages that only say something.

use crate::parts::Door;
use leptos::prelude::*;
use wire::paths;

#[component]
pub fn NotFoundPage() -> impl IntoView {
    view! {
        <main class="page-center">
            <section class="card">
                <Door title="There is nothing here" />
                <p>"The address may be mistyped, or the page is gone."</p>
                <p><a class="button" href=paths::DASHBOARD_PAGE>"Go to your overview"</a></p>
            </section>
        </main>
    }
}

#[component]
pub fn BrokenPage() -> impl IntoView {
    view! {
        <main class="page-center">
            <section class="card">
                <Door title="Something broke here" />
                <p>"Nothing that you did was lost or changed. Wait a moment, then load the page again."</p>
                <p class="quiet">"If it stays like this, tell the person who runs this site."</p>
            </section>
        </main>
    }
}
