//! The limit of durable writes one at a time: an append and an fsync.

use crate::table::count;
use anyhow::Result;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// Measures single pages appended and synced per second, in a file of this folder.
pub(crate) fn fsyncs_per_second(folder: &Path, time: Duration) -> Result<f64> {
    let path = folder.join("fsync");
    let mut file = File::create(&path)?;
    let (page, began) = ([7_u8; 4096], Instant::now());
    let mut done = 0;
    while began.elapsed() < time {
        file.write_all(&page)?;
        file.sync_data()?;
        done += 1;
    }
    let rate = count(done) / began.elapsed().as_secs_f64();
    std::fs::remove_file(path)?;
    Ok(rate)
}
