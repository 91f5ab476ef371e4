use super::FormHandle;
use super::handle::mark;
use super::strength::{judge, suggest};
#[cfg(any(feature = "ssr", feature = "private"))]
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Event, KeyboardEvent};

/// A password field with a button that shows the password, and a hint about caps lock.
///
/// The field has no name, so that a submission without our code cannot send it.
#[cfg(any(feature = "ssr", feature = "private"))]
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
            />
            <button
                class="show"
                type="button"
                aria-label="Show password"
                aria-pressed="false"
            >
                "Show"
            </button>
        </div>
        <p id="caps" class="hint" role="status"></p>
    }
}

fn toggle(_: Event) {
    let Some(form) = FormHandle::find() else { return };
    let hidden = form.input("#password").is_some_and(|field| field.type_() == "password");
    form.show_password(hidden);
    if let Some(field) = form.input("#password") {
        let _ = field.focus();
    }
}

fn watch_caps(event: Event) {
    if let (Some(form), Some(event)) = (FormHandle::find(), event.dyn_ref::<KeyboardEvent>()) {
        let on = event.get_modifier_state("CapsLock");
        form.write("#caps", if on { "Caps lock is on." } else { "" });
    }
}

impl FormHandle {
    /// Connects the parts of the password's field and of its strength, if the form has them.
    pub(crate) fn watch_password(&self) {
        self.on_part(".show", "click", toggle);
        self.on_part("#password", "keyup", watch_caps);
        self.on_part("#suggest", "click", suggest);
        if self.part("#suggest").is_some() {
            self.on("input", |_| judge());
        }
    }

    pub(crate) fn show_password(&self, show: bool) {
        if let (Some(field), Some(button)) = (self.input("#password"), self.part(".show")) {
            field.set_type(if show { "text" } else { "password" });
            mark(&button, "aria-pressed", if show { "true" } else { "false" });
        }
    }
}
