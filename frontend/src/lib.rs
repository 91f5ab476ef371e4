//! What a bundle's JavaScript calls: `hydrate` once for the page, then one function for each island.
//! Those functions come from `app`, by the features that were chosen.

/// Makes the page ready for its islands.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    // Its messages name files and lines, which cost bytes that only a developer reads.
    #[cfg(all(debug_assertions, target_arch = "wasm32"))]
    console_error_panic_hook::set_once();
    app::browser::start::start();
}
