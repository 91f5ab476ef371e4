//! Times since the start of 1970 as types, so that adding two times or confusing their units does not compile.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::time::{Duration, SystemTime};

macro_rules! times {
    ($($(#[$doc:meta])* $name:ident, $from:ident, $into:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(i64);

        impl $name {
            /// The start of 1970.
            pub const EPOCH: Self = Self(0);
            /// The earliest time.
            pub const MIN: Self = Self(i64::MIN);
            /// The latest time, which means never.
            pub const MAX: Self = Self(i64::MAX);

            pub const fn $from(number: i64) -> Self {
                Self(number)
            }

            pub const fn $into(self) -> i64 {
                self.0
            }

            /// Returns the span from `earlier` to this time. Negative: `earlier` is later.
            pub const fn since(self, earlier: Self) -> i64 {
                self.0.saturating_sub(earlier.0)
            }
        }

        impl Add<i64> for $name {
            type Output = Self;

            /// Saturates, as every operation on times does.
            fn add(self, span: i64) -> Self {
                Self(self.0.saturating_add(span))
            }
        }

        impl AddAssign<i64> for $name {
            fn add_assign(&mut self, span: i64) {
                *self = *self + span;
            }
        }

        impl Sub<i64> for $name {
            type Output = Self;

            fn sub(self, span: i64) -> Self {
                Self(self.0.saturating_sub(span))
            }
        }

        impl Sub for $name {
            type Output = i64;

            fn sub(self, earlier: Self) -> i64 {
                self.since(earlier)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

times! {
    /// A time in unix milliseconds. Spans are milliseconds too.
    UnixMs, from_millis, as_millis;
    /// A time in whole unix seconds, as in JWTs. Spans are seconds too.
    UnixSeconds, from_seconds, as_seconds;
}

impl UnixMs {
    /// The last time that RFC 3339 can express, in the year 9999.
    const LAST_WRITABLE: Self = Self(253_402_300_799_999);

    /// Returns the time of the standard library, for formatting: the nearest one from 1970 to 9999, which RFC 3339 can
    /// express.
    pub fn to_system_time(self) -> SystemTime {
        let since = self.clamp(Self::EPOCH, Self::LAST_WRITABLE).0.unsigned_abs();
        SystemTime::UNIX_EPOCH + Duration::from_millis(since)
    }

    /// Returns the second that has begun at this time.
    pub const fn to_seconds(self) -> UnixSeconds {
        UnixSeconds(self.0.div_euclid(1000))
    }
}

impl UnixSeconds {
    /// Returns the start of this second.
    pub const fn to_millis(self) -> UnixMs {
        UnixMs(self.0.saturating_mul(1000))
    }
}
