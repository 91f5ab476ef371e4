//! The page to open after sign-in: a path on this site only.

/// The default page.
pub const HOME: &str = "/dashboard";
/// Maximum length in bytes, sufficient for the path back to an app.
const LONGEST: usize = 4096;

/// Returns the path if it is on this site, otherwise [`HOME`]. Browsers treat `//host`, `/\host` and a path with a tab
/// or newline as another site, so these are refused.
pub fn local_path(text: Option<&str>) -> &str {
    match text {
        Some(path) if is_local(path) => path,
        _ => HOME,
    }
}

fn is_local(path: &str) -> bool {
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '\\' | '"' | '<' | '>' | '`' | '{' | '}');
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
