//! The modules of a crate, and what each imports, read from its source.
//!
//! Names are resolved as far as modules go: through `use`, `super`, re-exports and paths in the code and in macros.
//! Calls of methods name no module, and are not seen. Code under `#[cfg(test)]` does not count. If a macro declares
//! modules, they are the files of the folder that no other line names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Item, UseTree, Visibility};

/// The path of a module or an item below the root of its crate.
pub(super) type ModulePath = Vec<String>;
/// Each module, and the modules that it imports.
pub(super) type Imports = BTreeMap<ModulePath, BTreeSet<ModulePath>>;

/// A file of a crate, with the modules that are written inside it.
#[derive(Debug, Default)]
struct Module {
    /// Names that `use` imports, as written.
    imported: BTreeMap<String, ModulePath>,
    /// Names of them that are visible outside.
    exported: BTreeSet<String>,
    /// Modules of which everything is imported.
    globs: Vec<ModulePath>,
    /// Names of the items that are defined here.
    defined: BTreeSet<String>,
    /// Names of the types among them that other modules may use.
    types: BTreeSet<String>,
    /// Paths in the code, as written.
    paths: Vec<ModulePath>,
    /// Whether a macro of it declares modules by names that it gets.
    declares: bool,
}

/// Reads the crate with this root file.
///
/// # Errors
/// A file cannot be read, or is not Rust.
pub(super) fn imports(root: &Path) -> Result<Imports> {
    let modules = modules(root)?;
    Ok(modules.keys().map(|path| (path.clone(), targets(path, &modules))).collect())
}

/// Reads the crate with this root file, and returns the modules that define a type of each name. Private types do not
/// count.
///
/// # Errors
/// A file cannot be read, or is not Rust.
pub(super) fn types(root: &Path) -> Result<BTreeMap<String, Vec<ModulePath>>> {
    let mut found: BTreeMap<String, Vec<ModulePath>> = BTreeMap::new();
    for (path, module) in modules(root)? {
        for name in module.types {
            found.entry(name).or_default().push(path.clone());
        }
    }
    Ok(found)
}

fn modules(root: &Path) -> Result<BTreeMap<ModulePath, Module>> {
    let mut modules = BTreeMap::new();
    let folder = root.parent().context("a file in a folder")?;
    read(root, folder, Vec::new(), &mut modules)?;
    Ok(modules)
}

/// Reads a file and the modules below it. `folder`: the folder of its own modules' files.
fn read(file: &Path, folder: &Path, path: ModulePath, modules: &mut BTreeMap<ModulePath, Module>) -> Result<()> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let parsed = syn::parse_file(&text).with_context(|| file.display().to_string())?;
    let mut module = Module::default();
    let mut children = Vec::new();
    collect(parsed.items, &mut module, &mut children);
    if module.declares {
        children.extend(files(folder)?.into_iter().filter(|name| !children.contains(name)).collect::<Vec<_>>());
    }
    for name in children {
        let (beside, inside) = (folder.join(format!("{name}.rs")), folder.join(&name).join("mod.rs"));
        let child: PathBuf = if beside.is_file() { beside } else { inside };
        let below = path.iter().cloned().chain([name.clone()]).collect();
        read(&child, &folder.join(&name), below, modules)?;
    }
    modules.insert(path, module);
    Ok(())
}

/// Returns the names of a folder's files with code, without their ending.
fn files(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        names.extend(name.strip_suffix(".rs").map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

fn collect(items: Vec<Item>, module: &mut Module, children: &mut Vec<String>) {
    for item in items {
        if is_test(&item) {
            continue;
        }
        match item {
            Item::Use(import) => {
                let exported = !matches!(import.vis, Visibility::Inherited);
                flatten(import.tree, Vec::new(), exported, module);
            }
            Item::Mod(inner) => match inner.content {
                Some((_, items)) => collect(items, module, children),
                None => children.push(inner.ident.to_string()),
            },
            item => {
                module.defined.extend(name(&item));
                module.types.extend(shared_type(&item));
                module.declares |= matches!(&item, Item::Macro(made) if has_modules(made.mac.tokens.clone()));
                scan(item.into_token_stream(), module);
            }
        }
    }
}

fn is_test(item: &Item) -> bool {
    let attributes: &[Attribute] = match item {
        Item::Mod(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Const(item) => &item.attrs,
        _ => &[],
    };
    let is_test = |attribute: &Attribute| attribute.to_token_stream().to_string().replace(' ', "") == "#[cfg(test)]";
    attributes.iter().any(is_test)
}

fn name(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::TraitAlias(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}

/// Returns the name of a type that other modules may use.
fn shared_type(item: &Item) -> Option<String> {
    let visibility = match item {
        Item::Enum(item) => &item.vis,
        Item::Struct(item) => &item.vis,
        Item::Trait(item) => &item.vis,
        Item::Type(item) => &item.vis,
        Item::Union(item) => &item.vis,
        _ => return None,
    };
    name(item).filter(|_| !matches!(visibility, Visibility::Inherited))
}

fn flatten(tree: UseTree, mut prefix: ModulePath, exported: bool, module: &mut Module) {
    let mut bring = |name: String, path: ModulePath| {
        if exported {
            module.exported.insert(name.clone());
        }
        module.imported.insert(name, path);
    };
    match tree {
        UseTree::Path(path) => {
            prefix.push(path.ident.to_string());
            flatten(*path.tree, prefix, exported, module);
        }
        UseTree::Name(leaf) if leaf.ident == "self" => bring(prefix.last().cloned().unwrap_or_default(), prefix),
        UseTree::Name(leaf) => {
            prefix.push(leaf.ident.to_string());
            bring(leaf.ident.to_string(), prefix);
        }
        UseTree::Rename(leaf) => {
            if leaf.ident != "self" {
                prefix.push(leaf.ident.to_string());
            }
            bring(leaf.rename.to_string(), prefix);
        }
        UseTree::Glob(_) => module.globs.push(prefix),
        UseTree::Group(group) => {
            for tree in group.items {
                flatten(tree, prefix.clone(), exported, module);
            }
        }
    }
}

/// Whether a macro's tokens have `mod $name`.
fn has_modules(tokens: TokenStream) -> bool {
    let mut after_mod = false;
    for token in tokens {
        match token {
            TokenTree::Punct(mark) if after_mod && mark.as_char() == '$' => return true,
            TokenTree::Group(group) if has_modules(group.stream()) => return true,
            token => after_mod = matches!(token, TokenTree::Ident(name) if name == "mod"),
        }
    }
    false
}

/// Finds every `a::b::c`, in macros too.
fn scan(tokens: TokenStream, module: &mut Module) {
    let mut path: ModulePath = Vec::new();
    let mut colons = 0;
    for token in tokens {
        match token {
            TokenTree::Ident(name) => {
                if colons != 2 {
                    module.paths.push(std::mem::take(&mut path));
                }
                path.push(name.to_string());
                colons = 0;
            }
            TokenTree::Punct(mark) if mark.as_char() == ':' && !path.is_empty() => colons += 1,
            other => {
                module.paths.push(std::mem::take(&mut path));
                colons = 0;
                if let TokenTree::Group(group) = other {
                    scan(group.stream(), module);
                }
            }
        }
    }
    module.paths.push(path);
}

/// Returns the modules that a module imports.
fn targets(path: &ModulePath, modules: &BTreeMap<ModulePath, Module>) -> BTreeSet<ModulePath> {
    let Some(module) = modules.get(path) else { return BTreeSet::new() };
    let mut found = BTreeSet::new();
    for (name, written) in &module.imported {
        // A module that re-exports an item from below does not use it.
        let shows = module.exported.contains(name) && !module.paths.iter().any(|path| path.first() == Some(name));
        if !shows {
            found.extend(item(path, written, modules, 0));
        }
    }
    for written in module.paths.iter().filter(|written| written.len() > 1) {
        found.extend(item(path, written, modules, 0));
    }
    found.extend(module.globs.iter().filter_map(|glob| absolute(path, glob, modules, 0)).map(|(at, _)| at));
    found.remove(path);
    found
}

/// Returns the module that defines an item. `None`: it is of another crate, or is a module itself.
fn item(
    from: &ModulePath,
    written: &[String],
    modules: &BTreeMap<ModulePath, Module>,
    depth: u8,
) -> Option<ModulePath> {
    let (at, rest) = absolute(from, written, modules, depth)?;
    let (name, module) = (rest.first()?, modules.get(&at)?);
    if module.defined.contains(name) || depth > 8 {
        return Some(at);
    }
    match module.imported.get(name) {
        Some(import) => {
            let further: ModulePath = import.iter().chain(&rest[1..]).cloned().collect();
            item(&at, &further, modules, depth + 1)
        }
        None => Some(at),
    }
}

/// Returns the module that a path leads to, and the rest of the path. `None`: it leads out of the crate.
fn absolute(
    from: &ModulePath,
    written: &[String],
    modules: &BTreeMap<ModulePath, Module>,
    depth: u8,
) -> Option<(ModulePath, ModulePath)> {
    let (first, mut rest) = written.split_first()?;
    let child = |at: &ModulePath, name: &String| -> ModulePath { at.iter().chain([name]).cloned().collect() };
    let mut at = match first.as_str() {
        "crate" => ModulePath::new(),
        "self" => from.clone(),
        "super" => from.split_last()?.1.to_vec(),
        _ if modules.contains_key(&child(from, first)) => child(from, first),
        _ => {
            let import = modules.get(from)?.imported.get(first).filter(|_| depth < 8)?;
            // `use serde;` imports the external name.
            if import == written || import.first() == Some(first) {
                return None;
            }
            let further: ModulePath = import.iter().chain(rest).cloned().collect();
            return absolute(from, &further, modules, depth + 1);
        }
    };
    while let Some((name, after)) = rest.split_first() {
        if name == "super" {
            at.pop();
        } else if modules.contains_key(&child(&at, name)) {
            at.push(name.clone());
        } else {
            break;
        }
        rest = after;
    }
    Some((at, rest.to_vec()))
}
