use crate::view::Bundle;
use leptos::nonce::use_nonce;
use leptos::prelude::*;

/// The page's first script, which takes the only policy name that the content security policy allows, and defines no
/// script functions. After that no string can become markup or a script.
const LOCK: &str = "window.trustedTypes?.createPolicy('default',{})";

/// A script that runs only in browsers without module support.
const TOO_OLD: &str = "document.documentElement.setAttribute('data-stuck','old')";

/// Loads a bundle and hydrates its islands.
///
/// It replaces Leptos's script, because the files are named by their content, islands here are never nested, and a page
/// whose code cannot run must show the reason.
#[component]
pub fn Hydration(bundle: Bundle) -> impl IntoView {
    let nonce = use_nonce();
    let script = script(&bundle);
    if let Some(context) = Owner::current_shared_context() {
        context.set_is_hydrating(false);
    }
    view! {
        <script nonce=nonce.clone()>{LOCK}</script>
        <script nomodule nonce=nonce.clone()>{TOO_OLD}</script>
        <link rel="modulepreload" href=bundle.js crossorigin="anonymous" />
        <link rel="preload" href=bundle.wasm r#as="fetch" r#type="application/wasm" crossorigin="anonymous" />
        <script type="module" nonce=nonce>{script}</script>
    }
}

fn script(bundle: &Bundle) -> String {
    let Bundle { js, wasm } = bundle;
    format!(
        "import({js:?}).then(async app=>{{\
         await app.default({{module_or_path:{wasm:?}}});\
         app.hydrate();\
         for(const island of document.querySelectorAll('leptos-island'))app[island.dataset.component](island)\
         }}).catch(error=>{{document.documentElement.dataset.stuck=\
         typeof WebAssembly!='object'?'wasm':error instanceof WebAssembly.CompileError?'old':'load';throw error}})"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_names_both_files() {
        let bundle = Bundle { js: "/pkg/login.1.js".to_owned(), wasm: "/pkg/login.2.wasm".to_owned() };
        let script = script(&bundle);
        assert!(script.starts_with(r#"import("/pkg/login.1.js").then("#), "{script}");
        assert!(script.contains(r#"module_or_path:"/pkg/login.2.wasm""#), "{script}");
    }
}
