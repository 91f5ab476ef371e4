//! Pages about apps that sign people in here.

use crate::components::{CardTitle, Stuck};
use crate::islands::Decide;
use crate::view::{AskList, AskView, DeviceCodeView, LeaveLink, RefusedView};
use leptos::prelude::*;
use wire::paths;

/// Asks the person whether an app may continue.
#[component]
pub fn AskPage(ask: AskView) -> impl IntoView {
    let AskView { title, about, lists, note, path, yes, yes_body, no, no_body, nonce } = ask;
    let list = |AskList { about, items }| {
        view! {
            <p>{about}</p>
            <ul>{items.into_iter().map(|item| view! { <li>{item}</li> }).collect_view()}</ul>
        }
    };
    let lists = lists.into_iter().filter(|list| !list.items.is_empty()).map(list).collect_view();
    let note = (!note.is_empty()).then(|| view! { <p class="small quiet">{note}</p> });
    view! {
        <main class="page-center" data-path=path data-yes=yes_body data-no=no_body data-nonce=nonce>
            <section class="card">
                <CardTitle title />
                <p>{about}</p>
                {lists}
                {note}
                <Decide yes no />
                <p id="said" role="status" class="quiet"></p>
                <Stuck loss="its buttons do nothing" />
                <noscript>
                    <p>
                        "This needs JavaScript, because the key of this device never leaves the browser. Switch it on for \
                         this site, then reload this page."
                    </p>
                </noscript>
            </section>
        </main>
    }
}

/// Shows why a request of an app was refused, to the person and to the developer of the app.
#[component]
pub fn RefusedPage(refused: RefusedView) -> impl IntoView {
    let RefusedView { code, description, facts, start, leave } = refused;
    if let Some(LeaveLink { host, href }) = start {
        return view! {
            <main class="page-center">
                <section class="card">
                    <CardTitle title="Begin again at the app" />
                    <p>"The app's request has expired, or was answered before. Nothing was changed."</p>
                    <p>
                        <a class="button" href=href rel="noreferrer">
                            "Go to "
                            {host}
                        </a>
                    </p>
                    <p class="small quiet">"Error " <code>{code}</code> ": " {description} "."</p>
                </section>
            </main>
        }
        .into_any();
    }
    let facts = facts.into_iter().map(|(name, value)| view! { <dt>{name}</dt> <dd><code>{value}</code></dd> });
    view! {
        <main class="page-center">
            <section class="card">
                <CardTitle title="The app's request was refused" />
                <p>"The app that sent you here made a request that this site cannot answer. Nothing was changed."</p>
                <p>"Tell the people who run the app what this page says:"</p>
                <dl class="refusal">
                    <dt>"Error"</dt>
                    <dd><code>{code}</code>": " {description}</dd>
                    {facts.collect_view()}
                </dl>
                {leave.map(|link| view! { <Leave link /> })}
                <Home />
            </section>
        </main>
    }
    .into_any()
}

/// Says that the person is signed out, before a link leads away.
#[component]
pub fn SignedOutPage(link: LeaveLink) -> impl IntoView {
    view! {
        <main class="page-center">
            <section class="card">
                <CardTitle title="You are signed out" />
                <Leave link />
                <p class="quiet aside">
                    <a href=paths::LOGIN_PAGE>"Sign in again"</a>
                </p>
            </section>
        </main>
    }
}

/// Leads to an app that nobody has checked, whose host the person sees first.
#[component]
fn Leave(link: LeaveLink) -> impl IntoView {
    let LeaveLink { host, href } = link;
    view! {
        <p>"Nobody at this site has checked the app. Go on only if you have just come from it."</p>
        <p>
            <a href=href rel="noreferrer">
                "Go back to "
                {host}
            </a>
        </p>
    }
}

/// The way on from a page on which nothing is left to do.
#[component]
fn Home() -> impl IntoView {
    view! {
        <p class="quiet aside">
            <a href=paths::DASHBOARD_PAGE>"Go to your overview"</a>
        </p>
    }
}

/// Asks for the code that a device shows. It is a plain form, so it works without JavaScript.
#[component]
pub fn DeviceCodePage(device: DeviceCodeView) -> impl IntoView {
    let said = match (device.wrong, device.done) {
        (_, Some(true)) => "The device is connected. You can go back to it.",
        (_, Some(false)) => "The device is not connected.",
        (true, None) if device.limited => {
            "There were too many wrong codes, so this one was not checked. Wait a few minutes, and let the device show a \
             new one."
        }
        (true, None) => {
            "No device waits with this code. Codes are valid for half an hour and one answer: let the device show a new \
             one."
        }
        (false, None) => "Enter the code that your device shows.",
    };
    let form = device.done.is_none().then(|| {
        view! {
            <form class="form" method="get" action=paths::DEVICE_PAGE>
                <label for="code">"Code"</label>
                <input id="code" name="user_code" autocomplete="off" autocapitalize="characters" maxlength="24" required />
                <button class="button" type="submit">"Go on"</button>
            </form>
        }
    });
    view! {
        <main class="page-center">
            <section class="card">
                <CardTitle title="Connect a device" />
                <p role="status">{said}</p>
                {form}
                <Home />
            </section>
        </main>
    }
}
