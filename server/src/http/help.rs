//! The manual for administrators. `cargo xtask site` makes its pages, and the program embeds them.

use super::ApiError;
use super::page_request::{PageData, PageRequest};
use crate::site::SiteFiles;
use app::view::{HelpEntry, HelpPart, HelpView, Viewer};
use wire::paths;

impl PageData for HelpView {
    async fn load(request: PageRequest<'_>) -> Result<Option<Self>, ApiError> {
        let word = request.asked().word.unwrap_or_default();
        Ok(load(request.state.site, request.uri.path(), word, request.viewer))
    }
}

/// Loads a page of the manual, or the pages that contain every word. `None`: an unknown page.
fn load(site: SiteFiles, path: &str, word: String, viewer: Viewer) -> Option<HelpView> {
    let index = site.get("help/index.json");
    let Some(entries) = index.and_then(|file| serde_json::from_slice::<Vec<HelpEntry>>(&file).ok()) else {
        return Some(HelpView { viewer, word, part: HelpPart::Missing });
    };
    let wanted = path.strip_prefix(paths::HELP_PAGE).unwrap_or_default().trim_matches('/');
    if wanted.is_empty() {
        let entries = if word.trim().is_empty() { entries } else { found(site, entries, &word) };
        return Some(HelpView { viewer, word, part: HelpPart::Contents(entries) });
    }
    // Only names of the index become names of files.
    let entry = entries.into_iter().find(|entry| entry.path == wanted);
    let (title, html) = entry.and_then(|entry| page(site, &entry.path).map(|html| (entry.title, html)))?;
    Some(HelpView { viewer, word, part: HelpPart::Page { title, html } })
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

#[cfg(test)]
mod tests {
    use super::*;
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

    fn loaded(path: &str, word: &str) -> Option<HelpView> {
        let viewer = Viewer {
            account: "1".to_owned(),
            username: "ada".to_owned(),
            administrator: true,
            bound: true,
            toll: false,
        };
        load(SITE, path, word.to_owned(), viewer)
    }

    fn titles(word: &str) -> Vec<String> {
        match loaded("/dashboard/help", word) {
            Some(HelpView { part: HelpPart::Contents(entries), .. }) => {
                entries.into_iter().map(|entry| entry.title).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_pages_of_the_index_are_pages() {
        let page = loaded("/dashboard/help/guides/nginx", "");
        assert!(matches!(&page, Some(HelpView { part: HelpPart::Page { title, .. }, .. }) if title == "nginx"));
        for path in ["/dashboard/help/secret", "/dashboard/help/../start", "/dashboard/help/index.json"] {
            assert!(loaded(path, "").is_none(), "{path}");
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
}
