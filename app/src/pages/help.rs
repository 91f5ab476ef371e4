use crate::components::Frame;
use crate::view::{HelpEntry, HelpPart, HelpView, Site};
use leptos::prelude::*;
use wire::paths;

/// `/dashboard/help` and below: the manual, for administrators. It needs no script.
pub(crate) fn help_page(site: Site, help: HelpView) -> impl IntoView {
    let HelpView { viewer, word, part } = help;
    let (title, back, body) = match part {
        HelpPart::Page { title, html } => {
            (title, true, view! { <article class="manual" inner_html=html></article> }.into_any())
        }
        HelpPart::Contents(entries) => {
            ("Help".to_owned(), !word.is_empty(), view! { <Contents entries word=word.clone() /> }.into_any())
        }
        HelpPart::Missing => (
            "Help".to_owned(),
            false,
            view! { <p class="quiet">"This build of Postern contains no manual."</p> }.into_any(),
        ),
    };
    view! {
        <Frame site viewer here=paths::HELP_PAGE>
            <header>
                <h1 tabindex="-1">{title}</h1>
                {back.then(|| view! { <a href=paths::HELP_PAGE>"All pages"</a> })}
            </header>
            <form class="form row-form search" method="get" action=paths::HELP_PAGE role="search">
                <div>
                    <label for="word">"Search the manual"</label>
                    <input id="word" name="word" value=word maxlength="100" autocomplete="off" spellcheck="false" />
                </div>
                <button class="button plain" type="submit">
                    "Search"
                </button>
            </form>
            {body}
        </Frame>
    }
}

#[component]
fn Contents(entries: Vec<HelpEntry>, word: String) -> impl IntoView {
    if entries.is_empty() {
        return view! { <p>"No page of the manual has all of these words."</p> }.into_any();
    }
    let found =
        (!word.is_empty()).then(|| view! { <p class="quiet">"Pages that contain \u{201c}" {word} "\u{201d}:"</p> });
    let sections = entries.chunk_by(|one, next| one.section == next.section).map(|entries| {
        let pages = entries.iter().map(|entry| {
            let href = format!("{}/{}", paths::HELP_PAGE, entry.path);
            view! {
                <li>
                    <a href=href>{entry.title.clone()}</a>
                </li>
            }
        });
        view! {
            <section class="panel">
                <h2>{entries.first().map(heading)}</h2>
                <ul class="pages">{pages.collect_view()}</ul>
            </section>
        }
    });
    view! {
        {found}
        <div class="stack">{sections.collect_view()}</div>
    }
    .into_any()
}

/// Returns the heading of an entry's part.
fn heading(entry: &HelpEntry) -> String {
    if entry.section == "Files" { "Configuration files".to_owned() } else { entry.section.clone() }
}
