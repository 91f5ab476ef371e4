use leptos::prelude::*;

/// Whether a button must wait: until its page is hydrated, and while its own request is running. A button that waits is
/// better than a click without effect.
pub(super) fn busy_until_alive() -> RwSignal<bool> {
    let busy = RwSignal::new(true);
    // Effects run in the browser only, after hydration.
    Effect::new(move |_| busy.set(false));
    busy
}
