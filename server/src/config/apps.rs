//! `[[apps]]`: the apps behind this site and their rules.

use super::ConfigError;
use super::second_factor::RequirementSetting;
use domain::app::{Allow, AppRule, AppRules, Authorization, OneOf};
use domain::authority::{Authority, Origin};
use domain::profile::GroupName;
use domain::service;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppSettings {
    pub name: String,
    pub origin: String,
    #[serde(default)]
    pub rules: Vec<AppRuleSettings>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppRuleSettings {
    pub path: String,
    /// Methods that the rule applies to; empty: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    pub allow: AllowSetting,
    /// The required role, with `allow = "role"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// With `allow = "group"`: groups of which the account must be in one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// The sign-in that is required of a signed-in person.
    #[serde(default, skip_serializing_if = "RequirementSetting::is_default")]
    pub second_factor: RequirementSetting,
    #[serde(default, skip_serializing_if = "AuthorizationSetting::is_default")]
    pub authorization: AuthorizationSetting,
}

/// The source of the app's `Authorization` header.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuthorizationSetting {
    /// A token that Postern makes for a signed-in person.
    #[default]
    Postern,
    /// The client's own header.
    App,
}

impl AuthorizationSetting {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AllowSetting {
    Public,
    SignedIn,
    Role,
    Group,
}

/// A validated app.
#[derive(Debug, Clone)]
pub struct App {
    pub name: String,
    /// `scheme://host[:port]`, as a browser sends it.
    pub origin: String,
    pub authority: Authority,
    pub https: bool,
    pub rules: AppRules,
    /// The names of the groups in its rules.
    pub groups: Vec<GroupName>,
}

/// All apps. They are few, and every request to one of them searches the list.
#[derive(Debug, Clone, Default)]
pub struct Apps(Vec<App>);

impl Apps {
    /// Validates the apps. `own_host`: this site's own host.
    pub(super) fn new(settings: &[AppSettings], own_host: &str, insecure: bool) -> Result<Self, ConfigError> {
        let mut hosts = BTreeSet::from([own_host.to_owned()]);
        let mut names = BTreeSet::new();
        let apps = settings.iter().map(|app| {
            let checked = app.check(insecure)?;
            // Cookies ignore ports (RFC 6265, section 8.5).
            if !hosts.insert(checked.authority.host().to_owned()) {
                let problem = format!("{}: each app has a host of its own, and none is this site's", app.name);
                return Err(ConfigError::invalid("apps.origin", &problem));
            }
            if !names.insert(app.name.clone()) {
                return Err(ConfigError::invalid("apps.name", &format!("'{}' occurs twice", app.name)));
            }
            Ok(checked)
        });
        apps.collect::<Result<_, _>>().map(Self)
    }

    /// Returns the app at `host[:port]`, as a client or proxy may write it.
    pub fn at(&self, authority: &str) -> Option<&App> {
        let [plain, secure] = [false, true].map(|https| Authority::parse(authority, https).ok());
        self.0.iter().find(|app| Some(&app.authority) == if app.https { secure.as_ref() } else { plain.as_ref() })
    }

    /// Returns the app with this origin.
    pub fn of_origin(&self, origin: &str) -> Option<&App> {
        let origin = Origin::parse(origin).ok()?;
        self.0.iter().find(|app| app.https == origin.https && app.authority == origin.authority)
    }

    pub fn iter(&self) -> impl Iterator<Item = &App> {
        self.0.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl AppSettings {
    fn check(&self, insecure: bool) -> Result<App, ConfigError> {
        let named = |setting: &str, problem: &str| {
            ConfigError::invalid(&format!("apps.{setting}"), &format!("{}: {problem}", self.name))
        };
        if service::name(&self.name).is_err() {
            return Err(named("name", "1 to 32 lower-case letters, digits and -"));
        }
        let origin = Origin::parse(&self.origin).map_err(|problem| named("origin", &problem.to_string()))?;
        if !origin.https && !origin.authority.is_localhost() && !insecure {
            return Err(named(
                "origin",
                "plain http is allowed for localhost only: others on the network could take over its sessions",
            ));
        }
        let rules = self.rules.iter().map(|rule| rule.check().map_err(|problem| named("rules", &problem)));
        let rules = AppRules::new(rules.collect::<Result<_, _>>()?);
        let groups = self.rules.iter().flat_map(|rule| &rule.groups).filter_map(|name| GroupName::parse(name).ok());
        Ok(App {
            name: self.name.clone(),
            origin: origin.to_string(),
            authority: origin.authority,
            https: origin.https,
            rules,
            groups: groups.collect(),
        })
    }
}

impl AppRuleSettings {
    fn check(&self) -> Result<AppRule, String> {
        let allow = match (self.allow, self.role.as_deref()) {
            (AllowSetting::Public, None) => Allow::Public,
            (AllowSetting::SignedIn | AllowSetting::Group, None) | (AllowSetting::Role, Some("user")) => {
                Allow::SignedIn
            }
            (AllowSetting::Role, Some("administrator")) => Allow::Administrator,
            (AllowSetting::Role, _) => {
                return Err("allow = \"role\" needs role = \"user\" or \"administrator\"".to_owned());
            }
            (_, Some(_)) => return Err("a role goes with allow = \"role\" alone".to_owned()),
        };
        let rule = AppRule::new(&self.path, self.methods.clone(), allow);
        let mut rule = rule.map_err(|problem| format!("'{}': {problem}", self.path))?;
        match (self.allow, &*self.groups) {
            (AllowSetting::Group, []) => return Err("allow = \"group\" needs groups = [\"...\"]".to_owned()),
            (AllowSetting::Group, names) => {
                let parse = |name: &String| GroupName::parse(name).map_err(|problem| format!("'{name}': {problem}"));
                let names = names.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
                rule = rule.within(OneOf::new(&names));
            }
            (_, []) => {}
            (_, _) => return Err("groups go with allow = \"group\" alone".to_owned()),
        }
        if allow == Allow::Public && !self.second_factor.is_default() {
            return Err("a second_factor goes with people who sign in, and not with allow = \"public\"".to_owned());
        }
        Ok(rule.requiring(self.second_factor.requirement()).with(match self.authorization {
            AuthorizationSetting::Postern => Authorization::Postern,
            AuthorizationSetting::App => Authorization::App,
        }))
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, ConfigError};

    const BEHIND: &str = "public_url = 'https://auth.example'\ntrusted_proxies = ['127.0.0.1']\n";

    fn with(text: &str) -> Result<Config, ConfigError> {
        Config::new(toml::from_str(&format!("{BEHIND}{text}")).expect("readable"))
    }

    #[test]
    fn apps_are_found_by_host_and_origin() {
        let config = with(
            "[[apps]]\nname = 'wiki'\norigin = 'https://Wiki.example:443/'\n[[apps.rules]]\npath = '/a/*'\n\
             methods = ['GET']\nallow = 'public'\n[[apps]]\nname = 'shop'\norigin = 'https://other.test:8443'",
        )
        .expect("good");
        for spelling in ["WIKI.example", "wiki.example:443", "wiki.example.", "wiki.example.:443"] {
            assert_eq!(config.apps.at(spelling).map(|app| app.name.as_str()), Some("wiki"), "{spelling}");
        }
        for (origin, name) in [
            ("https://other.test:8443", Some("shop")),
            ("HTTPS://Other.test.:8443/", Some("shop")),
            ("http://other.test:8443", None),
            ("https://other.test", None),
            ("https://other.test:8443/path", None),
        ] {
            assert_eq!(config.apps.of_origin(origin).map(|app| app.name.as_str()), name, "{origin}");
        }
        for stranger in ["other.test", "wiki.example:8443", "evil.wiki.example", "auth.example", ""] {
            assert!(config.apps.at(stranger).is_none(), "{stranger}");
        }
    }

    #[test]
    fn invalid_settings_are_named() {
        let app = |more: &str| format!("[[apps]]\nname = 'wiki'\norigin = 'https://wiki.example'\n{more}");
        let rule = |more: &str| app(&format!("[[apps.rules]]\n{more}"));
        for (text, says) in [
            (app("[[apps]]\nname = 'wiki'\norigin = 'https://b.example'"), "twice"),
            (app("[[apps]]\nname = 'b'\norigin = 'https://wiki.example:8443'"), "a host of its own"),
            ("[[apps]]\nname = 'a'\norigin = 'https://auth.example:8443'".to_owned(), "a host of its own"),
            ("[[apps]]\nname = 'a'\norigin = 'https://b\u{fc}cher.example'".to_owned(), "punycode"),
            ("[[apps]]\nname = 'A'\norigin = 'https://a.example'".to_owned(), "lower-case"),
            ("[[apps]]\nname = 'a'\norigin = 'https://a.example/path'".to_owned(), "https://host"),
            ("[[apps]]\nname = 'a'\norigin = 'http://a.example'".to_owned(), "localhost"),
            (rule("path = 'a'\nallow = 'public'"), "begins with /"),
            (rule("path = '/a'\nmethods = ['get']\nallow = 'public'"), "capital"),
            (rule("path = '/a'\nallow = 'role'"), "needs role"),
            (rule("path = '/a'\nallow = 'role'\nrole = 'king'"), "needs role"),
            (rule("path = '/a'\nallow = 'public'\nrole = 'user'"), "alone"),
            (rule("path = '/a'\nallow = 'group'"), "needs groups"),
            (rule("path = '/a'\nallow = 'group'\ngroups = ['a,b']"), "'a,b'"),
            (rule("path = '/a'\nallow = 'group'\ngroups = ['a']\nrole = 'user'"), "alone"),
            (rule("path = '/a'\nallow = 'signed-in'\ngroups = ['a']"), "alone"),
            (rule("path = '/a'\nallow = 'public'\nsecond_factor = 'required'"), "who sign in"),
        ] {
            let error = with(&text).expect_err(&text).to_string();
            assert!(error.contains(says) && error.contains("apps."), "'{error}' does not say '{says}'");
        }
    }

    #[test]
    fn somebody_must_be_trusted_to_tell_what_is_asked_for() {
        let app = "[[apps]]\nname = 'wiki'\norigin = 'https://wiki.example'";
        let config = |text: &str| Config::new(toml::from_str(text).expect("readable"));
        let alone = config(&format!("public_url = 'https://auth.example'\n{app}")).expect_err("nobody").to_string();
        assert!(alone.contains("trusted_proxies"), "{alone}");
        let unseen = with(&format!("client_address = 'proxy-protocol'\n{app}")).expect_err("unseen").to_string();
        assert!(unseen.contains("client_address"), "{unseen}");
    }
}
