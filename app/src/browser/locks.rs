//! Locks between tabs.

use js_sys::{Function, Promise, Reflect};
use leptos::prelude::window;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

/// A lock shared by all tabs of this site, released on drop.
#[derive(Debug)]
pub struct TabLock(Option<Function>);

impl Drop for TabLock {
    fn drop(&mut self) {
        if let Some(release) = &self.0 {
            let _ = release.call0(&JsValue::UNDEFINED);
        }
    }
}

/// Waits for the lock. Without lock support (pages without https) it does not wait.
pub async fn hold(name: &str) -> TabLock {
    let Some((locks, request)) = lock_manager() else { return TabLock(None) };
    let mut release = None;
    let held = Promise::new(&mut |done, _| release = Some(done));
    let mut asked = Ok(JsValue::UNDEFINED);
    let got = Promise::new(&mut |got, _| {
        let held = held.clone();
        let callback = Closure::once_into_js(move || {
            let _ = got.call0(&JsValue::UNDEFINED);
            JsValue::from(held)
        });
        asked = request.call2(&locks, &JsValue::from_str(name), &callback);
    });
    if asked.is_err() {
        return TabLock(None);
    }
    let _ = got.await;
    TabLock(release)
}

fn lock_manager() -> Option<(JsValue, Function)> {
    let locks = Reflect::get(&window().navigator(), &JsValue::from_str("locks")).ok()?;
    let request = Reflect::get(&locks, &JsValue::from_str("request")).ok()?;
    Some((locks, request.dyn_into().ok()?))
}
