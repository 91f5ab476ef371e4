use crate::view::Bundle;
use leptos::nonce::use_nonce;
use leptos::prelude::*;

/// The first script of the page takes the only name that the content security policy allows, and
/// gives the policy no function: from then on nothing can turn a string into markup or a script.
const LOCK: &str = "window.trustedTypes?.createPolicy('default',{})";

/// Runs only in browsers that know no modules.
const TOO_OLD: &str = "document.documentElement.setAttribute('data-stuck','old')";

/// Loads a bundle and brings its islands to life.
///
/// Ours instead of Leptos's: the files are named by their content, islands here never nest, and a
/// page whose code cannot run has to say why.
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
