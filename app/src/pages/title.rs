use super::View;
use crate::dashboard_pages;
use crate::view::{HelpPart, HelpView};

macro_rules! titles {
    ($($page:ident $path:tt $title:tt, $place:expr, $viewers:ident, $($data:ident)::+ => $($show:ident)::+;)+) => {
        fn of_page(view: &View) -> &str {
            match view {
                View::Login(_) => "Sign in",
                View::Signup(signup) if signup.first_run => "Set up",
                View::Signup(_) => "Sign up",
                View::SignedIn(_) => "You are signed in",
                View::Resume(_) | View::Enter(_) => "Opening",
                View::Ask(_) => "Continue?",
                View::DeviceCode(_) => "Connect a device",
                View::Refused(_) => "Refused",
                View::SignedOut(_) => "Signed out",
                View::Reset(_) => "New password",
                View::Forgotten(_) => "Forgot your password?",
                View::Enrol(_) => "Set up a second factor",
                $(View::$page(_) => $title,)+
                View::NotFound => "Page not found",
                View::Broken => "Something went wrong",
            }
        }
    };
}

dashboard_pages!(titles);

/// Returns the title of the tab.
pub(crate) fn title(view: &View, site: &str) -> String {
    let page = match view {
        View::Help(help) => match &**help {
            HelpView { part: HelpPart::Page { title, .. }, .. } => title,
            _ => of_page(view),
        },
        _ => of_page(view),
    };
    format!("{page} \u{b7} {site}")
}
