//! `postern doctor`

use super::Outcome;
use super::print::printable_lines;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::doctor::{Finding, FindingLevel, examine};

/// Exit codes: 0 everything is fine or there are only hints; 1 a finding needs action.
#[derive(Debug, clap::Args)]
pub(super) struct DoctorArgs {
    /// For programs: {"state": ..., "findings": [{"check", "state", "says", "do"}]}
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(config: Config, args: DoctorArgs) -> Outcome {
    let findings = examine(&config, SystemClock.now()).await;
    let worst = findings.iter().map(|finding| finding.state).max().unwrap_or(FindingLevel::Fine);
    if args.json {
        println!("{:#}", serde_json::json!({"state": worst, "findings": findings}));
    } else {
        findings.iter().for_each(print_finding);
    }
    if worst > FindingLevel::Hint { Err("at least one finding needs action".into()) } else { Ok(()) }
}

fn print_finding(finding: &Finding) {
    println!("{:>8}  {}", finding.state.label(), printable_lines(&finding.says));
    if let Some(advice) = &finding.advice {
        println!("{:>8}  -> {}", "", printable_lines(advice));
    }
}
