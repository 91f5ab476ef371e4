//! `[second_factor]`: the accounts that need one.

use super::ConfigError;
use domain::authority::{Authority, Origin};
use domain::passkey;
use domain::profile::GroupName;
use domain::second_factor::{Policy, Requirement};
use serde::{Deserialize, Serialize};

pub(super) const NO_PASSKEYS: &str =
    "\"passkey\" needs a public_url with https and a host name: browsers offer no passkeys elsewhere";

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SecondFactorSettings {
    pub users: RequirementSetting,
    pub administrators: RequirementSetting,
    pub groups: Vec<GroupRequirement>,
}

/// The requirement of one group.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupRequirement {
    pub name: String,
    pub require: RequirementSetting,
}

/// [`Requirement`] as a setting.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RequirementSetting {
    #[default]
    Optional,
    Required,
    Passkey,
}

impl RequirementSetting {
    pub fn requirement(self) -> Requirement {
        match self {
            Self::Optional => Requirement::Optional,
            Self::Required => Requirement::Required,
            Self::Passkey => Requirement::Passkey,
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl SecondFactorSettings {
    /// Builds the policy.
    ///
    /// # Errors
    /// The name of a group is invalid or occurs twice; passkeys are required at a site where browsers offer none.
    pub(super) fn policy(&self, origin: &Origin) -> Result<Policy, ConfigError> {
        let mut groups: Vec<(GroupName, Requirement)> = Vec::with_capacity(self.groups.len());
        for group in &self.groups {
            let invalid = |problem: &str| {
                ConfigError::invalid("second_factor.groups.name", &format!("'{}': {problem}", group.name))
            };
            let name = GroupName::parse(&group.name).map_err(|problem| invalid(&problem.to_string()))?;
            if groups.iter().any(|(other, _)| other.key() == name.key()) {
                return Err(invalid("occurs twice"));
            }
            groups.push((name, group.require.requirement()));
        }
        let policy =
            Policy { users: self.users.requirement(), administrators: self.administrators.requirement(), groups };
        if policy.strictest() == Requirement::Passkey {
            passkeys_work("second_factor", origin)?;
        }
        Ok(policy)
    }
}

/// Checks that people can have passkeys here, because a requirement that nobody can meet locks everybody out.
pub(super) fn passkeys_work(setting: &str, origin: &Origin) -> Result<(), ConfigError> {
    if have_passkeys(&origin.to_string(), origin.https, &origin.authority) {
        return Ok(());
    }
    Err(ConfigError::invalid(setting, NO_PASSKEYS))
}

/// Whether browsers offer passkeys at this site.
pub(super) fn have_passkeys(origin: &str, https: bool, authority: &Authority) -> bool {
    passkey::relying_party(origin).is_some() && (https || authority.is_localhost())
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, ConfigError};
    use domain::account::Role;
    use domain::profile::GroupName;
    use domain::second_factor::Requirement;

    const CLIENT: &str = "[[clients]]\nid = 'app'\nredirect_uris = ['https://app.example/']\nsecond_factor = 'passkey'";

    fn with(text: &str) -> Result<Config, ConfigError> {
        Config::new(toml::from_str(text).expect("readable"))
    }

    #[test]
    fn requirements_are_read_by_role_and_group() {
        let text = "[second_factor]\nadministrators = 'required'\n[[second_factor.groups]]\nname = 'Staff'\n\
                    require = 'passkey'";
        let policy = with(text).expect("good").factor_policy;
        let staff = [GroupName::parse("staff").expect("a name")];
        assert_eq!(policy.of(Role::User, &[]), Requirement::Optional);
        assert_eq!(policy.of(Role::Administrator, &[]), Requirement::Required);
        assert_eq!(policy.of(Role::User, &staff), Requirement::Passkey);
    }

    #[test]
    fn a_requirement_that_nobody_can_meet_is_refused() {
        let passkey = "[second_factor]\nusers = 'passkey'";
        for (text, says) in [
            (format!("public_url = 'http://portal.lan'\nallow_insecure_http = true\n{passkey}"), "https"),
            (format!("public_url = 'https://192.0.2.1'\n{passkey}"), "a host name"),
            (format!("public_url = 'https://192.0.2.1'\n{CLIENT}"), "a host name"),
            (
                format!("public_url = 'http://portal.lan'\nallow_insecure_http = true\n{CLIENT}"),
                "clients.second_factor",
            ),
            (passkey.replace("passkey", "always"), "`optional`, `required`, `passkey`"),
            ("[[second_factor.groups]]\nname = 'a,b'\nrequire = 'required'".to_owned(), "'a,b'"),
            (
                ["a", "A"]
                    .map(|name| format!("[[second_factor.groups]]\nname = '{name}'\nrequire = 'required'\n"))
                    .concat(),
                "twice",
            ),
        ] {
            let error = toml::from_str(&text).map_err(|error: toml::de::Error| error.to_string());
            let error = error.and_then(|settings| Config::new(settings).map_err(|error| error.to_string()));
            let error = error.expect_err(&text);
            assert!(error.contains(says), "'{error}' does not say '{says}'");
        }
        assert!(with(passkey).is_ok(), "localhost is a secure context");
        assert!(with(CLIENT).is_ok());
    }
}
