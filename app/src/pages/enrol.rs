use crate::components::{Frame, PasskeyList, SecondFactor};
use crate::view::{EnrolView, Site};
use leptos::prelude::*;
use wire::paths;

/// `/dashboard/second-factor`: sets up the second factor that is required. The server redirects as soon as there is
/// one.
#[component]
pub fn EnrolPage(site: Site, enrol: EnrolView) -> impl IntoView {
    let EnrolView { viewer, by_app, passkey, passkeys, factors, sign_in } = enrol;
    let now = site.now;
    let (title, what) =
        if passkey { ("Set up a passkey", "a passkey") } else { ("Set up a second factor", "a second factor") };
    let why = if by_app {
        format!("The app that you came from needs {what} besides your password. Set one up and you continue there.")
    } else {
        format!(
            "Your account needs {what} besides your password. Until you have set one up, the other pages and your apps \
             stay closed. Then you continue where you wanted to go."
        )
    };
    let sign_in = sign_in.map(|path| {
        view! {
            <p>
                "You have one already: " <a href=path data-carry="">"sign in with it"</a> "."
            </p>
        }
    });
    view! {
        <Frame site viewer here=paths::ACCOUNT_PAGE>
            <header>
                <h1>{title}</h1>
            </header>
            <p id="said" role="status" class="quiet"></p>
            <section class="panel">
                <p>{why}</p>
                {sign_in}
            </section>
            <div class="columns">
                <PasskeyList now passkeys />
                {(!passkey).then(|| view! { <SecondFactor factors now /> })}
            </div>
        </Frame>
    }
}
