//! Short names between a bundle's JavaScript and its WebAssembly.
//!
//! wasm-bindgen distinguishes its functions by hashes. They are of no use at run time, occur on both sides, and cannot
//! be compressed: 3 kB of the login page.

use std::collections::BTreeMap;
use std::mem;

use wasm_bindgen_cli_support::Output;

/// Old names with their new ones.
pub(crate) type Names = BTreeMap<String, String>;

/// Renames the functions that the module imports from its JavaScript, and the closures that it exports.
pub(crate) fn shorten(output: &mut Output) -> Names {
    let module = output.wasm_mut();
    let imports = module.imports.iter_mut().map(|import| &mut import.name);
    let exports = module.exports.iter_mut().map(|export| &mut export.name);
    let mut names = Names::new();
    for name in imports.chain(exports.filter(|name| name.starts_with("wasm_bindgen__"))) {
        let next = format!("_{:x}", names.len());
        let short = names.entry(name.clone()).or_insert(next).clone();
        let _ = mem::replace(name, short);
    }
    names
}

/// Returns the JavaScript with the new names.
pub(crate) fn rename(js: &str, names: &Names) -> String {
    let part_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    let mut renamed = String::with_capacity(js.len());
    let mut rest = js;
    while let Some(start) = rest.find(part_of_name) {
        let (before, from) = rest.split_at(start);
        let (word, after) = from.split_at(from.find(|c| !part_of_name(c)).unwrap_or(from.len()));
        renamed.push_str(before);
        renamed.push_str(names.get(word).map_or(word, String::as_str));
        rest = after;
    }
    renamed.push_str(rest);
    renamed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_names_change() {
        let names = Names::from([("__wbg_get_12".to_owned(), "_0".to_owned())]);
        let js = "{__wbg_get_12: function(a) {}, __wbg_get_123: wasm.__wbg_get_12}";
        assert_eq!(rename(js, &names), "{_0: function(a) {}, __wbg_get_123: wasm._0}");
    }
}
