use crate::browser::session::{self, Renewal};
use crate::browser::{clock, page};
use crate::text::{trigger, wait};
use js_sys::{JSON, Reflect};
use leptos::html::Ul;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, EventSource, MessageEvent};
use wire::paths;

/// Maximum number of entries in the list.
const SHOWN: u32 = 20;
/// Pause before reconnecting an ended stream.
const PAUSE_MS: i32 = 3_000;

/// Live refusals, newest first.
#[island]
pub fn LiveRefusals() -> impl IntoView {
    let list = NodeRef::<Ul>::new();
    let said = RwSignal::new("Connecting\u{2026}");
    Effect::new(move |_| {
        if let Some(list) = list.get() {
            listen(list.unchecked_into(), said);
        }
    });
    view! {
        <p class="small quiet" role="status">
            {move || said.get()}
        </p>
        <ul class="events live" node_ref=list></ul>
    }
}

fn listen(list: Element, said: RwSignal<&'static str>) {
    let Ok(source) = EventSource::new(paths::LIVE) else { return };
    let opened = Closure::<dyn Fn()>::new(move || said.set("Connected. Each refusal appears here as it happens."));
    source.set_onopen(Some(opened.into_js_value().unchecked_ref()));
    let rows = list.clone();
    let refused = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| show(&rows, &event));
    let _ = source.add_event_listener_with_callback("refusal", refused.into_js_value().unchecked_ref());
    let failing = source.clone();
    let failed = Closure::<dyn Fn()>::new(move || {
        // Otherwise the browser would retry forever with an expired session.
        failing.close();
        said.set("Disconnected. Trying again\u{2026}");
        let list = list.clone();
        spawn_local(async move {
            clock::sleep(PAUSE_MS).await;
            match session::renew().await {
                Ok(Renewal::Over(why)) => page::sign_in(why),
                _ => listen(list, said),
            }
        });
    });
    source.set_onerror(Some(failed.into_js_value().unchecked_ref()));
}

fn show(list: &Element, event: &MessageEvent) {
    let Some(data) = event.data().as_string().and_then(|text| JSON::parse(&text).ok()) else { return };
    let member = |name: &str| Reflect::get(&data, &JsValue::from_str(name)).unwrap_or_default();
    let text = |name: &str| member(name).as_string().unwrap_or_default();
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit for 285,000 years")]
    let until = member("until").as_f64().map(|until| until as i64);
    let at = clock::write(member("at").as_f64().unwrap_or_default(), clock::TimeFormat::Exact);
    let closed = until.map_or_else(String::new, |until| {
        [", ", trigger::scope(&text("scope")), " for ", &wait::span(until - clock::now())].concat()
    });
    let sentence = [&text("address"), ": ", &trigger::name(&text("trigger")).to_lowercase(), &closed].concat();
    let Ok(row) = document().create_element("li") else { return };
    row.set_class_name("event figures");
    row.set_text_content(Some(&sentence));
    let _ = row.set_attribute("title", &at);
    let _ = list.prepend_with_node_1(&row);
    while list.child_element_count() > SHOWN {
        match list.last_element_child() {
            Some(oldest) => oldest.remove(),
            None => break,
        }
    }
}
