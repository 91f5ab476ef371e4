use super::busy_until_alive;
use super::plot::Plot;
use crate::browser::time_server::{self, Connection, ConnectionEnd};
use crate::browser::user_key::UserKeyError;
use crate::text::time;
use channel::client::Reading;
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::collections::VecDeque;
use wire::time::CloseReason;

/// Pause between two requests.
const PAUSE_MS: i32 = 1_000;
/// Number of answers in the plot.
const SHOWN: usize = 60;
/// Number of bytes of a frame that are shown.
const SHOWN_BYTES: usize = 40;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Idle,
    Opening,
    Running,
    /// Until the answer to `exit`.
    Leaving,
}

/// The received answers.
#[derive(Debug, Clone, Default)]
struct ServerReadings {
    version: u32,
    readings: VecDeque<Reading>,
    sent: Vec<u8>,
    received: Vec<u8>,
}

/// The time of another machine, requested once a second.
#[island]
pub fn TimeConnection(url: String) -> impl IntoView {
    let waking = busy_until_alive();
    let phase = RwSignal::new(Phase::Idle);
    let said = RwSignal::new("");
    let readings = RwSignal::new(ServerReadings::default());
    let url = StoredValue::new(url);
    let press = move |_| match phase.get_untracked() {
        Phase::Idle => {
            spawn_local(run(url.get_value(), phase, said, readings));
        }
        Phase::Running => phase.set(Phase::Leaving),
        Phase::Opening | Phase::Leaving => {}
    };
    let label = move || match phase.get() {
        Phase::Idle => "Connect",
        Phase::Opening => "Connecting\u{2026}",
        Phase::Running => "Disconnect",
        Phase::Leaving => "Disconnecting\u{2026}",
    };
    let waits = move || waking.get() || matches!(phase.get(), Phase::Opening | Phase::Leaving);
    let last = move || readings.with(|readings| readings.readings.back().cloned());
    let clock = move || last().map_or_else(|| ("--:--:--".to_owned(), String::new()), |last| time::parts(&last.time));
    let offset = move || last().map_or_else(|| "\u{2013}".to_owned(), |last| time::span(last.offset_ns, true));
    let trip = move || last().map_or_else(|| "\u{2013}".to_owned(), |last| time::span(last.round_trip_ns, false));
    let all =
        move |of: fn(&Reading) -> i64| readings.with(|readings| readings.readings.iter().map(of).collect::<Vec<_>>());
    view! {
        <section class="panel clock-panel">
            <p class="big figures" id="clock">
                {move || clock().0} <span class="fraction">{move || clock().1}</span>
            </p>
            <p class="small quiet">
                {move || last().map_or_else(String::new, |last| [time::day(&last.time), ", UTC. "].concat())}
                {move || {
                    let version = readings.with(|readings| readings.version);
                    if version == 0 { String::new() } else { format!("Encrypted under version {version} of your key.") }
                }}
            </p>
            <p role="status" id="said">
                {said}
            </p>
            <button class="button" type="button" disabled=waits on:click=press>
                {label}
            </button>
        </section>
        <div class="columns">
            <section class="panel">
                <h2>"Your clock"</h2>
                <p class="figures" id="offset">
                    {offset}
                </p>
                <p class="small quiet">"The server's clock minus yours. The error is at most half a round trip."</p>
                <Plot values=Signal::derive(move || all(|reading| reading.offset_ns)) />
            </section>
            <section class="panel">
                <h2>"Round trip"</h2>
                <p class="figures" id="trip">
                    {trip}
                </p>
                <p class="small quiet">"From request to answer, without the time that the server took."</p>
                <Plot values=Signal::derive(move || all(|reading| reading.round_trip_ns)) />
            </section>
        </div>
        <section class="panel">
            <h2>"On the wire"</h2>
            <p class="small quiet">
                "The last request and the last answer, as anyone on the network sees them: a counter of 8 bytes, then \
                 only ciphertext. This page decrypts them."
            </p>
            <dl class="wire">
                <dt>"Sent"</dt>
                <dd>
                    <code id="sent">{move || readings.with(|readings| hex(&readings.sent))}</code>
                </dd>
                <dt>"Received"</dt>
                <dd>
                    <code id="received">{move || readings.with(|readings| hex(&readings.received))}</code>
                </dd>
            </dl>
        </section>
    }
}

/// Connects, and reconnects when the key has ended, until the person or the server stops it.
async fn run(url: String, phase: RwSignal<Phase>, said: RwSignal<&'static str>, readings: RwSignal<ServerReadings>) {
    said.set("");
    readings.set(ServerReadings::default());
    let mut refusals = 0;
    loop {
        phase.set(Phase::Opening);
        let (end, answers) = match time_server::connect(&url).await {
            Ok(mut connection) => {
                readings.update(|readings| readings.version = connection.version);
                phase.set(Phase::Running);
                talk(&mut connection, phase, readings).await
            }
            Err(end) => (end, 0),
        };
        refusals = if answers == 0 { refusals + 1 } else { 0 };
        // A key may be replaced while the connection opens, but not twice.
        if !matches!(end, ConnectionEnd::Closed(CloseReason::KeyEnded)) || refusals > 1 {
            said.set(sentence(&end));
            break;
        }
        said.set("Your key was replaced. The connection continues with the new one.");
    }
    phase.set(Phase::Idle);
}

/// Asks once a second. Returns the reason of the end, and the number of answers.
async fn talk(
    connection: &mut Connection,
    phase: RwSignal<Phase>,
    readings: RwSignal<ServerReadings>,
) -> (ConnectionEnd, u32) {
    let mut answers = 0;
    loop {
        let reading = match connection.ask().await {
            Ok(reading) => reading,
            Err(end) => return (end, answers),
        };
        answers += 1;
        readings.update(|readings| {
            readings.readings.push_back(reading);
            if readings.readings.len() > SHOWN {
                readings.readings.pop_front();
            }
            readings.sent.clone_from(&connection.sent);
            readings.received.clone_from(&connection.received);
        });
        if let Err(end) = connection.rest(PAUSE_MS).await {
            return (end, answers);
        }
        if phase.get_untracked() == Phase::Leaving {
            connection.exit();
            return (ConnectionEnd::Closed(CloseReason::Goodbye), answers);
        }
    }
}

fn sentence(end: &ConnectionEnd) -> &'static str {
    match end {
        ConnectionEnd::Closed(reason) => time::ended(*reason).unwrap_or(""),
        ConnectionEnd::Lost => "The time server does not answer. Try again.",
        ConnectionEnd::Trouble(UserKeyError::Unreachable) => "This site does not answer. Try again.",
        ConnectionEnd::Trouble(UserKeyError::Refused(_)) => {
            "This site does not give you a ticket for the time server. Ask the person who runs it."
        }
        ConnectionEnd::Trouble(UserKeyError::Unreadable) => {
            "The key that was sent is not for this browser. Sign in again."
        }
    }
}

fn hex(frame: &[u8]) -> String {
    if frame.is_empty() {
        return "nothing yet".to_owned();
    }
    let shown: Vec<String> = frame.iter().take(SHOWN_BYTES).map(|byte| format!("{byte:02x}")).collect();
    let more = if frame.len() > SHOWN_BYTES { " \u{2026}" } else { "" };
    [&shown.join(" "), more].concat()
}
