//! What a page does once, before its islands wake.

pub fn start() {
    leptos::mount::hydrate_islands();
    #[cfg(feature = "signed-in")]
    {
        crate::browser::awake::watch();
        crate::browser::local_times::localise();
    }
}
