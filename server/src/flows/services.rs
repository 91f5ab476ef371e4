//! Registration of services.

use super::actor::Actor;
use crate::keyring::thumbprint;
use domain::account::Role;
use domain::service::{InvalidServiceName, name};
use serde_json::Value;
use store::Store;
use store::audit::AuditEvent;
use wire::jwk::EcJwk;
use wire::services::Service;

/// The reason why a service was not registered.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    #[error(transparent)]
    Name(#[from] InvalidServiceName),
    #[error("this is a private key (it has a \"d\"), which belongs to the service alone: send its public half")]
    Private,
    #[error("the key is not a public P-256 key in JWK form: {{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":...,\"y\":...}}")]
    Key,
    #[error("a role is user or administrator")]
    Role,
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Returns all services by name.
///
/// # Errors
/// A row is invalid, or the store fails.
pub async fn list(store: &dyn Store) -> Result<Vec<Service>, ServiceError> {
    store.services().await?.into_iter().map(shown).collect()
}

/// Adds a service, or replaces the key and role of an existing one.
///
/// # Errors
/// Names the invalid input.
pub async fn set(actor: &Actor<'_>, named: &str, jwk: &Value, role: Option<&str>) -> Result<Service, ServiceError> {
    let (named, key) = (name(named)?, public_key(jwk)?);
    let service = store::services::Service {
        name: named.to_owned(),
        jwk: key.thumbprint_input(),
        kid: thumbprint(&key).to_string(),
        role: role.map(|role| Role::parse(role).ok_or(ServiceError::Role)).transpose()?,
        created_at: actor.now,
        changed_at: actor.now,
    };
    shown(actor.store.put_service(&service, &actor.entry(AuditEvent::ServiceSet, named)).await?)
}

/// Removes a service. `false`: no service has this name.
///
/// # Errors
/// The store fails.
pub async fn remove(actor: &Actor<'_>, named: &str) -> store::Result<bool> {
    actor.store.remove_service(named, &actor.entry(AuditEvent::ServiceRemoved, named)).await
}

/// Checks that the key is a point of the curve and has no private half.
fn public_key(jwk: &Value) -> Result<EcJwk, ServiceError> {
    if jwk.get("d").is_some() {
        return Err(ServiceError::Private);
    }
    let key: EcJwk = serde_json::from_value(jwk.clone()).map_err(|_| ServiceError::Key)?;
    jwe::check_public(&key).map_err(|_| ServiceError::Key)?;
    Ok(key)
}

fn shown(service: store::services::Service) -> Result<Service, ServiceError> {
    Ok(Service {
        name: service.name,
        key: serde_json::from_str(&service.jwk).map_err(|_| ServiceError::Key)?,
        kid: service.kid,
        role: service.role.map(|role| role.as_str().to_owned()),
        created_at: service.created_at.as_millis(),
        changed_at: service.changed_at.as_millis(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Returns the base point of P-256.
    fn base() -> Value {
        let x = "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY";
        let y = "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU";
        json!({"kty": "EC", "crv": "P-256", "x": x, "y": y})
    }

    #[test]
    fn a_key_is_public_and_on_the_curve() {
        let mut with_more = base();
        with_more["kid"] = "mine".into();
        with_more["use"] = "enc".into();
        assert_eq!(public_key(&with_more).expect("a key").crv, "P-256");
        for (member, value) in [
            ("kty", json!("OKP")),
            ("crv", json!("P-384")),
            ("crv", json!(null)),
            ("x", json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")),
            ("y", base()["x"].clone()),
            ("y", json!("T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_Uf")),
            ("x", json!(7)),
        ] {
            let mut wrong = base();
            wrong[member] = value;
            assert!(matches!(public_key(&wrong), Err(ServiceError::Key)), "{wrong}");
        }
        for wrong in [json!(null), json!([]), json!("key"), json!({"keys": [base()]})] {
            assert!(matches!(public_key(&wrong), Err(ServiceError::Key)), "{wrong}");
        }
        for private in [json!("AAAA"), json!(null)] {
            let mut wrong = base();
            wrong["d"] = private;
            assert!(matches!(public_key(&wrong), Err(ServiceError::Private)));
        }
    }
}
