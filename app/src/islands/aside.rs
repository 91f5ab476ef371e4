use crate::browser::page;
use leptos::prelude::document;

/// Adds this page's fragment to the link between sign-in and sign-up, to keep it.
pub(super) fn carry_fragment() {
    let link = document().query_selector(".other a").ok().flatten();
    if let Some((link, address)) = link.and_then(|link| link.get_attribute("href").map(|address| (link, address))) {
        // Fails only for an invalid name.
        let _ = link.set_attribute("href", &page::with_fragment(address));
    }
}
