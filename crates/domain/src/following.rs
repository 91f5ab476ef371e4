//! The rules by which a node follows the other nodes' changes, and refuses requests while it knows too little.
//!
//! Changes have numbers in the order of commits. A node queries the last numbers repeatedly and reads newer changes. No
//! rule here compares the clocks of two nodes.

use crate::{CLOCK_TOLERANCE_MS, UnixMs};

/// Age of an answer of the database beyond which a node that shares it refuses requests.
pub const SHARED_LIMIT_MS: i64 = 1_500;
/// The same for a single node on its file: only commands write to it too.
pub const ALONE_LIMIT_MS: i64 = 15_000;

/// The changes that a node must read, given the last number of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatchUp {
    Nothing,
    /// Changes with higher numbers than the last one applied.
    Newer,
    /// Everything: the database is an older copy, after a failover or from a backup.
    Everything,
}

/// A position in the order of changes of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// The history of the database, which a failover or a restored backup replaces. Numbers of two histories do not
    /// compare: the new one may have reached the same number with another change.
    pub timeline: i64,
    pub number: i64,
}

/// Compares the last position in the database with the last one that was applied.
pub fn catch_up(applied: Position, last: Position) -> CatchUp {
    if applied.timeline != last.timeline {
        return CatchUp::Everything;
    }
    match last.number.cmp(&applied.number) {
        std::cmp::Ordering::Equal => CatchUp::Nothing,
        std::cmp::Ordering::Greater => CatchUp::Newer,
        std::cmp::Ordering::Less => CatchUp::Everything,
    }
}

/// A time of one node, by two clocks, because neither alone measures an age.
///
/// The clock of the day can be set back and then hides time. The steady clock does not count the time during which a
/// virtual machine was paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moment {
    /// By the clock of the day.
    pub unix: UnixMs,
    /// By the steady clock, in milliseconds since some start.
    pub steady: i64,
}

/// Whether a node may decide about requests by its caches. `asked_at`: when it sent the query whose answer it has
/// applied.
pub fn may_judge(asked_at: Moment, limit_ms: i64, now: Moment) -> bool {
    // A clock that was set since then refuses too, until the next answer.
    (now.unix - asked_at.unix).abs() <= limit_ms && now.steady - asked_at.steady <= limit_ms
}

/// Returns how far a clock is ahead of the database's, in milliseconds, measured by one query.
///
/// `None`: the answer took too long for a measurement. The error is half of the time that the answer took.
pub fn clock_ahead(asked_at: UnixMs, database: UnixMs, answered_at: UnixMs) -> Option<i64> {
    let took = answered_at - asked_at;
    (0..=CLOCK_TOLERANCE_MS / 10).contains(&took).then(|| asked_at + took / 2 - database)
}

/// Whether clocks are so far apart that challenges and proofs of one node are refused by another.
pub fn clocks_differ(ahead_ms: i64) -> bool {
    ahead_ms.abs() > CLOCK_TOLERANCE_MS
}

#[cfg(test)]
mod simulation;

#[cfg(test)]
mod tests {
    use super::*;

    fn time(ms: i64) -> UnixMs {
        UnixMs::from_millis(ms)
    }

    #[test]
    fn a_node_reads_what_is_new_and_everything_of_an_older_copy() {
        let at = |timeline, number| Position { timeline, number };
        assert_eq!(catch_up(at(1, 7), at(1, 7)), CatchUp::Nothing);
        assert_eq!(catch_up(at(1, 7), at(1, 9)), CatchUp::Newer);
        assert_eq!(catch_up(at(1, 7), at(1, 6)), CatchUp::Everything);
        for number in [6, 7, 9] {
            assert_eq!(catch_up(at(1, 7), at(2, number)), CatchUp::Everything);
        }
    }

    #[test]
    fn an_old_answer_judges_nothing_and_neither_does_one_from_the_future() {
        let at = |unix, steady| Moment { unix, steady };
        let judges = |asked_at, now| may_judge(asked_at, 1_500, now);
        assert!(
            judges(at(time(1_000), 0), at(time(2_500), 1_500)) && !judges(at(time(1_000), 0), at(time(2_501), 1_501))
        );
        assert!(judges(at(time(4_000), 0), at(time(2_500), 0)) && !judges(at(time(4_001), 0), at(time(2_500), 0)));
        assert!(!judges(at(time(9_000), 0), at(time(9_000), 1_501)), "a clock that was set back hides no time");
        assert!(!judges(at(time(9_000), 0), at(time(19_000), 0)), "a machine that was paused");
    }

    #[test]
    fn the_middle_of_a_quick_answer_is_compared() {
        assert_eq!(clock_ahead(time(10_000), time(4_050), time(10_100)), Some(6_000));
        assert_eq!(clock_ahead(time(10_000), time(70_050), time(10_100)), Some(-60_000));
        assert_eq!(clock_ahead(time(10_000), time(10_000), time(13_001)), None, "too slow");
        assert_eq!(clock_ahead(time(10_000), time(10_000), time(9_999)), None, "the clock was set back meanwhile");
        assert!(clocks_differ(30_001) && clocks_differ(-30_001) && !clocks_differ(30_000) && !clocks_differ(-30_000));
    }
}
