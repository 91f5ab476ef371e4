//! The machine, and its data about a process.

use anyhow::{Context, Result};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

pub(crate) fn cpu_model() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    model.map_or_else(|| "unknown processor".to_owned(), |(_, name)| name.trim().to_owned())
}

/// Returns the load of the machine, because another program's work affects every figure.
pub(crate) fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    format!("load average {} at the end", load.split(' ').next().unwrap_or("unknown"))
}

/// Keeps idle cores from sleeping until the result is dropped, if the kernel allows it (its `pm_qos_interface`). A
/// program that sends a byte to one on a sleeping core pays for waking it, which is expensive on a virtual machine.
/// That is no work of the server's.
pub(crate) fn keep_cores_awake() -> Option<File> {
    let mut latency = File::options().write(true).open("/dev/cpu_dma_latency").ok()?;
    latency.write_all(&0_i32.to_ne_bytes()).ok()?;
    Some(latency)
}

/// Returns a memory line of `/proc/PID/status`, in millions of bytes.
pub(crate) fn memory_mb(pid: u32, line: &str) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let value = status.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(':'));
    let kib: u32 = value
        .and_then(|value| value.trim().strip_suffix("kB")?.trim().parse().ok())
        .context("no such line in /proc")?;
    Ok(f64::from(kib) * 1024.0 / 1e6)
}

/// Makes a new folder on the disk that the build is on. A temporary folder may be in memory, where an fsync costs
/// nothing.
pub(crate) fn folder() -> Result<tempfile::TempDir> {
    let beside = std::env::current_exe()?;
    let parent = beside.parent().map_or_else(std::env::temp_dir, Path::to_path_buf);
    tempfile::Builder::new().prefix("bench-").tempdir_in(&parent).with_context(|| parent.display().to_string())
}

/// Makes a folder in memory, if possible.
pub(crate) fn folder_in_memory() -> Option<tempfile::TempDir> {
    tempfile::Builder::new().prefix("postern-bench-").tempdir_in(PathBuf::from("/dev/shm")).ok()
}

/// Whether a program can be started at all.
pub(crate) fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Returns the processor time of a process, in the kernel's ticks.
pub(crate) fn cpu_ticks(pid: u32) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The second field is a name that may contain anything, in parentheses; user time is the 14th.
    let fields = stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().skip(11).take(2));
    let ticks: Vec<u32> = fields.into_iter().flatten().filter_map(|ticks| ticks.parse().ok()).collect();
    anyhow::ensure!(ticks.len() == 2, "no processor time in /proc/{pid}/stat");
    Ok(ticks.into_iter().map(f64::from).sum())
}
