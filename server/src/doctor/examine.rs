use super::{Finding, data, gate, keys, machine, settings};
use crate::backup;
use crate::config::Config;
use domain::UnixMs;
use std::time::Instant;
use wire::server_keys::ServerKey;

/// Runs every check in the order of the output. Changes nothing and creates no database.
pub async fn examine(config: &Config, now: UnixMs) -> Vec<Finding> {
    let began = Instant::now();
    let mut findings = vec![
        settings::proxies(config),
        settings::cookies(config),
        settings::password_strength(&config.settings),
        machine::password_time(&config.settings),
        machine::key_file(config),
        machine::key_place(config),
        machine::disk(config),
        machine::open_files(config),
    ];
    findings.extend(machine::tls_key(config));
    findings.extend(machine::certificate(config, now));
    findings.extend(machine::left_files(config));
    findings.extend(settings::mailer(config));
    findings.extend(gate::findings(config).await);
    if config.has_no_database_file() {
        findings.push(machine::no_database(config));
        return findings;
    }
    if let Err(truncated) = backup::check_truncated(config) {
        findings.push(machine::truncated_database(&truncated));
        return findings;
    }
    match store::schema_state(&config.database_url()).await {
        Ok(schema) => {
            findings.push(data::schema(&schema));
            // Opening the store would run the migrations.
            if schema != store::SchemaState::default() {
                return findings;
            }
        }
        Err(error) => {
            findings.push(data::does_not_answer(&error));
            return findings;
        }
    }
    match store::open(&config.database_url(), store::StoreOptions::default()).await {
        Ok(store) => {
            // The checks before may have taken seconds, and clocks are compared.
            let now = now + i64::try_from(began.elapsed().as_millis()).unwrap_or(0);
            findings.extend(data::findings(config, &*store, now).await);
            store.close().await;
        }
        Err(error) => findings.push(data::does_not_answer(&error)),
    }
    findings
}

/// Returns the checks that need almost no time, for a page that is opened often. `keys`: the server's keys.
pub fn quick_checks(config: &Config, keys: &[ServerKey], now: UnixMs) -> Vec<Finding> {
    let mut findings = vec![
        settings::proxies(config),
        settings::cookies(config),
        settings::password_strength(&config.settings),
        machine::key_file(config),
        machine::key_place(config),
        machine::disk(config),
        machine::open_files(config),
        data::last_backup(config, now),
    ];
    findings.extend(machine::tls_key(config));
    findings.extend(machine::certificate(config, now));
    findings.extend(keys::ages(config, keys, now));
    findings
}
