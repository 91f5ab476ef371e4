//! Many accounts in one transaction.

use crate::fixture::Fixture;
use crate::make::{NOW, entry, fresh, new_user, user};
use domain::profile::{Email, EmailAddress, EmailState, GroupName};
use store::audit::AuditEvent;
use store::imports::{Import, ImportOutcome, ImportUser};
use store::users::{NewUser, PasswordHash};

fn import_user(name: &str, email: &str, hash: &str, parameters: Option<&str>) -> ImportUser {
    ImportUser {
        user: NewUser { password_hash: PasswordHash(hash.to_owned()), ..new_user(name) },
        imported_parameters: parameters.map(str::to_owned),
        display_name: None,
        email: Some(Email { address: EmailAddress::parse(email).unwrap(), state: EmailState::VouchedFor }),
        groups: vec![GroupName::parse("Family").unwrap(), GroupName::parse("media").unwrap()],
        disabled: name == "bob",
        reset: None,
        mail: None,
    }
}

fn import(users: Vec<ImportUser>) -> Import {
    let group =
        |name: &str| (fresh("group"), GroupName::parse(name).unwrap(), entry(AuditEvent::GroupAdded, None, NOW));
    Import { users, groups: vec![group("family"), group("media")], now: NOW }
}

pub(crate) async fn are_written_as_a_whole_or_not_at_all(fixture: Fixture) {
    let store = fixture.open().await;
    let eve = user(&*store, "eve").await;
    let pair = |second: &str| {
        let ada = import_user("ada", "ada@example.org", "$2b$12$ada", Some("$2b$12$"));
        import(vec![ada, import_user(second, "bob@example.org", "$2b$10$bob", Some("$2b$10$"))])
    };
    assert_eq!(store.import(&pair("EVE")).await.unwrap(), ImportOutcome::Taken("EVE".to_owned()));
    assert_eq!(store.users().await.unwrap().len(), 1, "nothing was written");
    assert_eq!(store.groups().await.unwrap(), []);
    let alike = import(vec![
        import_user("paypal", "1@example.org", "x", None),
        import_user("paypaI", "2@example.org", "x", None),
    ]);
    assert!(store.import(&alike).await.is_err(), "a caller that did not compare them");
    assert_eq!(store.users().await.unwrap().len(), 1, "rolled back");

    let group = GroupName::parse("Media").unwrap();
    store.add_group("g", &group, &entry(AuditEvent::GroupAdded, None, NOW), NOW).await.unwrap();
    let done = store.import(&pair("bob")).await.unwrap();
    assert_eq!(done, ImportOutcome::Done { groups: vec![GroupName::parse("family").unwrap()] });
    let users = store.users().await.unwrap();
    let facts: Vec<_> = users.iter().map(|user| (user.name.as_str(), user.disabled_at.is_some())).collect();
    assert_eq!(facts, [("ada", false), ("bob", true), ("eve", false)]);
    let profile = store.profile(&users[0].id).await.unwrap().unwrap();
    let groups: Vec<_> = profile.groups.iter().map(GroupName::as_str).collect();
    assert_eq!(groups, ["family", "Media"]);
    assert_eq!(store.profile(&eve).await.unwrap().unwrap().groups, []);

    // Every check of a password uses the parameters, until the last account with them has another hash.
    let parameters = async || store.password_parameters().await.unwrap();
    assert_eq!(parameters().await, ["$2b$10$", "$2b$12$"]);
    let upgraded = PasswordHash("$argon2id$new".to_owned());
    assert!(store.upgrade_password(&users[0].id, &users[0].password_hash, &upgraded).await.unwrap());
    assert_eq!(parameters().await, ["$2b$10$"]);
}
