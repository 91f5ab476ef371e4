use crate::words::query::query;
use leptos::prelude::*;

/// A link to the rest of a list, if there is more. `given` is what the list was searched for.
#[component]
pub fn More(
    path: &'static str,
    /// What the rest begins after.
    next: Option<String>,
    #[prop(default = "after")] name: &'static str,
    #[prop(optional)] given: Vec<(&'static str, String)>,
    label: &'static str,
) -> impl IntoView {
    next.map(|next| {
        let mut pairs: Vec<(&str, &String)> = given.iter().map(|(name, value)| (*name, value)).collect();
        pairs.push((name, &next));
        let href = format!("{path}?{}", query(&pairs));
        view! { <p><a href=href>{label}</a></p> }
    })
}
