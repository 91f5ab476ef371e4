use super::keyring::KeyringBackend;
use super::*;
use parking_lot::Mutex;
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

fn server() -> Server {
    Server::parse("https://auth.example").unwrap()
}

fn profile(token: &str) -> Profile {
    let member = |name: &str| (name.to_owned(), json!(token));
    let names = ["username", "session", "access_token", "refresh_token", "signing_key", "receiving_key"];
    let mut profile: serde_json::Map<_, _> = names.into_iter().map(member).collect();
    profile.insert("origin".to_owned(), json!("https://auth.example"));
    serde_json::from_value(profile.into()).unwrap()
}

#[tokio::test]
async fn a_session_is_kept_changed_and_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let storage = Storage::new(folder.path().join("new"));
    assert!(storage.load::<Profile>(&server()).await.unwrap().is_none());
    let place = storage.keep(&server(), &profile("one"), StorageChoice::File).await.unwrap();
    assert_eq!(place.place, Location::File(folder.path().join("new/https_auth.example.json")));
    storage.update(&server(), &profile("two")).await.unwrap();
    assert_eq!(storage.load::<Profile>(&server()).await.unwrap().unwrap().access_token(), "two");
    assert_eq!(storage.server().unwrap().unwrap(), server());
    storage.forget(&server()).await.unwrap();
    storage.forget(&server()).await.unwrap();
    assert!(storage.load::<Profile>(&server()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_broken_file_and_that_of_another_server_are_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let storage = Storage::new(folder.path());
    storage.keep(&server(), &profile("one"), StorageChoice::File).await.unwrap();
    let (path, whole) =
        (storage.path::<Profile>(&server()), file::read(&storage.path::<Profile>(&server())).unwrap().unwrap());
    let other = String::from_utf8(whole.to_vec()).unwrap().replace("auth.example", "evil.example");
    for text in ["", "{}", &other] {
        std::fs::write(&path, text).unwrap();
        assert!(matches!(storage.load::<Profile>(&server()).await, Err(Error::Unreadable(_))), "{text}");
    }
}

#[tokio::test]
async fn one_waits_for_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let storage = Storage::new(folder.path());
    let first = storage.lock::<Profile>(&server()).await.unwrap();
    let second = tokio::spawn({
        let storage = storage.clone();
        async move { storage.lock::<Profile>(&server()).await.map(drop) }
    });
    tokio::task::yield_now().await;
    let file = std::fs::File::open(storage.path::<Profile>(&server()).with_extension("lock")).unwrap();
    assert!(file.try_lock().is_err(), "held");
    drop(first);
    second.await.unwrap().unwrap();
}

/// A keyring as it is on a desktop, in an ssh session, and on a bus where nobody answers.
#[derive(Debug, Default)]
struct Ring {
    items: Mutex<HashMap<String, Vec<u8>>>,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Here,
    Away,
    Silent,
}

impl Ring {
    fn answer<T>(
        &self,
        does: impl FnOnce(&mut HashMap<String, Vec<u8>>) -> T,
    ) -> Result<T, Box<dyn std::error::Error + Send + Sync>> {
        let state = *self.state.lock();
        match state {
            State::Here => Ok(does(&mut self.items.lock())),
            State::Away => Err("no bus".into()),
            State::Silent => loop {
                std::thread::park();
            },
        }
    }
}

impl KeyringBackend for Ring {
    fn set(&self, service: &str, account: &str, secret: &[u8]) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        self.answer(|items| drop(items.insert(format!("{service} {account}"), secret.to_vec())))
    }

    fn get(&self, service: &str, account: &str) -> Result<Option<Vec<u8>>, Box<dyn std::error::Error + Send + Sync>> {
        self.answer(|items| items.get(&format!("{service} {account}")).cloned())
    }

    fn delete(&self, service: &str, account: &str) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        self.answer(|items| drop(items.remove(&format!("{service} {account}"))))
    }
}

/// Time limit for a keyring that answers, which only a fault exceeds.
const PATIENT: Duration = Duration::from_mins(1);
/// Time limit for a keyring that does not answer. The test waits this long.
const HURRIED: Duration = Duration::from_millis(100);

fn with_ring(folder: &Path) -> (Storage, Arc<Ring>) {
    let ring = Arc::new(Ring::default());
    (Storage { folder: folder.to_owned(), keyring: keyring(&ring, PATIENT) }, ring)
}

fn keyring(ring: &Arc<Ring>, timeout: Duration) -> Keyring {
    Keyring::new(Arc::clone(ring) as Arc<dyn KeyringBackend>, timeout)
}

#[tokio::test]
async fn a_keyring_that_has_gone_hinders_neither_sign_in_nor_sign_out() {
    for state in [State::Away, State::Silent] {
        let folder = tempfile::tempdir().unwrap();
        let (storage, ring) = with_ring(folder.path());
        let first = storage.keep(&server(), &profile("one"), StorageChoice::Auto).await.unwrap();
        assert_eq!(first, StoreOutcome { place: Location::Keyring, left: None });
        *ring.state.lock() = state;
        let storage = Storage { keyring: keyring(&ring, HURRIED), ..storage };
        assert!(matches!(storage.load::<Profile>(&server()).await, Err(Error::Keyring(_))), "{state:?}");
        assert_eq!(storage.session_in_keyring(&server()).as_deref(), Some("one"));

        // It is stored in a file, and the item that remains in the keyring has a name.
        let stored = storage.keep(&server(), &profile("two"), StorageChoice::Auto).await.unwrap();
        let left = KeyringItem { service: "postern".to_owned(), account: "https://auth.example".to_owned() };
        assert!(matches!(stored.place, Location::File(_)) && stored.left.as_ref() == Some(&left), "{stored:?}");
        storage.update(&server(), &profile("three")).await.unwrap();
        assert_eq!(storage.load::<Profile>(&server()).await.unwrap().unwrap().access_token(), "three");
        assert_eq!(storage.leftover(&server()), Some(left.clone()));

        assert_eq!(storage.forget(&server()).await.unwrap(), Some(left.clone()), "{state:?}");
        assert!(storage.load::<Profile>(&server()).await.unwrap().is_none());
        assert_eq!(ring.items.lock().len(), 1, "still there");

        // Another day, on the desktop.
        *ring.state.lock() = State::Here;
        let desktop = Storage { folder: folder.path().to_owned(), keyring: keyring(&ring, PATIENT) };
        assert_eq!(desktop.leftover(&server()), Some(left));
        assert_eq!(desktop.forget(&server()).await.unwrap(), None);
        assert!(ring.items.lock().is_empty() && desktop.leftover(&server()).is_none(), "{state:?}");
    }
}

#[tokio::test]
async fn a_silent_keyring_is_waited_for_once() {
    let folder = tempfile::tempdir().unwrap();
    let (storage, ring) = with_ring(folder.path());
    let storage = Storage { keyring: keyring(&ring, HURRIED), ..storage };
    *ring.state.lock() = State::Silent;
    let stored = storage.keep(&server(), &profile("one"), StorageChoice::Auto).await.unwrap();
    assert!(stored.left.is_some(), "it may still take what it was given");
    // It answers again, but is not used, because another thread may still wait for it.
    *ring.state.lock() = State::Here;
    assert!(matches!(storage.keep(&server(), &profile("two"), StorageChoice::Keyring).await, Err(Error::Keyring(_))));
    assert!(ring.items.lock().is_empty());
}
