//! Targets after sign-in: they stay on their own site, as browsers parse them (WHATWG URL).

use crate::input;
use domain::app_path::safe_path;
use domain::local_path::{local_page, local_path, written_out};
use url::Url;

/// Checks `data`: the text of a `next` parameter.
pub(crate) fn check(data: &[u8]) {
    let Some(text) = input::text(data) else { return };
    let portal = Url::parse("https://portal.example/login?a=b#c").expect("a URL");
    for text in [text.to_owned(), written_out(text)] {
        let to = portal.join(local_path(Some(&text))).expect("a URL");
        assert_eq!(to.origin(), portal.origin(), "{text:?} leads away");
        let page = portal.join(local_page(Some(&text))).expect("a URL");
        assert!(page.origin() == portal.origin() && !page.path().starts_with("/api/"), "{text:?} leads to no page");
    }

    let app = format!("https://app.example{}", safe_path(Some(text)));
    let to = Url::parse(&app).expect("a URL");
    assert_eq!((to.scheme(), to.host_str(), to.port()), ("https", Some("app.example"), None), "{text:?} leads away");
    assert!(to.username().is_empty() && to.password().is_none());
    assert!(http::HeaderValue::try_from(app).is_ok(), "no header holds it");
}
