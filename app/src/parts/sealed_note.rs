use leptos::prelude::*;

/// The quiet line under a form, and what stands behind it.
#[component]
pub fn SealedNote() -> impl IntoView {
    view! {
        <details class="beneath">
            <summary>"Your password is encrypted in this browser before it is sent"</summary>
            <p>
                "This page seals your name and password with the server's public key. Only the server can open \
                 them, once. Whatever handles the message on its way, such as a proxy, a log or a backup, sees \
                 nothing of your password and cannot send the message a second time."
            </p>
            <p>
                "TLS is still required: without https, somebody on the way could change this page itself. \
                 And it does not protect you from this server: it has to see the password to check it."
            </p>
        </details>
    }
}
