use leptos::prelude::*;

/// A form that changes a profile. `action`: the account's path. `done`: the page that follows.
#[component]
pub fn ProfileForm(action: String, done: String, children: Children) -> impl IntoView {
    view! {
        <form class="form" method="post" action=action data-method="PATCH" data-done=done>
            {children()}
        </form>
    }
}

/// The field of a display name. `own`: the person's own name, which the browser may fill in.
#[component]
pub fn DisplayNameField(value: String, own: bool) -> impl IntoView {
    let autocomplete = if own { "name" } else { "off" };
    view! {
        <label for="display_name">"Display name"</label>
        <input id="display_name" name="display_name" value=value maxlength="100" autocomplete=autocomplete />
    }
}

/// The field of an e-mail address. `own`: the person's own address, which the browser may fill in.
#[component]
pub fn EmailField(value: String, own: bool) -> impl IntoView {
    let autocomplete = if own { "email" } else { "off" };
    view! {
        <label for="email">"E-mail address"</label>
        <input id="email" name="email" type="email" value=value maxlength="254" autocomplete=autocomplete spellcheck="false" />
    }
}
