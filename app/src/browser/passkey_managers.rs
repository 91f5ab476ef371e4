//! Registrations, and signals to the person's passkey managers (W3C Web Authentication Level 3, section 5.1.11).

use crate::browser::fetch::{FetchResponse, Unreachable, member};
use crate::browser::page::object;
use crate::browser::{api, passkeys};
use js_sys::{Array, Function, Object, Promise, Reflect};
use leptos::prelude::window;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wire::passkeys::{AttestationResponse, NewPasskey, RegistrationCredential};
use wire::paths;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = ["navigator", "credentials"], js_name = create, catch)]
    fn credentials_create(options: &JsValue) -> Result<Promise, JsValue>;
}

/// The end of a registration.
#[derive(Debug)]
pub enum Registered {
    /// With the recovery codes that the account got, one a line; mostly none.
    Yes(String),
    /// The person has cancelled it.
    Cancelled,
    /// A passkey of this account is in the chosen manager already.
    Already,
    Refused(FetchResponse),
}

/// Makes a passkey and registers it. `conditional`: without asking, if the browser has just filled in the password.
///
/// # Errors
/// The server does not answer.
pub async fn register(conditional: bool) -> Result<Registered, Unreachable> {
    let request = if conditional { "{\"conditional\":true}" } else { "{}" };
    let begun = api::call("POST", paths::PASSKEY_OPTIONS, Some(request)).await?;
    let Some(short_key) = begun.text("short_key").filter(|_| begun.is_ok()) else {
        return Ok(Registered::Refused(begun));
    };
    let options = begun.object("options");
    let credential = match create(&options, conditional).await {
        Ok(credential) => credential,
        Err(error) if member(&error, "name").as_string().as_deref() == Some("InvalidStateError") => {
            return Ok(Registered::Already);
        }
        Err(_) => return Ok(Registered::Cancelled),
    };
    let id = passkeys::id_of(&credential).unwrap_or_default();
    let response = member(&credential, "response");
    let request = NewPasskey {
        short_key,
        label: None,
        conditional,
        credential: RegistrationCredential {
            id: id.clone(),
            response: AttestationResponse {
                client_data_json: passkeys::text_of(&member(&response, "clientDataJSON")),
                attestation_object: passkeys::text_of(&member(&response, "attestationObject")),
                transports: transports(&response),
            },
        },
    };
    let answer = api::call("POST", paths::PASSKEYS, serde_json::to_string(&request).ok().as_deref()).await?;
    if answer.is_ok() {
        return Ok(Registered::Yes(answer.texts("recovery_codes").join("\n")));
    }
    // The manager has a passkey that the server does not know, and should not offer it.
    let unknown = object::<Object>(&[("rpId", &member(&member(&options, "rp"), "id")), ("credentialId", &id.into())]);
    signal("signalUnknownCredential", &unknown).await;
    Ok(Registered::Refused(answer))
}

/// Whether this browser can make a passkey without asking, after it has filled in a password.
pub async fn can_upgrade() -> bool {
    let class = member(&window(), "PublicKeyCredential");
    let Ok(method) = member(&class, "getClientCapabilities").dyn_into::<Function>() else { return false };
    let Ok(asked) = method.call0(&class) else { return false };
    let capabilities: Result<JsValue, JsValue> = asked.unchecked_into::<Promise>().await;
    capabilities.is_ok_and(|capabilities| member(&capabilities, "conditionalCreate").is_truthy())
}

/// Calls a static method of `PublicKeyCredential`, if the browser has it, and waits until the manager has it: the page may be left after this.
async fn signal(name: &str, options: &JsValue) {
    let class = member(&window(), "PublicKeyCredential");
    let Ok(method) = member(&class, name).dyn_into::<Function>() else { return };
    if let Ok(promise) = method.call1(&class, options) {
        let _: Result<JsValue, JsValue> = promise.unchecked_into::<Promise>().await;
    }
}

/// The account's passkeys and names, as its passkey managers should have them.
#[derive(Debug)]
pub(crate) struct AccountSignals {
    rp: JsValue,
    user: JsValue,
    ids: Array,
    name: JsValue,
    display_name: JsValue,
}

impl AccountSignals {
    /// Asks the server. `None`: the account never had a passkey, or the server does not answer.
    pub(crate) async fn load() -> Option<Self> {
        let list = api::call("GET", paths::PASSKEYS, None).await.ok()?;
        let (rp, user) = (list.object("rp_id"), list.object("user_id"));
        if !rp.is_string() || !user.is_string() {
            return None;
        }
        let ids = Array::new();
        for passkey in Array::from(&list.object("passkeys")).iter() {
            ids.push(&member(&passkey, "credential_id"));
        }
        Some(Self { rp, user, ids, name: list.object("username"), display_name: list.object("display_name") })
    }

    async fn accept(&self, ids: &Array) {
        let accepted =
            object::<Object>(&[("rpId", &self.rp), ("userId", &self.user), ("allAcceptedCredentialIds", ids)]);
        signal("signalAllAcceptedCredentials", &accepted).await;
    }

    /// Sends the managers everything.
    pub(crate) async fn send(&self) {
        self.accept(&self.ids).await;
        let details = object::<Object>(&[
            ("rpId", &self.rp),
            ("userId", &self.user),
            ("name", &self.name),
            ("displayName", &self.display_name),
        ]);
        signal("signalCurrentUserDetails", &details).await;
    }

    /// Tells the managers that the account is gone with all its passkeys.
    #[cfg(any(feature = "ssr", feature = "private"))]
    pub(crate) async fn tell_deleted(&self) {
        self.accept(&Array::new()).await;
    }
}

/// Sends the person's passkey managers the account's passkeys and its names. Returns whether that was done.
pub(crate) async fn tell_managers() -> bool {
    let Some(signals) = AccountSignals::load().await else { return false };
    signals.send().await;
    true
}

async fn create(options: &JsValue, conditional: bool) -> Result<JsValue, JsValue> {
    let set = |holder: &JsValue, name: &str, value: &JsValue| Reflect::set(holder, &name.into(), value);
    // The JSON form differs from the other one in these bytes only.
    set(options, "challenge", &passkeys::bytes_of(options, "challenge")?)?;
    let user = member(options, "user");
    set(&user, "id", &passkeys::bytes_of(&user, "id")?)?;
    for held in Array::from(&member(options, "excludeCredentials")).iter() {
        set(&held, "id", &passkeys::bytes_of(&held, "id")?)?;
    }
    let request: JsValue = object::<Object>(&[("publicKey", options)]).into();
    if conditional {
        set(&request, "mediation", &"conditional".into())?;
    }
    credentials_create(&request)?.await
}

fn transports(response: &JsValue) -> Vec<String> {
    let listed = member(response, "getTransports").dyn_into::<Function>().and_then(|method| method.call0(response));
    let names = listed.map(|names| Array::from(&names).iter().filter_map(|name| name.as_string()).collect());
    names.unwrap_or_default()
}
