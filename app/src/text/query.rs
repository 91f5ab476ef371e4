//! Query strings of links.

use domain::local_path::HOME;

/// Returns `a=1&b=%2F`; empty values are omitted.
pub fn query(pairs: &[(&str, &String)]) -> String {
    let given = pairs.iter().filter(|(_, value)| !value.is_empty());
    given.map(|(name, value)| format!("{name}={}", escaped(value))).collect::<Vec<_>>().join("&")
}

/// Returns a page of ours that continues to `next`.
pub(crate) fn way_back(page: &str, next: &String) -> String {
    if next == HOME { page.to_owned() } else { format!("{page}?{}", query(&[("next", next)])) }
}

pub fn escaped(value: &str) -> String {
    let plain = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.' | b'_' | b'~');
    value.bytes().map(|c| if plain(c) { char::from(c).to_string() } else { format!("%{c:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::query;

    #[test]
    fn nothing_ends_a_value_early() {
        let (odd, empty) = ("a&b=c \"<é#".to_owned(), String::new());
        assert_eq!(query(&[("x", &odd), ("y", &empty), ("z", &"1".to_owned())]), "x=a%26b%3Dc%20%22%3C%C3%A9%23&z=1");
    }
}
