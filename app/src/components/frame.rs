use crate::components::{Mark, Stuck};
use crate::dashboard::{DashboardPage, PagePlace};
use crate::islands::{ProveAgain, SignOut};
use crate::view::{Site, Viewer};
use leptos::prelude::*;
use wire::paths;

/// The frame of every dashboard page.
#[component]
pub fn Frame(
    site: Site,
    viewer: Viewer,
    /// The page of the navigation that this is, or belongs to.
    here: &'static str,
    /// A value for the page's forms.
    #[prop(optional_no_strip)]
    password_min: Option<String>,
    children: Children,
) -> impl IntoView {
    let offered = viewer.clone();
    let entries = move |place: PagePlace| {
        let pages = DashboardPage::ALL.iter().filter(|page| page.place() == place && page.is_offered(&offered));
        let entry = |page: &DashboardPage| {
            let current = (page.path() == here).then_some("page");
            view! {
                <li>
                    <a href=page.path() aria-current=current>
                        {page.title()}
                    </a>
                </li>
            }
        };
        view! { <ul>{pages.map(entry).collect_view()}</ul> }
    };
    let own = entries(PagePlace::Own);
    let more = viewer.administrator.then(|| {
        view! {
            <nav class="more" aria-labelledby="administration">
                <p id="administration">"Administration"</p>
                {entries(PagePlace::Administration)}
            </nav>
        }
    });
    view! {
        <a class="skip" href="#content">"Skip to the content"</a>
        <header class="top">
            <MenuButton />
            <a class="home" href=paths::DASHBOARD_PAGE>
                <Mark />
                <span>{site.name}</span>
            </a>
            <div class="menu" id=MENU popover="auto">
                <div class="menu-head">
                    <p>"Signed in as " <b><bdi>{viewer.username.clone()}</bdi></b></p>
                    <button class="button plain" type="button" popovertarget=MENU popovertargetaction="hide">
                        "Close"
                    </button>
                </div>
                <nav aria-label="Pages">
                    {own}
                </nav>
                {more}
            </div>
            <div class="who">
                <span class="name" dir="auto">{viewer.username.clone()}</span>
                <SignOut />
            </div>
        </header>
        <main id="content" class="page" data-password-min=password_min data-account=viewer.account data-username=viewer.username>
            <OtherAccount />
            <noscript>
                <p class="why">
                    "JavaScript is switched off, so the buttons that change something do not work. Everything can be read. \
                     Switch it on for this site, then reload this page."
                </p>
            </noscript>
            {children()}
        </main>
        <ProveAgain />
        <Stuck class="stuck page" loss="its buttons do nothing" />
    }
}

/// Says that another account has signed in in another tab. The browser's code fills it in and shows it.
#[component]
fn OtherAccount() -> impl IntoView {
    view! {
        <p id="other-account" class="why" role="alert" hidden>
            <span></span>
            " "
            <a href="">"Reload this page"</a>
        </p>
    }
}

/// The id of the menu.
const MENU: &str = "menu";

/// Opens the menu on a narrow screen. A popover needs no script, and a browser that knows none shows the menu
/// all the time.
#[component]
fn MenuButton() -> impl IntoView {
    view! {
        <button class="menu-button" type="button" popovertarget=MENU>
            <svg viewBox="0 0 20 20" aria-hidden="true">
                <path d="M2 5h16M2 10h16M2 15h16"></path>
            </svg>
            <span>"Menu"</span>
        </button>
    }
}
