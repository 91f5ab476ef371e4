//! The manual that the program serves to administrators: pages of docs/ as fragments of HTML in site/help.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};
use serde_json::json;

use crate::bundle::Mode;
use crate::pack::{self, Files};
use crate::tool::Workspace;

/// The folder below site/.
pub(crate) const FOLDER: &str = "help/";
/// The path at which the program serves it.
const ADDRESS: &str = "/dashboard/help";
/// Maximum size that the manual may add to the program, in bytes after compression.
const LIMIT: usize = 150_000;
/// The part of the table of contents for people who change Postern.
const LEFT_OUT: &str = "The project";
/// The reference that other builds generate from the program: the settings are their own documentation.
const SETTINGS: (&str, &str) = ("docs/reference/settings.md", "postern.toml");
/// Pages of the reference that the program itself has.
const ELSEWHERE: [(&str, &str); 1] = [("docs/reference/http.md", "/api/openapi.json")];

#[derive(Debug, PartialEq, Eq)]
struct Page {
    /// The path from the root of the repository.
    file: String,
    title: String,
    section: String,
}

/// Writes the manual into the site, compressed, and returns its size in bytes.
///
/// # Errors
/// A page of the table of contents is missing, or the manual is larger than its limit.
pub(crate) fn write(workspace: &Workspace, mode: Mode) -> Result<usize> {
    let summary = fs::read_to_string(workspace.path("docs/SUMMARY.md"))?;
    let mut files = Files::new();
    let mut index = Vec::new();
    let mut waiting: VecDeque<Page> = contents(&summary).into();
    let mut known: BTreeSet<String> = waiting.iter().map(|page| page.file.clone()).collect();
    while let Some(page) = waiting.pop_front() {
        let source = if page.file == SETTINGS.0 { SETTINGS.1 } else { page.file.as_str() };
        let path = workspace.path(source);
        if page.file.starts_with("docs/reference/") && !path.exists() {
            continue;
        }
        let text = fs::read_to_string(&path).with_context(|| format!("{source} could not be read"))?;
        let (title, body) = if is_markdown(source) {
            let address = |target: &str| address(&page.file, target, &known);
            let (title, body, linked) = render(&text, &address);
            for file in linked.into_iter().filter(|file| is_example(workspace, file)) {
                if known.insert(file.clone()) {
                    waiting.push_back(Page { title: file.clone(), section: "Files".to_owned(), file });
                }
            }
            (title.unwrap_or(page.title), body)
        } else {
            (page.title, listing(&text))
        };
        let path = path_of(&page.file);
        files.insert(format!("{path}.html.br"), pack::brotli(body.as_bytes(), mode)?);
        index.push(json!({ "path": path, "title": title, "section": page.section }));
    }
    files.insert("index.json".to_owned(), serde_json::to_vec(&index)?);
    let size = files.values().map(Vec::len).sum();
    if size > LIMIT {
        bail!("the manual has {size} bytes, more than {LIMIT}");
    }
    pack::write(&workspace.path("site").join(FOLDER), &files, &|_| false)?;
    Ok(size)
}

/// Returns the pages of the table of contents, without those about the project itself.
fn contents(summary: &str) -> Vec<Page> {
    let mut section = String::new();
    let mut pages = Vec::new();
    for line in summary.lines() {
        if let Some(heading) = line.strip_prefix("# ") {
            heading.clone_into(&mut section);
        }
        let entry = line.trim_start().strip_prefix("- [").and_then(|rest| rest.trim_end_matches(')').split_once("]("));
        if let Some((title, target)) = entry.filter(|_| section != LEFT_OUT) {
            let section = if section == "Summary" { "Start".to_owned() } else { section.clone() };
            pages.push(Page { file: joined("docs", target), title: title.to_owned(), section });
        }
    }
    pages
}

/// Renders a page. Returns its first heading, the rest as HTML, and the files that it links to.
fn render(text: &str, address: &dyn Fn(&str) -> Link) -> (Option<String>, String, Vec<String>) {
    let mut title = None;
    let mut linked = Vec::new();
    let mut events = Vec::new();
    let mut ids = BTreeMap::new();
    let mut dropped = Vec::new();
    let mut parser = Parser::new_ext(text, Options::ENABLE_TABLES);
    while let Some(event) = parser.next() {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                let inside: Vec<_> =
                    parser.by_ref().take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_)))).collect();
                let plain = plain(&inside);
                let id = unique(slug(&plain), &mut ids);
                if level == HeadingLevel::H1 && title.is_none() {
                    title = Some(plain);
                    continue;
                }
                events.push(Event::Html(format!("<{level} id=\"{id}\">").into()));
                events.extend(inside.into_iter().filter(|event| !is_link(event)));
                events.push(Event::Html(format!("</{level}>\n").into()));
            }
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                let link = address(&dest_url);
                dropped.push(matches!(link, Link::Nowhere));
                linked.extend(link.file());
                if let Some(dest_url) = link.address() {
                    events.push(Event::Start(Tag::Link { link_type, dest_url: dest_url.into(), title, id }));
                }
            }
            Event::End(TagEnd::Link) => {
                if dropped.pop() == Some(false) {
                    events.push(Event::End(TagEnd::Link));
                }
            }
            // A wide block scrolls in itself, by keyboard too.
            Event::Start(Tag::CodeBlock(_)) => events.push(raw("<pre tabindex=\"0\"><code>")),
            Event::End(TagEnd::CodeBlock) => events.push(raw("</code></pre>\n")),
            Event::Start(Tag::Table(columns)) => {
                events.push(raw("<div class=\"wide\" tabindex=\"0\">"));
                events.push(Event::Start(Tag::Table(columns)));
            }
            Event::End(TagEnd::Table) => {
                events.push(Event::End(TagEnd::Table));
                events.push(raw("</div>\n"));
            }
            // Comments, which are for the tests of the pages, are dropped.
            Event::Start(Tag::HtmlBlock | Tag::Image { .. })
            | Event::End(TagEnd::HtmlBlock | TagEnd::Image)
            | Event::Html(_)
            | Event::InlineHtml(_) => {}
            other => events.push(other),
        }
    }
    let mut body = String::new();
    html::push_html(&mut body, events.into_iter());
    (title, body, linked)
}

/// The target of a link in the served manual.
enum Link {
    To(String),
    /// A file that becomes a page if it is an example.
    File {
        file: String,
        address: String,
    },
    Nowhere,
}

impl Link {
    fn address(&self) -> Option<String> {
        match self {
            Self::To(address) | Self::File { address, .. } => Some(address.clone()),
            Self::Nowhere => None,
        }
    }

    fn file(&self) -> Option<String> {
        match self {
            Self::File { file, .. } => Some(file.clone()),
            Self::To(_) | Self::Nowhere => None,
        }
    }
}

fn address(page: &str, target: &str, known: &BTreeSet<String>) -> Link {
    if target.starts_with('#') || target.contains("://") || target.starts_with("mailto:") {
        return Link::To(target.to_owned());
    }
    let (path, anchor) = target.split_once('#').map_or((target, String::new()), |(path, id)| (path, format!("#{id}")));
    let folder = page.rsplit_once('/').map_or("", |(folder, _)| folder);
    let file = joined(folder, path);
    if let Some((_, address)) = ELSEWHERE.iter().find(|(name, _)| *name == file) {
        return Link::To((*address).to_owned());
    }
    let readme = format!("{file}/README.md");
    let is_there =
        |file: &String| known.contains(file) && (!file.starts_with("docs/reference/") || *file == SETTINGS.0);
    match [file, readme].into_iter().find(is_there) {
        Some(file) => Link::To(format!("{ADDRESS}/{}{anchor}", path_of(&file))),
        None if joined(folder, path).starts_with("deploy/") && Path::new(path).extension().is_some() => {
            let file = joined(folder, path);
            Link::File { address: format!("{ADDRESS}/{}", path_of(&file)), file }
        }
        None => Link::Nowhere,
    }
}

/// Whether this is a configuration that people copy.
fn is_example(workspace: &Workspace, file: &str) -> bool {
    file.starts_with("deploy/") && workspace.path(file).is_file()
}

fn is_markdown(file: &str) -> bool {
    Path::new(file).extension().is_some_and(|extension| extension == "md")
}

fn is_link(event: &Event<'_>) -> bool {
    matches!(event, Event::Start(Tag::Link { .. }) | Event::End(TagEnd::Link))
}

fn raw(text: &'static str) -> Event<'static> {
    Event::Html(CowStr::Borrowed(text))
}

/// Returns a file as it is, escaped.
fn listing(text: &str) -> String {
    let mut body = String::new();
    let events = [raw("<pre tabindex=\"0\"><code>"), Event::Text(text.into()), raw("</code></pre>\n")];
    html::push_html(&mut body, events.into_iter());
    body
}

fn plain(events: &[Event<'_>]) -> String {
    let text = |event: &Event<'_>| match event {
        Event::Text(text) | Event::Code(text) => text.to_string(),
        _ => String::new(),
    };
    events.iter().map(text).collect()
}

/// Returns the id of a heading, as code hosts and mdBook form it.
fn slug(heading: &str) -> String {
    let kept = |letter: &char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | ' ');
    heading.to_lowercase().chars().filter(kept).collect::<String>().trim().replace(' ', "-")
}

fn unique(id: String, seen: &mut BTreeMap<String, u32>) -> String {
    let before = seen.entry(id.clone()).or_default();
    *before += 1;
    if *before == 1 { id } else { format!("{id}-{}", *before - 1) }
}

/// Returns the path of a page: `docs/guides/nginx.md` becomes `guides/nginx`, `deploy/README.md` becomes `deploy`.
fn path_of(file: &str) -> String {
    let path = file.strip_prefix("docs/").unwrap_or(file);
    let path = path.strip_suffix(".md").unwrap_or(path);
    path.strip_suffix("/README").unwrap_or(path).to_lowercase()
}

fn joined(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUMMARY: &str = "# Summary\n\n- [Start](start.md)\n\n# Guides\n\n- [nginx](guides/nginx.md)\n  - [Files](../deploy/README.md)\n\n\
                           # The project\n\n- [Decisions](adr/README.md)\n";

    #[test]
    fn the_table_of_contents_leaves_out_the_project() {
        let pages = contents(SUMMARY);
        let found: Vec<_> = pages.iter().map(|page| (page.section.as_str(), page.file.as_str())).collect();
        let expected = [("Start", "docs/start.md"), ("Guides", "docs/guides/nginx.md"), ("Guides", "deploy/README.md")];
        assert_eq!(found, expected);
    }

    #[test]
    fn links_lead_into_the_served_manual_or_nowhere() {
        let known: BTreeSet<_> = contents(SUMMARY).into_iter().map(|page| page.file).collect();
        let to = |target: &str| address("docs/guides/nginx.md", target, &known).address();
        for (target, expected) in [
            ("../start.md#next", Some("/dashboard/help/start#next")),
            ("../../deploy/README.md#fail2ban", Some("/dashboard/help/deploy#fail2ban")),
            ("../../deploy", Some("/dashboard/help/deploy")),
            ("../../deploy/nginx/app.conf", Some("/dashboard/help/deploy/nginx/app.conf")),
            ("../reference/http.md", Some("/api/openapi.json")),
            ("../reference/metrics.md", None),
            ("../adr/0001-x.md", None),
            ("#two-mistakes", Some("#two-mistakes")),
            ("https://example.com/", Some("https://example.com/")),
        ] {
            assert_eq!(to(target).as_deref(), expected, "{target}");
        }
    }

    #[test]
    fn a_page_becomes_its_title_and_a_fragment() {
        let text = "# A *page*\n\n<!-- run: no, a test -->\n```sh\nls <a> && b\n```\n\n## In [one](x.md), `two`\n\n[x](gone.md) <b>y</b>\n\n## In one, two\n\n| a |\n|---|\n| b |\n";
        let (title, body, _) = render(text, &|_| Link::Nowhere);
        assert_eq!(title.as_deref(), Some("A page"));
        assert!(body.starts_with("<pre tabindex=\"0\"><code>ls &lt;a&gt; &amp;&amp; b\n</code></pre>"), "{body}");
        assert!(body.contains("<h2 id=\"in-one-two\">In one, <code>two</code></h2>"), "{body}");
        assert!(body.contains("<h2 id=\"in-one-two-1\">"), "{body}");
        assert!(body.contains("<p>x y</p>"), "{body}");
        assert!(body.contains("<div class=\"wide\" tabindex=\"0\"><table>") && !body.contains("style="), "{body}");
    }
}
