//! Splitting of a target's bytes, in ways that keep a corpus readable and a mutation small.

use std::str::from_utf8;

/// Splits at the first line break. Without one, the second half is empty.
pub(crate) fn halves(data: &[u8]) -> (&[u8], &[u8]) {
    let mut halves = data.splitn(2, |byte| *byte == b'\n');
    (halves.next().unwrap_or_default(), halves.next().unwrap_or_default())
}

/// Splits at line breaks.
pub(crate) fn lines(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    data.split(|byte| *byte == b'\n')
}

/// Reads the bytes as text. `None`: they are not UTF-8, and parsers of text never see them.
pub(crate) fn text(data: &[u8]) -> Option<&str> {
    from_utf8(data).ok()
}

/// Returns `good` with one byte changed, as the first three bytes of `data` say: the position (big-endian, modulo the
/// length) and the bits. `None`: nothing would change.
pub(crate) fn changed(good: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    let ([high, low, bits], _) = data.split_first_chunk::<3>()?;
    let at = usize::from(u16::from_be_bytes([*high, *low])).checked_rem(good.len())?;
    let mut bytes = good.to_vec();
    *bytes.get_mut(at)? ^= bits;
    (*bits != 0).then_some(bytes)
}
