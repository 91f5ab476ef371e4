//! Account names: the valid ones, and the equal ones.

use domain::account::{AccountDigest, AccountName, InvalidAccountName, Role, is_reserved, name_key, name_skeleton};
use proptest::prelude::*;

#[test]
fn names_and_not_names() {
    let longest = "a".repeat(64);
    for name in ["a", "7", "ada", "Ada.Lovelace", "ada@example.org", "a+b_c-d", "zoë", "Ωμέγα", "李雷", "x1", &longest]
    {
        assert_eq!(AccountName::parse(name).unwrap().as_str(), name);
    }
    let (too_long, accents) = ("a".repeat(65), "é".repeat(64));
    assert!(AccountName::parse(&accents).is_ok(), "characters are counted, not bytes");
    for (text, fault) in [
        ("", InvalidAccountName::Length),
        ("   ", InvalidAccountName::Length),
        (too_long.as_str(), InvalidAccountName::Length),
        (".ada", InvalidAccountName::Characters),
        ("ada-", InvalidAccountName::Characters),
        ("@", InvalidAccountName::Characters),
        ("ada lovelace", InvalidAccountName::Characters),
        ("ada\0", InvalidAccountName::Characters),
        ("ad\u{200b}a", InvalidAccountName::Characters),
        ("\u{202e}ada", InvalidAccountName::Characters),
        ("\u{301}ada", InvalidAccountName::Characters),
        ("ada/../root", InvalidAccountName::Characters),
        ("<b>ada</b>", InvalidAccountName::Characters),
        ("ada'; --", InvalidAccountName::Characters),
        ("👩", InvalidAccountName::Characters),
    ] {
        assert_eq!(AccountName::parse(text), Err(fault), "{text:?}");
    }
}

#[test]
fn names_that_speak_for_the_site_are_reserved() {
    for name in
        ["admin", "Administrator", "ROOT", "Ad.Min", "no-reply", "\u{430}dmin", "\u{ff52}oot", "supp0rt", "p0stern"]
    {
        // A mixture of scripts is no name at all.
        if let Ok(name) = AccountName::parse(name) {
            assert!(is_reserved(&name), "{name}");
        }
    }
    for name in ["ada", "roots", "administrators", "rooty", "security.guard"] {
        assert!(!is_reserved(&AccountName::parse(name).unwrap()), "{name}");
    }
}

#[test]
fn space_around_a_name_is_not_part_of_it() {
    let name = AccountName::parse(" \tAda\u{a0}\n").unwrap();
    assert_eq!((name.as_str(), name.key()), ("Ada", "ada"));
}

#[test]
fn names_that_differ_in_case_are_the_same_account() {
    for same in [
        &["ada", "Ada", "ADA", " aDa "][..],
        &["zoë", "ZOË"],
        &["νίκος", "ΝΊΚΟΣ", "νίκοσ"],
        &["straße", "STRASSE", "STRAẞE"],
        &["k", "K", "\u{212a}"],
    ] {
        let first = AccountName::parse(same[0]).unwrap();
        for name in same {
            assert_eq!(AccountName::parse(name).unwrap().key(), first.key(), "{name}");
            assert_eq!(AccountDigest::of(&[1; 32], name), AccountDigest::of(&[1; 32], same[0]), "{name}");
        }
    }
    assert_ne!(AccountName::parse("ada").unwrap().key(), AccountName::parse("adá").unwrap().key());
}

#[test]
fn names_typed_in_other_encodings_are_the_same_account() {
    for (name, typed) in [
        ("zoë", "zoe\u{308}"),
        ("Nguyễn", "Nguye\u{302}\u{303}n"),
        ("root", "ｒｏｏｔ"),
        ("root", "ＲＯＯＴ"),
        ("ガガ", "ｶﾞｶﾞ"),
        ("가나", "\u{1100}\u{1161}\u{1102}\u{1161}"),
    ] {
        let account = AccountName::parse(name).unwrap();
        assert_eq!(name_key(typed), account.key(), "{name}");
        assert_eq!(AccountName::parse(typed).unwrap().key(), account.key(), "{name}");
        assert_eq!(AccountDigest::of(&[1; 32], typed), AccountDigest::of(&[1; 32], name), "{name}");
    }
}

#[test]
fn scripts_that_need_combining_marks_have_names() {
    for name in ["देवनागरी", "क्षत्रिय", "สมชาย", "น้ำผึ้ง", "தமிழ்", "שלום", "محمد", "ប៊ុន", "Trần.Văn"]
    {
        let parsed = AccountName::parse(name).unwrap_or_else(|bad| panic!("{name}: {bad}"));
        assert_eq!(name_key(name), parsed.key(), "{name}");
    }
}

#[test]
fn attack_marks_make_a_name_look_like_another() {
    let flood = format!("z{}", "\u{301}".repeat(60));
    for name in [
        "ali\u{307}ce",
        "admi\u{307}n",
        "adm\u{131}\u{307}n",
        "ac\u{338}e",
        "l\u{335}l",
        "ad\u{e9}\u{301}le",
        "x\u{300}\u{301}\u{302}",
        &flood,
    ] {
        assert_eq!(AccountName::parse(name), Err(InvalidAccountName::Marks), "{name:?}");
    }
    // A capital letter shows its dot, and loses it in small letters.
    for (name, other) in [("ADMİN", "admin"), ("ALİCE", "alice"), ("ali\u{307}ce", "alice")] {
        assert_eq!(name_skeleton(name), name_skeleton(other), "{name}");
    }
    for reserved in ["ADMİN", "ADMIN", "Admin"] {
        assert!(is_reserved(&AccountName::parse(reserved).unwrap()), "{reserved}");
    }
    for name in ["İnci", "żaba", "Ėglė", "Nguye\u{302}\u{303}n", "שלום", "Łukasz"] {
        assert!(AccountName::parse(name).is_ok(), "{name}");
    }
}

#[test]
fn a_name_is_written_in_one_system_of_writing() {
    for name in ["аdmin", "rοot", "paypaӏ", "Ωmega", "root\u{5d0}"] {
        assert_eq!(AccountName::parse(name), Err(InvalidAccountName::MixedScripts), "{name}");
    }
    for name in ["田中ken", "さくらサクラ桜", "김철수", "админ", "админ-2"] {
        assert!(AccountName::parse(name).is_ok(), "{name}");
    }
}

#[test]
fn names_that_look_alike_have_one_skeleton() {
    for (name, other) in
        [("раура", "paypa"), ("аlice", "alice"), ("aIice", "alice"), ("bob1", "bobl"), ("сосо", "coco")]
    {
        assert_eq!(name_skeleton(name), name_skeleton(other), "{name}");
    }
    for (name, other) in [("alice", "alicia"), ("zoë", "zoe"), ("bob1", "bob2")] {
        assert_ne!(name_skeleton(name), name_skeleton(other), "{name}");
    }
}

#[test]
fn every_old_account_name_has_a_key() {
    for name in ["x²", "Ωmega", "аdmin", "k", ""] {
        assert_eq!(name_key(&name_key(name)), name_key(name), "{name}");
    }
}

#[test]
fn roles_are_read_back() {
    for role in [Role::User, Role::Administrator] {
        assert_eq!(Role::parse(role.as_str()), Some(role));
    }
    assert_eq!((Role::parse("Administrator"), Role::parse("")), (None, None));
}

proptest! {
    #[test]
    fn every_parsed_name_keeps_the_rules(text in "\\PC{0,70}") {
        if let Ok(name) = AccountName::parse(&text) {
            prop_assert!(name.as_str().chars().count() <= AccountName::MAX_CHARS);
            prop_assert!(!name.key().contains(char::is_whitespace) && !name.key().contains(char::is_control));
        }
    }

    #[test]
    fn case_never_makes_another_account(text in "[\\p{L}\\p{N}]{1,20}") {
        let key = |text: &str| AccountName::parse(text).map(|name| name.key().to_owned());
        let Ok(plain) = key(&text) else { return Ok(()) };
        for other in [text.to_uppercase(), text.to_lowercase(), plain.clone()] {
            // A capital letter may take more characters, or marks, than a name may have.
            if let Ok(other) = key(&other) {
                prop_assert_eq!(&other, &plain);
            }
        }
    }

    #[test]
    fn a_digest_says_nothing_and_depends_on_its_key(text in ".{0,80}", a: [u8; 32], b: [u8; 32]) {
        prop_assume!(a != b);
        let digest = AccountDigest::of(&a, &text);
        prop_assert_eq!(digest.as_str().len(), 24);
        prop_assert_ne!(&digest, &AccountDigest::of(&b, &text));
        prop_assert_eq!(digest, AccountDigest::of(&a, &format!(" {text} ")));
    }
}
