//! Measures hashing on this machine.

use super::pool::HashError;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use std::sync::Barrier;
use std::time::{Duration, Instant};

const ROUNDS: usize = 5;

/// Returns the median of a few hashes while all threads hash, as under load, because cores share memory bandwidth.
///
/// # Errors
/// argon2 does not accept the parameters.
pub fn measure(memory_kib: u32, passes: u32, threads: usize) -> Result<Duration, HashError> {
    let params = Params::new(memory_kib, passes, 1, None).map_err(HashError::Argon2)?;
    let start = Barrier::new(threads);
    let mut times = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| rounds(&params, &start))).collect();
        let mut times = Vec::new();
        for worker in workers {
            times.extend(worker.join().map_err(|_| HashError::Stopped)??);
        }
        Ok::<_, HashError>(times)
    })?;
    times.sort_unstable();
    times.get(times.len() / 2).copied().ok_or(HashError::Stopped)
}

fn rounds(params: &Params, start: &Barrier) -> Result<Vec<Duration>, HashError> {
    let mut memory = vec![Block::default(); params.block_count()];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    let mut output = [0; 32];
    start.wait();
    (0..ROUNDS)
        .map(|_| {
            let began = Instant::now();
            let hashed =
                argon2.hash_password_into_with_memory(b"password", b"16 bytes of salt", &mut output, &mut memory);
            hashed.map(|()| began.elapsed()).map_err(HashError::Argon2)
        })
        .collect()
}
