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
        if self == Self::Immich {
            settings.redirect_uris.push(format!("{base}/user-settings"));
            settings.redirect_uris.push("app.immich:///oauth-callback".to_owned());
        }
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
