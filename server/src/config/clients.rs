//! `[[clients]]`: clients of the OpenID provider.

use super::ConfigError;
use super::second_factor::NO_PASSKEYS;
use domain::authority::is_same_url;
use domain::second_factor::Requirement;
use oidc::client::{IdTokenAlg, secret_hash};
use oidc::{Client, ClientSettings, ClientSource};
use std::collections::BTreeSet;
use wire::oauth::TERMINAL_CLIENT;

/// Shortest secret in bytes: 128 random bits as text.
const SHORTEST_SECRET: usize = 22;

/// Validates the clients and reads the files with their secrets.
///
/// `signing`: the algorithm of `[keys]`. `reserved`: audiences that no client may name, such as this site's own. `passkeys`:
/// whether browsers offer passkeys at this site.
pub(super) fn clients(
    settings: &[ClientSettings],
    signing: &str,
    reserved: &[&str],
    passkeys: bool,
) -> Result<Vec<Client>, ConfigError> {
    let mut ids = BTreeSet::new();
    settings
        .iter()
        .map(|client| {
            let named = |setting: &str, problem: &str| {
                ConfigError::invalid(&format!("clients.{setting}"), &format!("{}: {problem}", client.id))
            };
            if !ids.insert(client.id.clone()) {
                return Err(named("id", "occurs twice"));
            }
            let checked = Client::new(client.clone(), &secrets(client)?, ClientSource::Settings);
            let checked = checked.map_err(|error| named(error.setting, &error.problem))?;
            // The site's own name is no matter here, because the operator wrote both.
            checked.check_name("").map_err(|error| named(error.setting, &error.problem))?;
            usable(&checked, signing, reserved, passkeys).map_err(|(setting, problem)| named(setting, &problem))?;
            Ok(checked)
        })
        .collect()
}

/// Checks the parts of a registration that depend on this site.
///
/// # Errors
/// The setting and the problem.
pub fn usable(client: &Client, signing: &str, reserved: &[&str], passkeys: bool) -> Result<(), (&'static str, String)> {
    if client.id() == TERMINAL_CLIENT {
        return Err(("id", "is the terminal program's own".to_owned()));
    }
    let alg = client.settings.id_token_alg;
    if alg != IdTokenAlg::Rs256 && alg.as_str() != signing {
        let problem = format!("must be RS256, or {signing} as in keys.signing_algorithm");
        return Err(("id_token_alg", problem));
    }
    if client.settings.second_factor == Requirement::Passkey && !passkeys {
        return Err(("second_factor", NO_PASSKEYS.to_owned()));
    }
    let taken = |resource: &&String| reserved.iter().any(|own| is_same_url(resource, own));
    match client.settings.resources.iter().find(taken) {
        Some(_) => Err(("resources", "one is this site itself".to_owned())),
        None => Ok(()),
    }
}

fn secrets(client: &ClientSettings) -> Result<Vec<String>, ConfigError> {
    let mut hashes: Vec<_> = client.secret_hash.iter().cloned().collect();
    if let Some(file) = &client.secret_file {
        // The file's name may be the secret, in the wrong setting.
        let invalid =
            |problem: String| ConfigError::invalid("clients.secret_file", &format!("{}: {problem}", client.id));
        let secret = std::fs::read_to_string(file).map_err(|error| invalid(error.to_string()))?;
        let secret = secret.trim();
        if secret.len() < SHORTEST_SECRET {
            return Err(invalid("a secret has at least 22 characters: openssl rand -base64 32".to_owned()));
        }
        hashes.push(secret_hash(secret));
    }
    Ok(hashes)
}
