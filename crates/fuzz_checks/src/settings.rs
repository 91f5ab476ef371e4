//! `postern.toml`: accepted settings can be printed by `postern config` and read back unchanged.

use crate::input;
use domain::authority::Authority;
use server::config::{Config, Origins, Settings, effective};

/// Checks `data`: a file of settings.
pub(crate) fn check(data: &[u8]) {
    let Some(text) = input::text(data) else { return };
    let Ok(settings) = toml::from_str::<Settings>(text) else { return };
    let Ok(config) = Config::new(settings) else { return };
    assert!(config.origin.starts_with("http://") || config.origin.starts_with("https://"));
    assert!(http::HeaderValue::try_from(&config.origin).is_ok(), "no header holds the origin");
    let uri: http::Uri = config.origin.parse().expect("a URL");
    let written = uri.authority().expect("an authority").as_str();
    assert_eq!(Authority::parse(written, config.https).ok().as_ref(), Some(&config.authority));

    let settings = &config.settings;
    let hides = settings.database_url.is_some() || toml::to_string(settings).is_ok_and(|text| text.contains("inject"));
    if !hides {
        let printed = effective(settings, &Origins::new());
        let again: Settings = toml::from_str(&printed).expect("what is printed is read");
        let text = |settings: &Settings| toml::to_string(settings).expect("settings can be written");
        assert_eq!(text(&again), text(settings));
    }
}
