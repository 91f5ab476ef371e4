//! Our only table in IndexedDB.

use js_sys::Promise;
use leptos::prelude::window;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{EventTarget, IdbDatabase, IdbObjectStore, IdbRequest, IdbTransactionMode};

const DATABASE: &str = "postern";
const STORE: &str = "keys";

#[derive(Debug)]
pub struct Table(IdbDatabase);

impl Table {
    pub async fn open() -> Result<Self, JsValue> {
        let factory = window().indexed_db()?.ok_or(JsValue::UNDEFINED)?;
        let request = factory.open_with_u32(DATABASE, 1)?;
        let opening = request.clone();
        let create = Closure::once(move || -> Result<(), JsValue> {
            let database: IdbDatabase = opening.result()?.unchecked_into();
            database.create_object_store(STORE)?;
            Ok(())
        });
        request.set_onupgradeneeded(Some(create.as_ref().unchecked_ref()));
        event(&request, "success", "error").await?;
        Ok(Self(request.result()?.unchecked_into()))
    }

    /// Returns the values of these names; `None` unless all exist.
    pub async fn get<const N: usize>(&self, names: [&str; N]) -> Result<Option<[JsValue; N]>, JsValue> {
        let store = self.store(IdbTransactionMode::Readonly)?;
        let mut values = [const { JsValue::UNDEFINED }; N];
        for (value, name) in values.iter_mut().zip(names) {
            *value = store.get(&JsValue::from_str(name))?.into();
        }
        event(&store.transaction(), "complete", "abort").await?;
        for value in &mut values {
            *value = value.unchecked_ref::<IdbRequest>().result()?;
        }
        Ok(values.iter().all(JsValue::is_object).then_some(values))
    }

    /// Adds all or nothing; fails if one of the names exists.
    pub async fn add(&self, entries: &[(&str, &JsValue)]) -> Result<(), JsValue> {
        let store = self.store(IdbTransactionMode::Readwrite)?;
        for (name, value) in entries {
            store.add_with_key(value, &JsValue::from_str(name))?;
        }
        event(&store.transaction(), "complete", "abort").await
    }

    fn store(&self, mode: IdbTransactionMode) -> Result<IdbObjectStore, JsValue> {
        self.0.transaction_with_str_and_mode(STORE, mode)?.object_store(STORE)
    }
}

async fn event(target: &EventTarget, good: &str, bad: &str) -> Result<(), JsValue> {
    let fired = Promise::new(&mut |resolve, reject| {
        let _ = target.add_event_listener_with_callback(good, &resolve);
        let _ = target.add_event_listener_with_callback(bad, &reject);
    });
    fired.await.map(drop)
}
