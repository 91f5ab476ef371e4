//! The way to an engine: whether a connection keeps its session, and how long an answer may take.

use crate::{Error, Result};
use sqlx::postgres::PgConnectOptions;
use std::time::Duration;

/// The parameter of the URL that names a pooler.
const POOLER: &str = "pooler=";

/// The way to an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Access {
    /// Whether a pooler gives each transaction another session (`pool_mode = transaction` of `PgBouncer`). Then nothing
    /// that belongs to a session may outlive a transaction: prepared statements, settings, advisory locks.
    pub(super) is_pooled: bool,
    /// Timeout of a statement. A server that vanishes from the network never answers, and sqlx cannot set the
    /// timeouts of TCP.
    pub(super) timeout: Option<Duration>,
}

impl Access {
    /// A file of this machine, which does not vanish.
    pub(super) const FILE: Self = Self { is_pooled: false, timeout: None };

    /// Waits for the answer to one statement.
    ///
    /// # Errors
    /// [`Error::NoAnswer`]: the outcome is unknown.
    pub(super) async fn in_time<T>(
        self,
        answer: impl Future<Output = std::result::Result<T, sqlx::Error>>,
    ) -> Result<T> {
        let Some(timeout) = self.timeout else { return Ok(answer.await?) };
        Ok(tokio::time::timeout(timeout, answer).await.map_err(|_| Error::NoAnswer)??)
    }
}

/// Reads `postgres://...`, and whether it leads to a pooler: `?pooler=transaction`.
///
/// # Errors
/// The URL is invalid, or names another pooler.
pub(crate) fn server(url: &str) -> Result<(PgConnectOptions, bool)> {
    let (address, parameters) = url.split_once('?').unwrap_or((url, ""));
    let (own, others): (Vec<_>, Vec<_>) = parameters.split('&').partition(|parameter| parameter.starts_with(POOLER));
    let is_pooled = match own.as_slice() {
        [] => false,
        ["pooler=transaction"] => true,
        _ => {
            let problem = "the only pooler that database_url can name is pooler=transaction";
            return Err(sqlx::Error::Configuration(problem.into()).into());
        }
    };
    let connect: PgConnectOptions = format!("{address}?{}", others.join("&")).parse()?;
    // PgBouncer refuses the parameter at the start of a connection. It is only for floating-point numbers.
    let connect = connect.extra_float_digits(None);
    // A statement that is not cached is prepared for one execution.
    Ok((if is_pooled { connect.statement_cache_capacity(0) } else { connect }, is_pooled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_its_pooler_and_keeps_its_other_parameters() {
        let (direct, is_pooled) = server("postgres://a:b@db.example:6432/postern?application_name=p").expect("valid");
        assert!(!is_pooled);
        assert_eq!(direct.get_application_name(), Some("p"));
        for url in [
            "postgres://a:b@db.example:6432/postern?pooler=transaction",
            "postgres://a:b@db.example:6432/postern?application_name=p&pooler=transaction&sslmode=require",
        ] {
            let (connect, is_pooled) = server(url).expect("valid");
            assert!(is_pooled, "{url}");
            assert_eq!((connect.get_host(), connect.get_port()), ("db.example", 6432));
            assert_eq!(connect.get_database(), Some("postern"));
        }
        for bad in ["session", "", "transaction&pooler=transaction", "statement"] {
            assert!(server(&format!("postgres://db.example/postern?pooler={bad}")).is_err(), "{bad}");
        }
    }
}
