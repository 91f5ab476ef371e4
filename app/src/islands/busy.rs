use leptos::prelude::*;

/// Whether a button has to wait: from the server's page until the browser has brought it to life, and
/// whenever its own work is under way. A click that does nothing is worse than a button that waits.
pub fn busy_until_alive() -> RwSignal<bool> {
    let busy = RwSignal::new(true);
    // Effects run in the browser only, after hydration.
    Effect::new(move |_| busy.set(false));
    busy
}
