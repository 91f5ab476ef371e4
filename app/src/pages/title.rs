use crate::view::{HelpPart, HelpView, View};

/// Returns the title of the tab.
pub(crate) fn title(view: &View, site: &str) -> String {
    let page = match view {
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
        View::Overview(_) => "Overview",
        View::Devices(_) => "Devices",
        View::Keys(_) => "Keys",
        View::Time(_) => "Time",
        View::Activity(_) => "Activity",
        View::Account(_) => "Account",
        View::Enrol(_) => "Set up a second factor",
        View::Delete(_) => "Delete account",
        View::Profile(_) | View::Person(_) => "Profile",
        View::Groups(_) => "Groups",
        View::Clients(_) | View::Client(_) => "Clients",
        View::Users(_) => "Users",
        View::Invitations(_) => "Invitations",
        View::Bans(_) => "Bans",
        View::Toll(_) => "Toll",
        View::ServerKeys(_) => "Server keys",
        View::Audit(_) => "Audit",
        View::Help(HelpView { part: HelpPart::Page { title, .. }, .. }) => title,
        View::Help(_) => "Help",
        View::NotFound => "Page not found",
        View::Broken => "Something went wrong",
    };
    format!("{page} \u{b7} {site}")
}
