//! The browser's files. The program embeds them and passes them in. The library is compiled without them, because they
//! are built from it.

use app::view::{Assets, Bundle};
use serde::Deserialize;
use std::borrow::Cow;
use std::fmt;

/// Finds a file by its path below the site, without a leading slash.
#[derive(Clone, Copy)]
pub struct SiteFiles(pub fn(&str) -> Option<Cow<'static, [u8]>>);

impl SiteFiles {
    /// No files, for clients that use only the API.
    pub const NONE: Self = Self(|_| None);

    pub fn get(&self, path: &str) -> Option<Cow<'static, [u8]>> {
        self.0(path)
    }

    /// Returns the files' locations. Without a manifest (a build by `cargo leptos`) there is one bundle with a fixed
    /// name.
    pub fn assets(&self) -> Assets {
        let manifest = self.get("manifest.json").and_then(|file| serde_json::from_slice::<Manifest>(&file).ok());
        match manifest {
            Some(manifest) => Assets {
                css: manifest.css,
                dashboard_css: Some(manifest.dashboard_css),
                login: manifest.login.into(),
                dashboard: manifest.dashboard.into(),
                private: manifest.private.into(),
            },
            None => {
                let bundle = Bundle { js: "/pkg/postern.js".to_owned(), wasm: "/pkg/postern.wasm".to_owned() };
                Assets {
                    css: "/pkg/postern.css".to_owned(),
                    dashboard_css: None,
                    login: bundle.clone(),
                    dashboard: bundle.clone(),
                    private: bundle,
                }
            }
        }
    }
}

impl fmt::Debug for SiteFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Site(..)")
    }
}

#[derive(Deserialize)]
struct Manifest {
    css: String,
    dashboard_css: String,
    login: ManifestBundle,
    dashboard: ManifestBundle,
    private: ManifestBundle,
}

#[derive(Deserialize)]
struct ManifestBundle {
    js: String,
    wasm: String,
}

impl From<ManifestBundle> for Bundle {
    fn from(ManifestBundle { js, wasm }: ManifestBundle) -> Self {
        Self { js, wasm }
    }
}
