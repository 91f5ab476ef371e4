use crate::text::query::query;
use leptos::prelude::*;

/// A link to the rest of a list, if any. `given` is the list's search text.
#[component]
pub fn More(
    path: &'static str,
    /// The entry after which the rest begins.
    next: Option<String>,
    #[prop(default = "after")] name: &'static str,
    #[prop(optional)] given: Vec<(&'static str, String)>,
    label: &'static str,
) -> impl IntoView {
    next.map(|next| {
        let mut pairs: Vec<(&str, &String)> = given.iter().map(|(name, value)| (*name, value)).collect();
        pairs.push((name, &next));
        let href = format!("{path}?{}", query(&pairs));
        view! { <p class="link-line"><a href=href>{label}</a></p> }
    })
}
