use super::audit::append;
use super::backend::{Backend, Value};
use super::statement::sql;
use super::store::SqlStore;
use super::tx::{Record, Tx};
use super::write::Write;
use crate::Result;
use crate::app_codes::{AppCode, AppCodes, MOST_OF_SESSION, UseCode};
use async_trait::async_trait;
use domain::UnixMs;

sql! {
    ADD = "INSERT INTO app_codes (code_hash, app, state_hash, session_id, place, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6)";
    DROP_OLDEST = "DELETE FROM app_codes WHERE session_id = $1 AND code_hash NOT IN
        (SELECT code_hash FROM app_codes WHERE session_id = $1 ORDER BY expires_at DESC, code_hash LIMIT $2)";
    USE = "DELETE FROM app_codes
        WHERE code_hash = $1 AND app = $2 AND state_hash = $3 AND expires_at > $4 AND EXISTS
            (SELECT 1 FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = app_codes.session_id
                AND s.revoked_at IS NULL AND s.idle_at > $4 AND s.ends_at > $4 AND u.disabled_at IS NULL)
        RETURNING code_hash, app, state_hash, session_id, place, expires_at";
    OWNER = "SELECT user_id FROM sessions WHERE id = $1";
}

impl Write for AppCode {
    type Output = ();

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<()> {
        let texts = [&self.code_hash, &self.app, &self.state_hash, self.session.as_str(), &self.place].map(Value::Text);
        let [code, app, state, session, place] = texts;
        tx.execute(ADD, &[code, app, state, session, place, Value::Time(self.expires_at)]).await?;
        tx.execute(DROP_OLDEST, &[session, Value::Int(MOST_OF_SESSION)]).await.map(drop)
    }
}

impl Write for UseCode {
    type Output = Option<AppCode>;

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<Option<AppCode>> {
        let values = [
            Value::Text(&self.code_hash),
            Value::Text(&self.app),
            Value::Text(&self.state_hash),
            Value::Time(self.now),
        ];
        let Some(code) = tx.one(USE, &values).await?.as_ref().map(code).transpose()? else { return Ok(None) };
        let owner = tx.one(OWNER, &[Value::Text(code.session.as_str())]).await?;
        let mut entry = self.audit.clone();
        entry.user = owner.map(|owner| owner.text("user_id")).transpose()?.map(Into::into);
        entry.session = Some(code.session.clone());
        append(tx, &entry).await?;
        Ok(Some(code))
    }
}

#[async_trait]
impl<DB: Backend> AppCodes for SqlStore<DB> {
    async fn add_app_code(&self, code: &AppCode) -> Result<()> {
        self.write(code.clone()).await
    }

    async fn use_app_code(&self, code: &UseCode) -> Result<Option<AppCode>> {
        self.write(code.clone()).await
    }

    async fn sweep_app_codes(&self, now: UnixMs) -> Result<u64> {
        self.sweep_app_codes_before(now).await
    }
}

fn code<DB: Backend>(row: &Record<DB>) -> Result<AppCode> {
    Ok(AppCode {
        code_hash: row.text("code_hash")?,
        app: row.text("app")?,
        state_hash: row.text("state_hash")?,
        session: row.text("session_id")?.into(),
        place: row.text("place")?,
        expires_at: row.time("expires_at")?,
    })
}
