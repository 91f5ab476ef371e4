use leptos::prelude::*;

/// A pointed arch of stone with a small door ajar; the same drawing as `public/favicon.svg`.
#[component]
pub fn Mark() -> impl IntoView {
    view! {
        <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
            <path class="mark-stone" d="M4 30V15C4 8.5 9 4 16 2c7 2 12 6.500 12 13v15h-6V16c0-3.500-2.300-6-6-7.500-3.700 1.500-6 4-6 7.500v14z" />
            <path class="mark-door" d="M12 30V17c0-2.200 1.400-3.900 4-5v18z" />
            <circle class="mark-ring" cx="14.500" cy="22" r=".9" />
        </svg>
    }
}
