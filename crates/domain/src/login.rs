//! The decision about a login, from facts that all take the same time to find.

/// The facts about a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "four independent facts, each found on its own")]
pub struct LoginFacts {
    /// Whether the account exists.
    pub known: bool,
    /// Whether the password is correct.
    pub right: bool,
    pub disabled: bool,
    /// Whether there were too many failures in a row, so that a password alone is not sufficient.
    pub shut: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginVerdict {
    Accepted,
    Refused(LoginRefusal),
}

/// The reason for the audit log. The client receives the same answer in all cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginRefusal {
    Unknown,
    Wrong,
    Disabled,
    Shut,
    /// The password is right, and the code with it is wrong.
    WrongCode,
}

impl LoginRefusal {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Wrong => "wrong_password",
            Self::Disabled => "disabled",
            Self::Shut => "too_many_failures",
            Self::WrongCode => "wrong_second_factor",
        }
    }
}

pub fn judge(facts: LoginFacts) -> LoginVerdict {
    match facts {
        LoginFacts { known: false, .. } => LoginVerdict::Refused(LoginRefusal::Unknown),
        LoginFacts { right: false, .. } => LoginVerdict::Refused(LoginRefusal::Wrong),
        LoginFacts { disabled: true, .. } => LoginVerdict::Refused(LoginRefusal::Disabled),
        LoginFacts { shut: true, .. } => LoginVerdict::Refused(LoginRefusal::Shut),
        LoginFacts { known: true, right: true, disabled: false, shut: false } => LoginVerdict::Accepted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_known_right_enabled_and_open_account_signs_in() {
        for bits in 0..16_u8 {
            let facts =
                LoginFacts { known: bits & 1 != 0, right: bits & 2 != 0, disabled: bits & 4 != 0, shut: bits & 8 != 0 };
            assert_eq!(judge(facts) == LoginVerdict::Accepted, bits == 0b0011, "{facts:?}");
        }
    }
}
