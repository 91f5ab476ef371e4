//! Errors of a request that got no usable answer.

pub(crate) const UNREACHABLE: &str =
    "This site did not answer. Check your connection, then try again. Nothing that you typed is lost.";
#[cfg(any(feature = "ssr", feature = "login", feature = "private"))]
pub(crate) const NO_COOKIES: &str = "Name and password are right, but this browser did not keep the cookie that signs you in. \
                              Allow cookies for this site, or open it with https.";
