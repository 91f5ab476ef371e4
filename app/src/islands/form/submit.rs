use leptos::prelude::*;

/// The button of a form, disabled until hydration. Its texts overlap, so that it keeps its size, and the stylesheet
/// shows the right one.
#[component]
pub fn Submit(label: &'static str) -> impl IntoView {
    view! {
        <button class="button wide submit" type="submit" disabled>
            <span class="at-rest">{label}</span>
            <span class="at-sealing">"Sealing\u{2026}"</span>
            <span class="at-checking">"Checking\u{2026}"</span>
        </button>
    }
}
