//! Ladders: one rung up for each offence, one down for each quiet period, and never shorter for more offences.

use domain::UnixMs;
use domain::ban::{BanPolicy, BanRule, Rung, Scope, Trigger, incident};
use domain::client_key::ClientKey;
use proptest::prelude::*;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const NOW: UnixMs = UnixMs::from_millis(1_750_000_000_000);

fn somebody() -> ClientKey {
    ClientKey::V4([203, 0, 113, 7].into())
}

fn rules() -> impl Strategy<Value = BanRule> {
    (proptest::collection::vec(1..30 * DAY, 1..12), 1..3 * DAY).prop_map(|(mut ladder_ms, quiet_ms)| {
        ladder_ms.sort_unstable();
        BanRule { scope: Scope::SignIn, threshold: 1, window_ms: MINUTE, ladder_ms, quiet_ms }
    })
}

fn rungs() -> impl Strategy<Value = Option<Rung>> {
    proptest::option::of((1..40_u32, -90 * DAY..90 * DAY).prop_map(|(step, until)| Rung { step, until: NOW + until }))
}

#[test]
fn the_standard_ladders_are_the_documented_ones() {
    let policy = BanPolicy::standard();
    let lengths = |trigger| -> Vec<i64> {
        let rule = policy.rule(trigger).expect("a rule");
        let mut stands = None;
        let mut lengths = Vec::new();
        for _ in 0..=rule.ladder_ms.len() {
            let now = stands.map_or(NOW, |rung: Rung| rung.until);
            let rung = rule.climb(stands, somebody(), 0, now);
            lengths.push((rung.until - now) / 1000);
            stands = Some(rung);
        }
        lengths
    };
    let (m, h, d) = (60, 3600, 86_400);
    let severe = [15 * m, h, d, 7 * d, 7 * d];
    assert_eq!(lengths(Trigger::InvalidCredentials), [2, 5, 15, m, 5 * m, 15 * m, h, 6 * h, d, d]);
    assert_eq!(lengths(Trigger::WrongSecondFactor), [m, 15 * m, h, d, d]);
    assert_eq!(lengths(Trigger::Spray), severe);
    assert_eq!(lengths(Trigger::ForgedShortKey), severe);
    assert_eq!(lengths(Trigger::ReplayedShortKey), severe);
    assert_eq!(lengths(Trigger::BadEnvelope), [m, 15 * m, h, d, d]);
    assert_eq!(lengths(Trigger::Flood), [m, 10 * m, h, d, d]);
    assert!(policy.rule(Trigger::ExpiredShortKey).is_none() && policy.rule(Trigger::Manual).is_none());
}

#[test]
fn thresholds_and_scopes_are_the_documented_ones() {
    let cases = [
        (Trigger::InvalidCredentials, 1, Scope::SignIn),
        (Trigger::WrongSecondFactor, 5, Scope::SignIn),
        (Trigger::Spray, 5, Scope::Everything),
        (Trigger::ForgedShortKey, 1, Scope::Everything),
        (Trigger::ReplayedShortKey, 1, Scope::Everything),
        (Trigger::BadEnvelope, 3, Scope::SignIn),
        (Trigger::Flood, 1, Scope::Everything),
    ];
    for (trigger, threshold, scope) in cases {
        let policy = BanPolicy::standard();
        let rule = policy.rule(trigger).expect("a rule");
        assert_eq!((rule.threshold, rule.scope, rule.window_ms), (threshold, scope, 10 * MINUTE), "{trigger}");
    }
}

#[test]
fn the_strict_preset_closes_everything_for_a_day_at_once() {
    let policy = BanPolicy::strict();
    let letter =
        [Trigger::InvalidCredentials, Trigger::ForgedShortKey, Trigger::ReplayedShortKey, Trigger::ExpiredShortKey];
    for trigger in letter {
        let rule = policy.rule(trigger).expect("a rule");
        assert_eq!((rule.threshold, rule.scope), (1, Scope::Everything), "{trigger}");
        for stands in [None, Some(Rung { step: 5, until: NOW })] {
            assert_eq!(rule.climb(stands, somebody(), 0, NOW).until, NOW + DAY, "{trigger}");
        }
    }
}

#[test]
fn names_are_read_back() {
    for trigger in Trigger::ALL {
        assert_eq!(Trigger::parse(trigger.as_str()), Some(*trigger));
    }
    for scope in Scope::ALL {
        assert_eq!(Scope::parse(scope.as_str()), Some(*scope));
    }
    assert_eq!((Trigger::parse("Flood"), Scope::parse("")), (None, None));
}

#[test]
fn an_incident_can_be_read_out() {
    assert_eq!(incident(0), "0000-00");
    assert_eq!(incident(u32::MAX), "ZZZZ-ZZ");
    assert_ne!(incident(1), incident(1 << 29));
    assert_eq!(incident(1), incident(1 | 1 << 30), "30 bits count");
}

proptest! {
    #[test]
    fn an_offence_climbs_one_rung_until_it_is_quiet(rule in rules(), step in 1..40_u32, ago in 0..1000_i64) {
        let until = NOW - ago % rule.quiet_ms;
        let rung = rule.climb(Some(Rung { step, until }), somebody(), 0, NOW);
        prop_assert_eq!(rung.step, step + 1);
        let first = rule.climb(None, somebody(), 0, NOW);
        prop_assert_eq!(first, Rung { step: 1, until: NOW + rule.ladder_ms[0] });
    }

    #[test]
    fn each_quiet_time_steps_down_one(rule in rules(), step in 1..40_u32, quiet in 0..60_u32, rest in 0..1000_i64) {
        let until = NOW - i64::from(quiet) * rule.quiet_ms - rest % rule.quiet_ms;
        let rung = rule.climb(Some(Rung { step, until }), somebody(), 0, NOW);
        prop_assert_eq!(rung.step, step.saturating_sub(quiet) + 1);
    }

    #[test]
    fn a_higher_rung_bans_no_shorter(rule in rules(), low in 1..40_u32, more in 0..40_u32, jitter: u16) {
        let length = |step| rule.climb(Some(Rung { step, until: NOW }), somebody(), jitter, NOW).until - NOW;
        prop_assert!(length(low) <= length(low + more));
    }

    #[test]
    fn a_ban_never_shortens_one(rule in rules(), stands in rungs(), jitter: u16) {
        let rung = rule.climb(stands, somebody(), jitter, NOW);
        prop_assert!(rung.until > NOW && rung.step >= 1);
        prop_assert!(stands.is_none_or(|stands| rung.until >= stands.until));
    }

    #[test]
    fn jitter_lengthens_by_a_tenth_at_most_and_not_what_a_person_waits_for(
        length in 1..30 * DAY, a: u16, b: u16,
    ) {
        let rule = BanRule { scope: Scope::SignIn, threshold: 1, window_ms: 1, ladder_ms: vec![length], quiet_ms: DAY };
        let with = |jitter| rule.climb(None, somebody(), jitter, NOW).until - NOW;
        prop_assert_eq!(with(0), length);
        prop_assert!(with(u16::MAX) <= length + length / 10);
        prop_assert!(with(a.min(b)) <= with(a.max(b)));
        prop_assert!(length >= 30_000 || with(u16::MAX) == length);
        prop_assert!(length < 30_000 || with(u16::MAX) > length);
    }

    #[test]
    fn loopback_waits_a_minute_at_most(rule in rules(), stands in rungs(), jitter: u16, last: [u8; 3]) {
        let [b, c, d] = last;
        for address in [format!("127.{b}.{c}.{d}"), "::1".to_owned(), format!("::ffff:127.{b}.{c}.{d}")] {
            let client_key: ClientKey = address.parse().expect("an address");
            let rung = rule.climb(stands, client_key, jitter, NOW);
            prop_assert!((NOW + 1..=NOW + MINUTE).contains(&rung.until), "{}", address);
        }
    }

    #[test]
    fn no_number_is_too_large(step: u32, jitter: u16, until in 0..i64::MAX / 4, now in 0..i64::MAX / 4) {
        let (until, now) = (UnixMs::from_millis(until), UnixMs::from_millis(now));
        for trigger in Trigger::ALL {
            for policy in [BanPolicy::standard(), BanPolicy::strict()] {
                if let Some(rule) = policy.rule(*trigger) {
                    let rung = rule.climb(Some(Rung { step, until }), somebody(), jitter, now);
                    prop_assert!(rung.until > now);
                }
            }
        }
    }
}
