//! The state of the whole site, for the overview of administrators.

use super::ApiError;
use crate::state::{AppState, CoreState};
use crate::{backup, doctor, flows};
use app::view::{Backup, SiteFinding, SiteState};
use domain::UnixMs;
use store::refusals::HOUR_MS;
use wire::paths;
use wire::server_keys::{ServerKeyKind, ServerKeyState};

const HOURS: usize = 24;

/// Gathers counts of one day, and checks that only read settings and files.
///
/// # Errors
/// The store does not answer.
pub(super) async fn load(state: &AppState) -> Result<SiteState, ApiError> {
    let (store, config, now) = (&*state.store, &state.config, state.now());
    let since = now - now.as_millis().rem_euclid(HOUR_MS) - HOUR_MS * 23;
    let keys = flows::server_keys::list(store, config, now).await?;
    let in_use = |kind| {
        keys.iter().find(|key| key.kind == kind && key.state == ServerKeyState::Current).map(|key| key.used_from)
    };
    let refused = store.refused(since).await?;
    let mut checks = doctor::quick_checks(config, &keys, now);
    checks.extend(doctor::mail(config, store.mail_counts().await?));
    let gates = flows::toll::announced(store, now).await?;
    checks.extend(doctor::reported(&config.settings.toll, &gates.gates, &gates.routes));
    checks.push(doctor::second_factors(&flows::factors::administrators_without(store, config).await?));
    Ok(SiteState {
        sign_ins: by_hour(&store.sign_ins(since).await?, since),
        refusals: by_hour(&refused.iter().map(|row| (row.hour, row.count)).collect::<Vec<_>>(), since),
        bans: state.defence.bans.in_force(now),
        accounts: state.accounts.count(store, now).await?,
        backup: last_backup(state),
        signing_key: in_use(ServerKeyKind::Signing),
        envelope_key: in_use(ServerKeyKind::Envelope),
        mac_key: in_use(ServerKeyKind::Mac),
        id_token_key: in_use(ServerKeyKind::IdToken),
        version: env!("CARGO_PKG_VERSION"),
        findings: findings(checks),
    })
}

fn by_hour(counts: &[(UnixMs, u64)], since: UnixMs) -> Vec<u64> {
    let mut hours = vec![0; HOURS];
    for (hour, count) in counts {
        let place = usize::try_from((*hour - since) / HOUR_MS).ok();
        if let Some(sum) = place.and_then(|place| hours.get_mut(place)) {
            *sum += count;
        }
    }
    hours
}

fn last_backup(state: &CoreState) -> Backup {
    match (state.config.sqlite_file(), backup::last(&state.config)) {
        (None, _) => Backup::Elsewhere,
        (Some(_), None) => Backup::Never,
        (Some(_), Some(at)) => Backup::At(at.as_millis()),
    }
}

/// Returns the findings that are not fine, worst first.
fn findings(mut findings: Vec<doctor::Finding>) -> Vec<SiteFinding> {
    findings.retain(|finding| finding.state != doctor::FindingLevel::Fine);
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.state));
    let shown = |finding: doctor::Finding| SiteFinding {
        urgent: finding.state >= doctor::FindingLevel::Warning,
        link: page_of(finding.check),
        says: finding.says,
        advice: finding.advice.unwrap_or_default(),
    };
    findings.into_iter().map(shown).collect()
}

/// Returns the page where an administrator acts on a finding, or the manual's page about it.
fn page_of(check: &str) -> String {
    let manual = |page: &str| [paths::HELP_PAGE, "/", page].concat();
    match check {
        "toll_gate" | "toll_node" | "toll_upstream" => paths::TOLL_PAGE.to_owned(),
        "signing_key" | "mac_key" => paths::SERVER_KEYS_PAGE.to_owned(),
        "second_factors" => paths::USERS_PAGE.to_owned(),
        "backup" => manual("guides/backups"),
        "trusted_proxies" | "open_files" => manual("guides/nginx"),
        "password_strength" | "cookies" => manual("reference/settings"),
        _ => manual("running"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{Finding, FindingLevel};

    #[test]
    fn counts_have_their_hour_and_others_are_left_out() {
        let hours = by_hour(
            &[
                (UnixMs::EPOCH, 2),
                (UnixMs::from_millis(23 * HOUR_MS), 3),
                (UnixMs::from_millis(23 * HOUR_MS), 4),
                (UnixMs::from_millis(24 * HOUR_MS), 9),
            ],
            UnixMs::EPOCH,
        );
        assert_eq!((hours.len(), hours[0], hours[23], hours.iter().sum::<u64>()), (24, 2, 7, 9));
    }

    #[test]
    fn the_worst_comes_first_and_what_is_fine_not_at_all() {
        let all = vec![
            Finding::fine("a", "a"),
            Finding::new("b", FindingLevel::Hint, "b", "do b"),
            Finding::new("c", FindingLevel::Problem, "c", "do c"),
        ];
        let shown: Vec<_> = findings(all).into_iter().map(|finding| (finding.says, finding.urgent)).collect();
        assert_eq!(shown, [("c".to_owned(), true), ("b".to_owned(), false)]);
    }
}
