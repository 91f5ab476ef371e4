//! `/dashboard/help` and below: the manual, for administrators. `cargo xtask site` makes its pages, and the program
//! embeds them. It needs no script.

use crate::http::ApiError;
use crate::http::page_request::PageRequest;
use crate::site::SiteFiles;
use app::Content;
use leptos::prelude::*;
use serde::Deserialize;
use wire::paths;

#[derive(Debug, Clone)]
enum Help {
    /// Pages to choose from: all of them, or those that were found.
    Contents(Vec<HelpEntry>),
    /// One page. `html` is a file of the program itself, and nothing else becomes HTML unescaped.
    Page { title: String, html: String },
    /// The program was built without the browser's files.
    Missing,
}

/// A page of the manual.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct HelpEntry {
    /// Below [`paths::HELP_PAGE`].
    path: String,
    title: String,
    section: String,
}

/// Loads the page.
pub(crate) async fn load(request: PageRequest<'_>) -> Result<Option<Content>, ApiError> {
    let word = request.asked().word.unwrap_or_default();
    let Some(help) = find(request.state.site, request.uri.path(), &word) else { return Ok(None) };
    Ok(Some(content(help, word)))
}

fn content(help: Help, word: String) -> Content {
    let title = if let Help::Page { title, .. } = &help { Some(title.clone()) } else { None };
    Content::new(move |_| show(help, word)).with_title(title)
}

/// Finds a page of the manual, or the pages that contain every word. `None`: an unknown page.
fn find(site: SiteFiles, path: &str, word: &str) -> Option<Help> {
    let index = site.get("help/index.json");
    let Some(entries) = index.and_then(|file| serde_json::from_slice::<Vec<HelpEntry>>(&file).ok()) else {
        return Some(Help::Missing);
    };
    let wanted = path.strip_prefix(paths::HELP_PAGE).unwrap_or_default().trim_matches('/');
    if wanted.is_empty() {
        return Some(Help::Contents(if word.trim().is_empty() { entries } else { found(site, entries, word) }));
    }
    // Only names of the index become names of files.
    let entry = entries.into_iter().find(|entry| entry.path == wanted);
    let (title, html) = entry.and_then(|entry| page(site, &entry.path).map(|html| (entry.title, html)))?;
    Some(Help::Page { title, html })
}

fn page(site: SiteFiles, path: &str) -> Option<String> {
    String::from_utf8(site.get(&format!("help/{path}.html"))?.into_owned()).ok()
}

/// Returns the pages that contain every word; those with a word in the title come first.
fn found(site: SiteFiles, entries: Vec<HelpEntry>, typed: &str) -> Vec<HelpEntry> {
    let words: Vec<String> = typed.split_whitespace().map(str::to_lowercase).collect();
    let named = |entry: &HelpEntry| words.iter().any(|word| entry.title.to_lowercase().contains(word));
    let has_all = |entry: &HelpEntry| {
        let text = page(site, &entry.path).map(|html| text(&html)).unwrap_or_default();
        let text = format!("{} {text}", entry.title).to_lowercase();
        words.iter().all(|word| text.contains(word))
    };
    let (mut first, rest): (Vec<_>, Vec<_>) = entries.into_iter().filter(has_all).partition(named);
    first.extend(rest);
    first
}

/// Returns the text between the tags, with the three escapes of text undone.
fn text(html: &str) -> String {
    let parts = html.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text));
    parts.collect::<String>().replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

fn show(help: Help, word: String) -> impl IntoView {
    let (title, back, body) = match help {
        Help::Page { title, html } => {
            (title, true, view! { <article class="manual" inner_html=html></article> }.into_any())
        }
        Help::Contents(entries) => {
            ("Help".to_owned(), !word.is_empty(), view! { <Contents entries word=word.clone() /> }.into_any())
        }
        Help::Missing => (
            "Help".to_owned(),
            false,
            view! { <p class="quiet">"This build of Postern contains no manual."</p> }.into_any(),
        ),
    };
    view! {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::page_test::rendered;
    use app::dashboard::DashboardPage;
    use std::borrow::Cow;

    const INDEX: &[u8] = br#"[{"path":"start","title":"Start","section":"Start"},
        {"path":"guides/nginx","title":"nginx","section":"Guides"}]"#;
    const SITE: SiteFiles = SiteFiles(|path| {
        let page = match path {
            "help/index.json" => return Some(Cow::Borrowed(INDEX)),
            "help/start.html.br" => "<p>Behind <b>nginx</b> a&amp;b</p>",
            "help/guides/nginx.html.br" => "<p class=\"proxy\">Words</p>",
            "help/secret.html.br" => "not in the index",
            _ => return None,
        };
        let mut packed = Vec::new();
        brotli::BrotliCompress(&mut page.as_bytes(), &mut packed, &brotli::enc::BrotliEncoderParams::default())
            .unwrap();
        Some(Cow::Owned(packed))
    });

    fn titles(word: &str) -> Vec<String> {
        match find(SITE, "/dashboard/help", word) {
            Some(Help::Contents(entries)) => entries.into_iter().map(|entry| entry.title).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_pages_of_the_index_are_pages() {
        let page = find(SITE, "/dashboard/help/guides/nginx", "");
        assert!(matches!(&page, Some(Help::Page { title, .. }) if title == "nginx"));
        for path in ["/dashboard/help/secret", "/dashboard/help/../start", "/dashboard/help/index.json"] {
            assert!(find(SITE, path, "").is_none(), "{path}");
        }
    }

    #[test]
    fn the_search_reads_text_and_prefers_titles() {
        assert_eq!(titles(""), ["Start", "nginx"]);
        assert_eq!(titles("NGINX"), ["nginx", "Start"]);
        assert_eq!(titles("behind nginx"), ["Start"]);
        assert_eq!(titles("a&b"), ["Start"]);
        assert_eq!(titles("proxy"), Vec::<String>::new(), "a class is no text");
    }

    fn entries() -> Vec<HelpEntry> {
        let entry = |path: &str, title: &str, section: &str| HelpEntry {
            path: path.to_owned(),
            title: title.to_owned(),
            section: section.to_owned(),
        };
        vec![entry("start", "Start", "Start"), entry("guides/nginx", "<i>nginx", "Guides")]
    }

    fn drawn(help: Help, word: &str) -> String {
        rendered(DashboardPage::Help, content(help, word.to_owned()))
    }

    #[test]
    fn the_manual_lists_its_pages_and_shows_one_as_it_was_built() {
        let contents = drawn(Help::Contents(entries()), "");
        assert!(
            contents.contains(r#"href="/dashboard/help/guides/nginx""#) && contents.contains("&lt;i&gt;nginx"),
            "{contents}"
        );
        let page = Help::Page { title: "nginx".to_owned(), html: "<h2 id=\"a\">A</h2>".to_owned() };
        let page = drawn(page, "");
        assert!(page.contains(r#"<h2 id="a">A</h2>"#) && page.contains("<title>nginx"), "{page}");
        let missing = drawn(Help::Missing, "");
        assert!(missing.contains("contains no manual"), "{missing}");
        let searched = |entries| drawn(Help::Contents(entries), "<u>");
        assert!(searched(entries()).contains("&lt;u&gt;"), "the search text stays text");
        assert!(searched(Vec::new()).contains("No page of the manual"));
    }
}
