//! Lists of names in hints.

/// Maximum number of names in a hint; a site may have hundreds of groups.
const MOST: usize = 12;

/// Returns the first names, and how many more exist: `family, staff`.
pub fn first_names(names: &[String]) -> String {
    let shown = names.iter().take(MOST).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown}, and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::first_names;

    #[test]
    fn a_hint_stays_short() {
        let names: Vec<_> = (1..=14).map(|number| number.to_string()).collect();
        assert_eq!(first_names(&names[..2]), "1, 2");
        assert!(first_names(&names).ends_with("11, 12, and 2 more"));
    }
}
