use leptos::prelude::*;

/// A pointed arch of stone with a small door ajar; the same drawing as `public/favicon.svg`.
pub const DRAWING: &str = include_str!("mark.svg");

#[component]
pub fn Mark() -> impl IntoView {
    view! { <svg class="mark" viewBox="0 0 32 32" aria-hidden="true" inner_html=DRAWING.trim_end()></svg> }
}
