use crate::islands::ResetForm;
use crate::parts::{Door, NoCode, SealedNote};
use crate::view::{ResetView, Site};
use leptos::prelude::*;

/// `/reset`.
#[component]
pub fn ResetPage(site: Site, reset: ResetView) -> impl IntoView {
    view! {
        <main class="page-center" data-password-min=reset.password_min.to_string()>
            <section class="card">
                <Door title=format!("A new password for {}", site.name) />
                <p class="why">"Setting it signs you out everywhere. Then you sign in with the new one."</p>
                <NoCode />
                <ResetForm />
            </section>
            <SealedNote />
        </main>
    }
}
