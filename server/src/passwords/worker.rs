//! A hash thread. It hashes one password after another, in memory that it reuses.

use super::stored::BCRYPT_PREFIX;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use prometheus_client::metrics::histogram::Histogram;
use std::sync::mpsc;
use std::time::Instant;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

/// Length of a hash.
pub(super) const OUTPUT_BYTES: usize = 32;
/// Nice value of the threads (setpriority(2)): a tenth of the others' share under contention.
const NICE: i32 = 10;

/// A password to hash.
pub(super) struct Job {
    pub password: Zeroizing<Vec<u8>>,
    pub work: JobWork,
    pub reply: oneshot::Sender<Result<Vec<u8>, WorkError>>,
}

pub(super) enum JobWork {
    Argon2 { salt: Vec<u8>, params: Params },
    Bcrypt { salt: [u8; 16], cost: u32 },
}

#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    #[error("argon2: {0}")]
    Argon2(argon2::Error),
    #[error("bcrypt: {0}")]
    Bcrypt(bcrypt::BcryptError),
}

/// Hashes until all senders are dropped.
pub(super) fn run(waiting: &parking_lot::Mutex<mpsc::Receiver<Job>>, seconds: &Histogram) {
    lower_priority();
    let mut memory: Vec<Block> = Vec::new();
    loop {
        let next = waiting.lock().recv();
        let Ok(job) = next else { return };
        let began = Instant::now();
        let result = compute(&job, &mut memory);
        seconds.observe(began.elapsed().as_secs_f64());
        // The caller may have been dropped; then the result is not needed.
        let _ = job.reply.send(result);
    }
}

/// Lowers the priority of this thread. Linux does so for the thread alone, and not for the process.
fn lower_priority() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::warn!(cause = %error, "the priority of the hash threads could not be lowered");
    }
}

fn compute(job: &Job, memory: &mut Vec<Block>) -> Result<Vec<u8>, WorkError> {
    match &job.work {
        JobWork::Argon2 { salt, params } => argon2id(&job.password, salt, params, memory).map_err(WorkError::Argon2),
        // bcrypt ignores everything after 72 bytes, and so do the programs that made these hashes.
        JobWork::Bcrypt { salt, cost } => {
            let hash = bcrypt::hash_with_salt_bytes(job.password.as_slice(), *cost, *salt);
            hash.map(|hash| hash[BCRYPT_PREFIX..].to_vec()).map_err(WorkError::Bcrypt)
        }
    }
}

fn argon2id(password: &[u8], salt: &[u8], params: &Params, memory: &mut Vec<Block>) -> Result<Vec<u8>, argon2::Error> {
    let blocks = params.block_count();
    if memory.len() < blocks {
        memory.resize(blocks, Block::default());
    }
    let mut output = vec![0; params.output_len().unwrap_or(OUTPUT_BYTES)];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone()).hash_password_into_with_memory(
        password,
        salt,
        &mut output,
        memory.get_mut(..blocks).unwrap_or_default(),
    )?;
    Ok(output)
}
