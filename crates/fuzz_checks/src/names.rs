//! Account names: the form that makes two names one account is stable, and fits into a header.

use crate::input;
use domain::account::{AccountDigest, AccountName};

/// Checks `data`: the text of a name.
pub(crate) fn check(data: &[u8]) {
    let Some(text) = input::text(data) else { return };
    let Ok(name) = AccountName::parse(text) else { return };
    let again = AccountName::parse(name.as_str()).expect("a name that was taken is taken again");
    assert_eq!((again.as_str(), again.key()), (name.as_str(), name.key()));
    assert!(!name.as_str().chars().any(|c| c.is_control() || c.is_whitespace()));
    let small = AccountName::parse(&name.as_str().to_lowercase());
    if let Ok(small) = small {
        assert_eq!(small.key(), name.key(), "{text:?} in small letters is another account");
    }
    let digest = |text: &str| AccountDigest::of(&[7; 32], text);
    assert_eq!(digest(name.as_str()), digest(text), "failures of one account are counted under two names");
}
