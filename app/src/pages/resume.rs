use crate::components::{Mark, Stuck};
use crate::islands::Resume;
use crate::view::{ResumeView, Site};
use leptos::prelude::*;

/// The page that is shown while the browser renews its session. It has only the logo, so that nobody sees a sign-in
/// page unnecessarily.
#[component]
pub fn ResumePage(site: Site, resume: ResumeView) -> impl IntoView {
    view! {
        <main class="page-center resume" data-next=resume.next>
            <Mark />
            <h1 class="visually-hidden">{["Opening ", &site.name].concat()}</h1>
            <Resume />
            <Stuck loss="it cannot prove that this device is yours" />
            <noscript>
                <p>"Staying signed in needs JavaScript, because the key of this device never leaves the browser."</p>
            </noscript>
        </main>
    }
}
