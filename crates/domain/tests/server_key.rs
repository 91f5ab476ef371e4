//! The server's keys: one is in use at any time, and none disappears while its results are valid.

use domain::UnixMs;
use domain::server_key::{KeySchedule, RotationRules, ServerKey, ServerKeyState};
use proptest::prelude::*;

const RULES: RotationRules = RotationRules { lead_ms: 10, overlap_ms: 100 };

fn key(kid: &str, at: i64) -> ServerKey {
    used_from(kid, UnixMs::from_millis(at))
}

fn used_from(kid: &str, used_from: UnixMs) -> ServerKey {
    ServerKey { kid: kid.to_owned(), used_from, revoked_at: None }
}

fn revoked(kid: &str, used_from: i64, at: i64) -> ServerKey {
    ServerKey { revoked_at: Some(UnixMs::from_millis(at)), ..key(kid, used_from) }
}

fn states(keys: &[ServerKey], now: i64) -> Vec<ServerKeyState> {
    let line = KeySchedule::new(keys.iter().cloned());
    keys.iter().filter_map(|key| line.state(&key.kid, RULES, UnixMs::from_millis(now))).collect()
}

#[test]
fn each_key_has_its_time() {
    use ServerKeyState::{Current, Ended, Next, Overlap, Revoked};
    let three = [key("a", 0), key("b", 1000), key("c", 2000)];
    let early = [key("a", 0), revoked("b", 1000, 1500), key("c", 2000)];
    let dropped = [key("a", 0), revoked("b", 1000, 999), key("c", 2000)];
    let gone = [key("a", 0), revoked("b", 1000, 1500)];
    for (name, keys, now, expected) in [
        ("the first", &three[..], 999, vec![Current, Next, Next]),
        ("the next one's moment", &three, 1000, vec![Overlap, Current, Next]),
        ("the end of the overlap", &three, 1099, vec![Overlap, Current, Next]),
        ("after the overlap", &three, 1100, vec![Ended, Current, Next]),
        ("a clock that went back", &three, -1, vec![Current, Next, Next]),
        ("revoked in its turn: the next steps in", &early, 1500, vec![Ended, Revoked, Current]),
        ("the one before does not come back", &early, 1050, vec![Overlap, Revoked, Current]),
        ("and has its turn in its time", &early, 2000, vec![Ended, Revoked, Current]),
        ("revoked before its time: as if it had not been", &dropped, 1500, vec![Current, Revoked, Next]),
        ("nobody is left", &gone, 1500, vec![Ended, Revoked]),
    ] {
        assert_eq!(states(keys, now), expected, "{name}");
    }
    assert_eq!(KeySchedule::new(gone).current(UnixMs::from_millis(1500)), None);
    assert_eq!(KeySchedule::new([]).current(UnixMs::EPOCH), None);
    assert_eq!(KeySchedule::new(three).state("d", RULES, UnixMs::EPOCH), None);
}

#[test]
fn a_schedule_makes_a_key_in_time_and_only_one() {
    let line = KeySchedule::new([key("a", 0)]);
    assert_eq!(line.due(RULES, 1000, UnixMs::from_millis(989)), None);
    assert_eq!(line.due(RULES, 1000, UnixMs::from_millis(990)), Some(UnixMs::from_millis(1000)));
    assert_eq!(line.used_from(RULES, UnixMs::from_millis(1000), UnixMs::from_millis(990)), UnixMs::from_millis(1000));
    assert_eq!(
        line.used_from(RULES, UnixMs::from_millis(1000), UnixMs::from_millis(5000)),
        UnixMs::from_millis(5010),
        "a node that was away for long"
    );
    assert_eq!(
        line.used_from(RULES, UnixMs::EPOCH, UnixMs::EPOCH),
        UnixMs::from_millis(10),
        "nobody wished for a time"
    );
    let line = KeySchedule::new([key("a", 0), key("b", 1000)]);
    assert_eq!(line.due(RULES, 1000, UnixMs::from_millis(995)), None, "there is a next one");
    assert_eq!(line.next(UnixMs::from_millis(995)).map(|key| key.kid.as_str()), Some("b"));
    assert_eq!(line.due(RULES, 1000, UnixMs::from_millis(1990)), Some(UnixMs::from_millis(2000)));
    assert_eq!(
        KeySchedule::new([revoked("a", 0, 500), key("b", 2000)]).used_from(
            RULES,
            UnixMs::EPOCH,
            UnixMs::from_millis(600)
        ),
        UnixMs::from_millis(2001),
        "behind the last"
    );
}

#[derive(Debug, Clone)]
enum Step {
    Wait(i64),
    Rotate(i64),
    /// Revokes the n-th key that is not revoked.
    Revoke(prop::sample::Index),
    Sign,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..60_i64).prop_map(Step::Wait),
        2 => (0..500_i64).prop_map(Step::Rotate),
        1 => any::<prop::sample::Index>().prop_map(Step::Revoke),
        4 => Just(Step::Sign),
    ]
}

/// Lifetime of tokens, shorter than the overlap with clock differences, which the overlap is for.
const LIFETIME: i64 = 90;
const SKEW: i64 = 4;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Each step is taken on a node whose clock differs a little, and so does the clock of the reader.
    #[test]
    fn one_is_in_use_and_nothing_signed_loses_its_key(
        steps in prop::collection::vec((step(), -SKEW..=SKEW, -SKEW..=SKEW), 1..60),
    ) {
        let mut time = UnixMs::from_millis(1_000);
        let mut keys = vec![used_from("k000", time)];
        let mut signed: Vec<(String, UnixMs)> = Vec::new();
        for (number, (step, acting, looking)) in steps.into_iter().enumerate() {
            let now = time + acting;
            let line = KeySchedule::new(keys.clone());
            let kid = format!("k{:03}", number + 1);
            match step {
                Step::Wait(ms) => time += ms,
                Step::Rotate(ahead) => if line.next(now).is_none() {
                    keys.push(used_from(&kid, line.used_from(RULES, now + ahead, now)));
                },
                Step::Revoke(which) => {
                    let mut living: Vec<_> = keys.iter_mut().filter(|key| key.revoked_at.is_none()).collect();
                    let place = which.index(living.len());
                    living[place].revoked_at = Some(now);
                    // As in the store: no key remains, so another one is added at once.
                    let line = KeySchedule::new(keys.clone());
                    if line.needs_another() {
                        keys.push(used_from(&kid, line.at_once(now)));
                    }
                }
                Step::Sign => signed.push((line.current(now).unwrap().kid.clone(), now + LIFETIME)),
            }
            let (line, now) = (KeySchedule::new(keys.clone()), time + looking);
            let is = |key: &ServerKey, state| line.state(&key.kid, RULES, now) == Some(state);
            prop_assert_eq!(keys.iter().filter(|key| is(key, ServerKeyState::Current)).count(), 1);
            for (kid, until) in &signed {
                let state = line.state(kid, RULES, now).unwrap();
                prop_assert!(
                    now >= *until || state.serves() || state == ServerKeyState::Revoked,
                    "{} is {:?} at {} and had work until {}", kid, state, now, until
                );
            }
        }
    }
}
