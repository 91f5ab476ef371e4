//! Postern's storage: ports (traits) and one SQL text that serves SQLite and PostgreSQL.

pub mod address_assignments;
pub mod allowlist;
pub mod app_codes;
pub mod attempts;
pub mod audit;
pub mod bans;
pub mod changes;
pub mod copies;
pub mod error;
pub mod gates;
pub mod given_codes;
pub mod imports;
pub mod invitations;
pub mod keys;
pub mod lldap;
pub mod mails;
pub mod oauth;
pub mod oauth_registrations;
pub mod passkeys;
pub mod profiles;
pub mod proofs;
pub mod recovery_codes;
pub mod refusals;
pub mod remembered_devices;
pub mod replaced;
pub mod resets;
pub mod sealed;
pub mod second_factors;
pub mod services;
pub mod sessions;
pub mod sql;
pub mod toll;
pub mod transfer;
pub mod upkeep;
mod user;
pub mod user_keys;
pub mod users;

pub use error::{Error, Result, advice};
pub use sql::{SchemaState, StoreOptions, open, open_sqlite, schema_state};

/// All storage that a server needs.
pub trait Store:
    users::Users
    + attempts::Attempts
    + bans::Bans
    + changes::Changes
    + gates::Gates
    + allowlist::Allowlist
    + app_codes::AppCodes
    + refusals::Refusals
    + sessions::Sessions
    + imports::Imports
    + invitations::Invitations
    + keys::Keys
    + mails::Mails
    + oauth::OAuth
    + oauth_registrations::OAuthRegistrations
    + address_assignments::AddressAssignments
    + profiles::Profiles
    + passkeys::Passkeys
    + proofs::Proofs
    + remembered_devices::RememberedDevices
    + resets::Resets
    + sealed::SealedValues
    + second_factors::SecondFactors
    + user_keys::UserKeys
    + services::Services
    + toll::Toll
    + audit::Audit
    + upkeep::Upkeep
    + Send
    + Sync
{
}

impl<T> Store for T where
    T: users::Users
        + attempts::Attempts
        + bans::Bans
        + changes::Changes
        + gates::Gates
        + allowlist::Allowlist
        + app_codes::AppCodes
        + refusals::Refusals
        + sessions::Sessions
        + imports::Imports
        + invitations::Invitations
        + keys::Keys
        + mails::Mails
        + oauth::OAuth
        + oauth_registrations::OAuthRegistrations
        + address_assignments::AddressAssignments
        + address_assignments::AddressAssignments
        + profiles::Profiles
        + passkeys::Passkeys
        + proofs::Proofs
        + remembered_devices::RememberedDevices
        + resets::Resets
        + sealed::SealedValues
        + second_factors::SecondFactors
        + user_keys::UserKeys
        + services::Services
        + toll::Toll
        + audit::Audit
        + upkeep::Upkeep
        + Send
        + Sync
{
}
