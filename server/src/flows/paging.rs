//! Lists on pages, in parts.

/// Maximum number of entries of a list on one page of the dashboard.
pub const ENTRIES: usize = 50;

/// Returns the entries after the one whose id is `after`, and the id to continue with if there are more. If `after`
/// does not exist, for example because it was deleted, returns the first entries.
pub fn page<T>(mut entries: Vec<T>, id: impl Fn(&T) -> &str, after: &str) -> (Vec<T>, Option<String>) {
    let start = entries.iter().position(|entry| id(entry) == after).map_or(0, |at| at + 1);
    entries.drain(..start);
    let next = (entries.len() > ENTRIES).then(|| id(&entries[ENTRIES - 1]).to_owned());
    entries.truncate(ENTRIES);
    (entries, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_follow_each_other_without_gap_or_repetition() {
        let all: Vec<String> = (0..120).map(|n| n.to_string()).collect();
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let (part, next) = page(all.clone(), |id| id, &after);
            seen.extend(part);
            match next {
                Some(next) => after = next,
                None => break,
            }
        }
        assert_eq!(seen, all);
        assert_eq!(page(all[..ENTRIES].to_vec(), |id| id, "").1, None, "a full page is the last one");
        assert_eq!(page(all, |id| id, "gone").0[0], "0");
    }
}
