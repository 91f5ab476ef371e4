//! Versions of a user key: the valid ones, and the ends of their validity.

use domain::UnixMs;
use domain::user_key::{MOST_AN_HOUR, RetiredState, UserKeyState, UserKeyVersion, wait};
use proptest::prelude::*;

const HOUR: i64 = 60 * 60_000;

#[test]
fn states_come_from_times() {
    let now = UnixMs::from_millis(1_000);
    for (ends_at, revoked_at, state, until) in [
        (None, None, UserKeyState::Current, Some(now + HOUR)),
        (Some(now + 1), None, UserKeyState::Overlap, Some(now + 1)),
        (Some(now), None, UserKeyState::Ended, None),
        (Some(now - 1), None, UserKeyState::Ended, None),
        (Some(now + 1), Some(now), UserKeyState::Revoked, None),
        (Some(now), Some(now), UserKeyState::Revoked, None),
    ] {
        let version = UserKeyVersion { number: 1, created_at: UnixMs::EPOCH, ends_at, revoked_at };
        assert_eq!(version.state(now), state, "{version:?}");
        assert_eq!(version.until(now, HOUR), until, "{version:?}");
    }
}

#[test]
fn twenty_an_hour_and_then_one_waits() {
    let now = UnixMs::from_millis(10 * HOUR);
    let made = vec![now - HOUR + 5; MOST_AN_HOUR];
    assert_eq!(wait(&made[1..], now), 0);
    assert_eq!(wait(&made, now), 5);
    assert_eq!(wait(&made, now + 5), 0);
}

#[derive(Debug, Clone)]
enum Step {
    Wait(i64),
    Rotate {
        overlap: i64,
    },
    /// Revokes the version that is this many before the newest.
    Revoke(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0..2 * HOUR).prop_map(Step::Wait),
        (1..2 * HOUR).prop_map(|overlap| Step::Rotate { overlap }),
        (0..4usize).prop_map(Step::Revoke),
    ];
    prop::collection::vec(step, 0..40)
}

/// Applies a step as the store does. The newest version is the last.
fn take(versions: &mut Vec<UserKeyVersion>, step: &Step, now: &mut UnixMs) {
    let replace = |versions: &mut Vec<UserKeyVersion>, retired_state| {
        let Some(current) = versions.pop() else { return };
        let next = current.next(*now);
        versions.extend([current.retired(retired_state, *now), next]);
    };
    match step {
        Step::Wait(ms) => *now += *ms,
        Step::Rotate { overlap } => replace(versions, RetiredState::Overlap { until: *now + *overlap }),
        Step::Revoke(0) => replace(versions, RetiredState::Revoked),
        Step::Revoke(back) => {
            if let Some(place) = versions.len().checked_sub(back + 1)
                && versions[place].state(*now) == UserKeyState::Overlap
            {
                versions[place] = versions[place].clone().retired(RetiredState::Revoked, *now);
            }
        }
    }
}

proptest! {
    #[test]
    fn one_version_is_in_use_at_every_moment(steps in steps(), overlap in 1..HOUR) {
        let mut now = UnixMs::EPOCH;
        let mut versions = vec![UserKeyVersion::first(now)];
        for step in &steps {
            let before = versions.clone();
            take(&mut versions, step, &mut now);
            let current: Vec<_> = versions.iter().filter(|version| version.state(now) == UserKeyState::Current).collect();
            prop_assert_eq!(current, [versions.last().unwrap()]);
            prop_assert!(versions.iter().zip(1..).all(|(version, number)| version.number == number));
            for (old, new) in before.iter().zip(&versions) {
                // An ended version stays ended.
                if old.until(now, overlap).is_none() {
                    prop_assert_eq!(new.until(now, overlap), None);
                }
            }
        }
    }

    /// An end that was announced is shortened by a revocation only, and never by a rotation.
    #[test]
    fn a_rotation_shortens_nothing_that_runs(asked in 0..HOUR, rotated in 0..HOUR, overlap in 1..HOUR) {
        prop_assume!(asked <= rotated);
        let (asked, rotated) = (UnixMs::from_millis(asked), UnixMs::from_millis(rotated));
        let version = UserKeyVersion::first(UnixMs::EPOCH);
        let promised = version.until(asked, overlap).unwrap();
        let retired = version.retired(RetiredState::Overlap { until: rotated + overlap }, rotated);
        prop_assert!(retired.until(rotated, overlap).unwrap() >= promised);
    }
}
