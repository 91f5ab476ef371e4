//! The words by which a page introduces an app. The name of an app that nobody has checked is never alone.

use crate::guards::signed_in::SignedIn;
use crate::oauth::clients::is_terminal;
use domain::bidi::isolated;
use oidc::{Client, ClientSource, redirect_uri};

/// How a page names an app.
pub(crate) struct AppIntroduction {
    /// The name or host for a title.
    pub title: String,
    /// One or two sentences.
    pub about: String,
}

/// Names the account that a page is about, because a person may have several.
pub(crate) fn signed_in_as(session: &SignedIn) -> String {
    format!("You are signed in here as {}.", isolated(&session.claims.preferred_username))
}

/// Introduces an app that wants to sign a person in. Only a host is proved, so that of a document comes first.
pub(crate) fn describe(client: &Client) -> AppIntroduction {
    let name = isolated(client.name());
    match client.source {
        ClientSource::Document => {
            let host = redirect_uri::host_of(client.id()).unwrap_or_default();
            let about = format!(
                "An app of {host}, which calls itself {name}, wants to sign you in. Nobody at this site has checked it: \
                 continue only if you have just opened it yourself."
            );
            AppIntroduction { title: host.to_owned(), about }
        }
        ClientSource::Registered => {
            let about = format!(
                "{name} wants to sign you in. The app chose this name itself, and nobody at this site has checked it: \
                 continue only if you have just opened it yourself."
            );
            AppIntroduction { title: name, about }
        }
        ClientSource::Settings if is_terminal(client) => {
            let about = "A program on this computer wants to be signed in as you. Go on only if you have just started \
                         that in a terminal.";
            AppIntroduction { title: name, about: about.to_owned() }
        }
        ClientSource::Settings | ClientSource::Administrator => {
            AppIntroduction { about: format!("{name} wants to sign you in."), title: name }
        }
    }
}
