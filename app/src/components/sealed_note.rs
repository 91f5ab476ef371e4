use leptos::prelude::*;

/// The note about encryption below a form, with details.
#[component]
pub fn SealedNote() -> impl IntoView {
    view! {
        <details class="card-note">
            <summary>"Your password is encrypted in this browser before it is sent"</summary>
            <p>
                "This page encrypts your name and password with the server's public key. Only the server can \
                 decrypt them, and only once. A proxy, a log or a backup that handles the message on its way \
                 cannot read your password and cannot send the message a second time."
            </p>
            <p>
                "TLS is still required: without https, someone on the network could change this page itself. \
                 Nor does it protect you from this server, which has to see the password to check it."
            </p>
        </details>
    }
}
