//! The browser's files. The program embeds them and passes them in. The library is compiled without them, because they
//! are built from it.

use app::view::{Assets, Bundle};
use axum::body::Bytes;
use quick_cache::sync::Cache;
use serde::Deserialize;
use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;

/// Decompressed bundles and style sheets. Without it, each request of a client that does not support brotli would cost
/// milliseconds.
static DECOMPRESSED: LazyLock<Cache<String, Bytes>> = LazyLock::new(|| Cache::new(32));

/// Finds an embedded file by its path below the site, without a leading slash. Most are embedded only compressed, as
/// `<path>.br`.
#[derive(Clone, Copy)]
pub struct SiteFiles(pub fn(&str) -> Option<Cow<'static, [u8]>>);

impl SiteFiles {
    /// No files, for clients that use only the API.
    pub const NONE: Self = Self(|_| None);

    /// Returns a file uncompressed.
    pub fn get(&self, path: &str) -> Option<Cow<'static, [u8]>> {
        self.0(path).or_else(|| {
            let compressed = self.brotli(path)?;
            let mut file = Vec::new();
            brotli::BrotliDecompress(&mut &*compressed, &mut file).ok()?;
            Some(Cow::Owned(file))
        })
    }

    /// Returns a file that clients download, uncompressed.
    pub(crate) fn download(&self, path: &str) -> Option<Bytes> {
        if let Some(file) = self.0(path) {
            return Some(bytes(file));
        }
        DECOMPRESSED.get_or_insert_with(path, || self.get(path).map(bytes).ok_or(())).ok()
    }

    /// Returns a file in its compressed form, if the site has one.
    pub(crate) fn brotli(&self, path: &str) -> Option<Cow<'static, [u8]>> {
        self.0(&format!("{path}.br"))
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

pub(crate) fn bytes(file: Cow<'static, [u8]>) -> Bytes {
    match file {
        Cow::Borrowed(file) => Bytes::from_static(file),
        Cow::Owned(file) => Bytes::from(file),
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

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: SiteFiles = SiteFiles(|path| match path {
        "pkg/packed.css.br" => {
            let (mut compressed, params) = (Vec::new(), brotli::enc::BrotliEncoderParams::default());
            brotli::BrotliCompress(&mut &b"a{}"[..], &mut compressed, &params).ok()?;
            Some(Cow::Owned(compressed))
        }
        "robots.txt" => Some(Cow::Borrowed(b"plain")),
        _ => None,
    });

    #[test]
    fn a_file_that_is_embedded_compressed_is_there_uncompressed_too() {
        for _ in 0..2 {
            assert_eq!(SITE.download("pkg/packed.css"), Some(Bytes::from_static(b"a{}")));
        }
        assert_eq!(SITE.download("robots.txt"), Some(Bytes::from_static(b"plain")));
        assert_eq!(SITE.download("pkg/other.css"), None);
        assert!(SITE.brotli("pkg/packed.css").is_some_and(|file| *file != *b"a{}"));
        assert_eq!(SITE.brotli("robots.txt"), None);
    }
}
