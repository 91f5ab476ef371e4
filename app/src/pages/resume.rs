use crate::islands::Resume;
use crate::parts::Mark;
use crate::view::ResumeView;
use leptos::prelude::*;

/// Shown for the moment in which the browser renews its session: only the mark, so that nobody
/// sees a sign-in page that is not meant for them.
#[component]
pub fn ResumePage(resume: ResumeView) -> impl IntoView {
    view! {
        <main class="page-center resume" data-next=resume.next>
            <Mark />
            <Resume />
            <p class="stuck" role="alert">"This page could not load its code. Reload it to try again."</p>
            <noscript>
                <p>"Staying signed in needs JavaScript, because the key of this device never leaves the browser."</p>
            </noscript>
        </main>
    }
}
