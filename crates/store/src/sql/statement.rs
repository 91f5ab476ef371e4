//! SQL texts with names.

/// Names SQL texts and lists them in `STATEMENTS`: none can be left out of the check at start-up.
macro_rules! sql {
    ($($(#[$doc:meta])* $name:ident = $text:expr;)+) => {
        $($(#[$doc])* pub(super) const $name: &str = $text;)+
        pub(super) const STATEMENTS: &[&str] = &[$($name),+];
    };
}
pub(super) use sql;
