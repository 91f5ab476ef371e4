//! `postern calibrate`

use super::Outcome;
use crate::config::{Config, Settings};
use crate::passwords::{self, measure, threads};
use std::time::Duration;

/// Number of measurements; more would not help, because machines vary.
const STEPS: u32 = 4;
/// Beyond this memory for one hash, more passes are better, because all threads must fit into memory.
const MOST_KIB: u32 = 262_144;

#[derive(Debug, clap::Args)]
pub(super) struct CalibrateArgs {
    /// Time for one hash. 50ms is not noticeable at sign-in, and each offline guess costs an attacker the same
    #[arg(long, value_name = "TIME", default_value = "50ms", value_parser = time)]
    target: Duration,
}

#[derive(Clone, Copy)]
struct HashCost {
    memory_kib: u32,
    passes: u32,
}

pub(super) fn run(config: &Config, args: &CalibrateArgs) -> Outcome {
    let (settings, least) = (&config.settings, least());
    let threads = threads(settings);
    let now = HashCost { memory_kib: settings.password.memory_kib, passes: settings.password.passes };
    println!("Hashing on {threads} threads at the same time:");
    println!("  now:     {}", line(now, measure(now.memory_kib, now.passes, threads)?));
    let (choice, took) = approach(args.target, least, threads)?;
    println!("  suggest: {}", line(choice, took));
    println!();
    if took > args.target && choice.memory_kib == least.memory_kib {
        println!("# Slower than {}, but weaker settings are not safe.", text(args.target));
    }
    println!("[password]\nmemory_kib = {}\npasses = {}", choice.memory_kib, choice.passes);
    println!();
    let memory_mib = u64::from(choice.memory_kib) * threads as u64 / 1024;
    let a_second = threads as u128 * 1_000_000 / took.as_micros().max(1);
    println!("Memory for all threads: {memory_mib} MiB. Sign-ins a second: about {a_second}.");
    println!("Nothing was written. Put these lines into postern.toml.");
    Ok(())
}

/// Returns the defaults: OWASP's minimum for argon2id.
fn least() -> HashCost {
    let password = Settings::default().password;
    HashCost { memory_kib: password.memory_kib, passes: password.passes }
}

/// Increases memory first, because it is expensive for attackers with special hardware. Time is almost proportional to
/// it.
fn approach(target: Duration, least: HashCost, threads: usize) -> Result<(HashCost, Duration), passwords::HashError> {
    let mut choice = least;
    let mut took = measure(choice.memory_kib, choice.passes, threads)?;
    for _ in 0..STEPS {
        let next = scaled(choice, took, target, least);
        if next.memory_kib == choice.memory_kib && next.passes == choice.passes {
            break;
        }
        choice = next;
        took = measure(choice.memory_kib, choice.passes, threads)?;
    }
    Ok((choice, took))
}

/// Returns the work that fits into `target`, if `choice` took this long.
fn scaled(choice: HashCost, took: Duration, target: Duration, least: HashCost) -> HashCost {
    let work = u128::from(choice.memory_kib) * u128::from(choice.passes) * target.as_micros() / took.as_micros().max(1);
    let saturating_u32 = |count: u128| u32::try_from(count).unwrap_or(u32::MAX);
    // Rounded down to whole MiB, so that the target is not exceeded.
    let memory_kib = saturating_u32(work / u128::from(least.passes) / 1024 * 1024).clamp(least.memory_kib, MOST_KIB);
    let passes = saturating_u32(work / u128::from(memory_kib)).clamp(least.passes, 100);
    HashCost { memory_kib, passes }
}

fn time(text: &str) -> Result<Duration, &'static str> {
    humantime::parse_duration(text).map_err(|_| "write a time such as 50ms or 1s")
}

fn line(choice: HashCost, took: Duration) -> String {
    format!("{:>6} KiB, {} passes: {}", choice.memory_kib, choice.passes, text(took))
}

fn text(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_grows_before_passes_and_never_below_the_least() {
        let grown = |target| {
            let choice = scaled(least(), Duration::from_millis(10), Duration::from_millis(target), least());
            (choice.memory_kib, choice.passes)
        };
        assert_eq!(grown(1), (19_456, 2));
        assert_eq!(grown(10), (19_456, 2));
        assert_eq!(grown(20), (38_912, 2));
        assert_eq!(grown(1000), (MOST_KIB, 14));
    }
}
