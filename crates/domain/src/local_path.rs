//! The page to open after sign-in: a path on this site only.

use crate::percent;
use percent_encoding::AsciiSet;

/// The default page.
pub const HOME: &str = "/dashboard";
/// Maximum length in bytes, sufficient for the authorization request of an app with long parameters. Encoded for a link to
/// the sign-in page it still fits the 64 KiB that this server accepts as headers.
const LONGEST: usize = 16 * 1024;

/// Returns the path if it is on this site, otherwise [`HOME`]. Browsers treat `//host`, `/\host` and a path with a tab
/// or newline as another site, so these are refused.
pub fn local_path(text: Option<&str>) -> &str {
    match text {
        Some(path) if is_local(path) => path,
        _ => HOME,
    }
}

/// Returns the path if it is a page on this site, otherwise [`HOME`]. A path below `/api/` is no page: a person would
/// see JSON. Browsers resolve dot segments, also encoded ones, so no page has them.
pub fn local_page(text: Option<&str>) -> &str {
    match text {
        Some(path) if is_local(path) && is_page(path) => path,
        _ => HOME,
    }
}

fn is_page(path: &str) -> bool {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let is_dots = |segment: &str| matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
    let first = path.split('/').nth(1).unwrap_or_default();
    !first.eq_ignore_ascii_case("api") && !path.split('/').any(is_dots)
}

/// Returns a path and query in the form that [`local_path`] accepts. Browsers do not percent-encode some characters of a
/// query (WHATWG URL, query percent-encode set), and programs leave more of them as they are.
pub fn written_out(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else { return target.to_owned() };
    format!("{path}?{}", percent::written_out(query.as_bytes(), ODD))
}

/// The characters of [`is_odd`].
const ODD: &AsciiSet = &AsciiSet::EMPTY.add(b'\\').add(b'"').add(b'<').add(b'>').add(b'`').add(b'{').add(b'}');

fn is_odd(c: char) -> bool {
    matches!(c, '\\' | '"' | '<' | '>' | '`' | '{' | '}')
}

fn is_local(path: &str) -> bool {
    let plain = |c: char| c.is_ascii_graphic() && !is_odd(c);
    path.len() <= LONGEST && path.starts_with('/') && !path.starts_with("//") && path.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_paths_pass() {
        for path in ["/", "/dashboard", "/dashboard/devices?sort=name", "/a%20b#c"] {
            assert_eq!(local_path(Some(path)), path);
        }
    }

    #[test]
    fn queries_of_browsers_and_programs_are_written_out_and_then_pass() {
        for (target, expected) in [
            ("/authorize?claims={%22a%22:null}&state=`é\\", "/authorize?claims=%7B%22a%22:null%7D&state=%60%C3%A9%5C"),
            ("/a?b=\"<c>&d=%2F?#e", "/a?b=%22%3Cc%3E&d=%2F?#e"),
            ("/dashboard", "/dashboard"),
        ] {
            let written = written_out(target);
            assert_eq!((written.as_str(), local_path(Some(&written))), (expected, expected));
        }
        for trick in ["//evil.example?a", "/\\evil.example?a", "/a?\n", "/a? b", "https://evil.example/?a", "/é?a"] {
            assert_eq!(local_path(Some(&written_out(trick))), HOME, "{trick:?}");
        }
    }

    #[test]
    fn only_pages_are_opened_after_sign_in() {
        for page in [
            "/",
            "/dashboard/users?after=b",
            "/oauth/authorize?client_id=wiki&redirect_uri=https://wiki.example/api/callback",
            "/device?user_code=ABCD-EFGH",
            "/apps/return?app=wiki&next=/api/logout",
            "/.postern/start?next=/x",
            "/apiary",
            "/a..b/...",
        ] {
            assert_eq!(local_page(Some(page)), page);
        }
        for other in [
            "/api",
            "/api/logout",
            "/API/logout",
            "/api?x",
            "/api#x",
            "/./api/logout",
            "/dashboard/../api/logout",
            "/dashboard/%2e%2E/api/logout",
            "/.%2e/api",
            "/%2e/api",
            "//api/logout",
            "https://evil.example",
        ] {
            assert_eq!(local_page(Some(other)), HOME, "{other}");
        }
        assert_eq!(local_page(None), HOME);
    }

    #[test]
    fn everything_else_goes_home() {
        let tricks = [
            "",
            "dashboard",
            "//evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/\n/evil.example",
            " /dashboard",
            "/a\"b",
            "/é",
            "/\0",
        ];
        for path in tricks {
            assert_eq!(local_path(Some(path)), HOME, "{path:?}");
        }
        assert_eq!(local_path(Some(&format!("/{}", "a".repeat(LONGEST)))), HOME);
        assert_eq!(local_path(None), HOME);
    }
}
