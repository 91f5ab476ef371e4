use super::audit::append;
use super::backend::{Backend, Value};
use super::named_locks::lock_named;
use super::sequences::{self, Sequence};
use super::statement::sql;
use super::store::SqlStore;
use super::tx::{Record, Tx};
use super::write::Write;
use crate::audit::AuditEntry;
use crate::sealed::{SealedValue, SealedValues, sealer};
use crate::{Error, Result};
use async_trait::async_trait;
use domain::UnixMs;

macro_rules! user_keys {
    ($compared:literal) => {
        concat!(
            "SELECT user_id AS id, version, 'user_keys/' || user_id || '/' || CAST(version AS TEXT) AS place, sealed
            FROM user_keys WHERE sealed <> '' AND substr(sealed, 1, 9) ",
            $compared,
            " $1"
        )
    };
}

sql! {
    KEYS = "SELECT kid AS id, CAST(0 AS BIGINT) AS version, 'keys/' || kind || '/' || kid AS place, sealed
        FROM keys WHERE sealed <> '' AND substr(sealed, 1, 9) <> $1 LIMIT $2";
    RESEAL_KEY = "UPDATE keys SET sealed = $4 WHERE kid = $1 AND CAST($2 AS BIGINT) = 0 AND sealed = $3";
    // Two ranges of an index, because a million keys of people may have the name that is left out.
    USER_KEYS = concat!(user_keys!("<"), " UNION ALL ", user_keys!(">"), " LIMIT $2");
    RESEAL_USER_KEY = "UPDATE user_keys SET sealed = $4 WHERE user_id = $1 AND version = $2 AND sealed = $3";
    TOTP = "SELECT id, CAST(0 AS BIGINT) AS version, 'totp/' || user_id || '/' || id AS place, sealed
        FROM totp WHERE substr(sealed, 1, 9) <> $1 LIMIT $2";
    RESEAL_TOTP = "UPDATE totp SET sealed = $4 WHERE id = $1 AND CAST($2 AS BIGINT) = 0 AND sealed = $3";
    MAILS = "SELECT id, CAST(0 AS BIGINT) AS version, 'mails/' || id AS place, sealed
        FROM mails WHERE sealed <> '' AND substr(sealed, 1, 9) <> $1 LIMIT $2";
    RESEAL_MAIL = "UPDATE mails SET sealed = $4 WHERE id = $1 AND CAST($2 AS BIGINT) = 0 AND sealed = $3";
    RETIRE = "INSERT INTO retired_sealers (kid, retired_at) VALUES ($1, $2) ON CONFLICT (kid) DO NOTHING";
    RETIRED = "SELECT kid FROM retired_sealers";
    IS_RETIRED = "SELECT COUNT(*) AS n FROM retired_sealers WHERE kid = $1";
}

/// Every table with sealed values: the query for values under another key (a name has eight characters and a dot), and
/// the statement that replaces one.
const TABLES: [(&str, &str); 4] =
    [(KEYS, RESEAL_KEY), (USER_KEYS, RESEAL_USER_KEY), (TOTP, RESEAL_TOTP), (MAILS, RESEAL_MAIL)];

/// Fails if the key of this value was retired. A retirement waits for the end of this transaction and then sees its
/// write.
pub(super) async fn may_be_written<DB: Backend>(tx: &mut Tx<'_, DB>, sealed: &str, now: UnixMs) -> Result<()> {
    lock_named(tx, "sealed values", now).await?;
    match tx.count(IS_RETIRED, &[Value::Text(sealer(sealed))]).await? {
        0 => Ok(()),
        _ => Err(Error::OldSealer),
    }
}

struct Reseal {
    value: SealedValue,
    sealed: String,
}

impl Write for Reseal {
    type Output = bool;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        let SealedValue { table, id, version, sealed, .. } = &self.value;
        let Some((_, reseal)) = TABLES.get(*table) else { return Ok(false) };
        let values = [Value::Text(id), Value::Int(*version), Value::Text(sealed), Value::Text(&self.sealed)];
        Ok(tx.execute(reseal, &values).await? == 1)
    }
}

struct Retire {
    kids: Vec<String>,
    audit: AuditEntry,
    now: UnixMs,
}

impl Write for Retire {
    type Output = ();

    fn audit(&self) -> Option<&AuditEntry> {
        Some(&self.audit)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<()> {
        lock_named(tx, "sealed values", self.now).await?;
        let mut retired = 0;
        for kid in &self.kids {
            retired += tx.execute(RETIRE, &[Value::Text(kid), Value::Time(self.now)]).await?;
        }
        if retired > 0 {
            sequences::next(tx, Sequence::Sealers).await?;
            append(tx, &self.audit).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl<DB: Backend> SealedValues for SqlStore<DB> {
    async fn sealed_by_others(&self, kid: &str, limit: u32) -> Result<Vec<SealedValue>> {
        let own = format!("{kid}.");
        let mut all = Vec::new();
        for (table, (find, _)) in TABLES.iter().enumerate() {
            let rows = self.all(find, &[Value::Text(&own), Value::Int(limit.into())]).await?;
            for row in rows {
                all.push(value(table, &row)?);
            }
        }
        Ok(all)
    }

    async fn reseal(&self, value: &SealedValue, sealed: &str) -> Result<bool> {
        self.write(Reseal { value: value.clone(), sealed: sealed.to_owned() }).await
    }

    async fn retire_sealers(&self, kids: &[String], audit: &AuditEntry, now: UnixMs) -> Result<()> {
        self.write(Retire { kids: kids.to_vec(), audit: audit.clone(), now }).await
    }

    async fn retired_sealers(&self) -> Result<Vec<String>> {
        self.all(RETIRED, &[]).await?.iter().map(|row| row.text("kid")).collect()
    }
}

fn value<DB: Backend>(table: usize, row: &Record<DB>) -> Result<SealedValue> {
    Ok(SealedValue {
        table,
        id: row.text("id")?,
        version: row.int("version")?,
        place: row.text("place")?,
        sealed: row.text("sealed")?,
    })
}
