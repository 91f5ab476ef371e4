use super::act::NO_ANSWER;
use crate::browser::fetch::member;
use crate::browser::{api, counting, fragment, kept, page};
use js_sys::{Array, JSON, Object, Reflect};
use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, FormData, HtmlElement, HtmlFormElement, HtmlInputElement};
use wire::Code;

const FAILED: &str = "That did not work, and nothing was changed. Try again.";
const RESTORED: &str =
    "Your session had ended, so nothing was sent. Your text is still here: check it, then send it again.";

/// Handles the page's plain forms. Those with a `data-method` are sent as JSON to their action, and open their
/// `data-done` after a success, or this page again if that is empty.
#[island]
pub fn Forms() -> impl IntoView {
    Effect::new(|_| {
        let sending = window_event_listener(ev::submit, |event| {
            let form = event.target().and_then(|target| target.dyn_into::<HtmlFormElement>().ok());
            if let Some(form) = form.filter(|form| form.has_attribute("data-method")) {
                event.prevent_default();
                spawn_local(send(form));
            }
        });
        on_cleanup(move || sending.remove());
        each("form[data-method] [type=submit]", |button| set_busy(button, false));
        fill_from_fragment();
        restore_form();
        spawn_local(counting::count());
    });
}

/// Fills the field whose value is in a mailed link, and removes the value from the address bar.
fn fill_from_fragment() {
    let field = document().query_selector("[data-fragment]").ok().flatten();
    let Some(field) = field.and_then(|field| field.dyn_into::<HtmlInputElement>().ok()) else { return };
    if let Some(value) = field.get_attribute("data-fragment").and_then(|name| fragment::take(&name)) {
        field.set_value(&value);
    }
}

async fn send(form: HtmlFormElement) {
    let button = form.query_selector("[type=submit]").ok().flatten();
    busy(button.as_ref(), true);
    let fact = |name: &str| form.get_attribute(name).unwrap_or_default();
    let body = body(&form);
    match api::call(&fact("data-method"), &fact("action"), body.as_deref()).await {
        Ok(answer) if answer.is_ok() => finish(&fact("data-done")),
        // Another person deleted it already, which is a success. Nothing else is done when it is not there.
        Ok(answer) if answer.status == 404 && fact("data-method") == "DELETE" => finish(&fact("data-done")),
        Ok(answer) if answer.status == 401 => keep_form(&form),
        Ok(answer) => {
            let said =
                answer.problem().map_or_else(|| FAILED.to_owned(), |problem| problem.detail.unwrap_or(problem.title));
            show_error(&said);
            busy(button.as_ref(), false);
            if matches!(answer.code(), Some(Code::WouldLockOut | Code::BanWithoutEffect)) {
                offer_force(&form);
            } else {
                focus_again(&form);
            }
        }
        Err(_) => {
            show_error(NO_ANSWER);
            busy(button.as_ref(), false);
            focus_again(&form);
        }
    }
}

/// Moves the focus to the only field of a form, otherwise to its button, which lost it while it waited.
fn focus_again(form: &HtmlFormElement) {
    let fields = form.query_selector_all("input:not([type=hidden]), textarea, select").ok();
    let only = fields.filter(|fields| fields.length() == 1).and_then(|fields| fields.item(0));
    let button = || form.query_selector("[type=submit]").ok().flatten().map(JsCast::unchecked_into);
    if let Some(next) = only.map(JsCast::unchecked_into::<HtmlElement>).or_else(button) {
        let _ = next.focus();
    }
}

/// Keeps what was typed into a form while the person signs in again. Passwords and codes of links are not kept.
pub(super) fn keep_form(form: &HtmlFormElement) {
    let fields = Object::new();
    let set = |name: &str, value: &JsValue| drop(Reflect::set(&fields, &JsValue::from_str(name), value));
    each_in(form, "[name]:not([type=password], [type=hidden], [data-fragment])", |field| {
        let name = field.get_attribute("name").unwrap_or_default();
        let value = if is_tick(field) { "checked" } else { "value" };
        set(&name, &member(field, value));
    });
    let kept = Object::new();
    let text = |name: &str, value: &str| {
        drop(Reflect::set(&kept, &JsValue::from_str(name), &JsValue::from_str(value)));
    };
    text("account", &page::fact("account").unwrap_or_default());
    text("action", &form.get_attribute("action").unwrap_or_default());
    let _ = Reflect::set(&kept, &JsValue::from_str("fields"), &fields);
    if let Some(text) = JSON::stringify(&kept).ok().and_then(|text| text.as_string()) {
        kept::keep(kept::FORM, &text);
    }
}

/// Puts back what the same person typed into a form of this page.
fn restore_form() {
    let Some(kept) = kept::take(kept::FORM).and_then(|text| JSON::parse(&text).ok()) else { return };
    let text = |name: &str| member(&kept, name).as_string();
    if text("account") != page::fact("account") {
        return;
    }
    let (action, fields) = (text("action"), member(&kept, "fields"));
    each("form[data-method], form[data-secret]", |form| {
        if form.get_attribute("action") != action {
            return;
        }
        each_in(form, "[name]", |field| {
            let value = member(&fields, &field.get_attribute("name").unwrap_or_default());
            if !value.is_undefined() {
                let property = if is_tick(field) { "checked" } else { "value" };
                let _ = Reflect::set(field, &JsValue::from_str(property), &value);
            }
        });
        // The form may be folded.
        if let Some(folded) = form.closest("details").ok().flatten() {
            let _ = folded.set_attribute("open", "");
        }
        page::say(RESTORED);
        if let Some(button) = form.query_selector("[type=submit]").ok().flatten() {
            let _ = button.unchecked_into::<HtmlElement>().focus();
        }
    });
}

fn is_tick(field: &Element) -> bool {
    field.get_attribute("type").as_deref() == Some("checkbox")
}

/// Opens the page that shows the result; none: this one again, with its fragment.
fn finish(done: &str) {
    if done.is_empty() { page::reload() } else { page::go(done) }
}

/// Returns the fields by name; a ticked box is `true`.
pub(super) fn body(form: &HtmlFormElement) -> Option<String> {
    let fields = FormData::new_with_form(form).ok()?;
    let object = Object::from_entries(&Array::from(&fields)).ok()?;
    let ticked = form.query_selector_all("[type=checkbox]:checked").ok()?;
    for index in 0..ticked.length() {
        let name = ticked.item(index)?.dyn_into::<Element>().ok()?.get_attribute("name")?;
        // A plain object accepts every member.
        let _ = Reflect::set(&object, &JsValue::from_str(&name), &JsValue::TRUE);
    }
    JSON::stringify(&object).ok()?.as_string()
}

/// Asks the person to confirm a ban on their own address.
fn offer_force(form: &HtmlFormElement) {
    if let Some(question) = form.query_selector(".force").ok().flatten() {
        // Neither call fails: the names are valid.
        let _ = question.remove_attribute("hidden");
        if let Some(tick) = question.query_selector("input").ok().flatten() {
            let _ = tick.unchecked_into::<HtmlElement>().focus();
        }
    }
}

/// Shows the error where it is visible, because a form may be far below the page's message line.
pub(super) fn show_error(text: &str) {
    page::say(text);
    if let Some(said) = page::by_id("said") {
        let _ = said.class_list().add_1("warning-line");
        said.scroll_into_view_with_bool(false);
    }
}

fn busy(button: Option<&Element>, busy: bool) {
    if let Some(button) = button {
        set_busy(button, busy);
    }
}

pub(super) fn set_busy(button: &Element, busy: bool) {
    let _ = button.toggle_attribute_with_force("disabled", busy);
}

pub(super) fn each(selector: &str, act: impl Fn(&Element)) {
    if let Some(body) = document().body() {
        each_in(&body, selector, act);
    }
}

fn each_in(part: &Element, selector: &str, act: impl Fn(&Element)) {
    let Ok(list) = part.query_selector_all(selector) else { return };
    for index in 0..list.length() {
        if let Some(element) = list.item(index).and_then(|node| node.dyn_into().ok()) {
            act(&element);
        }
    }
}
