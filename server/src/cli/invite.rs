//! `postern invite [list|revoke]`

use super::Outcome;
use super::print::{self, remaining};
use super::role_name::RoleName;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::entropy::SystemEntropy;
use crate::flows::actor::Actor;
use crate::flows::invitations;
use clap::Subcommand;
use domain::invitation::DEFAULT_HOURS;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct InviteArgs {
    #[command(subcommand)]
    command: Option<InviteCommand>,
    #[command(flatten)]
    invitation: NewInviteArgs,
}

#[derive(Debug, Subcommand)]
enum InviteCommand {
    /// List unused invitations
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Revoke an invitation, by its id in the list
    Revoke {
        /// The id in the list
        #[arg(allow_hyphen_values = true)]
        id: String,
    },
}

#[derive(Debug, clap::Args)]
struct NewInviteArgs {
    /// Role of the new account
    #[arg(long, value_enum, default_value = "user")]
    role: RoleName,
    /// Validity of the link in hours, at most 720
    #[arg(long, default_value_t = DEFAULT_HOURS)]
    hours: u32,
    /// Note about the invited person, to find it in the list
    #[arg(long, default_value = "", allow_hyphen_values = true)]
    note: String,
    /// Mail the link to this address too
    #[arg(long, value_name = "ADDRESS")]
    mail: Option<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(config: Config, args: InviteArgs) -> Outcome {
    let store = super::store::open(&config).await?;
    let actor = Actor::command_line(&*store, &config, &SystemEntropy, SystemClock.now());
    match args.command {
        None => make(&actor, &args.invitation).await,
        Some(InviteCommand::List { json }) => list(&actor, json).await,
        Some(InviteCommand::Revoke { id }) => revoke(&actor, &id).await,
    }
}

async fn make(actor: &Actor<'_>, invitation: &NewInviteArgs) -> Outcome {
    let made = match &invitation.mail {
        None => invitations::invite(actor, invitation.role.into(), &invitation.note, invitation.hours).await?,
        Some(address) => {
            let key = super::store::key(actor).await?;
            invitations::invite_by_mail(
                actor,
                &key,
                invitation.role.into(),
                &invitation.note,
                invitation.hours,
                address,
            )
            .await?
        }
    };
    if invitation.json {
        return print::json(&made);
    }
    println!("{}", made.link);
    if let Some(mailed) = made.mailed {
        eprintln!("{}", super::mail::queued(mailed));
    }
    eprintln!(
        "Valid for one account, for {}. It is not shown again.",
        remaining(made.expires_at - actor.now.as_millis())
    );
    Ok(())
}

async fn list(actor: &Actor<'_>, json: bool) -> Outcome {
    let open = invitations::open(actor.store, actor.now).await?;
    if json {
        return print::json(&open);
    }
    if open.is_empty() {
        print::empty("No invitation is open.");
        return Ok(());
    }
    let rows = open
        .into_iter()
        .map(|open| [open.id, open.role, remaining(open.expires_at - actor.now.as_millis()), open.note]);
    print::table(["ID", "ROLE", "EXPIRES IN", "NOTE"], rows);
    Ok(())
}

async fn revoke(actor: &Actor<'_>, id: &str) -> Outcome {
    if !invitations::revoke(actor, id).await? {
        return Err(print::not_found(format!("no unused invitation has the id {id}")));
    }
    println!("Revoked.");
    Ok(())
}
