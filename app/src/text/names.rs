//! Lists of names in hints.

use domain::bidi::isolated;

/// Maximum number of names in a hint; a site may have hundreds of groups.
const MOST: usize = 12;

/// Returns all names, each isolated from its neighbours.
pub fn joined(names: &[String]) -> String {
    names.iter().map(|name| isolated(name)).collect::<Vec<_>>().join(", ")
}

/// Returns the first names, and how many more exist: `family, staff`.
pub fn first_names(names: &[String]) -> String {
    let shown = joined(names.get(..MOST).unwrap_or(names));
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
