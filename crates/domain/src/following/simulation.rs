//! Nodes and a database, run against each other in thousands of schedules.
//!
//! One step of a schedule lets time pass, or lets one node or the database do one thing. Answers arrive late,
//! transactions commit late, clocks are minutes apart and jump, machines are suspended, nodes and the database pause, and the database is
//! replaced by an older copy. proptest chooses the schedules, prints the shortest one that fails, and keeps its seed.

use super::{CatchUp, Moment, Position, SHARED_LIMIT_MS, catch_up, may_judge};
use crate::UnixMs;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const NODES: usize = 3;
const SESSIONS: u8 = 6;

#[derive(Debug, Clone)]
enum Step {
    Pass(i64),
    /// A node sends a query. It has one at a time, and gives up after a second.
    Ask(usize),
    /// The database reads its numbers for the query of a node.
    Answer(usize),
    /// The node reads the newer changes and applies them.
    Apply(usize),
    /// Some node begins to end a session, in a transaction.
    Begin(u8),
    /// The transaction that holds the sequence commits, and its end is answered.
    Commit,
    /// A request asks a node whether a session is live.
    Judge(usize, u8),
    /// A node's clock is set.
    Clock(usize, i64),
    /// The machine of a node is suspended: the clock of the day goes on, and the steady clock does not.
    Suspend(usize, i64),
    /// The database becomes a copy that lacks the last transactions.
    Failover(usize),
}

/// A query in transit.
#[derive(Debug, Clone, Copy)]
struct Question {
    asked_at: Moment,
    /// The real time.
    since: UnixMs,
    last: Option<Position>,
}

#[derive(Debug, Default, Clone)]
struct Node {
    /// Its clock minus the real one.
    ahead: i64,
    /// The time during which its machine was suspended.
    slept: i64,
    /// The real time at which its clock was last set, and at which its machine was last suspended.
    set_at: UnixMs,
    slept_at: UnixMs,
    applied: Position,
    ended: BTreeSet<u8>,
    asked_at: Moment,
    /// The real time of `asked_at`.
    since: UnixMs,
    question: Option<Question>,
}

impl Node {
    /// Whether its clock was set and its machine suspended since its last answer. A clock that is set back by the time of
    /// a suspension hides it, and no clock of the node shows that.
    fn is_deceived(&self) -> bool {
        self.since <= self.set_at && self.since <= self.slept_at
    }
}

#[derive(Debug, Default)]
struct World {
    now: UnixMs,
    nodes: Vec<Node>,
    timeline: i64,
    /// Committed ends, by number.
    ends: BTreeMap<i64, u8>,
    /// Waiting transactions. The first one holds the row of the sequence.
    waiting: Vec<u8>,
    /// The real time at which each end was answered.
    answered: BTreeMap<u8, UnixMs>,
}

impl World {
    fn new(ahead: &[i64]) -> Self {
        let never = Moment { unix: UnixMs::from_millis(i64::MIN / 4), steady: i64::MIN / 4 };
        let node = |ahead: &i64| Node { ahead: *ahead, asked_at: never, ..Node::default() };
        Self { now: UnixMs::from_millis(1_000_000), nodes: ahead.iter().map(node).collect(), ..Self::default() }
    }

    fn last(&self) -> Position {
        Position { timeline: self.timeline, number: self.ends.keys().next_back().copied().unwrap_or(0) }
    }

    /// Returns the time by the clocks of a node.
    fn moment(&self, node: usize) -> Moment {
        Moment { unix: self.now + self.nodes[node].ahead, steady: self.now.as_millis() - self.nodes[node].slept }
    }

    /// Returns whether the node admits the session. `None`: it refuses to decide.
    fn judges(&self, node: usize, session: u8) -> Option<bool> {
        let now = self.moment(node);
        let node = &self.nodes[node];
        may_judge(node.asked_at, SHARED_LIMIT_MS, now).then(|| !node.ended.contains(&session))
    }

    fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match *step {
            Step::Pass(ms) => self.now += ms,
            Step::Ask(node) => {
                self.nodes[node].question = Some(Question { asked_at: self.moment(node), since: self.now, last: None });
            }
            Step::Answer(node) => {
                let last = self.last();
                if let Some(question) = &mut self.nodes[node].question {
                    question.last.get_or_insert(last);
                }
            }
            Step::Apply(node) => self.apply(node),
            Step::Begin(session) => {
                if !self.waiting.contains(&session) && !self.ends.values().any(|ended| *ended == session) {
                    self.waiting.push(session);
                }
            }
            Step::Commit => {
                if !self.waiting.is_empty() {
                    let session = self.waiting.remove(0);
                    let number = self.last().number + 1;
                    self.ends.insert(number, session);
                    self.answered.insert(session, self.now);
                }
            }
            Step::Judge(node, session) => self.check(node, session)?,
            Step::Clock(node, ahead) => {
                self.nodes[node].ahead = ahead;
                self.nodes[node].set_at = self.now;
            }
            Step::Suspend(node, ms) => {
                self.now += ms;
                self.nodes[node].slept += ms;
                self.nodes[node].slept_at = self.now;
            }
            Step::Failover(lost) => {
                self.waiting.clear();
                self.timeline += 1;
                for _ in 0..lost {
                    if let Some((_, session)) = self.ends.pop_last() {
                        // The answer was given, and the change is lost, as an asynchronous copy can lose it.
                        self.answered.remove(&session);
                    }
                }
            }
        }
        Ok(())
    }

    fn apply(&mut self, node: usize) {
        let Self { ends, nodes, .. } = self;
        let node = &mut nodes[node];
        let Some(Question { asked_at, since, last: Some(last) }) = node.question.take() else { return };
        match catch_up(node.applied, last) {
            CatchUp::Nothing => {}
            CatchUp::Newer => node.ended.extend(ends.range(node.applied.number + 1..).map(|(_, session)| *session)),
            CatchUp::Everything => node.ended = ends.values().copied().collect(),
        }
        node.applied = last;
        node.asked_at = asked_at;
        node.since = since;
    }

    /// Checks that an end that was answered is respected by every node, a second and a half later at the latest.
    fn check(&self, node: usize, session: u8) -> Result<(), TestCaseError> {
        let Some(answered) = self.answered.get(&session) else { return Ok(()) };
        if self.judges(node, session) == Some(true) && !self.nodes[node].is_deceived() {
            let late = self.now - *answered;
            prop_assert!(late <= SHARED_LIMIT_MS, "admitted {late} ms after its end was answered");
        }
        Ok(())
    }

    /// Lets every node query and apply once.
    fn settle(&mut self) -> Result<(), TestCaseError> {
        while !self.waiting.is_empty() {
            self.step(&Step::Commit)?;
        }
        for node in 0..NODES {
            for step in [Step::Ask(node), Step::Answer(node), Step::Apply(node)] {
                self.step(&step)?;
            }
            for session in 0..SESSIONS {
                let ended = self.ends.values().any(|ended| *ended == session);
                prop_assert_eq!(self.judges(node, session), Some(!ended), "node {} session {}", node, session);
            }
        }
        Ok(())
    }
}

fn step(failover: bool) -> impl Strategy<Value = Step> {
    let node = 0..NODES;
    let session = 0..SESSIONS;
    let failovers = u32::from(failover);
    prop_oneof![
        6 => prop_oneof![1..400_i64, 900..2_500_i64].prop_map(Step::Pass),
        6 => node.clone().prop_map(Step::Ask),
        6 => node.clone().prop_map(Step::Answer),
        6 => node.clone().prop_map(Step::Apply),
        4 => session.clone().prop_map(Step::Begin),
        4 => Just(Step::Commit),
        8 => (node.clone(), session).prop_map(|(node, session)| Step::Judge(node, session)),
        1 => (node.clone(), -600_000..600_000_i64).prop_map(|(node, ahead)| Step::Clock(node, ahead)),
        1 => (node, prop_oneof![1..400_i64, 900..60_000_i64]).prop_map(|(node, ms)| Step::Suspend(node, ms)),
        failovers => (0..3_usize).prop_map(Step::Failover),
    ]
}

fn run(ahead: &[i64], steps: &[Step]) -> Result<(), TestCaseError> {
    let mut world = World::new(ahead);
    for step in steps {
        world.step(step)?;
    }
    world.settle()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(1_500)))]

    #[test]
    fn no_node_admits_what_was_ended_and_answered(
        ahead in proptest::collection::vec(-600_000..600_000_i64, NODES),
        steps in proptest::collection::vec(step(false), 1..80),
    ) {
        run(&ahead, &steps)?;
    }

    #[test]
    fn an_older_copy_of_the_database_is_followed_like_the_first(
        ahead in proptest::collection::vec(-600_000..600_000_i64, NODES),
        steps in proptest::collection::vec(step(true), 1..80),
    ) {
        run(&ahead, &steps)?;
    }
}
