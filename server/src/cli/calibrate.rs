//! `postern calibrate`

use super::Outcome;
use crate::config::{Config, Settings};
use crate::passwords::{self, measure, threads};
use std::time::Duration;

/// Measurements that come closer to the target; the machine is never so even that more would help.
const STEPS: u32 = 4;
/// More than this for one hash is better spent on passes: so many threads must fit beside each other.
const MOST_KIB: u32 = 262_144;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// How long one hash may take. 50ms: nobody notices it, a full queue is worked off within seconds,
    /// and a thief of the database pays it for every guess
    #[arg(long, value_name = "TIME", default_value = "50ms", value_parser = humantime::parse_duration)]
    target: Duration,
}

#[derive(Clone, Copy)]
struct Choice {
    memory_kib: u32,
    passes: u32,
}

pub fn run(config: &Config, args: &Args) -> Outcome {
    let (settings, least) = (&config.settings, least());
    let threads = threads(settings);
    let now = Choice { memory_kib: settings.password.memory_kib, passes: settings.password.passes };
    println!("Hashing on {threads} threads at once, as when everybody signs in:");
    println!("  now:     {}", line(now, measure(now.memory_kib, now.passes, threads)?));
    let (choice, took) = approach(args.target, least, threads)?;
    println!("  suggest: {}", line(choice, took));
    println!();
    if took > args.target && choice.memory_kib == least.memory_kib {
        println!("# Slower than {}: but less than this is weak, so rather wait.", text(args.target));
    }
    println!("[password]\nmemory_kib = {}\npasses = {}", choice.memory_kib, choice.passes);
    println!();
    let memory_mib = u64::from(choice.memory_kib) * threads as u64 / 1024;
    let a_second = threads as u128 * 1_000_000 / took.as_micros().max(1);
    println!("That is {memory_mib} MiB for all threads, and some {a_second} sign-ins a second.");
    println!("Nothing was written: put the lines into postern.toml.");
    Ok(())
}

/// The defaults: the least that OWASP names for argon2id.
fn least() -> Choice {
    let password = Settings::default().password;
    Choice { memory_kib: password.memory_kib, passes: password.passes }
}

/// Memory first: it is what costs those who guess with special hardware. Time is close to proportional.
fn approach(target: Duration, least: Choice, threads: usize) -> Result<(Choice, Duration), passwords::Error> {
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

/// As much work as fits into `target`, if `choice` took so long.
fn scaled(choice: Choice, took: Duration, target: Duration, least: Choice) -> Choice {
    let work = u128::from(choice.memory_kib) * u128::from(choice.passes) * target.as_micros() / took.as_micros().max(1);
    let whole = |count: u128| u32::try_from(count).unwrap_or(u32::MAX);
    // In whole MiB, rounded down: a target is kept rather than passed.
    let memory_kib = whole(work / u128::from(least.passes) / 1024 * 1024).clamp(least.memory_kib, MOST_KIB);
    let passes = whole(work / u128::from(memory_kib)).clamp(least.passes, 100);
    Choice { memory_kib, passes }
}

fn line(choice: Choice, took: Duration) -> String {
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
