//! Rows in PostgreSQL's text format, and their hash.

use domain::encoding::sha256;
use std::fmt;

/// The number of rows, and the sum of the SHA-256 hashes of their lines. The sum does not depend on their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Digest {
    pub rows: u64,
    sum: [u8; 32],
    /// The beginning of a line that is not complete yet.
    open: Vec<u8>,
}

impl Digest {
    /// Adds lines. A line ends with a line feed, and may come in parts.
    pub(super) fn add(&mut self, lines: &[u8]) {
        for part in lines.split_inclusive(|byte| *byte == b'\n') {
            match part.strip_suffix(b"\n") {
                Some(end) if self.open.is_empty() => self.add_line(end),
                Some(end) => {
                    self.open.extend_from_slice(end);
                    let line = std::mem::take(&mut self.open);
                    self.add_line(&line);
                }
                None => self.open.extend_from_slice(part),
            }
        }
    }

    fn add_line(&mut self, line: &[u8]) {
        self.rows += 1;
        let mut carry = 0;
        for (sum, byte) in self.sum.iter_mut().zip(sha256(line)) {
            let (value, one) = sum.overflowing_add(byte);
            let (value, other) = value.overflowing_add(carry);
            (*sum, carry) = (value, u8::from(one || other));
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sum.iter().take(8).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(parts: &[&str]) -> Digest {
        let mut digest = Digest::default();
        for part in parts {
            digest.add(part.as_bytes());
        }
        digest
    }

    #[test]
    fn order_and_parts_do_not_matter_and_every_row_does() {
        let one = of(&["a\tb\nc\td\n"]);
        assert_eq!(one.rows, 2);
        assert_eq!(one, of(&["c\td\n", "a\tb\n"]));
        assert_eq!(one, of(&["a", "\tb\nc\t", "d\n"]));
        for other in [of(&["a\tb\n"]), of(&["a\tb\nc\te\n"]), of(&["a\tb\na\tb\nc\td\n"]), of(&["c\td\nb\ta\n"])] {
            assert_ne!(one, other);
        }
    }
}
