//! The functions that a bundle's JavaScript calls: `hydrate` once for the page, then one function for each island. The
//! latter come from `app`, by the selected features.

/// Prepares the page for its islands.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    // Panic messages name files and lines, which need bytes and are of use to developers only.
    #[cfg(all(debug_assertions, target_arch = "wasm32"))]
    console_error_panic_hook::set_once();
    app::browser::start::start();
}
