use super::FormHandle;
use super::handle::mark;
use crate::browser::page;
use crate::islands::facts;
use crate::text::strength;
use domain::password::Strength as Judged;
#[cfg(any(feature = "ssr", feature = "private"))]
use leptos::prelude::*;
use web_sys::Event;
use zeroize::Zeroizing;

/// The strength of a password in words and three bars while it is typed, and a suggestion on request.
#[cfg(any(feature = "ssr", feature = "private"))]
#[component]
pub fn Strength() -> impl IntoView {
    view! {
        <div class="strength" data-strength="0" aria-hidden="true">
            <i></i>
            <i></i>
            <i></i>
        </div>
        <p id="strength" class="hint" role="status">
            {strength::rule(facts::password_min())}
        </p>
        <button id="suggest" class="link" type="button">
            "Suggest a passphrase"
        </button>
    }
}

/// Evaluates the current password.
pub(crate) fn judge() {
    let Some(form) = FormHandle::find() else { return };
    let Some(field) = form.input("#password") else { return };
    let password = Zeroizing::new(field.value());
    let min = facts::password_min();
    let judged = domain::password::strength(&password, min);
    let sentence = if password.is_empty() { strength::rule(min) } else { strength::sentence(judged) };
    form.write("#strength", &sentence);
    if let Some(bars) = form.part(".strength") {
        let full = match judged {
            Judged::TooShort { .. } => "0",
            Judged::Weak => "1",
            Judged::Fair => "2",
            Judged::Strong => "3",
        };
        mark(&bars, "data-strength", full);
    }
}

/// Fills in a new passphrase, and shows it.
pub(super) fn suggest(_: Event) {
    let (Some(form), Some(random)) = (FormHandle::find(), page::random()) else { return };
    if let Some(field) = form.input("#password") {
        field.set_value(&domain::password::suggest(random));
        form.show_password(true);
        judge();
    }
}
