//! Profiles and groups: who may change them, and what apps receive.

use crate::app_tokens::claims;
use crate::support::{Answer, PASSWORD, Portal, Visitor, output_text, postern};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use store::audit::AuditEvent;
use wire::paths;

const APPS: &str = "trusted_proxies = ['10.0.0.1']\n[[apps]]\nname = 'wiki'\norigin = 'https://wiki.example'\n\
     [[apps.rules]]\npath = '/photos/*'\nallow = 'group'\ngroups = ['Family']\n";

/// A program's token for the app, as the proxy sends it.
struct AtApp {
    token: String,
    proxy: Visitor,
}

impl AtApp {
    async fn new(portal: &Portal, name: &str) -> Self {
        let program = portal.program("203.0.113.7");
        let login = program.login(name, PASSWORD).await.json();
        let bearer = format!("Bearer {}", login["tokens"]["access_token"].as_str().unwrap());
        let body = Some(json!({"audience": "https://wiki.example"}).to_string());
        let expected = program.send(Method::POST, paths::APP_TOKENS, body, &[("authorization", &bearer)]).await.json();
        let token = format!("Bearer {}", expected["access_token"].as_str().unwrap());
        Self { token, proxy: program.moved("10.0.0.1") }
    }

    async fn ask(&self, target: &str) -> Answer {
        let asked = [
            ("authorization", self.token.as_str()),
            ("x-forwarded-for", "203.0.113.7"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "wiki.example"),
            ("x-forwarded-uri", target),
            ("x-forwarded-method", "GET"),
        ];
        self.proxy.send(Method::GET, paths::VERIFY, None, &asked).await
    }

    /// Returns `Remote-Groups`, `Remote-Name` and `Remote-Email`.
    async fn headers(&self) -> [String; 3] {
        let answer = self.ask("/").await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        ["remote-groups", "remote-name", "remote-email"].map(|name| answer.raw_header(name))
    }

    async fn token_claims(&self) -> Value {
        claims(self.ask("/").await.header("authorization").trim_start_matches("Bearer "))
    }
}

async fn patch(visitor: &Visitor, path: &str, body: &Value) -> Answer {
    visitor.send(Method::PATCH, path, Some(body.to_string()), &[]).await
}

#[tokio::test]
async fn apps_learn_groups_names_and_reliable_addresses_on_every_node() {
    let portal = Portal::with(APPS).await;
    portal.add_administrator("root").await;
    let alice = portal.add_user("alice").await;
    let root = portal.browser("198.51.100.1").signed_in("root").await;
    let app = AtApp::new(&portal, "alice").await;
    let second = portal.another_with(APPS).await;
    let elsewhere = AtApp { token: app.token.clone(), proxy: app.proxy.at(&second) };
    for at in [&app, &elsewhere] {
        assert_eq!(at.headers().await, ["", "alice", ""].map(str::to_owned));
        assert_eq!(at.ask("/photos/1").await.status, StatusCode::FORBIDDEN);
    }
    for name in ["family", "media"] {
        assert_eq!(root.post(paths::GROUPS, &json!({"name": name})).await.status, StatusCode::CREATED);
    }
    let path = format!("{}/{alice}", paths::USERS);
    let change = json!({"display_name": "Ałice 🦊", "email": "Alice@Example.org", "groups": ["media", "FAMILY"]});
    let changed = patch(&root, &path, &change).await;
    assert_eq!(changed.status, StatusCode::NO_CONTENT, "{}", changed.text);
    let expected = ["family,media", "Ałice 🦊", "Alice@example.org"].map(str::to_owned);
    assert_eq!(app.headers().await, expected, "at once on this node");
    assert_eq!(app.ask("/photos/1").await.status, StatusCode::OK);
    portal.advance(1_000).await;
    second.advance(0).await;
    assert_eq!(elsewhere.headers().await, expected, "within a second on the other");
    let claims = app.token_claims().await;
    assert_eq!((&claims["name"], &claims["groups"]), (&json!("Ałice 🦊"), &json!(["family", "media"])));
    assert_eq!((&claims["email"], &claims["email_verified"]), (&json!("Alice@example.org"), &json!(true)));

    // The person changes the address: it is unproved now, so apps do not receive it.
    let own = portal.browser("203.0.113.8").signed_in("alice").await;
    let answer = patch(&own, paths::PROFILE, &json!({"display_name": "", "email": "new@example.org"})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(answer.json()["email"], json!({"address": "new@example.org", "state": "unproved"}));
    for body in [json!({"groups": ["family"]}), json!({"role": "administrator"}), json!({"email_state": "proved"})] {
        assert_eq!(patch(&own, paths::PROFILE, &body).await.code(), "bad_request", "{body}");
    }
    portal.advance(1_000).await;
    second.advance(0).await;
    for at in [&app, &elsewhere] {
        assert_eq!(at.headers().await, ["family,media", "alice", ""].map(str::to_owned));
    }
    let claims = app.token_claims().await;
    assert_eq!((&claims["email"], &claims["email_verified"]), (&Value::Null, &Value::Null));

    // Renamed and removed groups are updated.
    let groups = root.get(paths::GROUPS).await.json();
    let id = |n: usize| format!("{}/{}", paths::GROUPS, groups["groups"][n]["id"].as_str().unwrap());
    assert_eq!(patch(&root, &id(0), &json!({"name": "kin"})).await.status, StatusCode::NO_CONTENT);
    portal.advance(1_000).await;
    second.advance(0).await;
    for at in [&app, &elsewhere] {
        assert_eq!(at.headers().await[0], "kin,media");
        assert_eq!(at.ask("/photos/1").await.status, StatusCode::FORBIDDEN, "the rule names a group that is gone");
    }
    assert_eq!(root.send(Method::DELETE, &id(1), None, &[]).await.status, StatusCode::NO_CONTENT);
    portal.advance(1_000).await;
    second.advance(0).await;
    assert_eq!(elsewhere.headers().await[0], "kin");
    let events: Vec<_> = portal
        .store()
        .audit_of(&alice.as_str().into(), 20)
        .await
        .unwrap()
        .into_iter()
        .map(|e| (e.event, e.about))
        .collect();
    assert!(events.contains(&(AuditEvent::ProfileChanged, "display name, e-mail".to_owned())), "{events:?}");
    assert!(events.contains(&(AuditEvent::GroupsChanged, "media,FAMILY".to_owned())), "{events:?}");
}

#[tokio::test]
async fn no_profile_forges_or_breaks_a_header() {
    let portal = Portal::with(APPS).await;
    portal.add_administrator("root").await;
    let alice = portal.add_user("alice").await;
    let root = portal.browser("198.51.100.1").signed_in("root").await;
    let path = format!("{}/{alice}", paths::USERS);
    for body in [
        json!({"display_name": "a\r\nRemote-User: root"}),
        json!({"display_name": "a\u{0}"}),
        json!({"display_name": "a\u{202e}b"}),
        json!({"display_name": "x".repeat(101)}),
        json!({"email": "a@example.org\r\nRemote-User: root"}),
        json!({"email": "a@localhost"}),
        json!({"email": "\"a,b\"@example.org"}),
        json!({"groups": ["nobody"]}),
        json!({"groups": ["a,b\n"]}),
        json!({"groups": (0..33).map(|n| format!("g{n}")).collect::<Vec<_>>()}),
    ] {
        let refused = patch(&root, &path, &body).await;
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::BAD_REQUEST, "bad_request"), "{body}");
    }
    for name in ["a,b", "", "a\nb", "é", &"x".repeat(65)] {
        assert_eq!(root.post(paths::GROUPS, &json!({"name": name})).await.code(), "bad_request", "{name:?}");
    }
    assert_eq!(AtApp::new(&portal, "alice").await.headers().await, ["", "alice", ""].map(str::to_owned));
    // The longest values are accepted, in a token that the portal itself accepts.
    let name = |n: usize| format!("{n:0>32}");
    for n in 0..32 {
        assert_eq!(root.post(paths::GROUPS, &json!({"name": name(n)})).await.status, StatusCode::CREATED);
    }
    let local = "l".repeat(64);
    let domain = format!("{}{}", "d".repeat(60), ".example.org");
    let change = json!({
        "display_name": "🦊".repeat(100), "email": format!("{local}@{domain}"),
        "groups": (0..32).map(name).collect::<Vec<_>>(),
    });
    let changed = patch(&root, &path, &change).await;
    assert_eq!(changed.status, StatusCode::NO_CONTENT, "{}", changed.text);
    let app = AtApp::new(&portal, "alice").await;
    assert!(app.token.len() < 4096, "{}", app.token.len());
    assert_eq!(app.headers().await[0].len(), 32 * 33 - 1);
}

#[tokio::test]
async fn an_address_belongs_to_one_account_and_a_name_to_one_group() {
    let portal = Portal::start().await;
    portal.add_administrator("root").await;
    let (alice, bob) = (portal.add_user("alice").await, portal.add_user("bob").await);
    let root = portal.browser("198.51.100.1").signed_in("root").await;
    let set =
        async |id: &str, email: &str| patch(&root, &format!("{}/{id}", paths::USERS), &json!({"email": email})).await;
    assert_eq!(set(&alice, "one@example.org").await.status, StatusCode::NO_CONTENT);
    let taken = set(&bob, "ONE@example.org").await;
    assert_eq!((taken.status, taken.code().as_str()), (StatusCode::CONFLICT, "email_taken"));
    let own = portal.browser("203.0.113.8").signed_in("bob").await;
    let claimed = patch(&own, paths::PROFILE, &json!({"email": "one@example.org"})).await;
    assert_eq!(claimed.json()["email"]["state"], "unproved", "it says nothing about the other account");
    assert_eq!(root.post(paths::GROUPS, &json!({"name": "family"})).await.status, StatusCode::CREATED);
    let again = root.post(paths::GROUPS, &json!({"name": "Family"})).await;
    assert_eq!((again.status, again.code().as_str()), (StatusCode::CONFLICT, "name_taken"));
    for path in ["/api/admin/groups/nobody", "/api/admin/users/nobody"] {
        assert_eq!(patch(&root, path, &json!({"name": "x"})).await.status.as_u16() / 100, 4);
        assert_eq!(own.get(path).await.status.as_u16() / 100, 4);
    }
    for path in [paths::GROUPS, paths::USERS] {
        assert_eq!(own.get(path).await.code(), "forbidden");
    }
    let listed = root.get(paths::USERS).await.json();
    assert_eq!(listed["users"][0]["email"], json!({"address": "one@example.org", "state": "vouched_for"}));
}

#[tokio::test]
async fn pages_show_and_change_profiles() {
    let portal = Portal::with(APPS).await;
    portal.add_administrator("root").await;
    let alice = portal.add_user("alice").await;
    let root = portal.browser("198.51.100.1").signed_in("root").await;
    let page = root.get(paths::GROUPS_PAGE).await;
    assert!(page.text.contains("No groups yet.") && page.text.contains("which does not exist"), "{}", page.text);
    root.post(paths::GROUPS, &json!({"name": "family"})).await;
    let change = json!({"display_name": "Alice <b>", "email": "a@example.org", "groups": " family, "});
    let changed = patch(&root, &format!("{}/{alice}", paths::USERS), &change).await;
    assert_eq!(changed.status, StatusCode::NO_CONTENT, "a plain form sends a text: {}", changed.text);
    let users = root.get(&format!("{}?word=family", paths::USERS_PAGE)).await.text;
    assert!(users.contains("Alice &lt;b&gt; \u{b7} a@example.org (vouched for) \u{b7} family"), "{users}");
    assert!(!root.get(paths::GROUPS_PAGE).await.text.contains("which does not exist"));
    let person = root.get(&format!("{}?id={alice}", paths::PERSON_PAGE)).await.text;
    assert!(person.contains("An administrator has vouched for this address."), "{person}");
    let own = portal.browser("203.0.113.8").signed_in("alice").await;
    for (path, says) in [(paths::ACCOUNT_PAGE, "a@example.org (vouched for)"), (paths::PROFILE_PAGE, "Your profile")] {
        let text = own.get(path).await.text;
        assert!(text.contains(says), "{text}");
    }
    for path in [paths::GROUPS_PAGE, &format!("{}?id={alice}", paths::PERSON_PAGE)] {
        assert_eq!(own.get(path).await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(root.get(&format!("{}?id=nobody", paths::PERSON_PAGE)).await.status, StatusCode::NOT_FOUND);
}

#[test]
fn commands_manage_groups_and_profiles() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str], input: &str| postern(folder.path(), arguments, input);
    assert!(run(&["user", "add", "ada"], &format!("{PASSWORD}\n")).status.success());
    assert!(run(&["group", "add", "Family"], "").status.success());
    assert_eq!(run(&["group", "add", "family"], "").status.code(), Some(1));
    assert_eq!(run(&["group", "members", "nobody"], "").status.code(), Some(3));
    let set = ["user", "set", "ada", "--display-name", "Ada L", "--email", "ada@example.org", "--groups", "family"];
    let done = run(&set, "");
    assert!(done.status.success(), "{done:?}");
    assert_eq!(
        output_text(&run(&["user", "list"], "")),
        "ada\tuser\tenabled\tFamily\tAda L\tada@example.org (vouched for)\n"
    );
    let shown = output_text(&run(&["user", "show", "ADA"], ""));
    assert!(shown.contains("e-mail\tada@example.org (vouched for)\n") && shown.contains("groups\tFamily\n"), "{shown}");
    assert_eq!(output_text(&run(&["group", "list"], "")), "Family\t1\n");
    assert!(output_text(&run(&["group", "members", "family"], "")).starts_with("ada\t"));
    let unknown = run(&["user", "set", "ada", "--groups", "family,nobody"], "");
    assert!(!unknown.status.success() && String::from_utf8_lossy(&unknown.stderr).contains("no group is named nobody"));
    assert_eq!(run(&["user", "set", "ada"], "").status.code(), Some(2));

    let rules = "public_url = 'https://auth.example'\ntrusted_proxies = ['127.0.0.1']\n[[apps]]\nname = 'wiki'\n\
         origin = 'https://wiki.example'\n[[apps.rules]]\npath = '/*'\nallow = 'group'\ngroups = ['family', 'nobody']\n";
    let file = folder.path().join("apps.toml");
    std::fs::write(&file, rules).unwrap();
    let checked = output_text(&run(&["config", "check", "--config", file.to_str().unwrap()], ""));
    assert!(checked.contains("name the group nobody") && !checked.contains("name the group family"), "{checked}");
    assert!(run(&["group", "rename", "family", "Kin"], "").status.success());
    assert!(run(&["group", "remove", "kin"], "").status.success());
    assert_eq!(
        output_text(&run(&["user", "list"], "")),
        "ada\tuser\tenabled\t\tAda L\tada@example.org (vouched for)\n"
    );
}
