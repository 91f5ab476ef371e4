//! Access to an app, in every spelling of its paths.
#![expect(clippy::expect_used, reason = "a test that fails says so")]

use domain::account::Role;
use domain::app::{Allow, AppRule, AppRules, Authorization, InvalidRule, OneOf};
use domain::app_path::safe_path;
use domain::profile::GroupName;
use proptest::prelude::*;

const PUBLIC: Allow = Allow::Public;
const SIGNED_IN: Allow = Allow::SignedIn;
const ADMIN: Allow = Allow::Administrator;

fn rules(list: &[(&str, &[&str], Allow)]) -> AppRules {
    let rule = |(path, methods, allow): &(&str, &[&str], Allow)| {
        AppRule::new(path, methods.iter().map(ToString::to_string).collect(), *allow).expect(path)
    };
    AppRules::new(list.iter().map(rule).collect())
}

/// Returns an app that is public except for the pages of administrators.
fn shop() -> AppRules {
    rules(&[
        ("/admin/*", &[], ADMIN),
        ("/Reports/all", &[], ADMIN),
        ("/orders/*", &["POST", "DELETE"], SIGNED_IN),
        ("/*", &[], PUBLIC),
    ])
}

/// Returns an app that needs a sign-in except for its assets.
fn wiki() -> AppRules {
    rules(&[("/assets/*", &["GET"], PUBLIC), ("/hook", &["POST"], PUBLIC), ("/admin/*", &[], ADMIN)])
}

#[test]
fn the_first_matching_rule_decides_otherwise_any_signed_in_person() {
    for (method, path, expected) in [
        ("GET", "/", SIGNED_IN),
        ("GET", "/assets/app.js", PUBLIC),
        ("HEAD", "/assets/app.js", SIGNED_IN),
        ("GET", "/assets/a/b/c.css?v=../../admin", PUBLIC),
        ("POST", "/assets/app.js", SIGNED_IN),
        ("POST", "/hook", PUBLIC),
        ("GET", "/hook", SIGNED_IN),
        ("POST", "/hook/", PUBLIC),
        ("GET", "/hooks", SIGNED_IN),
        ("GET", "/admin", ADMIN),
        ("GET", "/admin/", ADMIN),
        ("GET", "/admin/users", ADMIN),
        ("GET", "/administration", SIGNED_IN),
        ("GET", "/assets", PUBLIC),
        ("GET", "/assetsx/y", SIGNED_IN),
        ("GET", "/assets/Z%C3%BCrich%20100%25.png", PUBLIC),
        ("GET", "/assets/a;b=c/d", PUBLIC),
        ("GET", "/assets/.well-known/x", PUBLIC),
    ] {
        assert_eq!(wiki().judge(method, path, false).allow, expected, "{method} {path}");
    }
    for (method, path, expected) in [
        ("GET", "/orders/7", PUBLIC),
        ("POST", "/orders/7", SIGNED_IN),
        ("post", "/orders/7", SIGNED_IN),
        ("DELETE", "/orders/7", SIGNED_IN),
        ("GET", "/Reports/all", ADMIN),
    ] {
        assert_eq!(shop().judge(method, path, false).allow, expected, "{method} {path}");
    }
    assert_eq!(AppRules::default().judge("GET", "/%zz", true).allow, SIGNED_IN);
    assert_eq!(rules(&[("/x", &["GET"], ADMIN), ("/*", &[], PUBLIC)]).judge("HEAD", "/x", false).allow, ADMIN);
}

#[test]
fn no_way_of_writing_a_path_gets_around_a_rule() {
    for path in [
        "//admin/x",
        "/./admin/x",
        "/assets/../admin/x",
        "/assets/..//admin/x",
        "/assets/%2e%2e/admin/x",
        "/assets/%2E%2E%2Fadmin/x",
        "/assets/..%2fadmin%2fx",
        "/assets/%252e%252e/admin/x",
        "/assets/..%255c..%255cadmin/x",
        "/assets/..\\admin/x",
        "/assets/..;/admin/x",
        "/assets/..;a=b/admin/x",
        "/admin;x/users",
        "/;x/admin/users",
        "/%61dmin/x",
        "/%2561dmin/x",
        "/ADMIN/x",
        "/aDmIn",
        "/admin%2f",
        "/admin%3Fx",
        "/admin%23x",
        "/admin#x",
        "/assets/x#/../../admin/secret",
        "/#/admin",
        "/admin%00",
        "/admin%0a",
        "/admin%09/x",
        "/admin%20/x",
        "/admin./x",
        "/admin%2e",
        "/admin..%5c",
        "/\u{ff41}dmin/x",
        "/%EF%BD%81dmin/x",
        "/admin\u{ff0f}x",
        "/%u0061dmin/x",
        "/%c0%ae%c0%ae/admin",
        "/%zz/admin",
        "/admin%",
        "*",
        "http://shop.example/admin/x",
        "",
        "/reports/ALL",
        "/Reports/all/",
        "/Reports//all",
    ] {
        assert_eq!(shop().judge("GET", path, false).allow, ADMIN, "{path:?}");
    }
    assert_eq!(shop().judge("GET", "/x?y#z", false).allow, PUBLIC, "a query may contain anything");
    assert_eq!(shop().judge("GET", "/x", true).allow, ADMIN, "a header names another method");
    assert_eq!(shop().judge("GET", &format!("/{}", "a".repeat(5000)), false).allow, ADMIN);
    assert_eq!(shop().judge("GET", &format!("/%{}41", "25".repeat(50)), false).allow, ADMIN, "a riddle");
    for path in
        ["/assets/../page", "/assets/%2e%2e/page", "/assets/..;/page", "/assets/%2e%2e%2fpage", "/assets//../page"]
    {
        assert_eq!(wiki().judge("GET", path, false).allow, SIGNED_IN, "{path}");
    }
}

#[test]
fn patterns_have_one_form() {
    for good in ["/", "/*", "/a", "/a/", "/a/*", "/a.b/c_d~e-f/*", "/Zürich"] {
        assert!(AppRule::new(good, Vec::new(), PUBLIC).is_ok(), "{good}");
    }
    for bad in [
        "", "a", "*", "/a*", "/*/a", "/a//b", "/./a", "/a/../b", "/a/..", "/a%20b", "/a;b", "/a?b", "/a#b", "/a b",
        "/a\\b", "/a\n", "//", "/a/**",
    ] {
        assert_eq!(AppRule::new(bad, Vec::new(), PUBLIC), Err(InvalidRule::Path), "{bad:?}");
    }
    for bad in ["get", "", "GET ", "G-T"] {
        assert_eq!(AppRule::new("/", vec![bad.to_owned()], PUBLIC), Err(InvalidRule::Method), "{bad:?}");
    }
}

#[test]
fn roles() {
    for (allow, user, administrator) in [(SIGNED_IN, true, true), (ADMIN, false, true)] {
        assert_eq!((allow.admits(Role::User), allow.admits(Role::Administrator)), (user, administrator));
    }
}

#[test]
fn a_place_to_come_back_to_is_a_path() {
    for (asked, lands) in [
        ("/page?a=b#c", "/page?a=b#c"),
        ("//evil.example", "//evil.example"),
        ("", "/"),
        ("page", "/"),
        ("https://evil.example", "/"),
        ("@evil.example", "/"),
        (".evil.example", "/"),
        (":1@evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/\r\nset-cookie: a=b", "/"),
        ("/\tx", "/"),
        ("/ü", "/"),
    ] {
        assert_eq!(safe_path(Some(asked)), lands, "{asked:?}");
    }
    assert_eq!((safe_path(None), safe_path(Some(&format!("/{}", "a".repeat(1024))))), ("/", "/"));
}

/// Returns one of the spellings of a character of a path.
fn written(c: char, way: u8) -> String {
    match way % 6 {
        0 if c.is_ascii() && c != '/' => format!("%{:02x}", u32::from(c)),
        1 if c.is_ascii() && c != '/' => format!("%25{:02X}", u32::from(c)),
        2 => c.to_uppercase().collect(),
        3 if c == '/' => ["//", "/./", "/x/../", ";p=1/", "%2f", "\\", "/;/"][usize::from(way / 6) % 7].to_owned(),
        _ => c.to_string(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn disguises_never_help(path in "/admin(/[a-z]{1,5}){0,3}", ways in prop::collection::vec(any::<u8>(), 40)) {
        let disguised: String = path.chars().zip(ways).enumerate()
            // A request target begins with a slash.
            .map(|(place, (c, way))| if place == 0 { c.to_string() } else { written(c, way) }).collect();
        prop_assert_eq!(shop().judge("GET", &disguised, false).allow, ADMIN, "{}", disguised);
    }

    #[test]
    fn nothing_panics_and_all_is_bounded(path in "\\PC{0,200}", method in "[A-Za-z]{0,8}") {
        let allow = wiki().judge(&method, &format!("/assets/{path}"), false).allow;
        prop_assert!(allow <= ADMIN);
        let place = safe_path(Some(&path)).to_owned();
        prop_assert!(place.starts_with('/') && place.bytes().all(|b| b.is_ascii_graphic()));
    }

    #[test]
    fn plain_paths_are_judged_by_their_rule(rest in "[a-z0-9_-]{1,12}(/[a-z0-9_-]{1,12}){0,3}") {
        prop_assert_eq!(wiki().judge("GET", &format!("/assets/{rest}"), false).allow, PUBLIC);
        let page = format!("/page-{rest}");
        prop_assert_eq!(wiki().judge("GET", &page, false).allow, SIGNED_IN);
    }
}

#[test]
fn a_client_s_own_authorization_passes_where_every_reading_says_so() {
    let rule = |path: &str, allow| AppRule::new(path, Vec::new(), allow).expect(path);
    let git = AppRules::new(vec![
        rule("/api/internal/*", PUBLIC),
        rule("/api/*", PUBLIC).with(Authorization::App),
        rule("/repo/*", SIGNED_IN).with(Authorization::App),
    ]);
    for (path, expected) in [
        ("/api/v1/user", Authorization::App),
        ("/repo/x", Authorization::App),
        ("/", Authorization::Postern),
        ("/api/internal/x", Authorization::Postern),
        ("/api/%69nternal/x", Authorization::Postern),
        ("/api/../other", Authorization::Postern),
        ("/API/v1", Authorization::Postern),
        ("/%zz", Authorization::Postern),
    ] {
        assert_eq!(git.judge("GET", path, false).authorization, expected, "{path}");
    }
    assert_eq!(
        git.judge("GET", "/api/v1", true).authorization,
        Authorization::Postern,
        "a header names another method"
    );
}

#[test]
fn rules_by_group_need_one_group_each_and_add_up() {
    let group = |text: &str| GroupName::parse(text).expect("a name");
    let within = |path: &str, names: &[&str]| {
        let names: Vec<_> = names.iter().map(|name| group(name)).collect();
        AppRule::new(path, Vec::new(), SIGNED_IN).expect("a rule").within(OneOf::new(&names))
    };
    let rules = AppRules::new(vec![
        within("/photos/*", &["Family", "friends"]),
        within("/Photos/*", &["strangers"]),
        AppRule::new("/admin/*", Vec::new(), ADMIN).expect("a rule"),
    ]);
    let admits = |path: &str, names: &[&str]| {
        let groups: Vec<_> = names.iter().map(|name| group(name)).collect();
        rules.judge("GET", path, false).admits(Role::User, &groups)
    };
    assert!(admits("/", &[]));
    for (path, names, expected) in [
        ("/photos/1", &["family"][..], true),
        ("/photos/1", &["FRIENDS", "other"], true),
        ("/photos/1", &["other"], false),
        ("/photos/1", &[], false),
        // An app that ignores case reads the path of another rule too.
        ("/Photos/1", &["family"], false),
        ("/Photos/1", &["strangers"], false),
        ("/Photos/1", &["strangers", "family"], true),
        ("/%zz", &["family"], false),
        ("/x/..%2fphotos/1", &["other"], false),
        ("/admin/x", &["family", "strangers"], false),
    ] {
        assert_eq!(admits(path, names), expected, "{path} {names:?}");
    }
    assert!(!rules.judge("GET", "/photos/1", false).admits(Role::Administrator, &[]), "roles are no groups");
}
