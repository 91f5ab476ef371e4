//! Countdowns that the server has rendered.

use crate::browser::clock;
use crate::text::wait;
use leptos::prelude::document;
use wasm_bindgen::JsCast;
use web_sys::Element;

/// Updates every `data-until` of the page once a second. One that has ended keeps its last text, because the page is as
/// old as its list.
pub async fn count() {
    loop {
        let Ok(list) = document().query_selector_all("[data-until]") else { return };
        if list.length() == 0 {
            return;
        }
        for index in 0..list.length() {
            if let Some(place) = list.item(index).and_then(|node| node.dyn_into::<Element>().ok()) {
                tick(&place);
            }
        }
        clock::sleep(1_000).await;
    }
}

fn tick(place: &Element) {
    let until = place.get_attribute("data-until").and_then(|until| until.parse::<i64>().ok());
    let said = wait::span(until.unwrap_or(0) - clock::now());
    if place.text_content().as_deref() != Some(&said) {
        place.set_text_content(Some(&said));
    }
}
