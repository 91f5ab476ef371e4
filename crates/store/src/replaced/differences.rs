//! The differences between a restored copy and the database that it replaces.

use super::open_both;
use crate::Result;
use domain::UnixMs;
use sqlx::{AssertSqlSafe, Connection};
use std::path::Path;

/// A kind of difference between a copy and the database that it replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Difference {
    /// Accounts with a second factor that was removed since the copy was made.
    FactorsReturned,
    /// Accounts that lack a second factor that was added since.
    FactorsLost,
    /// Accounts with other groups.
    Groups,
    /// Accounts with another e-mail address.
    Emails,
    /// Accounts with an own key that was revoked since.
    UserKeysReturned,
    /// Networks that were removed from the allowlist since.
    AllowedReturned,
    AllowedLost,
    /// Addresses whose bans were lifted since.
    BansReturned,
    /// Addresses that operators have banned since.
    BansLost,
    /// Clients that were removed since.
    ClientsReturned,
    ClientsLost,
    /// Clients whose settings or secrets were changed since, or that were disabled.
    ClientsChanged,
    /// Services that were removed or changed since.
    ServicesReturned,
    ServicesLost,
    /// Server keys that were revoked since.
    ServerKeysReturned,
}

/// Accounts that have a second factor here and not there.
const FACTORS: &str = "SELECT u.name FROM here.users u JOIN there.users r ON r.id = u.id
    WHERE u.deleted_at IS NULL AND r.deleted_at IS NULL AND (
        EXISTS (SELECT 1 FROM here.totp t WHERE t.user_id = u.id AND t.confirmed_at IS NOT NULL
            AND t.id NOT IN (SELECT id FROM there.totp WHERE confirmed_at IS NOT NULL))
        OR EXISTS (SELECT 1 FROM here.passkeys p WHERE p.user_id = u.id AND p.id NOT IN (SELECT id FROM there.passkeys)))";
const GROUPS: &str = "WITH
    ours AS (SELECT m.user_id, g.name_key FROM here.group_members m JOIN here.user_groups g ON g.id = m.group_id),
    theirs AS (SELECT m.user_id, g.name_key FROM there.group_members m JOIN there.user_groups g ON g.id = m.group_id)
    SELECT DISTINCT u.name FROM here.users u JOIN there.users r ON r.id = u.id
    JOIN (SELECT user_id FROM (SELECT * FROM ours EXCEPT SELECT * FROM theirs)
        UNION SELECT user_id FROM (SELECT * FROM theirs EXCEPT SELECT * FROM ours)) d ON d.user_id = u.id
    WHERE u.deleted_at IS NULL AND r.deleted_at IS NULL";
const EMAILS: &str = "SELECT u.name FROM here.users u JOIN there.users r ON r.id = u.id
    WHERE u.deleted_at IS NULL AND r.deleted_at IS NULL AND u.email_key IS NOT r.email_key";
const USER_KEYS: &str = "SELECT DISTINCT u.name FROM here.user_keys k JOIN here.users u ON u.id = k.user_id
    JOIN there.user_keys r ON r.user_id = k.user_id AND r.version = k.version
    WHERE u.deleted_at IS NULL AND k.revoked_at IS NULL AND r.revoked_at IS NOT NULL";
/// Networks that are on the list here and not there.
const ALLOWED: &str = "SELECT network FROM here.allowlist WHERE (expires_at IS NULL OR expires_at > $1)
    AND network NOT IN (SELECT network FROM there.allowlist WHERE expires_at IS NULL OR expires_at > $1)";
const BANS_RETURNED: &str = "SELECT DISTINCT b.identity FROM here.bans b JOIN there.bans r ON r.id = b.id
    WHERE b.until > $1 AND b.lifted_at IS NULL AND r.lifted_at IS NOT NULL";
const BANS_LOST: &str = "SELECT DISTINCT r.identity FROM there.bans r
    WHERE r.until > $1 AND r.lifted_at IS NULL AND r.made_by <> 'engine' AND NOT EXISTS
        (SELECT 1 FROM here.bans b WHERE b.identity = r.identity AND b.until > $1 AND b.lifted_at IS NULL)";
/// Clients that exist here and not there.
const CLIENTS: &str = "SELECT id FROM here.oauth_clients WHERE id NOT IN (SELECT id FROM there.oauth_clients)";
const CLIENTS_CHANGED: &str = "SELECT c.id FROM here.oauth_clients c JOIN there.oauth_clients r ON r.id = c.id
    WHERE c.registration <> r.registration OR c.secrets <> r.secrets
    UNION SELECT d.id FROM here.oauth_documents d JOIN there.oauth_documents r ON r.id = d.id
    WHERE d.disabled_at IS NULL AND r.disabled_at IS NOT NULL";
const SERVICES_RETURNED: &str = "SELECT s.name FROM here.services s LEFT JOIN there.services r ON r.name = s.name
    WHERE r.name IS NULL OR r.jwk <> s.jwk OR r.role IS NOT s.role";
const SERVICES_LOST: &str = "SELECT name FROM there.services WHERE name NOT IN (SELECT name FROM here.services)";
const SERVER_KEYS: &str = "SELECT k.kind || ' ' || k.kid FROM here.keys k JOIN there.keys r ON r.kid = k.kid
    WHERE k.revoked_at IS NULL AND r.revoked_at IS NOT NULL";

/// The names of the copy and of the replaced database in a query.
const COPY_HERE: [&str; 2] = ["main.", "replaced."];
const COPY_THERE: [&str; 2] = ["replaced.", "main."];

/// The queries for names. `$1`: now.
const QUERIES: [(Difference, &str, [&str; 2]); 15] = [
    (Difference::FactorsReturned, FACTORS, COPY_HERE),
    (Difference::FactorsLost, FACTORS, COPY_THERE),
    (Difference::Groups, GROUPS, COPY_HERE),
    (Difference::Emails, EMAILS, COPY_HERE),
    (Difference::UserKeysReturned, USER_KEYS, COPY_HERE),
    (Difference::AllowedReturned, ALLOWED, COPY_HERE),
    (Difference::AllowedLost, ALLOWED, COPY_THERE),
    (Difference::BansReturned, BANS_RETURNED, COPY_HERE),
    (Difference::BansLost, BANS_LOST, COPY_HERE),
    (Difference::ClientsReturned, CLIENTS, COPY_HERE),
    (Difference::ClientsLost, CLIENTS, COPY_THERE),
    (Difference::ClientsChanged, CLIENTS_CHANGED, COPY_HERE),
    (Difference::ServicesReturned, SERVICES_RETURNED, COPY_HERE),
    (Difference::ServicesLost, SERVICES_LOST, COPY_HERE),
    (Difference::ServerKeysReturned, SERVER_KEYS, COPY_HERE),
];

/// Returns the names of what differs between a copy and the database that it replaces, by kind. A kind without
/// differences is left out.
///
/// # Errors
/// One of them cannot be read, or is of another version.
pub async fn differences(copy: &Path, replaced: &Path, now: UnixMs) -> Result<Vec<(Difference, Vec<String>)>> {
    let mut both = open_both(copy, replaced).await?;
    let mut found = Vec::new();
    for (kind, sql, [here, there]) in QUERIES {
        let named = format!("{} ORDER BY 1", sql.replace("there.", there).replace("here.", here));
        let query = sqlx::query_scalar(AssertSqlSafe(named));
        let query = if sql.contains("$1") { query.bind(now.as_millis()) } else { query };
        let names: Vec<String> = query.fetch_all(&mut both).await?;
        if !names.is_empty() {
            found.push((kind, names));
        }
    }
    both.close().await?;
    Ok(found)
}
