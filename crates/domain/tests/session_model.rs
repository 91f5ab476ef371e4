//! The life of a session with an owner, a thief, lost answers and time, in any order.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use domain::UnixMs;
use domain::refresh_token::RefreshToken;
use domain::session::{GRACE_MS, LOST_ANSWER_MS, Refresh, Session, takes_access};
use domain::thumbprint::Thumbprint;
use domain::token_hash::TokenHash;
use proptest::prelude::*;

const KEY: [u8; 32] = [7; 32];
const OWNER: Thumbprint = Thumbprint([1; 32]);
const THIEF: Thumbprint = Thumbprint([2; 32]);
const NOW: UnixMs = UnixMs::from_millis(1_750_000_000_000);

/// A server that applies the decisions, with the tokens that it has issued.
struct Server {
    session: Session,
    now: UnixMs,
    /// The hash of every generation, in order. Two of one generation would be two lines.
    line: Vec<TokenHash>,
}

impl Server {
    fn start(jkt: Option<Thumbprint>) -> (Self, RefreshToken) {
        let first = RefreshToken::first([1; 16], [2; 32]);
        let session = Session {
            generation: 0,
            current: first.hash(),
            previous: None,
            rotated_at: NOW,
            used: 0,
            jkt,
            idle_at: UnixMs::MAX,
            ends_at: UnixMs::MAX,
            revoked: false,
        };
        (Self { line: vec![first.hash()], session, now: NOW }, first)
    }

    fn refresh(&mut self, token: &RefreshToken, jkt: Option<Thumbprint>) -> (Refresh, Option<RefreshToken>) {
        let verdict = self.session.refresh(token.generation(), &token.hash(), jkt, self.now);
        let successor = token.successor(&KEY);
        match verdict {
            Refresh::Rotate => {
                self.session.previous = Some(std::mem::replace(&mut self.session.current, successor.hash()));
                self.session.generation = successor.generation();
                self.session.rotated_at = self.now;
                self.line.push(successor.hash());
                (verdict, Some(successor))
            }
            Refresh::Again => (verdict, Some(successor)),
            Refresh::Reuse => {
                self.session.revoked = true;
                (verdict, None)
            }
            Refresh::Ended | Refresh::WrongKey => (verdict, None),
        }
    }

    /// Presents the access token that was issued with this refresh token.
    fn access(&mut self, token: &RefreshToken) {
        let generation = token.generation();
        if self.session.takes_access(generation, self.now) && self.session.is_first_use(generation) {
            self.session.used = generation;
        }
    }

    /// Returns the generations of all tokens that would be accepted, without a change.
    fn takes(&self, jkt: Option<Thumbprint>) -> Vec<usize> {
        let takes = |(generation, hash): &(usize, &TokenHash)| {
            let generation = u32::try_from(*generation).expect("few");
            matches!(self.session.refresh(generation, hash, jkt, self.now), Refresh::Rotate | Refresh::Again)
        };
        self.line.iter().enumerate().filter(takes).map(|(generation, _)| generation).collect()
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    /// The owner refreshes; the answer may be lost.
    Owner {
        lost: bool,
    },
    /// The owner presents the latest access token.
    Access,
    /// The thief copies the owner's token.
    Steal,
    /// The thief refreshes with the copy.
    Thief,
    /// The thief tries an older token.
    ThiefWithOld(usize),
    Wait(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => any::<bool>().prop_map(|lost| Step::Owner { lost }),
        2 => Just(Step::Access),
        1 => Just(Step::Steal),
        2 => Just(Step::Thief),
        1 => any::<usize>().prop_map(Step::ThiefWithOld),
        2 => prop_oneof![0..2 * GRACE_MS, Just(GRACE_MS), Just(GRACE_MS + 1), Just(LOST_ANSWER_MS), Just(LOST_ANSWER_MS + 1)].prop_map(Step::Wait),
    ];
    proptest::collection::vec(step, 1..60)
}

struct World {
    server: Server,
    owner: RefreshToken,
    thief: Option<RefreshToken>,
    /// Every token that was ever issued.
    all: Vec<RefreshToken>,
    owner_key: Option<Thumbprint>,
    thief_key: Option<Thumbprint>,
}

impl World {
    fn new(owner_key: Option<Thumbprint>, thief_key: Option<Thumbprint>) -> Self {
        let (server, owner) = Server::start(owner_key);
        Self { server, all: vec![owner.clone()], owner, thief: None, owner_key, thief_key }
    }

    /// Takes a step, and returns the presented token and the decision about it.
    fn step(&mut self, step: Step) -> Option<(RefreshToken, Refresh)> {
        let (token, key) = match step {
            Step::Wait(ms) => {
                self.server.now += ms;
                return None;
            }
            Step::Access => {
                self.server.access(&self.owner);
                return None;
            }
            Step::Steal => {
                self.thief = Some(self.owner.clone());
                return None;
            }
            Step::Owner { .. } => (self.owner.clone(), self.owner_key),
            Step::Thief => (self.thief.clone()?, self.thief_key),
            Step::ThiefWithOld(n) => (self.all[n % self.all.len()].clone(), self.thief_key),
        };
        let (verdict, successor) = self.server.refresh(&token, key);
        if let Some(successor) = successor {
            if !self.all.contains(&successor) {
                self.all.push(successor.clone());
            }
            match step {
                Step::Owner { lost: false } => self.owner = successor,
                Step::Thief => self.thief = Some(successor),
                _ => {}
            }
        }
        Some((token, verdict))
    }
}

proptest! {
    /// For any number of requests, there is one token per generation, and none but the last two is accepted.
    #[test]
    fn there_is_one_line(steps in steps(), bound: bool) {
        let key = bound.then_some(OWNER);
        let mut world = World::new(key, key);
        for step in steps {
            world.step(step);
            let server = &world.server;
            let newest = server.session.generation as usize;
            prop_assert_eq!(server.line.len(), newest + 1);
            prop_assert_eq!(server.line.last(), Some(&server.session.current));
            let taken = server.takes(key);
            prop_assert!(taken.iter().all(|generation| newest - generation <= 1), "{:?} of {}", taken, newest);
            prop_assert!(!server.session.revoked || taken.is_empty());
        }
        // All holders of a generation have the same token.
        for token in &world.all {
            prop_assert_eq!(&world.server.line[token.generation() as usize], &token.hash());
        }
    }

    /// A spent token ends the family, except for the previous one in its time.
    #[test]
    fn reuse_is_always_found(steps in steps(), bound: bool) {
        let key = bound.then_some(OWNER);
        let mut world = World::new(key, key);
        for step in steps {
            let before = world.server.session.clone();
            let now = world.server.now;
            let Some((token, verdict)) = world.step(step) else { continue };
            let age = before.generation - token.generation();
            let expected = match age {
                _ if before.revoked => Refresh::Ended,
                0 => Refresh::Rotate,
                1 if bound || now - before.rotated_at <= GRACE_MS => Refresh::Again,
                1 if before.used < before.generation && now - before.rotated_at <= LOST_ANSWER_MS => Refresh::Again,
                _ => Refresh::Reuse,
            };
            prop_assert_eq!(verdict, expected, "{} generations old", age);
            prop_assert_eq!(world.server.session.revoked, before.revoked || verdict == Refresh::Reuse);
        }
    }

    /// The owner of an unbound session whose answers are lost, in any number, returns within a day and has lost
    /// nothing.
    #[test]
    fn lost_answers_cost_an_unbound_session_nothing(lost in proptest::collection::vec(0..LOST_ANSWER_MS / 10, 1..10)) {
        let mut world = World::new(None, None);
        world.step(Step::Access);
        for away in lost {
            let (_, verdict) = world.step(Step::Owner { lost: true }).expect("he asks");
            prop_assert!(matches!(verdict, Refresh::Rotate | Refresh::Again), "{:?}", verdict);
            world.step(Step::Wait(away));
        }
        let (_, verdict) = world.step(Step::Owner { lost: false }).expect("he asks");
        prop_assert_eq!(verdict, Refresh::Again);
        world.step(Step::Access);
        let (_, verdict) = world.step(Step::Owner { lost: false }).expect("he asks");
        prop_assert_eq!(verdict, Refresh::Rotate);
    }

    /// If the owner and a thief both continue, neither in step with the other, the copy is detected: at the latest when
    /// the one who fell behind presents a token.
    #[test]
    fn two_who_go_on_are_found_out(before in 0..5_u32, ahead in 1..5_u32, late in 1..100_000_i64, thief_leads: bool) {
        let mut world = World::new(None, None);
        for _ in 0..before {
            world.step(Step::Owner { lost: false });
        }
        world.step(Step::Steal);
        let (leader, other) = if thief_leads {
            (Step::Thief, Step::Owner { lost: false })
        } else {
            (Step::Owner { lost: false }, Step::Thief)
        };
        for _ in 0..ahead {
            world.step(leader);
        }
        // A client that received a token uses it.
        let held = if thief_leads { world.thief.clone().expect("stolen") } else { world.owner.clone() };
        world.server.access(&held);
        world.step(Step::Wait(GRACE_MS + late));
        let (_, verdict) = world.step(other).expect("he asks");
        prop_assert_eq!(verdict, Refresh::Reuse);
        let (_, verdict) = world.step(leader).expect("he asks");
        prop_assert_eq!(verdict, Refresh::Ended, "the thief's line ends too");
    }

    /// For the owner of the bound key, lost answers never end the session, at any time and in any number, with any
    /// requests of a thief without the key.
    #[test]
    fn lost_answers_cost_a_bound_session_nothing(steps in steps(), thief_key in prop_oneof![Just(None), Just(Some(THIEF))]) {
        let mut world = World::new(Some(OWNER), thief_key);
        for step in steps {
            let before = world.server.session.clone();
            let Some((_, verdict)) = world.step(step) else { continue };
            if matches!(step, Step::Owner { .. }) {
                prop_assert!(matches!(verdict, Refresh::Rotate | Refresh::Again), "{:?}", verdict);
            } else {
                prop_assert_eq!(verdict, Refresh::WrongKey);
                prop_assert_eq!(&world.server.session, &before, "nothing changes");
            }
        }
        world.step(Step::Owner { lost: false });
        let (_, verdict) = world.step(Step::Owner { lost: false }).expect("he asks");
        prop_assert_eq!(verdict, Refresh::Rotate);
    }

    /// Fifty concurrent tabs get one successor, and none is signed out.
    #[test]
    fn parallel_refreshes_give_one_successor(tabs in 1..50_usize, spread in 0..=GRACE_MS, bound: bool) {
        let key = bound.then_some(OWNER);
        let (mut server, token) = Server::start(key);
        let mut successors = Vec::new();
        for tab in 0..tabs {
            server.now = NOW + spread * i64::try_from(tab).expect("few") / 50;
            successors.extend(server.refresh(&token, key).1);
        }
        prop_assert_eq!(successors.len(), tabs);
        prop_assert!(successors.iter().all(|successor| successor.hash() == server.session.current));
        prop_assert_eq!(server.session.generation, 1);
    }

    #[test]
    fn access_tokens_end_with_their_generation(current in 0..1000_u32, behind in 0..5_u32, age in -1000..20_000_i64) {
        let presented = current.saturating_sub(behind);
        let expected = match current - presented {
            0 => true,
            1 => age <= GRACE_MS,
            _ => false,
        };
        prop_assert_eq!(takes_access(current, NOW, presented, NOW + age), expected);
        prop_assert!(takes_access(current, NOW, current + 1, NOW + age), "another node was faster");
    }

    #[test]
    fn an_ended_session_takes_nothing(revoked: bool, idle in -5..5_i64, ends in -5..5_i64) {
        let (server, token) = Server::start(None);
        let session = Session { revoked, idle_at: NOW + idle, ends_at: NOW + ends, ..server.session };
        let over = revoked || idle <= 0 || ends <= 0;
        prop_assert_eq!(session.is_over(NOW), over);
        prop_assert_eq!(session.refresh(0, &token.hash(), None, NOW) == Refresh::Ended, over);
        prop_assert_eq!(session.takes_access(0, NOW), !over);
    }
}

#[test]
fn a_token_of_the_right_generation_but_another_secret_is_reuse() {
    let (server, token) = Server::start(None);
    let other = RefreshToken::first([1; 16], [3; 32]);
    assert_eq!(server.session.refresh(0, &other.hash(), None, NOW), Refresh::Reuse);
    assert_eq!(server.session.refresh(1, &token.hash(), None, NOW), Refresh::Reuse);
    assert_eq!(server.session.refresh(u32::MAX, &token.hash(), None, NOW), Refresh::Reuse);
}
