use super::act::{FAILED, NO_ANSWER};
use super::forms::{body, each, keep_form, set_busy, show_error};
use super::one_time_link::OneTimeLink;
use crate::browser::{api, page};
use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlFormElement};

/// Sends the page's forms that have a `data-secret`, its method, and shows the `client_secret` of the answer once.
/// `done`: the page to open for an answer without a secret.
#[island]
pub fn SecretForms(done: String) -> impl IntoView {
    let secret = OneTimeLink::new();
    let done = StoredValue::new(done);
    Effect::new(move |_| {
        let sending = window_event_listener(ev::submit, move |event| {
            let form = event.target().and_then(|target| target.dyn_into::<HtmlFormElement>().ok());
            if let Some(form) = form.filter(|form| form.has_attribute("data-secret")) {
                event.prevent_default();
                spawn_local(send(form, secret, done));
            }
        });
        on_cleanup(move || sending.remove());
        each("form[data-secret] [type=submit]", |button| set_busy(button, false));
    });
    secret.named_view(
        "Client secret".to_owned(),
        "Copy it into the settings of the app. It is shown only now, and only its hash is stored.",
        "Secret",
    )
}

async fn send(form: HtmlFormElement, secret: OneTimeLink, done: StoredValue<String>) {
    let button: Option<Element> = form.query_selector("[type=submit]").ok().flatten();
    let busy = |busy| {
        if let Some(button) = &button {
            set_busy(button, busy);
        }
    };
    let fact = |name: &str| form.get_attribute(name).unwrap_or_default();
    busy(true);
    match api::call(&fact("data-secret"), &fact("action"), body(&form).as_deref()).await {
        Ok(answer) if answer.is_ok() => match answer.text("client_secret") {
            Some(text) => secret.show(text),
            None => page::go(&done.get_value()),
        },
        Ok(answer) if answer.status == 401 => return keep_form(&form),
        Ok(answer) => {
            show_error(
                &answer.problem().map_or_else(|| FAILED.to_owned(), |problem| problem.detail.unwrap_or(problem.title)),
            );
        }
        Err(_) => show_error(NO_ANSWER),
    }
    busy(false);
}
