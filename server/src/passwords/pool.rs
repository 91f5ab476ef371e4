//! Password hashing: argon2id on a fixed pool of threads.
//!
//! One thread a core, each with its own memory that is used again, and a bounded queue: sixty-four
//! logins at once take no more memory than two. Everything else goes first: whoever is signed in does not
//! wait for those who sign in.

use crate::config::Settings;
use crate::entropy::Entropy;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use phc::{Output, PasswordHash, Salt};
use prometheus_client::metrics::histogram::Histogram;
use std::sync::{Arc, mpsc};
use std::time::Instant;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use zeroize::Zeroizing;

const OUTPUT_BYTES: usize = 32;
/// How far the threads step back (setpriority(2)): a tenth of what others get where all want to run.
const NICE: i32 = 10;
/// Upper bounds of the buckets that hashing times are counted in.
const SECONDS: [f64; 9] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];

/// The pool.
#[derive(Clone)]
pub struct Passwords {
    jobs: mpsc::Sender<Job>,
    places: Arc<Semaphore>,
    threads: usize,
    queue: usize,
    seconds: Histogram,
    params: Params,
    /// A hash of nothing with the current parameters: unknown users cost the same as known ones.
    dummy: Arc<str>,
}

/// A place in the queue. Without one nothing is hashed; it is taken before anything is spent.
#[derive(Debug)]
pub struct Place(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

/// How busy the pool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    pub threads: usize,
    /// For those that hash and those that wait.
    pub places: usize,
    pub taken: usize,
}

/// What a verification says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    Wrong,
    Right,
    /// Right, and stored with weaker parameters than today's: hash it again.
    RightButOld,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("argon2: {0}")]
    Argon2(argon2::Error),
    #[error("a stored password hash is not readable")]
    Unreadable,
    #[error("the hash threads have stopped")]
    Stopped,
}

struct Job {
    password: Zeroizing<Vec<u8>>,
    salt: Vec<u8>,
    params: Params,
    reply: oneshot::Sender<Result<Vec<u8>, argon2::Error>>,
}

impl Passwords {
    /// Starts the threads.
    ///
    /// # Errors
    /// The parameters are none that argon2 takes, or no thread can be started.
    pub fn start(settings: &Settings, entropy: &dyn Entropy) -> Result<Self, Error> {
        let password = &settings.password;
        let params = Params::new(password.memory_kib, password.passes, 1, Some(OUTPUT_BYTES)).map_err(Error::Argon2)?;
        let threads = threads(settings);
        let (jobs, waiting) = mpsc::channel();
        let waiting = Arc::new(parking_lot::Mutex::new(waiting));
        let seconds = Histogram::new(SECONDS);
        for number in 0..threads {
            let (waiting, seconds) = (Arc::clone(&waiting), seconds.clone());
            std::thread::Builder::new()
                .name(format!("hash-{number}"))
                .spawn(move || work(&waiting, &seconds))
                .map_err(|_| Error::Stopped)?;
        }
        let dummy =
            to_phc(&params, &entropy.bytes::<16>(), &entropy.bytes::<OUTPUT_BYTES>()).ok_or(Error::Unreadable)?;
        let (queue, dummy) = (password.queue, dummy.into());
        let places = Arc::new(Semaphore::new(threads + queue));
        Ok(Self { jobs, places, threads, queue, seconds, params, dummy })
    }

    /// A place in the queue, or `None` where it is full.
    pub fn place(&self) -> Option<Place> {
        Arc::clone(&self.places).try_acquire_owned().ok().map(Place)
    }

    pub fn load(&self) -> Load {
        let places = self.threads + self.queue;
        Load { threads: self.threads, places, taken: places - self.places.available_permits() }
    }

    /// How long each hash took, for whoever counts.
    pub fn seconds(&self) -> Histogram {
        self.seconds.clone()
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// The threads have stopped or are out of memory.
    pub async fn hash(&self, _place: &Place, password: Zeroizing<Vec<u8>>, salt: [u8; 16]) -> Result<String, Error> {
        let output = self.run(password, salt.to_vec(), self.params.clone()).await?;
        to_phc(&self.params, &salt, &output).ok_or(Error::Unreadable)
    }

    /// Verifies a password; without a stored hash it does the same work and says `Wrong`.
    ///
    /// # Errors
    /// The stored hash is no argon2id hash, or the threads have stopped or are out of memory.
    pub async fn verify(
        &self,
        _place: &Place,
        password: Zeroizing<Vec<u8>>,
        stored: Option<&str>,
    ) -> Result<Verified, Error> {
        let hash = PasswordHash::new(stored.unwrap_or(&self.dummy)).map_err(|_| Error::Unreadable)?;
        let params = Params::try_from(&hash).map_err(|_| Error::Unreadable)?;
        let (Some(salt), Some(expected)) = (hash.salt, hash.hash) else { return Err(Error::Unreadable) };
        if hash.algorithm.as_str() != "argon2id" {
            return Err(Error::Unreadable);
        }
        let output = self.run(password, salt.as_ref().to_vec(), params.clone()).await?;
        let same = aws_lc_rs::constant_time::verify_slices_are_equal(&output, expected.as_bytes()).is_ok();
        Ok(match same && stored.is_some() {
            false => Verified::Wrong,
            true if self.is_weaker(&params) => Verified::RightButOld,
            true => Verified::Right,
        })
    }

    fn is_weaker(&self, params: &Params) -> bool {
        params.m_cost() < self.params.m_cost() || params.t_cost() < self.params.t_cost()
    }

    async fn run(&self, password: Zeroizing<Vec<u8>>, salt: Vec<u8>, params: Params) -> Result<Vec<u8>, Error> {
        let (reply, answer) = oneshot::channel();
        self.jobs.send(Job { password, salt, params, reply }).map_err(|_| Error::Stopped)?;
        answer.await.map_err(|_| Error::Stopped)?.map_err(Error::Argon2)
    }
}

/// How many hash at once.
pub fn threads(settings: &Settings) -> usize {
    match settings.password.threads {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        threads => threads,
    }
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passwords(..)")
    }
}

fn work(waiting: &parking_lot::Mutex<mpsc::Receiver<Job>>, seconds: &Histogram) {
    step_back();
    let mut memory: Vec<Block> = Vec::new();
    loop {
        let next = waiting.lock().recv();
        let Ok(job) = next else { return };
        let began = Instant::now();
        let result = compute(&job, &mut memory);
        seconds.observe(began.elapsed().as_secs_f64());
        // Whoever asked may have gone: then nobody needs the answer.
        let _ = job.reply.send(result);
    }
}

/// Linux alone means this thread where it says process.
fn step_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::warn!(cause = %error, "the hash threads keep their priority");
    }
}

fn compute(job: &Job, memory: &mut Vec<Block>) -> Result<Vec<u8>, argon2::Error> {
    let blocks = job.params.block_count();
    if memory.len() < blocks {
        memory.resize(blocks, Block::default());
    }
    let mut output = vec![0; job.params.output_len().unwrap_or(OUTPUT_BYTES)];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, job.params.clone()).hash_password_into_with_memory(
        &job.password,
        &job.salt,
        &mut output,
        memory.get_mut(..blocks).unwrap_or_default(),
    )?;
    Ok(output)
}

fn to_phc(params: &Params, salt: &[u8], output: &[u8]) -> Option<String> {
    let hash = PasswordHash {
        algorithm: phc::Ident::new("argon2id").ok()?,
        version: Some(Version::V0x13.into()),
        params: params.try_into().ok()?,
        salt: Some(Salt::new(salt).ok()?),
        hash: Some(Output::new(output).ok()?),
    };
    Some(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    fn pool(memory_kib: u32, passes: u32) -> Passwords {
        let mut settings = Settings::default();
        settings.password.memory_kib = memory_kib;
        settings.password.passes = passes;
        settings.password.threads = 1;
        settings.password.queue = 1;
        Passwords::start(&settings, &SystemEntropy).expect("starts")
    }

    fn secret(text: &str) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(text.as_bytes().to_vec())
    }

    #[tokio::test]
    async fn right_wrong_unknown_and_weaker_hashes() {
        let (weak, strong) = (pool(64, 1), pool(128, 2));
        let place = strong.place().expect("a place");
        let old = weak.hash(&place, secret("correct horse"), [7; 16]).await.expect("hashed");
        assert!(old.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{old}");
        assert_eq!(weak.verify(&place, secret("correct horse"), Some(&old)).await.expect("ran"), Verified::Right);
        assert_eq!(
            strong.verify(&place, secret("correct horse"), Some(&old)).await.expect("ran"),
            Verified::RightButOld
        );
        assert_eq!(strong.verify(&place, secret("correct horsf"), Some(&old)).await.expect("ran"), Verified::Wrong);
        assert_eq!(strong.verify(&place, secret("correct horse"), None).await.expect("ran"), Verified::Wrong);
        assert!(strong.verify(&place, secret("x"), Some("$2b$12$nope")).await.is_err());
    }

    #[test]
    fn a_full_queue_has_no_place() {
        let pool = pool(64, 1);
        let places: Vec<_> = std::iter::from_fn(|| pool.place()).collect();
        assert_eq!(places.len(), 2);
        drop(places);
        assert!(pool.place().is_some());
    }
}
