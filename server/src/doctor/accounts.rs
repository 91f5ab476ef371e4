//! Checks of stored accounts, groups, passkeys and clients.

use super::{Finding, FindingLevel};
use crate::config::Config;
use crate::flows::oauth_clients;
use crate::oauth;
use domain::profile::GroupName;
use oidc::client::Pkce;
use store::oauth::StoredClient;
use store::users::{NamedAccount, OddNames};

/// Names the clients that may leave out PKCE, and stored ones that cannot be used.
pub(super) fn clients(config: &Config, stored: &[StoredClient]) -> Finding {
    const CHECK: &str = "clients";
    let unusable = oauth_clients::unusable(config, stored);
    if !unusable.is_empty() {
        let listed: Vec<_> = unusable.iter().map(|(id, problem)| format!("{id} ({problem})")).collect();
        return Finding::new(
            CHECK,
            FindingLevel::Problem,
            format!("These clients do not work: {}.", listed.join("; ")),
            "Correct each with postern client set, and in its app; or remove it with postern client remove, and add it \
             again.",
        );
    }
    let read: Vec<_> = stored.iter().filter_map(|row| oauth::clients::read(row).ok()).collect();
    let all = config.clients.iter().chain(&read);
    let lax: Vec<_> = all.filter(|client| client.settings.pkce == Pkce::Optional).map(oidc::Client::id).collect();
    if lax.is_empty() {
        return Finding::fine(CHECK, "Every client of the OpenID provider must use PKCE.");
    }
    Finding::new(
        CHECK,
        FindingLevel::Warning,
        format!("These clients may leave out PKCE, so a stolen code may be injected into them: {}.", lax.join(", ")),
        "Remove pkce = \"optional\" if a newer version of the app sends a code_challenge.",
    )
}

pub(super) fn groups(unknown: &[(String, GroupName)]) -> Finding {
    const CHECK: &str = "groups";
    if unknown.is_empty() {
        return Finding::fine(CHECK, "Every group in the rules of apps exists.");
    }
    let listed: Vec<_> = unknown.iter().map(|(app, group)| format!("{group} (app {app})")).collect();
    Finding::new(
        CHECK,
        FindingLevel::Warning,
        format!("Rules of apps name groups that do not exist: {}.", listed.join(", ")),
        "Add them with postern group add, or correct the rules.",
    )
}

pub(super) fn roles_as_groups(groups: &[GroupName]) -> Finding {
    const CHECK: &str = "group_names";
    let listed: Vec<_> = groups.iter().filter(|group| group.is_role()).map(ToString::to_string).collect();
    if listed.is_empty() {
        return Finding::fine(CHECK, "No group has the name of a role.");
    }
    Finding::new(
        CHECK,
        FindingLevel::Warning,
        format!(
            "These groups have the names of roles, so apps may take their members for administrators: {}.",
            listed.join(", ")
        ),
        "Rename each with postern group rename, and correct the rules that name it.",
    )
}

pub(super) fn names(odd: &OddNames, alike: &[Vec<NamedAccount>]) -> Finding {
    const CHECK: &str = "names";
    let account = |user: &NamedAccount| format!("{} ({})", user.name, user.id);
    if !odd.stray.is_empty() {
        let unreachable: Vec<_> = odd.stray.iter().map(account).collect();
        return Finding::new(
            CHECK,
            FindingLevel::Problem,
            format!(
                "These accounts cannot sign in, because another account has the same name: {}.",
                unreachable.join(", ")
            ),
            "Give each another name: postern user rename ID NAME.",
        );
    }
    let joined = |users: &Vec<NamedAccount>| users.iter().map(account).collect::<Vec<_>>().join(" and ");
    let alike: Vec<_> = alike.iter().map(joined).collect();
    let marked: Vec<_> = odd.marked.iter().map(account).collect();
    let says: Vec<_> =
        [("These names look alike", alike.join("; ")), ("Accents hide in these names", marked.join(", "))]
            .into_iter()
            .filter(|(_, names)| !names.is_empty())
            .map(|(problem, names)| format!("{problem}: {names}."))
            .collect();
    if says.is_empty() {
        return Finding::fine(CHECK, "No two names are equal or look alike.");
    }
    Finding::new(
        CHECK,
        FindingLevel::Warning,
        says.join(" "),
        "If one impersonates another account, disable it. Otherwise rename it: postern user rename ID NAME.",
    )
}

pub(super) fn passkeys(config: &Config, hosts: &[(String, u64)]) -> Finding {
    const CHECK: &str = "passkeys";
    let own = domain::passkey::relying_party(&config.origin);
    let count = |is_own: bool| -> u64 {
        hosts.iter().filter(|(host, _)| (Some(host.as_str()) == own) == is_own).map(|(_, count)| count).sum()
    };
    let orphans: Vec<_> = hosts
        .iter()
        .filter(|(host, _)| Some(host.as_str()) != own)
        .map(|(host, count)| format!("{count} for {host}"))
        .collect();
    if !orphans.is_empty() {
        return Finding::new(
            CHECK,
            FindingLevel::Problem,
            format!(
                "These passkeys do not work at {}, because they were made for another host: {}.",
                config.origin,
                orphans.join(", ")
            ),
            "Set public_url back to that host, or have the owners sign in with their passwords and add new passkeys.",
        );
    }
    match own {
        Some(host) => match count(true) {
            0 => Finding::fine(CHECK, "No passkey exists yet."),
            1 => Finding::fine(CHECK, format!("The only passkey was made for {host}.")),
            count => Finding::fine(CHECK, format!("All {count} passkeys were made for {host}.")),
        },
        None => Finding::new(
            CHECK,
            FindingLevel::Hint,
            "Passkeys do not work here, because public_url names an address.",
            "Give the site a host name with a certificate.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn healthchecks_980_passkeys_of_another_host_are_named() {
        let of = |url: &str, hosts: &[(&str, u64)]| {
            let config =
                Config::new(toml::from_str(&format!("public_url = '{url}'")).expect("readable")).expect("valid");
            let hosts: Vec<_> = hosts.iter().map(|(host, count)| ((*host).to_owned(), *count)).collect();
            passkeys(&config, &hosts)
        };
        assert_eq!(of("https://a.example", &[("a.example", 3)]).state, FindingLevel::Fine);
        assert_eq!(of("https://a.example:8443", &[("a.example", 3)]).state, FindingLevel::Fine);
        let moved = of("https://b.example", &[("a.example", 3), ("b.example", 1)]);
        assert_eq!(moved.state, FindingLevel::Problem);
        assert!(moved.says.contains("3 for a.example") && !moved.says.contains("for b.example"), "{}", moved.says);
        assert_eq!(of("https://192.0.2.1", &[]).state, FindingLevel::Hint);
    }
}
