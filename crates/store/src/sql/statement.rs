//! SQL texts with names.

/// Names SQL texts and lists them in `STATEMENTS`, so that the check at startup includes each of them.
macro_rules! sql {
    ($($(#[$doc:meta])* $name:ident = $text:expr;)+) => {
        $($(#[$doc])* pub(super) const $name: &str = $text;)+
        pub(super) const STATEMENTS: &[&str] = &[$($name),+];
    };
}
pub(super) use sql;
