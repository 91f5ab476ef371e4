//! Administrators: whether one exists, those without a second factor, and requirements that apply to nobody.

use super::finding::{Finding, FindingLevel};
use domain::profile::GroupName;
use domain::second_factor::Policy;

/// Reports that nobody can administrate, for example after an import of accounts only. `None`: somebody can.
pub(super) fn administrators(has_users: bool, enabled: usize) -> Option<Finding> {
    const CHECK: &str = "administrators";
    if !has_users {
        return Some(Finding::fine(CHECK, "No account exists yet: 'postern setup' prints the link for the first one."));
    }
    (enabled == 0).then(|| {
        let says = "No enabled administrator exists, so nobody can administrate in the browser.";
        Finding::new(
            CHECK,
            FindingLevel::Problem,
            says,
            "Give an enabled account the role: postern user role NAME administrator.",
        )
    })
}

/// Names the administrators whose password alone signs in.
pub fn second_factors(without: &[String]) -> Finding {
    const CHECK: &str = "second_factors";
    if without.is_empty() {
        return Finding::fine(CHECK, "Every administrator signs in with a second factor.");
    }
    let says = format!("These administrators sign in without a second factor: {}.", without.join(", "));
    Finding::new(
        CHECK,
        FindingLevel::Hint,
        says,
        "They can set up one-time codes on their account page, or add a passkey and choose to be asked for it after the \
         password.",
    )
}

/// Names the groups of requirements that do not exist. A group that was renamed requires nothing any more.
pub(super) fn required_groups(policy: &Policy, known: &[GroupName]) -> Finding {
    const CHECK: &str = "second_factor_groups";
    let exists = |name: &GroupName| known.iter().any(|known| known.key() == name.key());
    let missing: Vec<_> =
        policy.groups.iter().filter(|(name, _)| !exists(name)).map(|(name, _)| name.to_string()).collect();
    if missing.is_empty() {
        return Finding::fine(CHECK, "Every group that requires a second factor exists.");
    }
    Finding::new(
        CHECK,
        FindingLevel::Warning,
        format!(
            "[second_factor] names groups that do not exist, so these requirements have no effect: {}.",
            missing.join(", ")
        ),
        "Add them with postern group add, or correct the names in the settings.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::second_factor::Requirement;

    #[test]
    fn a_group_that_was_renamed_is_named() {
        let name = |text| GroupName::parse(text).expect("a name");
        let policy = Policy { groups: vec![(name("Staff"), Requirement::Passkey)], ..Policy::default() };
        assert_eq!(required_groups(&policy, &[name("staff")]).state, FindingLevel::Fine);
        let finding = required_groups(&policy, &[name("crew")]);
        assert!(finding.state == FindingLevel::Warning && finding.says.contains("Staff"), "{}", finding.says);
    }
}
