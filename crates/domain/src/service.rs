//! Services that accept tickets, and the roles that they require.

use crate::account::Role;

const MAX_CHARS: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a service's name has 1 to 32 lower-case letters, digits and -")]
pub struct InvalidServiceName;

/// Validates the name of a service in requests for tickets. It has one form, so that names cannot be confused.
///
/// # Errors
/// It is too long, or has other characters.
pub fn name(text: &str) -> Result<&str, InvalidServiceName> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if (1..=MAX_CHARS).contains(&text.len()) && text.chars().all(fits) { Ok(text) } else { Err(InvalidServiceName) }
}

/// Whether the service accepts an account with this role. Administrators are users, too.
pub fn admits(asked: Option<Role>, has: Role) -> bool {
    match asked {
        None | Some(Role::User) => true,
        Some(Role::Administrator) => has == Role::Administrator,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_one_form() {
        for fits in ["time", "a", "7", "print-server-2", &"x".repeat(32)] {
            assert_eq!(name(fits), Ok(fits));
        }
        for wrong in ["", "Time", "time ", "time.local", "zeit/2", "zeït", "a\0", &"x".repeat(33)] {
            assert_eq!(name(wrong), Err(InvalidServiceName), "{wrong:?}");
        }
    }

    #[test]
    fn roles_are_asked_for_or_not() {
        for (asked, user, administrator) in
            [(None, true, true), (Some(Role::User), true, true), (Some(Role::Administrator), false, true)]
        {
            assert_eq!(admits(asked, Role::User), user, "{asked:?}");
            assert_eq!(admits(asked, Role::Administrator), administrator, "{asked:?}");
        }
    }
}
