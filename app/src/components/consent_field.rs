use crate::components::{Options, owned};
use leptos::prelude::*;

const CONSENT: [(&str, &str); 2] = [("true", "Ask each person once"), ("false", "Do not ask: it is our own app")];

/// The field of a client that says whether people are asked for their consent.
#[component]
pub fn ConsentField(asks: bool) -> impl IntoView {
    view! {
        <label for="consent">"Consent"</label>
        <Options id="consent" chosen=asks.to_string() options=owned(&CONSENT) />
    }
}
