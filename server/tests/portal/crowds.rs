//! Crowds behind one address, minute by minute: how long each person waits, and how many guesses an attacker has.
//!
//! The portal is a real one; its clock is moved only here, and checking one password takes a fixed time. Therefore the
//! table in `docs/bans.md` is the same on every machine, and this test compares it.

use crate::support::{PASSWORD, Portal, Visitor};
use domain::UnixMs;
use domain::encoding::sha256;
use futures::future::join_all;
use http::StatusCode;
use server::entropy::Entropy;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use wire::envelope::EnvelopeKind;
use wire::paths;

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const ADDRESS: &str = "198.51.100.1";
/// Time to type a password again, in milliseconds.
const RETYPE_MS: i64 = 4 * SECOND;

/// Random bytes that are the same in each run, so that bans have the same jitter.
#[derive(Default)]
struct Seeded(AtomicU64);

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let block = sha256(&self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes());
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }
}

struct Person {
    visitor: Visitor,
    name: String,
    /// Number of wrong passwords before the right one; an attacker's never ends.
    typos: usize,
    came: i64,
    came_in: Option<i64>,
    guesses: usize,
    /// Whether each guess has another account name.
    sprays: bool,
}

struct Scene {
    portal: Portal,
    people: Vec<Person>,
    /// Time that the server needs for one password, in milliseconds.
    service_ms: i64,
    began: UnixMs,
}

impl Scene {
    async fn new(service_ms: i64) -> Self {
        let portal = Portal::with_entropy("", Arc::new(Seeded::default())).await;
        let began = portal.state.now();
        Self { portal, people: Vec::new(), service_ms, began }
    }

    fn add(&mut self, name: &str, came: i64, typos: usize) -> &mut Person {
        let visitor = self.portal.browser(ADDRESS);
        self.people.push(Person {
            visitor,
            name: name.to_owned(),
            typos,
            came,
            came_in: None,
            guesses: 0,
            sprays: false,
        });
        self.people.last_mut().unwrap()
    }

    /// Adds a person with an account, who arrives at `came`. `known`: signed in from this browser on another day.
    async fn person(&mut self, name: &str, came: i64, typos: usize, known: bool) {
        self.portal.add_user(name).await;
        let visitor = known.then(|| self.portal.browser("192.0.2.1"));
        if let Some(visitor) = visitor {
            let visitor = visitor.signed_in(name).await;
            visitor.post(paths::LOGOUT, &serde_json::json!({})).await;
            self.add(name, came, typos).visitor = visitor.moved(ADDRESS);
        } else {
            self.add(name, came, typos);
        }
    }

    /// Runs until `end`, or until everybody with the right password has signed in.
    async fn run(&mut self, end: i64) {
        let mut next: BinaryHeap<_> =
            self.people.iter().enumerate().map(|(n, person)| Reverse((person.came, n))).collect();
        while let Some(Reverse((at, n))) = next.pop() {
            let now = self.portal.state.now() - self.began;
            if at.max(now) > end {
                break;
            }
            if at > now {
                self.portal.clock.advance(at - now);
            }
            if let Some(again) = self.tries(n).await {
                next.push(Reverse((again, n)));
            }
        }
    }

    /// Makes one attempt. Returns the time of the next one, or `None` after a sign-in.
    async fn tries(&mut self, n: usize) -> Option<i64> {
        let person = &self.people[n];
        let challenge = person.visitor.get(paths::CHALLENGE).await;
        let sent = challenge.status == StatusCode::OK;
        let answer = if sent {
            let name = if person.sprays { format!("{}{}", person.name, person.guesses) } else { person.name.clone() };
            let wrong = person.guesses < person.typos;
            let password = if wrong { "not the right password" } else { PASSWORD };
            let content = serde_json::json!({"username": name, "password": password});
            let challenge = serde_json::from_str(&challenge.text).unwrap();
            let sealed = person.visitor.seal(&challenge, EnvelopeKind::Login, &content);
            person.visitor.send_login(&sealed).await
        } else {
            challenge
        };
        if sent {
            self.portal.clock.advance(self.service_ms);
        }
        let now = self.portal.state.now() - self.began;
        let person = &mut self.people[n];
        // The challenge was issued, so the address was not banned before: a ban now means that the password was
        // checked.
        let judged = sent && matches!(answer.code().as_str(), "wrong_credentials" | "banned");
        if answer.status == StatusCode::OK {
            person.came_in = Some(now);
            return None;
        }
        let wait: i64 = answer.header("retry-after").parse::<i64>().unwrap_or(1) * SECOND;
        if judged {
            person.guesses += 1;
            let retype = if person.typos == usize::MAX { 0 } else { RETYPE_MS };
            return Some(now + wait.max(retype));
        }
        Some(now + wait)
    }

    /// Formats a row of the table, for the people that `who` selects.
    fn row(&self, title: &str, who: impl Fn(&Person) -> bool) -> String {
        let people: Vec<_> = self.people.iter().filter(|person| person.typos != usize::MAX && who(person)).collect();
        let mut waits: Vec<_> = people.iter().filter_map(|person| Some(person.came_in? - person.came)).collect();
        waits.sort_unstable();
        let at = |percent: usize| waits.get((waits.len() * percent / 100).min(waits.len().saturating_sub(1)));
        let formatted = |wait: Option<&i64>| wait.map_or("-".to_owned(), |wait| span(*wait));
        let guesses: usize = self.people.iter().filter(|person| person.typos == usize::MAX).map(|p| p.guesses).sum();
        format!(
            "| {title} | {} of {} | {} | {} | {} | {guesses} |",
            waits.len(),
            people.len(),
            formatted(at(50)),
            formatted(at(95)),
            formatted(waits.last()),
        )
    }
}

fn span(ms: i64) -> String {
    match ms {
        ms if ms < 10 * SECOND => format!("{}.{} s", ms / SECOND, ms % SECOND / 100),
        ms if ms < 3 * MINUTE => format!("{} s", ms / SECOND),
        ms if ms < 3 * HOUR => format!("{} min", ms / MINUTE),
        ms => format!("{} h", ms / HOUR),
    }
}

/// Adds `count` people who arrive one after the other; each tenth mistypes once, each fiftieth twice.
async fn crowd(count: i64, every_ms: i64, service_ms: i64) -> Scene {
    let mut scene = Scene::new(service_ms).await;
    for n in 0..count {
        let typos = usize::from(n % 10 == 5) + usize::from(n % 50 == 25);
        scene.person(&format!("person{n}"), n * every_ms, typos, false).await;
    }
    scene.run(2 * HOUR).await;
    scene
}

async fn carrier() -> [String; 2] {
    let mut scene = Scene::new(60).await;
    for n in 0..96 {
        scene.person(&format!("known{n}"), n * 15 * MINUTE + MINUTE, usize::from(n % 10 == 5), true).await;
    }
    for n in 0..24 {
        scene.person(&format!("new{n}"), n * HOUR + 7 * MINUTE, 0, false).await;
    }
    let attacker = scene.add("guess", 0, usize::MAX);
    attacker.sprays = true;
    scene.run(24 * HOUR).await;
    [
        scene
            .row("carrier's NAT, a day, one attacker inside: known devices", |person| person.name.starts_with("known")),
        scene.row("the same: people on a new device", |person| person.name.starts_with("new")),
    ]
}

async fn family() -> [String; 2] {
    let mut scene = Scene::new(60).await;
    for n in 0..8 {
        scene.person(&format!("father{n}"), n * HOUR + MINUTE, usize::from(n == 3), true).await;
    }
    scene.person("mother", 2 * HOUR, 0, false).await;
    scene.add("father0", 0, usize::MAX);
    scene.run(24 * HOUR).await;
    [
        scene.row("family, a child guesses all day at one name: known devices", |person| person.name != "mother"),
        scene.row("the same: the mother's new laptop", |person| person.name == "mother"),
    ]
}

#[tokio::test]
async fn the_table_in_the_documentation_is_what_happens() {
    let mut table = vec![
        "| who | came in | half waited up to | 95 of 100 up to | longest | guesses judged |".to_owned(),
        "|---|---|---|---|---|---|".to_owned(),
    ];
    let everybody = |_: &Person| true;
    table.push(crowd(200, 300, 60).await.row("office: 200 within a minute, all on new devices", everybody));
    table.push(crowd(200, 300, 500).await.row("the same, with a database that takes half a second", everybody));
    table.push(crowd(1000, 600, 60).await.row("school: 1,000 within ten minutes, all on new devices", everybody));
    table.extend(carrier().await);
    table.extend(family().await);
    let table = table.join("\n");
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/bans.md");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains(&table), "docs/bans.md should have this table:\n{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_people_sign_in_at_once_behind_one_address() {
    let portal = Portal::start().await;
    let people: Vec<_> = (0..200).map(|n| format!("person{n}")).collect();
    for name in &people {
        portal.add_user(name).await;
    }
    let sign_in = async |name: &String| portal.browser(ADDRESS).login(name, PASSWORD).await.status;
    let answers = join_all(people.iter().map(sign_in)).await;
    assert!(answers.iter().all(|status| *status == StatusCode::OK), "{answers:?}");
    assert!(portal.state.defence.bans.is_empty());
}
