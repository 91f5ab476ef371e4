//! Text of others in a terminal.

use crate::bidi::is_directional;

/// Replaces characters that control a terminal or change the direction of writing.
///
/// A server, an app or another person could otherwise change lines that are already on the screen.
pub fn printable(text: &str) -> String {
    text.chars().map(replaced).collect()
}

/// Does the same with a text of several lines.
pub fn printable_lines(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { c } else { replaced(c) }).collect()
}

fn replaced(c: char) -> char {
    if c.is_control() || is_directional(c) { char::REPLACEMENT_CHARACTER } else { c }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_controls_the_terminal() {
        assert_eq!(printable("a\u{1b}[2J\u{9b}1mb\u{202e}\r\n"), "a\u{fffd}[2J\u{fffd}1mb\u{fffd}\u{fffd}\u{fffd}");
        assert_eq!(printable_lines("J\u{fc}rgen\n\t\u{7f}"), "J\u{fc}rgen\n\u{fffd}\u{fffd}");
    }
}
