use crate::islands::{AddPasskey, PasskeyActions};
use crate::text::ago;
use leptos::prelude::*;
use wire::passkeys::{Passkey, Passkeys};

/// The person's passkeys.
#[component]
pub fn PasskeyList(now: i64, passkeys: Passkeys) -> impl IntoView {
    let Passkeys { passkeys, rp_id, .. } = passkeys;
    let host = rp_id.unwrap_or_default();
    let (here, last) = (host.clone(), passkeys.len() == 1);
    let card = move |passkey: Passkey| {
        let elsewhere = (passkey.host != here).then(|| {
            view! { <p class="small warning-line">"Works at " {passkey.host.clone()} " only, and not at this address."</p> }
        });
        let used = match passkey.used_at {
            Some(at) => ["Last used ", &ago::ago(now, at)].concat(),
            None => "Not used yet".to_owned(),
        };
        let kept = if passkey.synced { "on all your devices that share it" } else { "on one device" };
        let about = match &passkey.provider {
            Some(provider) => [provider, ", ", kept].concat(),
            None => ["Kept ", kept].concat(),
        };
        view! {
            <li class="passkey">
                <div>
                    <h3><bdi>{passkey.label.clone()}</bdi></h3>
                    <p class="small quiet">{about} " \u{b7} " {used}</p>
                    {elsewhere}
                </div>
                <PasskeyActions id=passkey.id label=passkey.label last />
            </li>
        }
    };
    let none = passkeys.is_empty().then(|| {
        view! { <p class="quiet">"You have no passkeys yet."</p> }
    });
    let add = if host.is_empty() {
        view! { <p class="quiet">"Passkeys need a host name in the address of this site."</p> }.into_any()
    } else {
        view! {
            <noscript>
                <p>"Adding a passkey needs JavaScript."</p>
            </noscript>
            <AddPasskey />
        }
        .into_any()
    };
    view! {
        <section class="panel" id="passkeys">
            <h2>"Passkeys"</h2>
            <p class="small quiet">
                "A passkey signs you in with your device's screen lock or a security key instead of your password. It works \
                 at this site only, so no other site can trick you into giving it away."
            </p>
            {none}
            <ul class="passkeys">{passkeys.into_iter().map(card).collect_view()}</ul>
            <p id="passkeys-said" role="status"></p>
            {add}
        </section>
    }
}
