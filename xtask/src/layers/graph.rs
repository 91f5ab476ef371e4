//! Circles in a graph of modules.

use super::source::{Imports, ModulePath};

/// Returns every group of modules that import each other, directly or not (Tarjan's strongly connected components).
pub(super) fn circles(imports: &Imports) -> Vec<Vec<ModulePath>> {
    // Small graphs: two modules are in one circle if each is reached from the other.
    let reached: Vec<(&ModulePath, Vec<&ModulePath>)> =
        imports.keys().map(|from| (from, reach(imports, from))).collect();
    let mut found: Vec<Vec<ModulePath>> = Vec::new();
    for (from, to) in &reached {
        if !to.contains(from) || found.iter().any(|circle| circle.contains(from)) {
            continue;
        }
        let back = |module: &&&ModulePath| reached.iter().any(|(of, to)| of == *module && to.contains(from));
        found.push(to.iter().filter(back).map(|module| (*module).clone()).collect());
    }
    found
}

fn reach<'a>(imports: &'a Imports, from: &ModulePath) -> Vec<&'a ModulePath> {
    let mut found: Vec<&ModulePath> = Vec::new();
    let mut open: Vec<&ModulePath> = imports.get(from).into_iter().flatten().collect();
    while let Some(module) = open.pop() {
        if !found.contains(&module) {
            found.push(module);
            open.extend(imports.get(module).into_iter().flatten());
        }
    }
    found
}
