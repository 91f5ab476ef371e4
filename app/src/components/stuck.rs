use leptos::prelude::*;

/// The reasons why a page's code does not run. The page's script writes one into `data-stuck` of the document, and the
/// stylesheet shows the matching paragraph.
#[component]
pub fn Stuck(
    /// The effect without the code: "the form cannot work".
    loss: &'static str,
    #[prop(default = "stuck")] class: &'static str,
) -> impl IntoView {
    let class = |reason: &str| [class, " at-", reason].concat();
    view! {
        <p class=class("load") role="alert">
            "This page could not load its code, so " {loss} ". Reload the page to try again."
        </p>
        <p class=class("wasm") role="alert">
            "WebAssembly is switched off in this browser, so " {loss}
            ". In Lockdown Mode, allow this site: open the page menu next to the address in Safari, choose Website \
             Settings, and switch Lockdown Mode off for it. Otherwise allow WebAssembly in the browser's settings, or \
             use another browser."
        </p>
        <p class=class("old") role="alert">
            "This browser cannot run the code of this page, so " {loss}
            ". Update the browser, or use a current Firefox, Chrome, Edge or Safari. If it is up to date, something \
             between it and this site changes the code on its way: tell the person who runs this site."
        </p>
    }
}
