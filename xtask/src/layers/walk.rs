//! The walk through a sign-in in ARCHITECTURE.md, and the number of files that it opens.

use std::collections::BTreeSet;
use std::path::Path;

const BEGINS: &str = "### 1. A sign-in";
const MOST: usize = 40;

/// Returns a line for each file of the walk that is missing, and one if there are too many files.
pub(super) fn faults(text: &str, workspace: &Path) -> Vec<String> {
    let files = files(text);
    let missing = files.iter().filter(|file| !workspace.join(file).is_file());
    let mut lines: Vec<String> = missing.map(|file| format!("ARCHITECTURE.md: {file} is missing")).collect();
    if files.is_empty() || files.len() > MOST {
        lines.push(format!("ARCHITECTURE.md: the walk of a sign-in has {} files, not 1 to {MOST}", files.len()));
    }
    lines
}

/// Returns the files that the section links to.
fn files(text: &str) -> BTreeSet<&str> {
    let section = text.split_once(BEGINS).map_or("", |(_, rest)| rest);
    let section = section.split("\n### ").next().unwrap_or_default();
    section.split("](").skip(1).filter_map(|link| link.split(')').next()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_and_a_long_walk_are_found() {
        let here = Path::new("/");
        let text = format!("{BEGINS}\n[a](no/such.rs), [a](no/such.rs)\n### 2. Another\n[b](other.rs)");
        assert_eq!(faults(&text, here), ["ARCHITECTURE.md: no/such.rs is missing"]);
        let links = (0..=MOST).map(|number| format!("[x]({number}.rs)")).collect::<Vec<_>>().concat();
        let lines = faults(&format!("{BEGINS}\n{links}"), here);
        assert_eq!(lines.len(), MOST + 2);
        assert!(lines.last().is_some_and(|line| line.contains("41 files")), "{lines:?}");
        assert_eq!(faults("", here).len(), 1);
    }
}
