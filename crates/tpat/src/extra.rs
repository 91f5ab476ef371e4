//! The public keys in a transaction's `extra`, a list of tagged fields that nodes do not check.

/// The required keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct TxKeys {
    /// The first transaction key.
    pub main: Option<[u8; 32]>,
    /// Keys of single outputs, if a transaction pays several addresses.
    pub additional: Vec<[u8; 32]>,
}

const PADDING: u8 = 0;
const KEY: u8 = 1;
const NONCE: u8 = 2;
const MERGE_MINING: u8 = 3;
const ADDITIONAL: u8 = 4;
const MINERGATE: u8 = 0xde;

/// Parses fields up to the first broken or unknown one, like the reference wallet. A payer therefore cannot hide keys
/// after it. The first field of each kind counts.
pub(crate) fn read(mut extra: &[u8]) -> TxKeys {
    let mut keys = TxKeys::default();
    while let Some((&tag, rest)) = extra.split_first() {
        let Some(behind) = field(tag, rest, &mut keys) else { break };
        extra = behind;
    }
    keys
}

fn field<'a>(tag: u8, rest: &'a [u8], keys: &mut TxKeys) -> Option<&'a [u8]> {
    match tag {
        // Padding extends to the end.
        PADDING => (rest.len() < 255 && rest.iter().all(|&byte| byte == 0)).then_some(&[]),
        KEY => {
            let (key, rest) = rest.split_first_chunk::<32>()?;
            keys.main.get_or_insert(*key);
            Some(rest)
        }
        NONCE => {
            let (length, rest) = varint(rest)?;
            if length > 255 { None } else { rest.get(length..) }
        }
        MERGE_MINING | MINERGATE => {
            let (length, rest) = varint(rest)?;
            rest.get(length..)
        }
        ADDITIONAL => {
            let (count, rest) = varint(rest)?;
            let (list, rest) = rest.split_at_checked(count.checked_mul(32)?)?;
            if keys.additional.is_empty() {
                keys.additional = list.as_chunks::<32>().0.to_vec();
            }
            Some(rest)
        }
        _ => None,
    }
}

/// Parses a number in groups of seven bits, in its shortest form.
fn varint(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut number = 0_u64;
    for (position, &byte) in bytes.iter().enumerate().take(9) {
        number |= u64::from(byte & 0x7f) << (7 * position);
        if byte & 0x80 == 0 {
            let shortest = byte != 0 || position == 0;
            return if shortest { Some((usize::try_from(number).ok()?, &bytes[position + 1..])) } else { None };
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(byte: u8) -> Vec<u8> {
        [vec![KEY], vec![byte; 32]].concat()
    }

    #[test]
    fn fields_in_any_order() {
        let nonce = [2, 9, 1, 1, 2, 3, 4, 5, 6, 7, 8];
        let additional = [vec![ADDITIONAL, 2], vec![8; 32], vec![9; 32]].concat();
        let extra = [nonce.as_slice(), &additional, &key(7), &[0, 0, 0]].concat();
        assert_eq!(read(&extra), TxKeys { main: Some([7; 32]), additional: vec![[8; 32], [9; 32]] });
        assert_eq!(read(&[key(1), key(2)].concat()).main, Some([1; 32]));
        assert_eq!(read(&[]), TxKeys::default());
    }

    #[test]
    fn nothing_behind_a_broken_field() {
        for broken in [vec![0, 1], vec![5], vec![2, 200], vec![2, 0x80, 0x00], vec![4, 0xff, 0xff], vec![1, 2, 3]] {
            let extra = [broken.clone(), key(7)].concat();
            // A key field that is too short swallows the next one's bytes: still no key of 7s.
            assert_ne!(read(&extra).main, Some([7; 32]), "{broken:?}");
            let before = [key(7), broken].concat();
            assert_eq!(read(&before).main, Some([7; 32]));
        }
    }

    proptest! {
        #[test]
        fn fuzz_extra_of_any_bytes(extra in prop::collection::vec(any::<u8>(), 0..300)) {
            let keys = read(&extra);
            prop_assert!(keys.additional.len() * 32 <= extra.len());
        }

        #[test]
        fn fuzz_extra_of_fields(fields in prop::collection::vec((prop::sample::select(vec![0, 1, 2, 3, 4, 0xde]), prop::collection::vec(any::<u8>(), 0..70)), 0..6)) {
            let extra: Vec<u8> = fields.into_iter().flat_map(|(tag, body)| [vec![tag], body].concat()).collect();
            let _ = read(&extra);
        }
    }
}
