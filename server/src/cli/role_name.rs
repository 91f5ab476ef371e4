//! The name of a role as an argument.

use clap::ValueEnum;
use domain::account::Role;

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum RoleName {
    User,
    Administrator,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::User => Self::User,
            RoleName::Administrator => Self::Administrator,
        }
    }
}
