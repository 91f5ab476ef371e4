//! Settings that well-known apps need.

use crate::client::{ClientSettings, InvalidClient, Pkce};

/// An app that is known. Its redirect URIs are derived from the address of the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    Nextcloud,
    Grafana,
    Forgejo,
    Immich,
    Jellyfin,
    Paperless,
}

impl Preset {
    pub const ALL: [Self; 6] =
        [Self::Nextcloud, Self::Grafana, Self::Forgejo, Self::Immich, Self::Jellyfin, Self::Paperless];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nextcloud => "nextcloud",
            Self::Grafana => "grafana",
            Self::Forgejo => "forgejo",
            Self::Immich => "immich",
            Self::Jellyfin => "jellyfin",
            Self::Paperless => "paperless",
        }
    }

    /// Returns the name of the app for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nextcloud => "Nextcloud",
            Self::Grafana => "Grafana",
            Self::Forgejo => "Forgejo",
            Self::Immich => "Immich",
            Self::Jellyfin => "Jellyfin",
            Self::Paperless => "Paperless",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.as_str() == text)
    }

    /// Returns the path of the redirect URI and that of the back-channel logout, if the app has one.
    fn paths(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Nextcloud => ("/apps/user_oidc/code", Some("/apps/user_oidc/backchannel-logout/postern")),
            Self::Grafana => ("/login/generic_oauth", None),
            Self::Forgejo => ("/user/oauth2/postern/callback", None),
            Self::Immich => ("/auth/login", None),
            Self::Jellyfin => ("/sso/OID/redirect/postern", None),
            Self::Paperless => ("/accounts/oidc/postern/login/callback/", None),
        }
    }

    /// Returns further redirect URIs of the app, some of them below its address.
    fn more_uris(self, base: &str) -> Vec<String> {
        match self {
            Self::Immich => vec![format!("{base}/user-settings"), "app.immich:///oauth-callback".to_owned()],
            // The plug-in uses it until a person has linked an account.
            Self::Jellyfin => vec![format!("{base}/sso/OID/r/postern")],
            Self::Nextcloud | Self::Grafana | Self::Forgejo | Self::Paperless => Vec::new(),
        }
    }

    /// Returns the known app that has these redirect URIs. One path alone may be that of another app.
    pub fn of(redirect_uris: &[String]) -> Option<Self> {
        let has = |preset: &Self, uri: &String| {
            let base = uri.strip_suffix(preset.paths().0);
            base.is_some_and(|base| preset.more_uris(base).iter().all(|more| redirect_uris.contains(more)))
        };
        Self::ALL.into_iter().find(|preset| redirect_uris.iter().any(|uri| has(preset, uri)))
    }

    /// Returns the settings of the app that differ from its defaults, by their names there. The redirect URIs depend on
    /// the name `postern`.
    pub fn app_settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Nextcloud => &[
                ("Name of the provider in user_oidc", "postern"),
                ("PKCE", "occ config:system:set user_oidc use_pkce --value=true --type=boolean"),
                ("Scope", "openid profile email groups"),
            ],
            Self::Grafana => &[
                ("Section of grafana.ini", "[auth.generic_oauth]"),
                ("PKCE", "use_pkce = true"),
                ("Scopes", "scopes = openid profile email groups"),
                ("User name", "login_attribute_path = preferred_username"),
            ],
            Self::Forgejo => &[
                ("Name of the authentication source", "postern"),
                ("OAuth2 provider", "OpenID Connect"),
                ("Additional scopes", "profile email groups"),
                ("PKCE", "not available in some versions, so it is optional for this client"),
            ],
            Self::Immich => &[
                ("Scope", "openid email profile"),
                ("Signing algorithm", "RS256"),
                ("PKCE", "always used, nothing to set"),
            ],
            Self::Jellyfin => &[
                ("Name of the provider in the plug-in", "postern"),
                ("Scheme override", "https, if Jellyfin is behind a proxy"),
                ("Request additional scopes", "groups"),
                ("Role claim", "groups"),
                ("PKCE", "not available in some versions, so it is optional for this client"),
            ],
            Self::Paperless => &[
                ("PAPERLESS_APPS", "allauth.socialaccount.providers.openid_connect"),
                ("provider_id in PAPERLESS_SOCIALACCOUNT_PROVIDERS", "postern"),
                ("PKCE, beside APPS", "\"OAUTH_PKCE_ENABLED\": true"),
                ("settings.server_url", "the issuer"),
            ],
        }
    }

    /// Adds what the app needs.
    ///
    /// # Errors
    /// `url` is missing.
    pub fn apply(self, settings: &mut ClientSettings) -> Result<(), InvalidClient> {
        let Some(url) = &settings.url else {
            return Err(InvalidClient { setting: "url", problem: "a preset needs the address of the app".to_owned() });
        };
        let base = url.trim_end_matches('/').to_owned();
        let (callback, logout) = self.paths();
        settings.redirect_uris.push(format!("{base}{callback}"));
        settings.redirect_uris.extend(self.more_uris(&base));
        settings.post_logout_redirect_uris.push(format!("{base}/"));
        if settings.backchannel_logout_uri.is_none() {
            settings.backchannel_logout_uri = logout.map(|path| format!("{base}{path}"));
        }
        // These plug-ins send no code_challenge in some of their versions.
        if matches!(self, Self::Jellyfin | Self::Forgejo) {
            settings.pkce = Pkce::Optional;
        }
        Ok(())
    }
}
