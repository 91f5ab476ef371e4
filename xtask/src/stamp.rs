//! Whether the site on disk was built from the sources as they are now.

use std::fs;

use anyhow::Result;
use base64ct::{Base64, Encoding};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::bundle::Mode;
use crate::pack;
use crate::tool::{Workspace, run};

const INPUTS: [&str; 11] = [
    ".cargo",
    "app",
    "crates/domain",
    "crates/seal",
    "crates/wire",
    "frontend",
    "public",
    "style",
    "xtask",
    "Cargo.lock",
    "Cargo.toml",
];
const MORE_INPUTS: [&str; 2] = ["rust-toolchain.toml", "tools/package-lock.json"];

/// A digest of all that the site is made from: the mode, the compiler and the sources.
pub fn of_inputs(workspace: &Workspace, mode: Mode) -> Result<String> {
    let mut digest = Sha256::new();
    digest.update(format!("{mode:?}\n"));
    digest.update(run(workspace.cargo().args(["--version"]))?);
    for input in INPUTS.into_iter().chain(MORE_INPUTS) {
        let path = workspace.path(input);
        let names = if path.is_dir() { pack::list(&path)? } else { vec![String::new()] };
        for name in names {
            let file = if name.is_empty() { path.clone() } else { path.join(&name) };
            let content = fs::read(file).unwrap_or_default();
            digest.update(format!("{input}/{name} {}\n", content.len()));
            digest.update(content);
        }
    }
    Ok(Base64::encode_string(&digest.finalize()))
}

/// Whether site/manifest.json carries this stamp and every file that it lists is there.
pub fn is_current(workspace: &Workspace, stamp: &str) -> bool {
    let site = workspace.path("site");
    let manifest = fs::read(site.join("manifest.json")).unwrap_or_default();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap_or_default();
    let complete = |files: &serde_json::Map<String, Value>| {
        files.keys().all(|file| site.join(file.trim_start_matches('/')).is_file())
    };
    manifest["inputs"] == stamp && manifest["files"].as_object().is_some_and(complete)
}
