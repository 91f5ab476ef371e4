use crate::browser::page;
use leptos::prelude::*;

/// The recovery codes that an island has just received, which are shown once. The element is on the page from the start,
/// because the page's policy (Trusted Types) lets no script make markup.
#[component]
pub(super) fn SavedCodes(codes: RwSignal<String>) -> impl IntoView {
    view! {
        <div hidden=move || codes.with(String::is_empty)>
            <p>
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
