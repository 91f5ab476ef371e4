use crate::browser::passkey_managers::{Registered, can_upgrade, register, tell_managers};
use crate::browser::{page, passkeys};
use leptos::prelude::*;
use leptos::task::spawn_local;

/// Offers a passkey to a person who has just signed in with a password and has none. If its password manager has just
/// filled in the password, a browser that supports it makes the passkey without asking (mediation `conditional`).
#[island]
pub fn PasskeyUpgrade() -> impl IntoView {
    if cfg!(not(feature = "ssr")) && passkeys::was_filled() && passkeys::supported() {
        spawn_local(async {
            if can_upgrade().await && matches!(register(true).await, Ok(Registered::Yes(_))) {
                tell_managers().await;
                if let Some(place) = page::by_id("passkey-offer") {
                    place.set_text_content(Some(
                        "Your password manager has saved a passkey for this account. Next time it signs you in without \
                         your password. You find it on the page Account.",
                    ));
                }
            }
        });
    }
}
