use crate::components::When;
use crate::islands::{Act, ConfirmedAction, SecondFactorForm};
use leptos::prelude::*;
use wire::paths;
use wire::second_factor::SecondFactors;

/// Number of recovery codes at which the page asks for new ones.
const FEW_CODES: u32 = 2;

/// Shows and changes the person's second factors.
#[component]
pub fn SecondFactor(factors: SecondFactors, now: i64) -> impl IntoView {
    let (enrolled, guarded, keys) = (factors.totp.is_some(), factors.passkey_after_password, factors.passkeys > 0);
    let some_left = keys && factors.recovery_codes > 0;
    let few = factors.recovery_codes <= FEW_CODES;
    let left = match factors.recovery_codes {
        0 => "No recovery code is left. Make new ones, so that you can sign in without your device.".to_owned(),
        1 => "Only 1 recovery code is left. Make new ones before it is used.".to_owned(),
        left @ 2..=FEW_CODES => format!("Only {left} recovery codes are left. Make new ones before they are used."),
        left => format!("{left} recovery codes are left."),
    };
    let remove = ConfirmedAction {
        method: "DELETE".to_owned(),
        path: paths::TOTP.to_owned(),
        label: "Turn off".to_owned(),
        spoken: "Turn off one-time codes".to_owned(),
        title: "Turn off one-time codes?".to_owned(),
        about: if guarded {
            "Signing in with your password will need a passkey.".to_owned()
        } else if keys {
            "Your passkeys and your recovery codes stay.".to_owned()
        } else {
            "Your password alone will sign you in, and your recovery codes become void.".to_owned()
        },
        no: "Keep them".to_owned(),
        yes: "Turn off".to_owned(),
        ..ConfirmedAction::default()
    };
    view! {
        <section class="panel">
            <h2>"Second factor"</h2>
            {match factors.totp {
                Some(totp) => {
                    view! {
                        <p>"Signing in needs your password and a one-time code of your authenticator app."</p>
                        <p class="small quiet">
                            "Set up " <When now at=totp.created_at />
                            {totp.used_at.map(|at| view! { " \u{b7} last used " <When now at /> })}
                        </p>
                    }
                        .into_any()
                }
                None if guarded => ().into_any(),
                None => {
                    view! {
                        <p class="small quiet">
                            "With one-time codes of an authenticator app, a stolen password alone signs nobody in. This also \
                             works without https, and with any app for codes of six digits."
                        </p>
                    }
                        .into_any()
                }
            }}
            {guarded
                .then(|| {
                    let also = if enrolled { "One of your passkeys serves instead of the code." } else { "Signing in with your password needs one of your passkeys too." };
                    view! { <p>{also}</p> }
                })}
            {(enrolled || guarded || some_left)
                .then(|| {
                    let class = if few { "why" } else { "small quiet" };
                    view! { <p class=class>{left}</p> }
                })}
            <noscript>
                <p>"Setting up a second factor needs JavaScript."</p>
            </noscript>
            <p id="factors-said" role="status"></p>
            <SecondFactorForm enrolled guarded keys />
            {enrolled.then(|| view! { <Act action=remove /> })}
        </section>
    }
}
