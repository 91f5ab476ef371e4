//! One bundle: a WebAssembly module and the JavaScript that loads it.

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result};
use serde_json::Value;
use wasm_bindgen_cli_support::Bindgen;

use crate::names::{self, Names};
use crate::tool::{Workspace, run};

/// Options of wasm-opt. A second pass over code whose control flow was flattened and rebuilt removes 2 % more.
/// Functions that are called once but are not short stay separate: inlined they have fewer bytes, but 2 % more after
/// compression.
const SMALLER: [&str; 8] = [
    "-Oz",
    "--one-caller-inline-max-function-size=20",
    "--flatten",
    "--rereloop",
    "-Oz",
    "-Oz",
    "--strip-producers",
    "--strip-target-features",
];

/// The features of WebAssembly that rustc's output uses by default.
const WASM_FEATURES: [&str; 7] = [
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    Release,
    Dev,
}

impl Mode {
    const fn profile(self) -> &'static str {
        match self {
            Self::Release => "wasm-release",
            Self::Dev => "dev",
        }
    }
}

pub(crate) struct Bundle {
    pub js: Vec<u8>,
    pub wasm: Vec<u8>,
}

/// Compiles the crate `frontend` with the islands of one bundle. Copies the module to a folder of that bundle, because
/// the next build overwrites it.
pub(crate) fn compile(workspace: &Workspace, name: &str, mode: Mode) -> Result<PathBuf> {
    let messages = run(workspace
        .cargo()
        .env("RUSTFLAGS", forget_home())
        .args(["build", "--package", "postern-frontend", "--lib", "--target", "wasm32-unknown-unknown"])
        .args(["--profile", mode.profile(), "--no-default-features"])
        .args(["--features", &format!("hydrate,{name}")])
        .arg("--message-format=json-render-diagnostics"))?;
    let module = module_path(&messages).context("cargo built no WebAssembly module")?;
    let folder = module.parent().context("the module lies in a folder")?.join("bundles").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    fs::copy(&module, folder.join("frontend.wasm"))?;
    Ok(folder)
}

/// Returns the compiler flag that removes the build machine's folders from panic messages, which name source files.
fn forget_home() -> String {
    let home = env::var("CARGO_HOME").or_else(|_| env::var("HOME").map(|home| format!("{home}/.cargo")));
    home.map_or_else(|_| String::new(), |home| format!("--remap-path-prefix={home}=cargo"))
}

fn module_path(messages: &[u8]) -> Option<PathBuf> {
    messages
        .split(|&byte| byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == "frontend")
        .filter_map(|message| {
            let files = message["filenames"].as_array()?;
            let mut paths = files.iter().filter_map(Value::as_str).map(PathBuf::from);
            paths.find(|path| path.extension().is_some_and(|extension| extension == "wasm"))
        })
        .next_back()
}

/// Writes the JavaScript around a compiled module and minifies both.
pub(crate) fn finish(workspace: &Workspace, name: &str, folder: &Path, mode: Mode) -> Result<Bundle> {
    let release = mode == Mode::Release;
    let mut output = Bindgen::new()
        .input_path(folder.join("frontend.wasm"))
        .out_name(name)
        .web(true)?
        .typescript(false)
        .omit_default_module_path(true)
        .keep_debug(!release)
        .remove_name_section(release)
        .remove_producers_section(release)
        .generate_output()?;
    let names = if release { names::shorten(&mut output) } else { Names::new() };
    output.emit(folder)?;
    let script = folder.join(format!("{name}.js"));
    fs::write(&script, names::rename(&fs::read_to_string(&script)?, &names))?;
    let mut wasm = folder.join(format!("{name}_bg.wasm"));
    if release {
        let small = folder.join("small.wasm");
        run(workspace.npm("wasm-opt")?.arg(&wasm).arg("-o").arg(&small).args(SMALLER).args(WASM_FEATURES))?;
        wasm = small;
    }
    let js = run(workspace
        .npm("esbuild")?
        .arg(script)
        .args(["--bundle", "--format=esm", "--target=es2022", "--log-level=warning"])
        .args(release.then_some("--minify")))?;
    Ok(Bundle { js, wasm: fs::read(wasm)? })
}

pub(crate) fn styles(workspace: &Workspace, name: &str, mode: Mode) -> Result<Vec<u8>> {
    run(workspace
        .npm("esbuild")?
        .arg(format!("style/{name}.css"))
        .args(["--bundle", "--external:/*", "--target=es2022,chrome111,firefox114,safari16.4"])
        .arg("--log-level=warning")
        .args((mode == Mode::Release).then_some("--minify")))
}
