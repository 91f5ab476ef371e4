//! `/dashboard/groups`, for administrators.

use crate::flows::{self, paging};
use crate::http::ApiError;
use crate::http::page_request::PageRequest;
use app::Content;
use app::components::{More, When};
use app::islands::{Act, ConfirmedAction, Forms};
use app::text::query::query;
use app::view::Site;
use domain::bidi::isolated;
use leptos::prelude::*;
use wire::account::Group;
use wire::paths;

#[derive(Debug, Clone)]
struct GroupsView {
    groups: Vec<Group>,
    /// Groups in the rules of apps that do not exist: the app and the group.
    unknown: Vec<(String, String)>,
    /// The entry after which the next page begins.
    next: Option<String>,
}

/// Loads the page.
pub(crate) async fn load(request: PageRequest<'_>) -> Result<Option<Content>, ApiError> {
    let after = request.after();
    let state = request.state;
    let groups = flows::profiles::groups(&*state.store).await?;
    let (groups, next) = paging::page(groups, |group| &group.id, &after);
    let unknown = flows::profiles::unknown_groups(&*state.store, &state.config.apps).await?;
    let unknown = unknown.into_iter().map(|(app, group)| (app, group.to_string())).collect();
    let view = GroupsView { groups, unknown, next };
    Ok(Some(Content::new(move |site| show(site, view))))
}

fn show(site: Site, view: GroupsView) -> impl IntoView {
    let now = site.now;
    let GroupsView { groups, unknown, next } = view;
    let said = if groups.is_empty() {
        "No groups yet. Rules of apps can admit a group's accounts. Apps see the groups of each account."
    } else {
        "Rules of apps can admit a group's accounts. Apps see the groups of each account."
    };
    let unknown = unknown.into_iter().map(|(app, group)| {
        view! {
            <p class="warning-line">
                "The rules of the app " <b><bdi>{app}</bdi></b> " name the group " <b><bdi>{group}</bdi></b> ", which does not exist."
            </p>
        }
    });
    let card = move |group: Group| view! { <Card group now /> };
    view! {
        <header>
            <h1 tabindex="-1">"Groups"</h1>
        </header>
        <p id="said" role="status" class="quiet">
            {said}
        </p>
        {unknown.collect_view()}
        <form
            class="form row-form"
            method="post"
            action=paths::GROUPS
            data-method="POST"
            data-done=paths::GROUPS_PAGE
        >
            <div>
                <label for="name">"New group"</label>
                <input id="name" name="name" maxlength="64" required autocomplete="off" spellcheck="false" />
            </div>
            <button class="button" type="submit" disabled>
                "Add group"
            </button>
        </form>
        <ul class="devices">{groups.into_iter().map(card).collect_view()}</ul>
        <More path=paths::GROUPS_PAGE next label="More groups" />
        <Forms />
    }
}

#[component]
fn Card(group: Group, now: i64) -> impl IntoView {
    let Group { id, name, created_at, members } = group;
    let path = format!("{}/{id}", paths::GROUPS);
    let count = match members {
        0 => "no accounts".to_owned(),
        1 => "1 account".to_owned(),
        _ => format!("{members} accounts"),
    };
    let found = format!("{}?{}", paths::USERS_PAGE, query(&[("word", &name)]));
    let shown = isolated(&name);
    let action = ConfirmedAction {
        method: "DELETE".to_owned(),
        path: path.clone(),
        label: "Remove".to_owned(),
        spoken: format!("Remove the group {shown}"),
        title: format!("Remove {shown}?"),
        about: "Its accounts stay, and are no longer in it. Apps that let in this group refuse them.".to_owned(),
        no: "Keep group".to_owned(),
        yes: "Remove group".to_owned(),
        ..ConfirmedAction::default()
    };
    let field = format!("rename-{id}");
    view! {
        <li class="device">
            <div>
                <h2 class="device-name"><bdi>{name.clone()}</bdi></h2>
                <p class="small quiet">
                    <a href=found>{count}</a>
                    " \u{b7} added "
                    <When now at=created_at />
                </p>
            </div>
            <div class="choices">
                <form
                    class="form row-form"
                    method="post"
                    action=path
                    data-method="PATCH"
                    data-done=paths::GROUPS_PAGE
                >
                    <div>
                        <label for=field.clone() class="visually-hidden">
                            {format!("New name of {shown}")}
                        </label>
                        <input id=field name="name" value=name.clone() maxlength="64" required autocomplete="off" spellcheck="false" />
                    </div>
                    <button class="button plain" type="submit" aria-label=format!("Rename {shown}") disabled>
                        "Rename"
                    </button>
                </form>
                <Act action />
            </div>
        </li>
    }
}
