//! Reads the SQLite database of lldap, for imports.

use crate::Result;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Row};
use std::path::Path;

/// An account of lldap. Absent values are empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LldapUser {
    pub id: String,
    pub email: String,
    pub display_name: String,
    /// The names of its groups.
    pub groups: Vec<String>,
}

const USERS: &str = "SELECT user_id, COALESCE(email, '') AS email, COALESCE(display_name, '') AS display_name
    FROM users ORDER BY user_id";
const MEMBERSHIPS: &str = "SELECT g.display_name FROM memberships m JOIN groups g ON g.group_id = m.group_id
    WHERE m.user_id = $1 ORDER BY g.display_name";

/// Returns all accounts by name. The file is not changed.
///
/// # Errors
/// It has other tables.
pub async fn users(file: &Path) -> Result<Vec<LldapUser>> {
    let mut database = SqliteConnectOptions::new().filename(file).read_only(true).connect().await?;
    let mut users = Vec::new();
    for row in sqlx::query(USERS).fetch_all(&mut database).await? {
        let id: String = row.try_get("user_id")?;
        let mut groups = Vec::new();
        for group in sqlx::query(MEMBERSHIPS).bind(&id).fetch_all(&mut database).await? {
            groups.push(group.try_get("display_name")?);
        }
        users.push(LldapUser { id, email: row.try_get("email")?, display_name: row.try_get("display_name")?, groups });
    }
    database.close().await?;
    Ok(users)
}
