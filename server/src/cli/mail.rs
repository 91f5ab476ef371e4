//! `postern mail test|queue`

use super::print::{self, printable, remaining, utc_time};
use super::{Failure, Outcome};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::entropy::{Entropy, SystemEntropy};
use crate::error_chain::chain;
use crate::flows::mail::test_text;
use crate::mailer::Mailer;
use clap::Subcommand;
use domain::UnixMs;
use domain::profile::EmailAddress;
use serde::Serialize;
use store::Store;
use store::mails::QueuedMail;

#[derive(Debug, Subcommand)]
pub(super) enum MailCommand {
    /// Send a test message now, and print what the mail server answers
    Test {
        /// The recipient
        address: String,
    },
    /// List messages that are waiting or have failed
    Queue(QueueArgs),
}

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct QueueArgs {
    #[command(subcommand)]
    command: Option<QueueCommand>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum QueueCommand {
    /// Try a message again, even a failed one
    Retry {
        /// The id in the list
        #[arg(required_unless_present = "all", allow_hyphen_values = true)]
        id: Option<String>,
        /// All failed messages
        #[arg(long, conflicts_with = "id")]
        all: bool,
    },
    /// Delete a message that was not sent
    Drop {
        /// The id in the list
        #[arg(required_unless_present = "all", allow_hyphen_values = true)]
        id: Option<String>,
        /// All failed messages
        #[arg(long, conflicts_with = "id")]
        all: bool,
    },
}

/// A message of the queue, without its link.
#[derive(Debug, Serialize)]
struct ListedMail {
    id: String,
    kind: &'static str,
    recipient: String,
    created_at: UnixMs,
    tries: u32,
    /// The next attempt; `None`: the message was given up.
    next_at: Option<UnixMs>,
    /// The error of the last attempt.
    failure: String,
}

pub(super) async fn run(config: Config, command: MailCommand) -> Outcome {
    match command {
        MailCommand::Test { address } => test(&config, &address).await,
        MailCommand::Queue(QueueArgs { command, json }) => {
            let store = super::store::open(&config).await?;
            let now = SystemClock.now();
            match command {
                None => list(&*store, json, now).await,
                Some(QueueCommand::Retry { id, .. }) => retry(&*store, id, now).await,
                Some(QueueCommand::Drop { id, .. }) => remove(&*store, id).await,
            }
        }
    }
}

/// Says whether a link was queued.
pub(super) fn queued(mailed: bool) -> &'static str {
    if mailed {
        "The running server mails the link."
    } else {
        "The link was not mailed: this address has reached its limit of messages for this hour, or the server has not \
         been started with mail yet."
    }
}

async fn test(config: &Config, address: &str) -> Outcome {
    let address = EmailAddress::parse(address)?;
    let mailer = Mailer::load(config)?.ok_or("mail is off: set mail.server in the settings")?;
    let (entropy, now): (&dyn Entropy, _) = (&SystemEntropy, SystemClock.now());
    let sent = mailer.send(&entropy.ulid(now), address, test_text(config), now).await;
    let receipt = sent.map_err(|error| printable(&chain(&error)))?;
    let how = receipt.tls.map_or_else(
        || "Connected without encryption.".to_owned(),
        |version| format!("Connected with {version}; the certificate is valid."),
    );
    println!("{how}");
    println!("The mail server answered: {}", printable(&receipt.answer));
    Ok(())
}

async fn list(store: &dyn Store, json: bool, now: UnixMs) -> Outcome {
    let mails = store.mails().await?;
    if json {
        return print::json(&mails.into_iter().map(listed).collect::<Vec<_>>());
    }
    if mails.is_empty() {
        print::empty("The queue is empty.");
        return Ok(());
    }
    let row = |mail: QueuedMail| {
        let mail = listed(mail);
        let next = match mail.next_at {
            None => "given up".to_owned(),
            Some(at) if at <= now => "now".to_owned(),
            Some(at) => format!("in {}", remaining(at - now)),
        };
        let kind = mail.kind.replace('_', " ");
        [
            mail.id,
            kind,
            mail.recipient,
            utc_time(mail.created_at.as_millis()),
            mail.tries.to_string(),
            next,
            mail.failure,
        ]
    };
    let counts = store.mail_counts().await?;
    let more = (counts.waiting + counts.given_up).saturating_sub(mails.len() as u64);
    print::table(["ID", "KIND", "TO", "SINCE", "TRIES", "NEXT", "LAST FAILURE"], mails.into_iter().map(row));
    if more > 0 {
        println!("{more} newer messages are not shown.");
    }
    Ok(())
}

fn listed(mail: QueuedMail) -> ListedMail {
    ListedMail {
        id: mail.id,
        kind: mail.kind.as_str(),
        recipient: mail.recipient,
        created_at: mail.created_at,
        tries: mail.tries,
        next_at: mail.given_up_at.is_none().then_some(mail.next_at),
        failure: mail.failure,
    }
}

async fn retry(store: &dyn Store, id: Option<String>, now: UnixMs) -> Outcome {
    let mut count = 0_usize;
    loop {
        let before = count;
        for id in chosen(store, id.as_ref()).await? {
            count += usize::from(store.retry_mail(&id, now).await?);
        }
        if id.is_some() || count == before {
            break;
        }
    }
    if let (0, Some(id)) = (count, &id) {
        return Err(print::not_found(format!("no message {id} can be sent: it is gone, or its link has expired")));
    }
    println!("Messages that the running server tries again now: {count}");
    Ok(())
}

async fn remove(store: &dyn Store, id: Option<String>) -> Outcome {
    let mut count = 0_usize;
    loop {
        let before = count;
        for id in chosen(store, id.as_ref()).await? {
            count += usize::from(store.drop_mail(&id).await?);
        }
        if id.is_some() || count == before {
            break;
        }
    }
    if let (0, Some(id)) = (count, &id) {
        return Err(print::not_found(format!("the queue has no message {id}")));
    }
    println!("Messages deleted: {count}");
    Ok(())
}

/// Returns the named message, or else some that were given up.
async fn chosen(store: &dyn Store, id: Option<&String>) -> Result<Vec<String>, Failure> {
    Ok(match id {
        Some(id) => vec![id.clone()],
        None => store.mails_given_up().await?.into_iter().map(|mail| mail.id).collect(),
    })
}
