use super::FormHandle;
use super::handle::mark;
use leptos::ev::KeyboardEvent;
use leptos::prelude::*;

/// A password field with a button that shows the password, and a hint about caps lock.
///
/// The field has no name, so that a submission without our code cannot send it.
#[component]
pub fn PasswordField(
    autocomplete: &'static str,
    #[prop(default = "Password")] label: &'static str,
    /// The ids of the field's descriptions.
    described_by: &'static str,
) -> impl IntoView {
    view! {
        <label for="password">{label}</label>
        <div class="field">
            <input
                id="password"
                type="password"
                autocomplete=autocomplete
                autocapitalize="off"
                spellcheck="false"
                required
                aria-describedby=described_by
                on:keyup=watch_caps
            />
            <button
                class="show"
                type="button"
                aria-label="Show password"
                aria-pressed="false"
                on:click=move |_| toggle()
            >
                "Show"
            </button>
        </div>
        <p id="caps" class="hint" role="status"></p>
    }
}

fn toggle() {
    let Some(form) = FormHandle::find() else { return };
    let hidden = form.input("#password").is_some_and(|field| field.type_() == "password");
    form.show_password(hidden);
    if let Some(field) = form.input("#password") {
        let _ = field.focus();
    }
}

fn watch_caps(event: KeyboardEvent) {
    if let Some(form) = FormHandle::find() {
        let on = event.get_modifier_state("CapsLock");
        form.write("#caps", if on { "Caps lock is on." } else { "" });
    }
}

impl FormHandle {
    pub(crate) fn show_password(&self, show: bool) {
        if let (Some(field), Some(button)) = (self.input("#password"), self.part(".show")) {
            field.set_type(if show { "text" } else { "password" });
            mark(&button, "aria-pressed", if show { "true" } else { "false" });
        }
    }
}
