use leptos::prelude::*;

/// The logo: a stone arch with a small open door, as in `public/favicon.svg`.
pub(crate) const DRAWING: &str = include_str!("mark.svg");

#[component]
pub fn Mark() -> impl IntoView {
    view! { <svg class="mark" viewBox="0 0 32 32" aria-hidden="true" inner_html=DRAWING.trim_end()></svg> }
}
