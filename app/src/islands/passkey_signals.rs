use crate::browser::passkey_managers::tell_managers;
use crate::browser::passkeys;
use leptos::prelude::*;
use leptos::task::spawn_local;

/// Tells the person's passkey managers the account's passkeys and names, once in a tab for each `stamp`. An
/// administrator or another device may have renamed the account or removed a passkey.
#[island]
pub fn PasskeySignals(stamp: String) -> impl IntoView {
    if cfg!(not(feature = "ssr")) && passkeys::supported() && passkeys::is_new_signal(&stamp) {
        spawn_local(async move {
            // Not before: the person may leave the page meanwhile.
            if tell_managers().await {
                passkeys::remember_signal(&stamp);
            }
        });
    }
}
