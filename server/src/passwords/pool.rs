//! Password hashing: argon2id on a fixed pool of threads.
//!
//! Each core has one thread with its own reusable memory, and the queue is bounded, so that sixty-four concurrent
//! logins use no more memory than two. All other work has priority, so that signed-in people do not wait for those who
//! sign in.

use super::costs::{self, Cost, Work};
use super::stored::{self, Stored};
use super::worker::{self, Job, JobWork, OUTPUT_BYTES, WorkError};
use crate::config::Settings;
use crate::entropy::Entropy;
use argon2::Params;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use std::sync::{Arc, mpsc};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use zeroize::Zeroizing;

/// Upper bounds of the histogram's buckets.
const SECONDS: [f64; 9] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];

/// The pool.
#[derive(Clone)]
pub struct HashPool {
    jobs: mpsc::Sender<Job>,
    places: Arc<Semaphore>,
    threads: usize,
    queue: usize,
    seconds: Histogram,
    params: Params,
    hashes: Family<ByParameters, Counter>,
    /// A hash with the current parameters for unknown users, so that they take as long as known ones.
    dummy: Arc<str>,
}

/// A permit of the hash queue. It is taken before anything is spent, and nothing is hashed without one.
#[derive(Debug)]
pub struct HashPermit(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

/// The label of a number of hashes, for example `m=19456,t=2,p=1`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByParameters {
    parameters: String,
}

/// The load of the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashLoad {
    pub threads: usize,
    /// Permits for running and waiting hashes.
    pub places: usize,
    pub taken: usize,
}

/// The result of a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordCheck {
    Wrong,
    Right,
    /// Correct, but stored with other parameters than the current ones: hash it again.
    RightButOld,
}

#[derive(Debug, thiserror::Error)]
pub enum HashError {
    #[error("argon2: {0}")]
    Argon2(argon2::Error),
    #[error(transparent)]
    Work(#[from] WorkError),
    #[error("a stored password hash is not readable")]
    Unreadable,
    #[error("the threads that hash passwords have stopped: is there enough memory for password.memory_kib?")]
    Stopped,
}

impl HashPool {
    /// Starts the threads.
    ///
    /// # Errors
    /// argon2 does not accept the parameters, or no thread can be started.
    pub fn start(settings: &Settings, entropy: &dyn Entropy) -> Result<Self, HashError> {
        let password = &settings.password;
        let params =
            Params::new(password.memory_kib, password.passes, 1, Some(OUTPUT_BYTES)).map_err(HashError::Argon2)?;
        let threads = threads(settings);
        let (jobs, waiting) = mpsc::channel();
        let waiting = Arc::new(parking_lot::Mutex::new(waiting));
        let seconds = Histogram::new(SECONDS);
        for number in 0..threads {
            let (waiting, seconds) = (Arc::clone(&waiting), seconds.clone());
            std::thread::Builder::new()
                .name(format!("hash-{number}"))
                .spawn(move || worker::run(&waiting, &seconds))
                .map_err(|_| HashError::Stopped)?;
        }
        let dummy = stored::write(&params, &entropy.bytes::<16>(), &entropy.bytes::<OUTPUT_BYTES>())
            .ok_or(HashError::Unreadable)?;
        let (queue, dummy) = (password.queue, dummy.into());
        let places = Arc::new(Semaphore::new(threads + queue));
        let hashes = Family::default();
        Ok(Self { jobs, places, threads, queue, seconds, params, hashes, dummy })
    }

    /// Returns a permit of the queue, or `None` if it is full.
    pub fn permit(&self) -> Option<HashPermit> {
        Arc::clone(&self.places).try_acquire_owned().ok().map(HashPermit)
    }

    pub fn load(&self) -> HashLoad {
        let places = self.threads + self.queue;
        HashLoad { threads: self.threads, places, taken: places - self.places.available_permits() }
    }

    /// Returns the histogram of hashing times.
    pub fn seconds(&self) -> Histogram {
        self.seconds.clone()
    }

    /// Returns the number of computed hashes, by parameters.
    pub fn hashes(&self) -> Family<ByParameters, Counter> {
        self.hashes.clone()
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// The threads have stopped or are out of memory.
    pub async fn hash(
        &self,
        _place: &HashPermit,
        password: Zeroizing<Vec<u8>>,
        salt: [u8; 16],
    ) -> Result<String, HashError> {
        let work = JobWork::Argon2 { salt: salt.to_vec(), params: self.params.clone() };
        let output = self.run(password, Work::Argon2(Cost::of(&self.params)), work).await?;
        stored::write(&self.params, &salt, &output).ok_or(HashError::Unreadable)
    }

    /// Returns a hash of no password, for an account whose owner sets one by a link.
    ///
    /// # Errors
    /// Never for valid settings.
    pub fn unusable(&self, entropy: &dyn Entropy) -> Result<String, HashError> {
        stored::write(&self.params, &entropy.bytes::<16>(), &entropy.bytes::<OUTPUT_BYTES>())
            .ok_or(HashError::Unreadable)
    }

    /// Verifies a password. Without a stored hash the result is `Wrong`. It hashes once with each of the parameters
    /// `in_use`, whichever this account has, so that the time reveals nothing about the account.
    ///
    /// # Errors
    /// The threads have stopped or are out of memory.
    pub async fn verify(
        &self,
        _place: &HashPermit,
        password: Zeroizing<Vec<u8>>,
        stored: Option<&str>,
        in_use: impl IntoIterator<Item = Work>,
    ) -> Result<PasswordCheck, HashError> {
        // An unreadable hash must not reveal that its account exists, so it counts as missing.
        let readable = stored.and_then(Stored::read);
        if stored.is_some() && readable.is_none() {
            tracing::error!("a stored password hash is not readable");
        }
        let known = readable.is_some();
        let Stored { work: own, salt, expected } =
            readable.or_else(|| Stored::read(&self.dummy)).ok_or(HashError::Unreadable)?;
        let current = Work::Argon2(Cost::of(&self.params));
        let mut same = false;
        for work in costs::of_a_check(current, own, in_use) {
            // The salt of another algorithm has another length. Its result is not used, only its time.
            let job = match (work, own) {
                (Work::Argon2(cost), Work::Argon2(_)) => {
                    let params = cost.params(expected.len()).map_err(HashError::Argon2)?;
                    JobWork::Argon2 { salt: salt.clone(), params }
                }
                (Work::Argon2(cost), Work::Bcrypt(_)) => {
                    let params = cost.params(OUTPUT_BYTES).map_err(HashError::Argon2)?;
                    JobWork::Argon2 { salt: vec![0; 16], params }
                }
                (Work::Bcrypt(cost), _) => {
                    JobWork::Bcrypt { salt: salt.as_slice().try_into().unwrap_or([0; 16]), cost }
                }
            };
            let output = self.run(password.clone(), work, job).await?;
            let is_it = aws_lc_rs::constant_time::verify_slices_are_equal(&output, &expected).is_ok();
            same |= is_it && work == own;
        }
        Ok(match same && known {
            false => PasswordCheck::Wrong,
            true if own == current => PasswordCheck::Right,
            true => PasswordCheck::RightButOld,
        })
    }

    async fn run(&self, password: Zeroizing<Vec<u8>>, work: Work, job: JobWork) -> Result<Vec<u8>, HashError> {
        self.hashes.get_or_create(&ByParameters { parameters: work.to_string() }).inc();
        let (reply, answer) = oneshot::channel();
        self.jobs.send(Job { password, work: job, reply }).map_err(|_| HashError::Stopped)?;
        Ok(answer.await.map_err(|_| HashError::Stopped)??)
    }
}

/// Returns the number of concurrent hashes.
pub fn threads(settings: &Settings) -> usize {
    match settings.password.threads {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        threads => threads,
    }
}

impl std::fmt::Debug for HashPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passwords(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;
    use std::collections::BTreeSet;

    fn pool(memory_kib: u32, passes: u32) -> HashPool {
        let mut settings = Settings::default();
        settings.password.memory_kib = memory_kib;
        settings.password.passes = passes;
        settings.password.threads = 1;
        settings.password.queue = 1;
        HashPool::start(&settings, &SystemEntropy).expect("starts")
    }

    fn secret(text: &str) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(text.as_bytes().to_vec())
    }

    /// Returns the hashes that a pool has computed so far.
    fn made(pool: &HashPool) -> Vec<(Cost, u64)> {
        let of = |cost: &Cost| ByParameters { parameters: cost.to_string() };
        let counted = MIXTURE.map(|cost| (cost, pool.hashes.get_or_create(&of(&cost)).get()));
        counted.into_iter().filter(|(_, count)| *count > 0).collect()
    }

    const fn cost(memory_kib: u32, passes: u32) -> Cost {
        Cost { memory_kib, passes, lanes: 1 }
    }

    const MIXTURE: [Cost; 3] = [cost(64, 1), cost(96, 3), cost(128, 2)];

    #[tokio::test]
    async fn right_wrong_unknown_and_other_hashes() {
        let (weak, strong) = (pool(64, 1), pool(128, 2));
        let permit = strong.permit().expect("a place");
        let light = weak.hash(&permit, secret("correct horse"), [7; 16]).await.expect("hashed");
        let heavy = strong.hash(&permit, secret("correct horse"), [7; 16]).await.expect("hashed");
        assert!(light.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{light}");
        for (pool, password, stored, expected) in [
            (&weak, "correct horse", Some(&light), PasswordCheck::Right),
            (&strong, "correct horse", Some(&heavy), PasswordCheck::Right),
            // Raised and lowered.
            (&strong, "correct horse", Some(&light), PasswordCheck::RightButOld),
            (&weak, "correct horse", Some(&heavy), PasswordCheck::RightButOld),
            (&strong, "correct horsf", Some(&light), PasswordCheck::Wrong),
            (&strong, "correct horse", None, PasswordCheck::Wrong),
        ] {
            let stored = stored.map(String::as_str);
            assert_eq!(pool.verify(&permit, secret(password), stored, []).await.expect("ran"), expected, "{stored:?}");
        }
        for unreadable in ["$2b$12$nope", "", "$argon2id$v=19$m=64,t=1,p=1", &light.replace("argon2id", "argon2i")] {
            let before = made(&strong);
            let verified = strong.verify(&permit, secret("correct horse"), Some(unreadable), []).await;
            assert_eq!(verified.expect("ran"), PasswordCheck::Wrong, "{unreadable}");
            assert_eq!(
                made(&strong).last().map(|(_, made)| *made),
                before.last().map(|(_, made)| made + 1),
                "it costs what every check costs"
            );
        }
    }

    #[tokio::test]
    async fn every_check_makes_the_same_hashes_whatever_is_stored() {
        let mut stored = vec![None];
        for Cost { memory_kib, passes, .. } in MIXTURE {
            let then = pool(memory_kib, passes);
            let permit = then.permit().expect("a place");
            stored.push(Some(then.hash(&permit, secret("correct horse"), [7; 16]).await.expect("hashed")));
        }
        for today in MIXTURE {
            // The accounts have all three sets of parameters, two of them, or one.
            for accounts in [&stored[..], &stored[..3], &stored[2..3]] {
                let in_use: Vec<_> = accounts.iter().flatten().filter_map(|hash| Work::parse(hash)).collect();
                let expected: BTreeSet<_> = in_use.iter().copied().chain([Work::Argon2(today)]).collect();
                for account in accounts.iter().chain([&None]) {
                    for password in ["correct horse", "correct horsf"] {
                        let pool = pool(today.memory_kib, today.passes);
                        let permit = pool.permit().expect("a place");
                        let verified = pool.verify(&permit, secret(password), account.as_deref(), in_use.clone()).await;
                        let right = account.is_some() && password == "correct horse";
                        assert_eq!(verified.expect("ran") != PasswordCheck::Wrong, right);
                        let made: Vec<_> = made(&pool).into_iter().map(|(cost, n)| (Work::Argon2(cost), n)).collect();
                        assert_eq!(made, expected.iter().map(|work| (*work, 1)).collect::<Vec<_>>());
                    }
                }
            }
        }
    }

    /// Hashes that other programs made of "correct horse": argon2id with a short salt, and bcrypt.
    #[tokio::test]
    async fn imported_hashes_are_checked_at_the_same_cost_as_all_others() {
        let (light, today) = (pool(64, 1), pool(128, 2));
        let permit = today.permit().expect("a place");
        let bcrypt = bcrypt::hash_with_salt("correct horse", 4, [9; 16]).expect("hashed").to_string();
        let other_prefix = bcrypt.replace("$2b$", "$2y$");
        let own = today.hash(&permit, secret("correct horse"), [7; 16]).await.expect("hashed");
        let old = light.hash(&permit, secret("correct horse"), [7; 16]).await.expect("hashed");
        let in_use: Vec<_> = [bcrypt.as_str(), &own, &old].into_iter().filter_map(Work::parse).collect();
        assert_eq!(in_use.len(), 3);
        let names = ["bcrypt=4".to_owned(), cost(64, 1).to_string(), cost(128, 2).to_string()];
        for (stored, right) in [
            (Some(&bcrypt), PasswordCheck::RightButOld),
            (Some(&other_prefix), PasswordCheck::RightButOld),
            (Some(&own), PasswordCheck::Right),
            (Some(&old), PasswordCheck::RightButOld),
            (None, PasswordCheck::Wrong),
        ] {
            for (password, expected) in
                [("correct horse", right), ("correct horsf", PasswordCheck::Wrong), ("", PasswordCheck::Wrong)]
            {
                let pool = pool(128, 2);
                let permit = pool.permit().expect("a place");
                let stored = stored.map(String::as_str);
                let checked = pool.verify(&permit, secret(password), stored, in_use.clone()).await.expect("ran");
                assert_eq!(checked, expected, "{stored:?} {password}");
                for parameters in &names {
                    let made = pool.hashes.get_or_create(&ByParameters { parameters: parameters.clone() }).get();
                    assert_eq!(made, 1, "{stored:?} {parameters}");
                }
            }
        }
    }

    #[test]
    fn a_full_queue_has_no_place() {
        let pool = pool(64, 1);
        let places: Vec<_> = std::iter::from_fn(|| pool.permit()).collect();
        assert_eq!(places.len(), 2);
        drop(places);
        assert!(pool.permit().is_some());
    }
}
