//! Runs once before a page's islands start.

pub fn start() {
    leptos::mount::hydrate_islands();
    #[cfg(feature = "signed-in")]
    {
        crate::browser::awake::watch();
        crate::browser::local_times::localise();
        crate::browser::page::carry_fragment();
        crate::browser::page::say_result();
    }
}
