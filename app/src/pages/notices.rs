//! Pages with a message only.

use crate::components::CardTitle;
use leptos::prelude::*;
use wire::paths;

#[component]
pub fn NotFoundPage() -> impl IntoView {
    view! {
        <main class="page-center">
            <section class="card">
                <CardTitle title="Page not found" />
                <p>"The address may be mistyped, or the page no longer exists."</p>
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
                <CardTitle title="Something went wrong" />
                <p>"Nothing was changed. Wait a moment, then reload the page."</p>
                <p class="quiet">"If it happens again, tell the person who runs this site."</p>
            </section>
        </main>
    }
}
