//! `cargo xtask site`: everything the browser loads, in site/, ready to be served.

use std::fs;

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};

use crate::bundle::{self, Bundle, Mode};
use crate::manual;
use crate::pack::{self, Files};
use crate::stamp;
use crate::tool::Workspace;

/// The bundles. The login page loads nothing of the dashboard, and the dashboard encrypts only proofs of the person.
const BUNDLES: [&str; 3] = ["login", "dashboard", "private"];
/// Members of the manifest, and the files in style/.
const STYLES: [(&str, &str); 2] = [("css", "base"), ("dashboard_css", "dashboard")];

pub(crate) fn build(workspace: &Workspace, mode: Mode) -> Result<()> {
    // Not part of the stamp: a page of the manual changes no bundle.
    let manual = manual::write(workspace, mode)?;
    workspace.report(&format!("the manual for administrators has {manual} bytes, compressed"));
    let stamp = stamp::of_inputs(workspace, mode)?;
    if stamp::is_current(workspace, &stamp) {
        workspace.report("up to date");
        return Ok(());
    }
    let mut files = public_files(workspace)?;
    let mut manifest = json!({ "inputs": stamp });
    for (member, name) in STYLES {
        let styles = bundle::styles(workspace, name, mode)?;
        manifest[member] = add(&mut files, name, "css", styles);
    }
    for (name, bundle) in BUNDLES.into_iter().zip(bundles(workspace, mode)?) {
        manifest[name] = json!({
            "js": add(&mut files, name, "js", bundle.js),
            "wasm": add(&mut files, name, "wasm", bundle.wasm),
        });
    }
    manifest["files"] =
        files.iter().map(|(name, content)| (format!("/{name}"), Value::from(pack::integrity(content)))).collect();

    workspace.report("compressing");
    pack::compress(&mut files, mode)?;
    files.insert("manifest.json".to_owned(), serde_json::to_vec_pretty(&manifest)?);
    pack::write(&workspace.path("site"), &files, &|name| name.starts_with(manual::FOLDER))?;
    for (name, content) in &files {
        println!("site: {:>9} {name}", content.len());
    }
    workspace.report("done");
    Ok(())
}

fn public_files(workspace: &Workspace) -> Result<Files> {
    let folder = workspace.path("public");
    pack::list(&folder)?.into_iter().map(|name| Ok((name.clone(), fs::read(folder.join(name))?))).collect()
}

fn add(files: &mut Files, stem: &str, extension: &str, content: Vec<u8>) -> Value {
    let name = pack::hashed_name(stem, extension, &content);
    let path = format!("/{name}");
    files.insert(name, content);
    Value::from(path)
}

/// Compiles one bundle after the other; each is finished while the next one compiles.
fn bundles(workspace: &Workspace, mode: Mode) -> Result<Vec<Bundle>> {
    std::thread::scope(|scope| {
        let mut jobs = Vec::new();
        for name in BUNDLES {
            workspace.report(&format!("compiling the bundle {name}"));
            let folder = bundle::compile(workspace, name, mode)?;
            jobs.push(scope.spawn(move || {
                workspace.report(&format!("wasm-bindgen, wasm-opt and esbuild for the bundle {name}"));
                bundle::finish(workspace, name, &folder, mode)
                    .with_context(|| format!("the bundle {name} could not be finished"))
            }));
        }
        jobs.into_iter().map(|job| job.join().map_err(|_| anyhow!("a bundle's thread ended early"))?).collect()
    })
}
