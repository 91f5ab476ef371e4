//! Parses `Cookie` headers.

/// Returns all values of the cookies called `name` from the lines of the `Cookie` header, in the order sent.
///
/// The lines are split as bytes (RFC 6265, section 5.4; RFC 9110, section 5.5), so that a non-ASCII byte in one cookie
/// does not affect the others. A name can occur more than once, from another path or a parent domain. A caller that can
/// recognise its own values tries each. Quotes belong to the value. Empty and non-UTF-8 values are skipped.
pub fn values<'a, 'n, L>(lines: L, name: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n, L>
where
    L: IntoIterator<Item = &'a [u8]>,
    L::IntoIter: 'a,
{
    pairs(lines).filter(move |(found, _)| *found == name.as_bytes()).filter_map(|(_, value)| text(value))
}

/// Returns names and values of the cookies whose names begin with `prefix`, without the prefix.
pub fn with_prefix<'a, 'n, L>(lines: L, prefix: &'n str) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a, 'n, L>
where
    L: IntoIterator<Item = &'a [u8]>,
    L::IntoIter: 'a,
{
    pairs(lines).filter_map(move |(name, value)| {
        let rest = std::str::from_utf8(name.strip_prefix(prefix.as_bytes())?).ok()?;
        Some((rest, text(value)?))
    })
}

fn pairs<'a, L>(lines: L) -> impl Iterator<Item = (&'a [u8], &'a [u8])>
where
    L: IntoIterator<Item = &'a [u8]>,
    L::IntoIter: 'a,
{
    lines.into_iter().flat_map(|line| line.split(|byte| *byte == b';')).filter_map(|pair| {
        let at = pair.iter().position(|byte| *byte == b'=')?;
        let (name, value) = pair.split_at(at);
        Some((name.trim_ascii(), value.get(1..)?.trim_ascii()))
    })
}

fn text(value: &[u8]) -> Option<&str> {
    std::str::from_utf8(value).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(line: &[u8]) -> Vec<&str> {
        values([line], "own").collect()
    }

    #[test]
    fn other_cookies_do_not_matter_whatever_they_are() {
        for line in [
            b"own=good".as_slice(),
            b"x=\xe9; own=good",
            b"x=\xff\xfe\x80;own=good",
            b"own=good; x=\xc3\xa9",
            b"\xe9=1; own = good ",
            b";;=;x;own=good;",
            b"own=; own=good",
            b"own=\xe9; own=good",
            b"x=\"a; own=good; b=\"",
        ] {
            assert_eq!(of(line), ["good"], "{line:?}");
        }
        for line in [b"".as_slice(), b"own", b"own=", b"Own=good", b"my-own=good", b"own2=good", b"x=own=good"] {
            assert!(of(line).is_empty(), "{line:?}");
        }
    }

    #[test]
    fn a_name_that_comes_twice_is_read_twice_and_lines_are_one_list() {
        let lines = [b"own=a; x=y".as_slice(), b"own=b=c; own=\"d\""];
        assert_eq!(values(lines, "own").collect::<Vec<_>>(), ["a", "b=c", "\"d\""]);
    }

    #[test]
    fn names_are_found_by_their_beginning() {
        let line = b"state-1=a; state-=b; other=c; x=\xff; state-2=d".as_slice();
        assert_eq!(with_prefix([line], "state-").collect::<Vec<_>>(), [("1", "a"), ("", "b"), ("2", "d")]);
    }

    proptest! {
        #[test]
        fn bytes_beside_ours_take_nothing_away(
            before in proptest::collection::vec(any::<u8>(), 0..40),
            after in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let line = [before.as_slice(), b"; own=good; ", &after].concat();
            prop_assert!(of(&line).contains(&"good"));
        }
    }
}
