//! Right codes that people have given: one-time codes and recovery codes.

use crate::recovery_codes::UseRecoveryCode;
use domain::UnixMs;
use domain::authentication::Method;
use domain::ids::UserId;

/// An accepted code, which is written only if it is newer than every other one of its generator.
#[derive(Debug, Clone)]
pub struct UsedCode {
    pub id: String,
    pub user: UserId,
    pub step: i64,
    pub drift: i64,
    pub now: UnixMs,
}

/// A right code that a person has given. It is used up by the write that it is for: otherwise a crash in between would
/// lose it, or accept it twice.
#[derive(Debug, Clone)]
pub enum GivenCode {
    Totp(UsedCode),
    Recovery(Box<UseRecoveryCode>),
}

impl GivenCode {
    pub fn method(&self) -> Method {
        match self {
            Self::Totp(_) => Method::Totp,
            Self::Recovery(_) => Method::RecoveryCode,
        }
    }
}
