use super::View;

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
        View::Enrol(_) => "Set up a second factor",
        View::Dashboard(dashboard) => dashboard.content.title.as_deref().unwrap_or_else(|| dashboard.page.title()),
        View::NotFound => "Page not found",
        View::Broken => "Something went wrong",
    };
    format!("{page} \u{b7} {site}")
}
