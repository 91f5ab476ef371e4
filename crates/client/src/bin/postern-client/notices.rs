//! `postern-client notices`

use crate::cli_error::Outcome;
use crate::context::Context;
use crate::print::{self, printable, say, utc_time};
use client::Session;
use wire::account::Notice;

pub(crate) async fn run(context: &Context, dismiss: bool) -> Outcome {
    let session = context.session().await?;
    let notices = session.notices().await?;
    if context.json {
        print::json(&notices)?;
    } else if notices.notices.is_empty() {
        print::line("Nothing new on your account.")?;
    } else {
        let rows = notices
            .notices
            .iter()
            .map(|notice| [utc_time(notice.at), notice.text.clone(), unmentioned_address(notice)]);
        print::table(["when (UTC)", "event", "where"], rows)?;
    }
    match notices.notices.iter().map(|notice| notice.at).max() {
        Some(until) if dismiss => Ok(session.dismiss_notices(until).await?),
        _ => Ok(()),
    }
}

/// Says on standard error what is new on the account. A server from before this version has no notices, and a sign-in
/// must not fail for them.
pub(crate) async fn announce(session: &Session) -> Outcome {
    let notices = session.notices().await.map(|list| list.notices).unwrap_or_default();
    if notices.is_empty() {
        return Ok(());
    }
    say("New on your account:")?;
    for notice in &notices {
        say(format!(
            "  {} UTC  {}  {}",
            utc_time(notice.at),
            printable(&notice.text),
            printable(&unmentioned_address(notice))
        ))?;
    }
    say("If this was not you, change your password and end the sessions that you do not know. To hide this here: \
         postern-client notices --dismiss")
}

fn unmentioned_address(notice: &Notice) -> String {
    if notice.text.contains(&notice.address) { String::new() } else { notice.address.clone() }
}
