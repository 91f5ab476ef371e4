//! Second factors: administrators without one, and requirements that apply to nobody.

use super::finding::{Finding, FindingLevel};
use domain::profile::GroupName;
use domain::second_factor::Policy;

/// Names the administrators whose password alone signs in.
pub fn second_factors(without: &[String]) -> Finding {
    const CHECK: &str = "second_factors";
    if without.is_empty() {
        return Finding::fine(CHECK, "Every administrator has a second factor.");
    }
    let says = format!("These administrators have no second factor: {}.", without.join(", "));
    Finding::new(
        CHECK,
        FindingLevel::Hint,
        says,
        "They can set up one-time codes or add a passkey on their account page.",
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
