//! `/dashboard/activity`

use crate::flows;
use crate::http::ApiError;
use crate::http::page_request::PageRequest;
use app::Content;
use app::components::ActivityLine;
use app::text::day;
use app::view::{Activity, Site};
use leptos::prelude::*;

const ACTIVITY_ROWS: u32 = 500;

/// Loads the page.
pub(crate) async fn load(request: PageRequest<'_>) -> Result<Option<Content>, ApiError> {
    let entries = flows::activity::lines(request.state, &request.signed_in.claims.sub, ACTIVITY_ROWS).await?;
    Ok(Some(Content::new(move |site| show(site, entries))))
}

/// Shows the events, newest first.
fn show(site: Site, entries: Vec<Activity>) -> impl IntoView {
    let now = site.now;
    let group = move |entries: &[Activity]| {
        let at = entries.first().map_or(now, |entry| entry.at);
        let lines = entries.iter().cloned().map(|entry| view! { <ActivityLine entry /> }).collect_view();
        view! {
            <section class="day">
                <h2>{day::name(now, at)}</h2>
                <ul class="events">{lines}</ul>
            </section>
        }
    };
    let days = day::groups(&entries).into_iter().map(group).collect_view();
    let empty = entries.is_empty();
    view! {
        <header>
            <h1>"Activity"</h1>
        </header>
        <p class="quiet">
            {if empty {
                "No activity yet. Sign-ins, wrong passwords and ended sessions will appear here."
            } else {
                "Recent events of your account, newest first. Addresses are shortened to their network."
            }}
        </p>
        <div class="days">{days}</div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::page_test::{NOW, rendered_for, viewer};
    use app::dashboard::DashboardPage;
    use app::view::{ActivityEvent, Viewer};

    fn activity() -> Vec<Activity> {
        let (address, device) = ("203.0.113.0/24".to_owned(), "Firefox on Fedora".to_owned());
        vec![Activity { at: NOW, event: ActivityEvent::WrongPassword, count: 3, address, device, about: String::new() }]
    }

    fn page(viewer: Viewer, entries: Vec<Activity>) -> String {
        rendered_for(viewer, DashboardPage::Activity, Content::new(move |site| show(site, entries)))
    }

    #[test]
    fn history_speaks_in_sentences() {
        let html = page(viewer(), activity());
        assert!(html.contains("3 wrong passwords from 203.0.113.0/24"), "{html}");
        assert!(html.contains("Today"), "{html}");
    }

    #[test]
    fn a_right_to_left_name_does_not_reorder_its_neighbours() {
        let name = "\u{5e9}\u{5dc}\u{5d5}\u{5dd}";
        let viewer = Viewer { username: name.to_owned(), ..viewer() };
        let mut entries = activity();
        for entry in &mut entries {
            entry.event = ActivityEvent::AppOpened;
            name.clone_into(&mut entry.about);
        }
        let html = page(viewer, entries);
        assert!(html.contains(&format!("Opened \u{2068}{name}\u{2069} 3 times")), "{html}");
        assert!(html.contains(&format!("<bdi>{name}</bdi>")), "{html}");
    }
}
