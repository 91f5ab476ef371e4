use super::audit::append;
use super::backend::{Backend, Value};
use super::statement::sql;
use super::store::SqlStore;
use super::tx::{Record, Tx};
use super::write::Write;
use crate::Result;
use crate::audit::AuditEntry;
use crate::remembered_devices::{DeviceMemory, RememberedDevice, RememberedDevices};
use async_trait::async_trait;
use domain::UnixMs;
use domain::ids::{SessionId, UserId};
use domain::thumbprint::Thumbprint;

sql! {
    OF_USER = "SELECT id, user_id, jkt, device, address, created_at, used_at, expires_at FROM remembered_devices
        WHERE user_id = $1 AND expires_at > $2 ORDER BY created_at DESC, id DESC";
    OF_KEY = "SELECT id FROM remembered_devices WHERE user_id = $1 AND jkt = $2 AND expires_at > $3";
    REMEMBER = "INSERT INTO remembered_devices (id, user_id, jkt, device, address, created_at, used_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (user_id, jkt) DO UPDATE SET id = excluded.id, device = excluded.device, address = excluded.address,
            created_at = excluded.created_at, used_at = excluded.used_at, expires_at = excluded.expires_at";
    USE = "UPDATE remembered_devices SET used_at = $3 WHERE id = $1 AND user_id = $2 AND expires_at > $3";
    FORGET_ONE = "DELETE FROM remembered_devices WHERE user_id = $1 AND id = $2";
    FORGET = "DELETE FROM remembered_devices WHERE user_id = $1";
    FORGET_OF_SESSION = "DELETE FROM remembered_devices WHERE user_id = $1
        AND jkt IN (SELECT jkt FROM sessions WHERE id = $2 AND jkt IS NOT NULL)";
    FORGET_OTHERS = "DELETE FROM remembered_devices WHERE user_id = $1
        AND jkt NOT IN (SELECT jkt FROM sessions WHERE id = $2 AND jkt IS NOT NULL)";
}

/// Forgets every device of an account: its password or factors changed.
pub(super) async fn forget_all<DB: Backend>(tx: &mut Tx<'_, DB>, user: &UserId) -> Result<u64> {
    tx.execute(FORGET, &[Value::Text(user.as_str())]).await
}

/// Forgets the device of a session that was ended.
pub(super) async fn forget_device_of<DB: Backend>(
    tx: &mut Tx<'_, DB>,
    user: &UserId,
    session: &SessionId,
) -> Result<()> {
    tx.execute(FORGET_OF_SESSION, &[Value::Text(user.as_str()), Value::Text(session.as_str())]).await.map(drop)
}

/// Forgets every device except the one of a session that continues.
pub(super) async fn forget_other_devices<DB: Backend>(
    tx: &mut Tx<'_, DB>,
    user: &UserId,
    keep: Option<&SessionId>,
) -> Result<()> {
    match keep {
        Some(keep) => {
            tx.execute(FORGET_OTHERS, &[Value::Text(user.as_str()), Value::Text(keep.as_str())]).await.map(drop)
        }
        None => forget_all(tx, user).await.map(drop),
    }
}

/// Whether a sign-in may rely on its remembered device. A forgotten one is refused at once.
pub(super) async fn still_remembered<DB: Backend>(
    tx: &mut Tx<'_, DB>,
    user: &UserId,
    memory: &DeviceMemory,
    now: UnixMs,
) -> Result<bool> {
    let DeviceMemory::Remembered(id) = memory else { return Ok(true) };
    Ok(tx.execute(USE, &[Value::Text(id), Value::Text(user.as_str()), Value::Time(now)]).await? == 1)
}

/// Stores the device of a sign-in, if the sign-in asks for it.
pub(super) async fn remember<DB: Backend>(tx: &mut Tx<'_, DB>, memory: &DeviceMemory) -> Result<()> {
    let DeviceMemory::Remember(new) = memory else { return Ok(()) };
    let (device, audit) = &**new;
    let jkt = device.jkt.to_string();
    let values = [
        Value::Text(&device.id),
        Value::Text(device.user.as_str()),
        Value::Text(&jkt),
        Value::Text(&device.device),
        Value::Text(&device.address),
        Value::Time(device.created_at),
        Value::Time(device.used_at),
        Value::Time(device.expires_at),
    ];
    tx.execute(REMEMBER, &values).await?;
    append(tx, audit).await
}

struct ForgetDevices {
    user: UserId,
    id: Option<String>,
    audit: AuditEntry,
}

impl Write for ForgetDevices {
    type Output = bool;

    fn audit(&self) -> Option<&AuditEntry> {
        Some(&self.audit)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        let forgotten = match &self.id {
            Some(id) => tx.execute(FORGET_ONE, &[Value::Text(self.user.as_str()), Value::Text(id)]).await?,
            None => forget_all(tx, &self.user).await?,
        };
        if forgotten > 0 {
            append(tx, &self.audit).await?;
        }
        Ok(forgotten > 0)
    }
}

#[async_trait]
impl<DB: Backend> RememberedDevices for SqlStore<DB> {
    async fn remembered_devices(&self, user: &UserId, now: UnixMs) -> Result<Vec<RememberedDevice>> {
        self.all(OF_USER, &[Value::Text(user.as_str()), Value::Time(now)]).await?.iter().map(device).collect()
    }

    async fn remembered_device(&self, user: &UserId, jkt: Thumbprint, now: UnixMs) -> Result<Option<String>> {
        let jkt = jkt.to_string();
        let row = self.one(OF_KEY, &[Value::Text(user.as_str()), Value::Text(&jkt), Value::Time(now)]).await?;
        row.map(|row| row.text("id")).transpose()
    }

    async fn forget_devices(&self, user: &UserId, id: Option<&str>, audit: &AuditEntry) -> Result<bool> {
        let (user, id) = (user.to_owned(), id.map(str::to_owned));
        self.write(ForgetDevices { user, id, audit: audit.clone() }).await
    }
}

fn device<DB: Backend>(row: &Record<DB>) -> Result<RememberedDevice> {
    Ok(RememberedDevice {
        id: row.text("id")?,
        user: row.text("user_id")?.into(),
        jkt: row.enum_column("remembered_devices", "jkt", Thumbprint::parse)?,
        device: row.text("device")?,
        address: row.text("address")?,
        created_at: row.time("created_at")?,
        used_at: row.time("used_at")?,
        expires_at: row.time("expires_at")?,
    })
}
