use crate::browser::{clock, page};
use leptos::html::P;
use leptos::prelude::*;
use leptos::task::spawn_local;

/// The recovery codes that an island has just received, which are shown once. The element is on the page from the start,
/// because the page's policy (Trusted Types) lets no script make markup.
#[component]
pub(super) fn SavedCodes(codes: RwSignal<String>) -> impl IntoView {
    let text = NodeRef::<P>::new();
    // The button that was pressed disappears. The focus goes to the codes, so that a screen reader says that they exist.
    Effect::new(move |_| {
        if !codes.with(String::is_empty) {
            spawn_local(async move {
                clock::sleep(0).await;
                if let Some(text) = text.get_untracked() {
                    let _ = text.focus();
                }
            });
        }
    });
    view! {
        <div hidden=move || codes.with(String::is_empty)>
            <p node_ref=text tabindex="-1">
                "Save these recovery codes where you will find them without this device. Each signs you in once in place of \
                 your second factor. They are shown only now."
            </p>
            <pre class="figures recovery-codes">{codes}</pre>
            <div class="choices">
                <button class="button plain" type="button" on:click=move |_| page::print()>
                    "Print"
                </button>
                <button class="button" type="button" on:click=move |_| page::reload()>
                    "Done"
                </button>
            </div>
        </div>
    }
}
