//! Rules of apps, applied to paths: no other reading of a path has a stricter rule than the one that was found.

use crate::input;
use domain::app::{Allow, AppRule, AppRules};
use std::sync::LazyLock;
use url::Url;

static RULES: LazyLock<AppRules> = LazyLock::new(|| {
    let rule = |path: &str, allow| AppRule::new(path, Vec::new(), allow).expect("a rule");
    AppRules::new(vec![
        rule("/admin/*", Allow::Administrator),
        rule("/public/*", Allow::Public),
        rule("/public-not/*", Allow::SignedIn),
    ])
});

/// Checks `data`: a path with its query, as in a request line.
pub(crate) fn check(data: &[u8]) {
    let Some(target) = input::text(data).filter(|text| text.starts_with('/')) else { return };
    let judged = RULES.judge("GET", target, false).allow;
    let path = target.split(['?', '#']).next().unwrap_or_default();
    for reading in readings(path) {
        assert!(judged >= plainly(&reading), "{judged:?} for {target:?}, which may be read as {reading:?}");
    }
    assert!(RULES.judge("GET", target, true).allow >= judged, "another method is easier");
}

/// Returns the rules' decision on a path that has only one reading.
fn plainly(path: &str) -> Allow {
    let below = |start: &str| path == start || path.strip_prefix(start).is_some_and(|rest| rest.starts_with('/'));
    match path {
        _ if below("/admin") => Allow::Administrator,
        _ if below("/public") => Allow::Public,
        _ => Allow::SignedIn,
    }
}

/// Returns the readings of a path by programs. They are unchanged, decoded once or twice, normalised as browsers do it
/// before or after that, and in lower case.
fn readings(path: &str) -> Vec<String> {
    let mut all = vec![path.to_owned()];
    for _ in 0..2 {
        for reading in all.clone() {
            all.extend(decoded(&reading));
            all.push(normalised(&reading));
        }
    }
    let small: Vec<_> = all.iter().map(|reading| reading.to_ascii_lowercase()).collect();
    all.extend(small);
    all.sort();
    all.dedup();
    all
}

fn decoded(path: &str) -> Option<String> {
    let form = path.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    url::form_urlencoded::parse(form.as_bytes()).next().map(|(name, _)| name.into_owned())
}

/// Returns the path of a URL (WHATWG): dot segments and backslashes are resolved.
fn normalised(path: &str) -> String {
    let mut url = Url::parse("http://app.example/").expect("a URL");
    url.set_path(path);
    url.path().to_owned()
}
