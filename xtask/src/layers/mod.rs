//! `cargo xtask layers`: modules have no circles, in the server nothing imports upward, no two types share a
//! name, a page of the dashboard is one file and one line, and a sign-in can be followed.

mod graph;
mod pages;
mod source;
mod walk;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use source::{Imports, ModulePath};

use crate::tool::{Workspace, run};

/// The layers of the server, the lowest first. A module imports from its own layer and from those below it. A new
/// module at the top of `server/src` is listed here, or the check fails.
const SERVER: [(&str, &[&str]); 9] = [
    (
        "basics",
        &[
            "bounded",
            "cache_counts",
            "clock",
            "config",
            "device",
            "dpop",
            "entropy",
            "error_chain",
            "network",
            "openapi",
            "period",
            "query_timeout",
            "site",
            "span",
            "utc_time",
        ],
    ),
    (
        "keys",
        &[
            "cookies",
            "envelope",
            "key_encryption",
            "keyring",
            "oauth",
            "setup",
            "tokens",
            "totp",
            "user_keys",
            "view_key",
        ],
    ),
    (
        "caches and limits",
        &[
            "account_count",
            "allowlist",
            "apps",
            "audit_row_limit",
            "bans",
            "keyed_mutex",
            "mailer",
            "metrics",
            "outbound",
            "passwords",
            "rate_limiter",
            "recent_tokens",
            "refusal_feed",
            "request_id",
            "revocations",
            "sessions",
            "sync_freshness",
        ],
    ),
    ("state", &["state"]),
    ("requests", &["api_error", "audit", "client", "offences", "routes"]),
    ("guards", &["guards"]),
    ("flows", &["flows", "imports"]),
    ("jobs, and what the operator looks at", &["backup", "connections", "doctor", "jobs", "ops_listener"]),
    ("http and the command line", &["http", "service", "router", "cli"]),
];

/// Types of which a crate has one for each processor.
const ALTERNATIVES: [(&str, &str); 1] = [("postern-channel", "Cipher")];

/// Checks all crates of the workspace.
///
/// # Errors
/// Names the imports and the types that are not allowed.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let metadata = run(workspace.cargo().args(["metadata", "--format-version=1", "--no-deps", "--offline"]))?;
    let metadata: Value = serde_json::from_slice(&metadata)?;
    let mut wrong = Vec::new();
    for package in metadata["packages"].as_array().context("no packages")? {
        let name = package["name"].as_str().context("no name")?;
        for root in roots(package) {
            let imports = source::imports(Path::new(root))?;
            wrong.extend(of_circles(&imports).into_iter().map(|line| format!("{name}: {line}")));
            let types = source::types(Path::new(root))?;
            wrong.extend(twice(name, &types).into_iter().map(|line| format!("{name}: {line}")));
            if name == "postern-server" && root.ends_with("lib.rs") {
                wrong.extend(upward(&imports, &SERVER).into_iter().map(|line| format!("{name}: {line}")));
            }
        }
    }
    let architecture = std::fs::read_to_string(workspace.path("ARCHITECTURE.md"))?;
    wrong.extend(walk::faults(&architecture, &workspace.path("")));
    wrong.extend(pages::faults(&workspace.path(""))?);
    if wrong.is_empty() {
        return Ok(());
    }
    bail!("these must go, or be mended:\n{}", wrong.join("\n"))
}

/// Returns the root files of a package's library and programs.
fn roots(package: &Value) -> impl Iterator<Item = &str> {
    let is_linked = |target: &&Value| {
        let kinds = target["kind"].as_array().into_iter().flatten();
        kinds.filter_map(Value::as_str).any(|kind| matches!(kind, "lib" | "bin" | "cdylib" | "rlib" | "proc-macro"))
    };
    let targets = package["targets"].as_array().into_iter().flatten();
    targets.filter(is_linked).filter_map(|target| target["src_path"].as_str())
}

/// Returns a line for each import that is part of a circle.
fn of_circles(imports: &Imports) -> Vec<String> {
    let mut lines = Vec::new();
    for circle in graph::circles(imports) {
        for (from, to) in imports.iter().filter(|(from, _)| circle.contains(from)) {
            let within = to.iter().filter(|to| circle.contains(to));
            lines.extend(within.map(|to| format!("{} -> {} is part of a circle", name(from), name(to))));
        }
    }
    lines
}

/// Returns a line for each name that two types of a crate share.
fn twice(package: &str, types: &BTreeMap<String, Vec<ModulePath>>) -> Vec<String> {
    let shared = types.iter().filter(|(_, modules)| modules.len() > 1);
    let wrong = shared.filter(|(type_name, _)| !ALTERNATIVES.contains(&(package, type_name.as_str())));
    let line = |(type_name, modules): (&String, &Vec<ModulePath>)| {
        let modules: Vec<_> = modules.iter().map(name).collect();
        format!("{type_name} is a type of {}", modules.join(" and of "))
    };
    wrong.map(line).collect()
}

/// Returns a line for each import of a higher layer, and for each module without a layer.
fn upward(imports: &Imports, layers: &[(&str, &[&str])]) -> Vec<String> {
    let layer = |path: &ModulePath| {
        let top = path.first()?;
        layers.iter().position(|(_, modules)| modules.contains(&top.as_str()))
    };
    let mut lines = Vec::new();
    for (from, to) in imports.iter().filter(|(from, _)| !from.is_empty()) {
        let Some(own) = layer(from) else {
            lines.push(format!("{} is in no layer of xtask/src/layers", name(from)));
            continue;
        };
        let above = to.iter().filter_map(|to| layer(to).filter(|layer| *layer > own).map(|layer| (to, layer)));
        lines.extend(above.map(|(to, layer)| {
            let (lower, higher) = (layers[own].0, layers[layer].0);
            format!("{} -> {} imports upward: '{lower}' is below '{higher}'", name(from), name(to))
        }));
    }
    lines
}

fn name(path: &ModulePath) -> String {
    if path.is_empty() { "the root".to_owned() } else { path.join("::") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// Writes a crate of these files, and reads its imports.
    fn imports(files: &[(&str, &str)]) -> Result<Imports> {
        let folder = tempfile::tempdir()?;
        for (file, text) in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().context("a folder")?)?;
            fs::write(path, text)?;
        }
        source::imports(&folder.path().join("lib.rs"))
    }

    #[test]
    fn a_circle_is_found_through_re_exports_paths_and_macros() -> Result<()> {
        let lines = of_circles(&imports(&[
            ("lib.rs", "mod a; mod b; mod c; pub use a::A;"),
            ("a.rs", "use crate::b; pub struct A; fn f() { b::g() }"),
            ("b/mod.rs", "mod inner; pub use inner::g;"),
            ("b/inner.rs", "pub fn g() { println!(\"{}\", crate::c::h()) }"),
            ("c.rs", "use crate::A; pub fn h() -> A { A }"),
        ])?);
        let circle = ["a -> b::inner", "b::inner -> c", "c -> a"].map(|edge| format!("{edge} is part of a circle"));
        assert_eq!(lines, circle);
        Ok(())
    }

    #[test]
    fn showing_what_is_below_using_the_parent_and_tests_are_no_circle() -> Result<()> {
        let lines = of_circles(&imports(&[
            ("lib.rs", "mod a; mod b; pub use a::A; pub use b::B;"),
            ("a.rs", "pub struct A; #[cfg(test)] mod tests { use crate::b::B; }"),
            ("b.rs", "use crate::A; pub struct B(A);"),
        ])?);
        assert_eq!(lines, Vec::<String>::new());
        Ok(())
    }

    #[test]
    fn a_parent_that_uses_its_child_is_not_used_by_it() -> Result<()> {
        let lines = of_circles(&imports(&[
            ("lib.rs", "mod a; pub struct Shared; fn f() { a::g() }"),
            ("a.rs", "use super::Shared; pub fn g() {}"),
        ])?);
        assert_eq!(lines, ["the root -> a is part of a circle", "a -> the root is part of a circle"]);
        Ok(())
    }

    #[test]
    fn modules_that_a_macro_declares_are_read() -> Result<()> {
        let lines = of_circles(&imports(&[
            ("lib.rs", "mod a;"),
            ("a.rs", "mod named; macro_rules! with { ($($file:ident)*) => { $(mod $file;)* } } pub struct A;"),
            ("a/named.rs", "use super::declared::B; pub struct C;"),
            ("a/declared.rs", "use crate::a::named::C; pub struct B;"),
        ])?);
        let circle = ["a::declared -> a::named", "a::named -> a::declared"];
        assert_eq!(lines, circle.map(|edge| format!("{edge} is part of a circle")));
        Ok(())
    }

    #[test]
    fn two_types_of_one_name_are_found_and_private_ones_are_not() -> Result<()> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("lib.rs"), "mod a; mod b; pub struct Own; struct Error;")?;
        fs::write(folder.path().join("a.rs"), "pub enum Error {} pub(crate) trait Shown {} struct Own;")?;
        fs::write(folder.path().join("b.rs"), "pub(super) type Shown = u8; pub use crate::a::Error;")?;
        let types = source::types(&folder.path().join("lib.rs"))?;
        assert_eq!(twice("made", &types), ["Shown is a type of a and of b"]);
        Ok(())
    }

    #[test]
    fn an_import_upward_is_found_and_so_is_a_module_without_a_layer() -> Result<()> {
        let layers: [(&str, &[&str]); 2] = [("low", &["flows"]), ("high", &["http"])];
        let imports = imports(&[
            ("lib.rs", "mod flows; mod http; mod new;"),
            ("flows.rs", "use crate::http::Error;"),
            ("http.rs", "use crate::flows; pub struct Error; fn f() { flows::f() }"),
            ("new.rs", ""),
        ])?;
        let lines = upward(&imports, &layers);
        let expected =
            ["flows -> http imports upward: 'low' is below 'high'", "new is in no layer of xtask/src/layers"];
        assert_eq!(lines, expected);
        Ok(())
    }
}
