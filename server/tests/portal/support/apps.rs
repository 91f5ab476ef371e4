//! Two apps behind the portal, the proxy before them, and a browser that opens them.

use super::{Answer, ORIGIN, Portal, Visitor};
use http::{Method, StatusCode};
use wire::paths;

pub(crate) const WIKI: &str = "https://wiki.example";
pub(crate) const SHOP: &str = "https://shop.test:8443";
pub(crate) const PROXY: &str = "10.0.0.1";
pub(crate) const APPS: &str = "trusted_proxies = ['10.0.0.1']\n\
     [[apps]]\nname = 'wiki'\norigin = 'https://wiki.example'\n\
     [[apps.rules]]\npath = '/assets/*'\nmethods = ['GET', 'HEAD']\nallow = 'public'\n\
     [[apps.rules]]\npath = '/admin/*'\nallow = 'role'\nrole = 'administrator'\n\
     [[apps]]\nname = 'shop'\norigin = 'https://shop.test:8443'\n";

/// A person's browser: one cookie jar for the portal, one for each app.
pub(crate) struct AppBrowser {
    pub(crate) portal: Visitor,
    pub(crate) wiki: Visitor,
    pub(crate) shop: Visitor,
}

impl AppBrowser {
    pub(crate) fn new(portal: &Portal) -> Self {
        let browser = portal.browser("203.0.113.7");
        Self { wiki: browser.elsewhere(), shop: browser.elsewhere(), portal: browser }
    }

    pub(crate) async fn signed_in(portal: &Portal, name: &str) -> Self {
        let person = Self::new(portal);
        Self { portal: person.portal.signed_in(name).await, ..person }
    }

    pub(crate) fn at(&self, portal: &Portal) -> Self {
        Self { portal: self.portal.at(portal), wiki: self.wiki.at(portal), shop: self.shop.at(portal) }
    }

    /// Goes from an app to the portal and back.
    pub(crate) async fn enter(&self, jar: &Visitor, app: &str, next: &str) -> Answer {
        let answer = open_at_app(jar, app, &format!("{}?next={next}", paths::APP_START)).await;
        let location = request_callback(&self.portal, portal_path(&answer)).await;
        open_at_app(jar, app, location.strip_prefix(app).unwrap()).await
    }
}

/// Requests the way into the app, with a proof of the browser's key, as the page's script does.
pub(crate) async fn request_callback(portal: &Visitor, path: &str) -> String {
    let answer = portal.prove_and_post(paths::APP_ENTER, &enter_request(portal, path).await).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()["location"].as_str().unwrap().to_owned()
}

/// Returns the request that the page contains for its script.
pub(crate) async fn enter_request(portal: &Visitor, path: &str) -> serde_json::Value {
    let page = portal.get(path).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let body = page.text.split("data-enter=\"").nth(1).unwrap().split('"').next().unwrap();
    serde_json::from_str(&body.replace("&quot;", "\"").replace("&amp;", "&").replace("&#x27;", "'")).unwrap()
}

/// Navigates to a path of the app that its proxy forwards to the portal.
pub(crate) async fn open_at_app(jar: &Visitor, app: &str, path: &str) -> Answer {
    let host = app.strip_prefix("https://").unwrap();
    let extra = [("host", host), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
    jar.send(Method::GET, path, None, &extra).await
}

/// Returns the path on the portal that an answer redirects to.
pub(crate) fn portal_path(answer: &Answer) -> &str {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    answer.header("location").strip_prefix(ORIGIN).unwrap()
}

pub(crate) fn app_path<'a>(answer: &'a Answer, app: &str) -> &'a str {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    answer.header("location").strip_prefix(app).unwrap()
}

/// Sends a proxy's request for verification about a page that the jar's owner opens.
pub(crate) async fn verify(jar: &Visitor, app: &str, target: &str) -> Answer {
    verify_with(jar, app, target, &[]).await
}

pub(crate) async fn verify_with(jar: &Visitor, app: &str, target: &str, more: &[(&str, &str)]) -> Answer {
    let host = app.strip_prefix("https://").unwrap();
    let mut extra = vec![
        ("host", "localhost:3000"),
        ("x-forwarded-for", "203.0.113.7"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", host),
        ("x-forwarded-uri", target),
        ("x-forwarded-method", "GET"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
    ];
    extra.extend_from_slice(more);
    jar.moved(PROXY).send(Method::GET, paths::VERIFY, None, &extra).await
}
