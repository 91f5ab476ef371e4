//! Whether the site on disk was built from the sources as they are now.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use base64ct::{Base64, Encoding};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::bundle::Mode;
use crate::pack;
use crate::tool::{Workspace, run};

/// Inputs of the site besides the crates that are linked into it.
const FILES: [&str; 8] = [
    ".cargo",
    "public",
    "style",
    "xtask",
    "Cargo.lock",
    "Cargo.toml",
    "rust-toolchain.toml",
    "tools/package-lock.json",
];
/// The package that becomes the bundles.
const ROOT: &str = "frontend";

/// Returns a digest of the site's inputs: mode, compiler and sources.
pub(crate) fn of_inputs(workspace: &Workspace, mode: Mode) -> Result<String> {
    let mut digest = Sha256::new();
    digest.update(format!("{mode:?}\n"));
    digest.update(run(workspace.cargo().args(["--version"]))?);
    let metadata = run(workspace.cargo().args(["metadata", "--format-version=1", "--no-deps", "--offline"]))?;
    let crates = crates(&serde_json::from_slice(&metadata)?)?;
    for input in FILES.iter().map(|file| (*file).to_owned()).chain(crates) {
        let path = workspace.path(&input);
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

/// Returns the folders of [`ROOT`] and of every crate of the workspace that it depends on, directly or not, in order.
///
/// # Errors
/// The metadata of cargo do not have the expected form.
fn crates(metadata: &Value) -> Result<Vec<String>> {
    let workspace = Path::new(metadata["workspace_root"].as_str().context("no workspace_root")?);
    let packages = metadata["packages"].as_array().context("no packages")?;
    let mut found = BTreeSet::new();
    let mut open = vec![workspace.join(ROOT)];
    while let Some(folder) = open.pop() {
        let relative = folder.strip_prefix(workspace)?.to_str().context("a path that is not Unicode")?.to_owned();
        if !found.insert(relative) {
            continue;
        }
        let manifest = folder.join("Cargo.toml");
        let is_there =
            |package: &&Value| package["manifest_path"].as_str().is_some_and(|path| Path::new(path) == manifest);
        let package = packages.iter().find(is_there).with_context(|| format!("no package in {}", folder.display()))?;
        let dependencies = package["dependencies"].as_array().context("no dependencies")?.iter();
        // Tests of a crate do not end up in a bundle.
        let linked = dependencies.filter(|dependency| dependency["kind"] != "dev");
        open.extend(linked.filter_map(|dependency| dependency["path"].as_str().map(PathBuf::from)));
    }
    Ok(found.into_iter().collect())
}

/// Whether site/manifest.json carries this stamp and every file that it lists is there.
pub(crate) fn is_current(workspace: &Workspace, stamp: &str) -> bool {
    let site = workspace.path("site");
    let manifest = fs::read(site.join("manifest.json")).unwrap_or_default();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap_or_default();
    let complete = |files: &serde_json::Map<String, Value>| {
        files.keys().all(|file| site.join(file.trim_start_matches('/')).is_file())
    };
    manifest["inputs"] == stamp && manifest["files"].as_object().is_some_and(complete)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_crate_of_the_workspace_in_a_bundle_is_an_input() -> Result<()> {
        // Read when the test runs: another clone may have built it in the same target folder.
        let workspace = Workspace::find()?;
        let metadata = run(workspace.cargo().args(["metadata", "--format-version=1", "--no-deps", "--offline"]))?;
        let inputs = crates(&serde_json::from_slice(&metadata)?)?;
        for linked in ["app", "crates/channel", "crates/domain", "crates/jwe", "crates/seal", "crates/wire", "frontend"]
        {
            assert!(inputs.iter().any(|input| input == linked), "{linked} is not in {inputs:?}");
        }
        assert!(!inputs.iter().any(|input| input == "server"), "{inputs:?}");
        Ok(())
    }
}
