//! `postern-client time`

use crate::args::Time;
use crate::cli_error::{CliError, Outcome};
use crate::context::Context;
use crate::print::{self, say};
use client::time::{Reading, TimeServer};
use client::{Session, discover};
use serde_json::json;
use std::io::{BufRead, Write};
use tokio::signal::ctrl_c;
use tokio::time::{MissedTickBehavior, interval};
use wire::time::SERVICE;

pub(crate) async fn run(context: &Context, args: Time) -> Outcome {
    let session = context.session().await?;
    let mut server = server(context, &session).await?;
    if args.watch { watch(context, &mut server).await } else { print_time(context, &mut server).await }?;
    Ok(server.exit().await?)
}

/// Asks every second until Ctrl-C.
async fn watch(context: &Context, server: &mut TimeServer<'_>) -> Outcome {
    let mut seconds = interval(std::time::Duration::from_secs(1));
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ctrl_c() => return Ok(()),
            _ = seconds.tick() => print_time(context, server).await?,
        }
    }
}

/// Runs the prompt of the menu, with `time` and `exit`.
pub(crate) async fn prompt(context: &Context, session: &Session) -> Outcome {
    let mut server = server(context, session).await?;
    say("Commands: time, exit")?;
    loop {
        write!(anstream::stderr().lock(), "time> ")?;
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line)?;
        match line.trim() {
            "time" => print_time(context, &mut server).await?,
            "" if read > 0 => {}
            "" | "exit" => return Ok(server.exit().await?),
            other => say(format!("Unknown command {:?}. Commands: time, exit", print::printable(other)))?,
        }
    }
}

async fn print_time(context: &Context, server: &mut TimeServer<'_>) -> Outcome {
    let before = server.version();
    let reading = server.time().await?;
    if before.is_some() && server.version() != before {
        say("The key was rotated: connected again under the new version.")?;
    }
    let Reading { time, offset_ns, round_trip_ns, .. } = reading;
    if context.json {
        let version = server.version();
        return print::json(&json!({
            "time": time, "offset_ns": offset_ns, "round_trip_ns": round_trip_ns, "version": version,
        }));
    }
    print::line(format!("{time}  offset {}  round trip {}", signed_ms(offset_ns), ms(round_trip_ns)))
}

async fn server<'a>(context: &Context, session: &'a Session) -> Outcome<TimeServer<'a>> {
    let address = match &context.time_server {
        Some(address) => address.clone(),
        None => {
            let mut services = discover(session.http()).await?.services;
            let unknown =
                || CliError::Usage("the portal names no time server: name one with --time-server HOST:PORT".to_owned());
            services.remove(SERVICE).and_then(|service| service.tcp).ok_or_else(unknown)?
        }
    };
    Ok(TimeServer::new(session, SERVICE, &address))
}

/// Formats nanoseconds as milliseconds with three decimals, the scale at which good networks differ.
fn ms(ns: i64) -> String {
    format!("{}.{:03} ms", ns / 1_000_000, ns / 1000 % 1000)
}

fn signed_ms(ns: i64) -> String {
    let sign = if ns < 0 { '-' } else { '+' };
    format!("{sign}{}", ms(ns.saturating_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanoseconds_in_words() {
        assert_eq!(ms(1_234_567), "1.234 ms");
        assert_eq!(ms(12), "0.000 ms");
        assert_eq!(signed_ms(-1_500_000), "-1.500 ms");
        assert_eq!(signed_ms(2_000_000_000), "+2000.000 ms");
    }
}
