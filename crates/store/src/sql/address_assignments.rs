use super::backend::{Backend, Value};
use super::named_locks::lock_named;
use super::statement::sql;
use super::store::SqlStore;
use super::tx::{Record, Tx};
use super::write::Write;
use crate::Result;
use crate::address_assignments::{AddressAssignment, AddressAssignments, AssignmentRequest};
use async_trait::async_trait;
use domain::UnixMs;

sql! {
    NEW = "SELECT COALESCE(MAX(subaddress), -1) + 1 AS subaddress FROM leases";
    GIVEN_BACK = "SELECT subaddress FROM leases WHERE ends_at <= $1 AND subaddress < $2
        ORDER BY ends_at, subaddress LIMIT 1";
    LEND = "INSERT INTO leases (subaddress, challenge, route, height, searched, leased_at, expires_at, ends_at)
        VALUES ($1, $2, $3, $4, $4, $5, $6, $7)
        ON CONFLICT (subaddress) DO UPDATE SET challenge = excluded.challenge, route = excluded.route,
            height = excluded.height, searched = excluded.searched, leased_at = excluded.leased_at,
            expires_at = excluded.expires_at, ends_at = excluded.ends_at
        WHERE leases.ends_at <= excluded.leased_at";
    LENT = "SELECT subaddress, challenge, route, height, searched, leased_at, expires_at
        FROM leases WHERE ends_at > $1 ORDER BY subaddress";
    SEARCHED = "UPDATE leases SET searched = $1 WHERE searched < $1";
}

impl Write for AssignmentRequest {
    type Output = Option<u32>;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<Option<u32>> {
        lock_named(tx, "lease", self.now).await?;
        let Some(subaddress) = self.choose(tx).await? else { return Ok(None) };
        let values = [
            Value::Int(subaddress.into()),
            Value::Text(&self.challenge),
            Value::Text(&self.route),
            Value::Int(self.height),
            Value::Time(self.now),
            Value::Time(self.expires_at),
            Value::Time(self.ends_at),
        ];
        Ok((tx.execute(LEND, &values).await? == 1).then_some(subaddress))
    }
}

impl AssignmentRequest {
    async fn choose<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<Option<u32>> {
        let number = |row: Option<Record<DB>>| row.map(|row| row.u32_column("leases", "subaddress")).transpose();
        let new = number(tx.one(NEW, &[]).await?)?.filter(|&new| new < self.addresses);
        if new.is_some() {
            return Ok(new);
        }
        number(tx.one(GIVEN_BACK, &[Value::Time(self.now), Value::Int(self.addresses.into())]).await?)
    }
}

struct Searched(i64);

impl Write for Searched {
    type Output = ();

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<()> {
        tx.execute(SEARCHED, &[Value::Int(self.0)]).await.map(drop)
    }
}

#[async_trait]
impl<DB: Backend> AddressAssignments for SqlStore<DB> {
    async fn assign_address(&self, request: &AssignmentRequest) -> Result<Option<u32>> {
        self.write(request.clone()).await
    }

    async fn address_assignments(&self, now: UnixMs) -> Result<Vec<AddressAssignment>> {
        self.all(LENT, &[Value::Time(now)]).await?.iter().map(lease).collect()
    }

    async fn mark_searched(&self, height: i64) -> Result<()> {
        self.write(Searched(height)).await
    }
}

fn lease<DB: Backend>(row: &Record<DB>) -> Result<AddressAssignment> {
    Ok(AddressAssignment {
        subaddress: row.u32_column("leases", "subaddress")?,
        challenge: row.text("challenge")?,
        route: row.text("route")?,
        height: row.int("height")?,
        searched: row.int("searched")?,
        leased_at: row.time("leased_at")?,
        expires_at: row.time("expires_at")?,
    })
}
