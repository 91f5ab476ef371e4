//! Mail: the queue, the messages, and failures of the mail server.

use crate::support::{Answer, Portal, Visitor, postern, said};
use http::{HeaderMap, Method, StatusCode};
use parking_lot::Mutex;
use serde_json::{Value, json};
use server::client::Client;
use server::flows::forgotten::mail_link;
use server::flows::mail::send_due;
use server::{doctor, jobs};
use std::sync::Arc;
use store::audit::AuditEvent;
use store::mails::MailCounts;
use store::resets::MailResetOutcome;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use wire::envelope::EnvelopeKind;
use wire::paths;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// A mail server without encryption, as on the same machine. Encryption is tested in the crate `mail`.
#[derive(Clone)]
pub(crate) struct MailServer {
    port: u16,
    taken: Arc<Mutex<Vec<String>>>,
    /// The answer to `RCPT TO`.
    recipient: Arc<Mutex<&'static str>>,
}

impl MailServer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Self { port, taken: Arc::default(), recipient: Arc::new(Mutex::new("250 Ok")) };
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serving = serving.clone();
                tokio::spawn(async move { serving.talk(stream).await });
            }
        });
        server
    }

    async fn talk(&self, stream: TcpStream) -> Option<()> {
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 mail.test\r\n").await.ok()?;
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            let answer = match line.split([' ', ':', '\r']).next()? {
                "EHLO" => "250 mail.test".to_owned(),
                "RCPT" => (*self.recipient.lock()).to_owned(),
                "DATA" => {
                    stream.write_all(b"354 Go ahead\r\n").await.ok()?;
                    let mut content = String::new();
                    while !content.ends_with("\r\n.\r\n") {
                        stream.read_line(&mut content).await.ok()?;
                    }
                    self.taken.lock().push(decoded(&content));
                    "250 Ok: queued".to_owned()
                }
                _ => "250 Ok".to_owned(),
            };
            stream.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
        }
    }

    pub(crate) fn settings(&self) -> String {
        format!(
            "[mail]\nserver = '127.0.0.1'\nport = {}\nsecurity = 'off'\nfrom = 'postern@example.org'\nper_hour = 3\n",
            self.port
        )
    }

    pub(crate) fn answers(&self, recipient: &'static str) {
        *self.recipient.lock() = recipient;
    }

    /// Returns what was taken since the last call.
    pub(crate) fn taken(&self) -> Vec<String> {
        std::mem::take(&mut *self.taken.lock())
    }

    /// Sends what is due, and returns the only message.
    pub(crate) async fn one(&self, portal: &Portal) -> String {
        send_due(&portal.state).await.unwrap();
        let mut taken = self.taken();
        assert_eq!(taken.len(), 1, "{taken:?}");
        taken.remove(0)
    }
}

/// Undoes quoted-printable and the doubled dots.
fn decoded(content: &str) -> String {
    content.replace("=\r\n", "").replace("=3D", "=").replace("\r\n..", "\r\n.")
}

pub(crate) fn code_in(message: &str, page: &str) -> String {
    let link = format!("http://localhost:3000{page}#code=");
    let rest = message.split(&link).nth(1).unwrap_or_else(|| panic!("no link: {message}"));
    rest.split_whitespace().next().unwrap().to_owned()
}

pub(crate) async fn patch(visitor: &Visitor, path: &str, body: &Value) -> Answer {
    visitor.send(Method::PATCH, path, Some(body.to_string()), &[]).await
}

pub(crate) async fn vouch(root: &Visitor, user: &str, address: &str) {
    let changed = patch(root, &format!("{}/{user}", paths::USERS), &json!({"email": address})).await;
    assert_eq!(changed.status, StatusCode::NO_CONTENT, "{}", changed.text);
}

#[tokio::test]
async fn an_invitation_is_mailed_and_leaves_nothing_behind() {
    let mail = MailServer::start().await;
    let portal = Portal::with(&mail.settings()).await;
    portal.add_administrator("root").await;
    let root = portal.browser("198.51.100.1").signed_in("root").await;
    let wish = json!({"role": "user", "hours": 24, "email": "Ada@Example.com"});
    // A link never leads to a host that a request names.
    let forged = [("x-forwarded-host", "evil.example"), ("forwarded", "host=evil.example")];
    let made = root.send(Method::POST, paths::INVITATIONS, Some(wish.to_string()), &forged).await;
    assert_eq!((made.status, &made.json()["mailed"]), (StatusCode::CREATED, &json!(true)), "{}", made.text);
    let row = portal.store().mails().await.unwrap().remove(0);
    let code = made.json()["link"].as_str().unwrap().split_once("#code=").unwrap().1.to_owned();
    assert!(!row.sealed.contains(&code) && row.user.is_none(), "the code is sealed");

    let message = mail.one(&portal).await;
    assert_eq!(code_in(&message, paths::SIGNUP_PAGE), code);
    for part in ["To: <Ada@example.com>", "Subject: Your invitation to Postern", "Auto-Submitted: auto-generated"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert!(!message.contains("evil.example"));
    assert!(portal.store().mails().await.unwrap().is_empty());
    send_due(&portal.state).await.unwrap();
    assert!(mail.taken().is_empty());

    for wrong in ["ada", "ada@example.org\r\nBcc: eve@example.net", "\u{e4}da@example.org", "ada@ex\u{e4}mple.org"] {
        let wish = json!({"role": "user", "hours": 24, "email": wrong});
        assert_eq!(root.post(paths::INVITATIONS, &wish).await.code(), "bad_request", "{wrong}");
    }
    let long = format!("{}@example.org", "x".repeat(65));
    let wish = json!({"role": "user", "hours": 24, "email": long});
    assert_eq!(root.post(paths::INVITATIONS, &wish).await.code(), "bad_request");
    // The limit prevents a flood of mail: the link is made, and not mailed.
    let again = json!({"role": "user", "hours": 24, "email": "ada@example.com"});
    let mut mailed = Vec::new();
    for _ in 0..4 {
        mailed.push(root.post(paths::INVITATIONS, &again).await.json()["mailed"].clone());
    }
    assert_eq!(mailed, [true, true, false, false]);
    assert!(root.get(paths::INVITATIONS_PAGE).await.text.contains("Mail the link to"));
}

#[tokio::test]
async fn two_nodes_send_a_message_once_and_a_node_that_died_is_replaced() {
    let mail = MailServer::start().await;
    let portal = Portal::with(&mail.settings()).await;
    portal.add_administrator("root").await;
    let root = portal.browser("198.51.100.1").signed_in("root").await;
    let other = portal.another().await;
    for n in 0..5 {
        let wish = json!({"role": "user", "hours": 24, "email": format!("ada{n}@example.com")});
        assert_eq!(root.post(paths::INVITATIONS, &wish).await.status, StatusCode::CREATED);
    }
    let (first, second) = tokio::join!(send_due(&portal.state), send_due(&other.state));
    first.and(second).unwrap();
    assert_eq!(mail.taken().len(), 5);
    // A node that ends after its claim: nobody sends for five minutes, then another node does.
    let wish = json!({"role": "user", "hours": 24, "email": "bob@example.com"});
    root.post(paths::INVITATIONS, &wish).await;
    let row = portal.store().mails().await.unwrap().remove(0);
    assert!(portal.store().claim_mail(&row, portal.clock_now() + 5 * MINUTE).await.unwrap());
    send_due(&other.state).await.unwrap();
    portal.advance(5 * MINUTE - 1).await;
    send_due(&other.state).await.unwrap();
    assert!(mail.taken().is_empty());
    portal.advance(1).await;
    let id = format!("Message-ID: <{}@example.org>", row.id);
    assert!(mail.one(&other).await.contains(&id), "each attempt has the same id");
}

#[tokio::test]
async fn a_message_is_tried_again_with_growing_pauses_and_given_up() {
    let mail = MailServer::start().await;
    let portal = Portal::with(&mail.settings()).await;
    let root_id = portal.add_administrator("root").await;
    let root = portal.browser("198.51.100.1").signed_in("root").await;
    vouch(&root, &root_id, "root@example.org").await;
    let findings = async || doctor::mail(&portal.state.config, portal.store().mail_counts().await.unwrap()).unwrap();
    // Greylisted, then accepted.
    mail.answers("451 4.7.1 Greylisted, try again later");
    portal.store().append(&portal.entry(AuditEvent::SecondFactorAdded, &root_id)).await.unwrap();
    send_due(&portal.state).await.unwrap();
    let row = portal.store().mails().await.unwrap().remove(0);
    assert_eq!((row.tries, row.next_at), (1, portal.clock_now() + MINUTE));
    assert!(row.failure.contains("451 4.7.1 Greylisted"), "{}", row.failure);
    assert_eq!(findings().await.state, doctor::FindingLevel::Fine);
    mail.answers("250 Ok");
    portal.advance(MINUTE).await;
    assert!(mail.one(&portal).await.contains("A second factor was added to your account root"));

    // Refused permanently: there is no further attempt, and the operator sees it.
    mail.answers("550 5.1.1 No such user");
    portal.store().append(&portal.entry(AuditEvent::PasskeyAdded, &root_id)).await.unwrap();
    send_due(&portal.state).await.unwrap();
    assert_eq!(portal.store().mail_counts().await.unwrap(), MailCounts { waiting: 0, given_up: 1 });
    let finding = findings().await;
    assert_eq!(finding.state, doctor::FindingLevel::Warning);
    assert!(finding.says.contains("did not take 1 message"), "{}", finding.says);
    assert!(root.get(paths::DASHBOARD_PAGE).await.text.contains("did not take 1 message"));
    mail.answers("250 Ok");
    let row = portal.store().mails().await.unwrap().remove(0);
    assert!(portal.store().retry_mail(&row.id, portal.clock_now()).await.unwrap());
    assert!(mail.one(&portal).await.contains("A passkey was added"));

    // A whole day without success.
    mail.answers("451 4.3.0 Later");
    portal.store().append(&portal.entry(AuditEvent::PasskeyRemoved, &root_id)).await.unwrap();
    let mut tries = 0;
    for _ in 0..24 * 60 {
        send_due(&portal.state).await.unwrap();
        let Some(row) = portal.store().mails().await.unwrap().pop() else { panic!("gone") };
        tries = row.tries;
        if row.given_up_at.is_some() {
            break;
        }
        portal.clock.advance(MINUTE);
    }
    assert_eq!(tries, 18);
    assert_eq!(portal.store().mail_counts().await.unwrap().given_up, 1);
    // A week later it is deleted.
    portal.clock.advance(8 * 24 * HOUR);
    jobs::sweep(&portal.state).await;
    assert_eq!(portal.store().mail_counts().await.unwrap(), MailCounts::default());
}

#[tokio::test]
async fn a_server_that_is_down_costs_only_one_message_an_attempt() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let settings = format!("[mail]\nserver = '127.0.0.1'\nport = {port}\nsecurity = 'off'\nfrom = 'a@example.org'\n");
    let portal = Portal::with(&settings).await;
    portal.add_administrator("root").await;
    let root = portal.browser("198.51.100.1").signed_in("root").await;
    for n in 0..3 {
        let wish = json!({"role": "user", "hours": 24, "email": format!("ada{n}@example.com")});
        root.post(paths::INVITATIONS, &wish).await;
    }
    send_due(&portal.state).await.unwrap();
    let tries: Vec<_> = portal.store().mails().await.unwrap().iter().map(|row| row.tries).collect();
    assert_eq!(tries.iter().sum::<u32>(), 1, "{tries:?}");
}

#[tokio::test]
async fn a_person_proves_an_address_by_a_link_and_a_changed_one_is_unproved_again() {
    let mail = MailServer::start().await;
    let portal = Portal::with(&mail.settings()).await;
    for name in ["alice", "eve"] {
        portal.add_user(name).await;
    }
    let alice = portal.browser("203.0.113.1").signed_in("alice").await;
    let eve = portal.browser("203.0.113.2").signed_in("eve").await;
    let nothing = json!({});
    assert_eq!(alice.post(paths::EMAIL_PROOF, &nothing).await.code(), "not_found", "there is no address");
    assert!(!alice.get(paths::PROFILE_PAGE).await.text.contains("Prove your e-mail address"));
    assert_eq!(patch(&alice, paths::PROFILE, &json!({"email": "alice@example.com"})).await.status, StatusCode::OK);
    assert!(alice.get(paths::PROFILE_PAGE).await.text.contains("Prove your e-mail address"));
    assert_eq!(alice.post(paths::EMAIL_PROOF, &nothing).await.status, StatusCode::ACCEPTED);
    let message = mail.one(&portal).await;
    assert!(message.contains("To: <alice@example.com>"), "{message}");
    let code = code_in(&message, paths::PROFILE_PAGE);

    // Another person who opens the link proves nothing, and does not use it up.
    let confirm = json!({"code": code});
    assert_eq!(eve.post(paths::CONFIRM_EMAIL_PROOF, &confirm).await.code(), "link_used_up");
    let stranger = portal.browser("203.0.113.9");
    assert_eq!(stranger.post(paths::CONFIRM_EMAIL_PROOF, &confirm).await.status, StatusCode::UNAUTHORIZED);
    let confirmed = alice.post(paths::CONFIRM_EMAIL_PROOF, &confirm).await;
    assert_eq!(confirmed.json()["email"], json!({"address": "alice@example.com", "state": "proved"}));
    assert_eq!(alice.post(paths::CONFIRM_EMAIL_PROOF, &confirm).await.code(), "link_used_up", "once");
    assert_eq!(alice.post(paths::EMAIL_PROOF, &nothing).await.code(), "not_found", "nothing to prove");
    let page = alice.get(&format!("{}?done=proved", paths::PROFILE_PAGE)).await.text;
    assert!(page.contains("Your e-mail address is proved.") && !page.contains("Prove your e-mail"), "{page}");

    // The other account cannot use the address. That shows only after opening a link that its owner receives.
    patch(&eve, paths::PROFILE, &json!({"email": "ALICE@example.com"})).await;
    assert_eq!(eve.post(paths::EMAIL_PROOF, &nothing).await.status, StatusCode::ACCEPTED);
    let confirm = json!({"code": code_in(&mail.one(&portal).await, paths::PROFILE_PAGE)});
    assert_eq!(eve.post(paths::CONFIRM_EMAIL_PROOF, &confirm).await.code(), "email_taken");

    // The new address is unproved, and the earlier one gets a message.
    let changed = patch(&alice, paths::PROFILE, &json!({"email": "alice@example.net"})).await.json();
    assert_eq!(changed["email"]["state"], "unproved");
    let told = mail.one(&portal).await;
    assert!(told.contains("To: <alice@example.com>") && told.contains("was changed or removed"), "{told}");
    // A link expires.
    alice.post(paths::EMAIL_PROOF, &nothing).await;
    let confirm = json!({"code": code_in(&mail.one(&portal).await, paths::PROFILE_PAGE)});
    alice.post(paths::EMAIL_PROOF, &nothing).await;
    assert_eq!(alice.post(paths::CONFIRM_EMAIL_PROOF, &confirm).await.code(), "link_used_up", "replaced");
    // The account had three messages in this hour.
    let limited = alice.post(paths::EMAIL_PROOF, &nothing).await;
    assert_eq!((limited.status, limited.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "busy"));
    assert!(limited.header("retry-after").parse::<i64>().unwrap() <= 3600);
    let confirm = json!({"code": code_in(&mail.one(&portal).await, paths::PROFILE_PAGE)});
    portal.advance(24 * HOUR).await;
    alice.refresh().await;
    assert_eq!(alice.confirm().await.status, StatusCode::NO_CONTENT);
    assert_eq!(alice.post(paths::CONFIRM_EMAIL_PROOF, &confirm).await.code(), "link_used_up", "expired");
}

#[tokio::test]
async fn notices_go_to_an_address_that_is_sure_and_to_no_other() {
    let mail = MailServer::start().await;
    let portal = Portal::with(&mail.settings().replace("per_hour = 3", "per_hour = 100")).await;
    portal.add_administrator("root").await;
    let alice = portal.add_user("alice").await;
    let root = portal.browser("198.51.100.1").signed_in("root").await;
    portal.browser("203.0.113.1").signed_in("alice").await;
    portal.advance(1_000).await;
    // The second device is new, but there is no address yet.
    let second = portal.browser("203.0.113.2").signed_in("alice").await;
    patch(&second, paths::PROFILE, &json!({"email": "alice@example.com"})).await;
    portal.browser("203.0.113.3").signed_in("alice").await;
    send_due(&portal.state).await.unwrap();
    assert!(mail.taken().is_empty(), "an unproved address gets no notices");

    vouch(&root, &alice, "alice@example.com").await;
    portal.browser("203.0.113.4").signed_in("alice").await;
    let message = mail.one(&portal).await;
    for part in ["Subject: Postern: new sign-in to your account", "To: <alice@example.com>", "203.0.113.0/24", "UTC"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert!(message.contains("http://localhost:3000/dashboard/activity") && !message.contains("code="), "{message}");
    for (event, says) in [
        (AuditEvent::PasswordSet, "The password of your account alice at Postern was changed."),
        (AuditEvent::SecondFactorAdded, "A second factor was added"),
        (AuditEvent::SecondFactorRemoved, "An administrator removed a second factor"),
        (AuditEvent::RecoveryCodeUsed, "A recovery code was used"),
        (AuditEvent::PasskeyRemoved, "A passkey was removed"),
    ] {
        portal.store().append(&portal.entry(event, &alice)).await.unwrap();
        let message = mail.one(&portal).await;
        assert!(message.contains(says), "{says}: {message}");
    }
    // They are the same events that the page shows.
    assert!(second.get(paths::DASHBOARD_PAGE).await.text.contains("New on your account"));
}

#[tokio::test]
async fn a_reset_link_is_mailed_to_a_sure_address_with_one_message() {
    let mail = MailServer::start().await;
    let portal = Portal::with(&mail.settings()).await;
    portal.add_administrator("root").await;
    let alice = portal.add_user("alice").await;
    let root = portal.browser("198.51.100.1").signed_in("root").await;
    let path = format!("{}/{alice}/reset", paths::USERS);
    let wish = json!({"mail": true});
    assert_eq!(root.post(&path, &wish).await.code(), "bad_request", "no address");
    vouch(&root, &alice, "alice@example.com").await;
    assert!(root.get(paths::USERS_PAGE).await.text.contains("Mail reset link"));
    let made = root.post(&path, &wish).await;
    assert_eq!((made.status, &made.json()["mailed"]), (StatusCode::OK, &json!(true)), "{}", made.text);
    let message = mail.one(&portal).await;
    assert!(message.contains("your account alice") && message.contains("second factor"), "{message}");
    assert!(made.json()["link"].as_str().unwrap().ends_with(&code_in(&message, paths::RESET_PAGE)));
    // A link that is handed over in another way is announced.
    assert_eq!(root.post(&path, &json!({})).await.json().get("mailed"), None);
    assert!(mail.one(&portal).await.contains("An administrator made a link"));
    for wrong in [json!({"mail": "yes"}), json!({"mail": true, "to": "eve@example.net"})] {
        assert_eq!(root.post(&path, &wrong).await.code(), "bad_request", "{wrong}");
    }
}

#[tokio::test]
async fn a_forgotten_password_is_set_by_mail_with_one_answer_for_every_name() {
    let mail = MailServer::start().await;
    let portal = Portal::with(&mail.settings()).await;
    portal.add_administrator("root").await;
    let alice = portal.add_user("alice").await;
    let bob = portal.add_user("bob").await;
    let root = portal.browser("198.51.100.1").signed_in("root").await;
    vouch(&root, &alice, "alice@example.com").await;
    let visitor = portal.browser("203.0.113.7");
    assert!(visitor.get(paths::LOGIN_PAGE).await.text.contains("Forgot password?"));
    assert!(visitor.get(paths::FORGOTTEN_PAGE).await.text.contains("Account name"));
    let mut answers = Vec::new();
    for name in ["alice", "bob", "nobody", "", "\u{1f98a}", "alice\r\nBcc: eve@example.net"] {
        let answer = visitor.post(paths::FORGOTTEN_PASSWORD, &json!({"account": name})).await;
        answers.push((answer.status, answer.text.clone()));
    }
    assert!(answers.iter().all(|answer| *answer == (StatusCode::ACCEPTED, String::new())), "{answers:?}");
    for wrong in [json!({}), json!({"account": 7}), json!({"account": "alice", "to": "eve@example.net"})] {
        assert_eq!(visitor.post(paths::FORGOTTEN_PASSWORD, &wrong).await.code(), "bad_request", "{wrong}");
    }
    // The server does this after the answer; here it is called directly.
    let client = Client::new("203.0.113.7".parse().unwrap(), 64, &HeaderMap::new());
    let ask = async |name: &str| mail_link(&portal.state, &client, name).await.unwrap();
    assert_eq!(ask("bob").await, None, "there is no address");
    patch(&portal.browser("203.0.113.9").signed_in("bob").await, paths::PROFILE, &json!({"email": "b@example.com"}))
        .await;
    assert_eq!(ask("bob").await, None, "an unproved address gets nothing");
    // A disabled account gets no link.
    vouch(&root, &bob, "bob@example.com").await;
    let disabled = patch(&root, &format!("{}/{bob}", paths::USERS), &json!({"disabled": true})).await;
    assert_eq!(disabled.status, StatusCode::NO_CONTENT);
    assert_eq!(ask("bob").await, None);
    while portal.store().mails().await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(mail.one(&portal).await.contains("To: <alice@example.com>"), "asked for above");
    portal.advance(HOUR).await;
    assert_eq!(ask("ALICE").await, Some(MailResetOutcome::Queued));
    let message = mail.one(&portal).await;
    assert!(message.contains("To: <alice@example.com>") && message.contains("203.0.113.0/24"), "{message}");
    let code = code_in(&message, paths::RESET_PAGE);
    let wish = json!({"code": code, "password": "another horse battery staple"});
    let set = visitor.post_sealed(EnvelopeKind::Reset, &wish).await;
    assert_eq!(set.status, StatusCode::NO_CONTENT, "{}", set.text);
    assert!(mail.one(&portal).await.contains("was changed"));
    assert_eq!(visitor.post_sealed(EnvelopeKind::Reset, &wish).await.code(), "link_used_up", "once");
    let limited = [ask("alice").await, ask("alice").await, ask("alice").await];
    assert_eq!(limited[2], Some(MailResetOutcome::OverLimit), "{limited:?}");
    let without = Portal::start().await;
    let visitor = without.browser("203.0.113.7");
    assert_eq!(visitor.post(paths::FORGOTTEN_PASSWORD, &json!({"account": "a"})).await.code(), "not_found");
    assert!(!visitor.get(paths::LOGIN_PAGE).await.text.contains("Forgot"));
    assert!(!visitor.get(paths::FORGOTTEN_PAGE).await.text.contains("Account name"));
}

#[tokio::test]
async fn without_mail_everything_works_and_no_page_speaks_of_it() {
    let portal = Portal::start().await;
    portal.add_administrator("root").await;
    let alice = portal.add_user("alice").await;
    let root = portal.browser("198.51.100.1").signed_in("root").await;
    vouch(&root, &alice, "alice@example.com").await;
    let visitor = portal.browser("203.0.113.1").signed_in("alice").await;
    patch(&visitor, paths::PROFILE, &json!({"email": "alice@example.net"})).await;
    assert_eq!(visitor.post(paths::EMAIL_PROOF, &json!({})).await.code(), "not_found");
    for (who, page) in [(&visitor, paths::PROFILE_PAGE), (&root, paths::INVITATIONS_PAGE), (&root, paths::USERS_PAGE)] {
        let text = who.get(page).await.text;
        assert!(!text.contains("Mail ") && !text.contains("mailed"), "{page}: {text}");
    }
    let wish = json!({"role": "user", "hours": 24, "email": "bob@example.com"});
    assert_eq!(root.post(paths::INVITATIONS, &wish).await.code(), "not_found");
    assert_eq!(root.post(&format!("{}/{alice}/reset", paths::USERS), &json!({"mail": true})).await.code(), "not_found");
    send_due(&portal.state).await.unwrap();
    assert!(portal.store().mails().await.unwrap().is_empty());
    assert_eq!(doctor::mail(&portal.state.config, MailCounts::default()), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_test_the_server_and_manage_the_queue() {
    let mail = MailServer::start().await;
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let output = postern(folder.path(), arguments, "");
        (output.status.code(), said(&output))
    };
    let (code, text) = run(&["mail", "test", "ada@example.com"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("mail is off"), "{text}");
    std::fs::write(folder.path().join("postern.toml"), mail.settings()).unwrap();
    let (code, text) = run(&["mail", "test", "ada@example.com"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("The mail server answered: 250 Ok: queued"), "{text}");
    assert!(mail.taken().remove(0).contains("This is a test message of Postern."));
    mail.answers("550 5.1.1 <ada@example.com>: no such user");
    let (code, text) = run(&["mail", "test", "ada@example.com"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("RCPT TO: the server answered: 550 5.1.1 <ada@example.com>: no such user"), "{text}");
    let (code, text) = run(&["mail", "queue", "retry", "nobody"]);
    assert_eq!(code, Some(3), "{text}");
    assert_eq!(run(&["mail", "queue", "drop"]).0, Some(2));
    assert_eq!(run(&["mail", "queue", "drop", "--all"]).0, Some(0));
    assert_eq!(run(&["mail", "queue", "--json"]).1.trim(), "[]");
}

/// The earlier mailbox may be another person's, or a thief's.
#[tokio::test]
async fn a_mailed_link_ends_with_the_address_that_it_went_to() {
    let mail = MailServer::start().await;
    let portal = Portal::with(&mail.settings().replace("per_hour = 3", "per_hour = 100")).await;
    portal.add_administrator("root").await;
    let id = portal.add_user("alice").await;
    let root = portal.browser("198.51.100.1").signed_in("root").await;
    let alice = portal.browser("203.0.113.1").signed_in("alice").await;
    vouch(&root, &id, "alice@example.com").await;
    let client = Client::new("203.0.113.7".parse().unwrap(), 64, &HeaderMap::new());
    assert_eq!(mail_link(&portal.state, &client, "alice").await.unwrap(), Some(MailResetOutcome::Queued));
    let code = code_in(&mail.one(&portal).await, paths::RESET_PAGE);
    portal.advance(1_000).await;
    assert_eq!(patch(&alice, paths::PROFILE, &json!({"email": "alice@example.net"})).await.status, StatusCode::OK);
    let wish = json!({"code": code, "password": "another horse battery staple"});
    let thief = portal.browser("203.0.113.66");
    assert_eq!(thief.post_sealed(EnvelopeKind::Reset, &wish).await.code(), "link_used_up");
    assert!(mail.one(&portal).await.contains("To: <alice@example.com>"), "the earlier address is told");
    let page = alice.get(paths::DASHBOARD_PAGE).await.text;
    assert!(page.contains("New on your account"), "the owner sees it on every device: {page}");
}
