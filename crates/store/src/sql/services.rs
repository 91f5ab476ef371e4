use super::audit::append;
use super::backend::{Backend, Value};
use super::statement::sql;
use super::store::SqlStore;
use super::tx::{Record, Tx};
use super::write::Write;
use crate::Result;
use crate::audit::AuditEntry;
use crate::services::{Service, Services};
use async_trait::async_trait;
use domain::account::Role;

sql! {
    ALL = "SELECT name, jwk, kid, role, created_at, changed_at FROM services";
    ONE = "SELECT name, jwk, kid, role, created_at, changed_at FROM services WHERE name = $1";
    PUT = "INSERT INTO services (name, jwk, kid, role, created_at, changed_at) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (name) DO UPDATE SET jwk = excluded.jwk, kid = excluded.kid, role = excluded.role,
            changed_at = excluded.changed_at
        RETURNING name, jwk, kid, role, created_at, changed_at";
    REMOVE = "DELETE FROM services WHERE name = $1";
}

struct PutService {
    service: Service,
    audit: AuditEntry,
}

impl Write for PutService {
    type Output = Service;

    fn audit(&self) -> Option<&AuditEntry> {
        Some(&self.audit)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<Service> {
        let Service { name, jwk, kid, role, created_at, changed_at } = &self.service;
        let values = [
            Value::Text(name),
            Value::Text(jwk),
            Value::Text(kid),
            Value::OptText(role.map(Role::as_str)),
            Value::Time(*created_at),
            Value::Time(*changed_at),
        ];
        let row = tx.one(PUT, &values).await?.ok_or(sqlx::Error::RowNotFound)?;
        append(tx, &self.audit).await?;
        service(&row)
    }
}

struct RemoveService {
    name: String,
    audit: AuditEntry,
}

impl Write for RemoveService {
    type Output = bool;

    fn audit(&self) -> Option<&AuditEntry> {
        Some(&self.audit)
    }

    async fn run<DB: Backend>(&self, tx: &mut Tx<'_, DB>) -> Result<bool> {
        let removed = tx.execute(REMOVE, &[Value::Text(&self.name)]).await? == 1;
        if removed {
            append(tx, &self.audit).await?;
        }
        Ok(removed)
    }
}

#[async_trait]
impl<DB: Backend> Services for SqlStore<DB> {
    async fn services(&self) -> Result<Vec<Service>> {
        let mut all: Vec<_> = self.all(ALL, &[]).await?.iter().map(service).collect::<Result<_>>()?;
        // Sorted here, because engines and locales sort differently.
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }

    async fn service(&self, name: &str) -> Result<Option<Service>> {
        self.one(ONE, &[Value::Text(name)]).await?.as_ref().map(service).transpose()
    }

    async fn put_service(&self, service: &Service, audit: &AuditEntry) -> Result<Service> {
        self.write(PutService { service: service.clone(), audit: audit.clone() }).await
    }

    async fn remove_service(&self, name: &str, audit: &AuditEntry) -> Result<bool> {
        self.write(RemoveService { name: name.to_owned(), audit: audit.clone() }).await
    }
}

fn service<DB: Backend>(row: &Record<DB>) -> Result<Service> {
    let role = match row.opt_text("role")? {
        Some(_) => Some(row.enum_column("services", "role", Role::parse)?),
        None => None,
    };
    Ok(Service {
        name: row.text("name")?,
        jwk: row.text("jwk")?,
        kid: row.text("kid")?,
        role,
        created_at: row.time("created_at")?,
        changed_at: row.time("changed_at")?,
    })
}
