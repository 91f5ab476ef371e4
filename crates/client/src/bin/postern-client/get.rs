//! `postern-client get URL`
//!
//! The portal's token goes only to the portal's API, not even to another path of the same host, where a proxy may have
//! put an app. An app behind the portal gets its own token. Requests for payment are handled by [`client::toll`].

use crate::args::Get;
use crate::cli_error::{CliError, Outcome};
use crate::context::Context;
use crate::output::{self, Target};
use crate::print::{self, say};
use crate::terminal;
use crate::terminal_prompt::TerminalPrompt;
use async_trait::async_trait;
use client::toll::{AgreedKeys, Decision, Payer, PayingClient, Quote, TollSettings, WalletPayer};
use client::{Answer, Download, HttpClient, RangeSource, RemainingRange, Server, Session, SystemEnvironment};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use tpat::amount::format_xmr;

/// The value of `--output` for standard output.
const STDOUT: &str = "-";
/// RFC 9110, section 15.3.7.
const PARTIAL_CONTENT: u16 = 206;

pub(crate) async fn run(context: &Context, args: Get) -> Outcome {
    let target = args.output.as_deref().filter(|path| path.as_os_str() != STDOUT).map(Target::of).transpose()?;
    let output = ResponseOutput { json: context.json, target, path: args.output.as_deref() };
    let server = context.server()?;
    let url = match &server {
        Some(server) if args.url.starts_with('/') => server.at(&args.url),
        _ => args.url.clone(),
    };
    if !url.starts_with("https://") && !url.starts_with("http://") {
        let what = if url.starts_with('/') {
            "which server? Name it with --server URL".to_owned()
        } else {
            "this is not a URL: write https://... or a path of the portal, such as /api/session".to_owned()
        };
        return Err(CliError::Usage(what));
    }
    let http = HttpClient::with_silence(Server::of(&url)?, Duration::from_secs(args.silence))?;
    match server.and_then(|server| server.path_of(&url)) {
        Some(path) if path.starts_with("/api/") => {
            let answer = context.session().await?.api(&path).await?;
            output.write(answer, &NotResumable).await
        }
        Some(_) => fetch_paid(context, &args, &output, &http, &url).await,
        None => match of_app(context, &args, &http, &url).await? {
            Some((answer, session)) => output.write(answer, &AppSource { session, http, url }).await,
            None => fetch_paid(context, &args, &output, &http, &url).await,
        },
    }
}

/// Fetches from an app behind the portal with a token for it. `None`: it is not an app, or no session exists.
async fn of_app(context: &Context, args: &Get, http: &HttpClient, url: &str) -> Outcome<Option<(Answer, Session)>> {
    if args.dry_run {
        return Ok(None);
    }
    let session = match context.session().await {
        Ok(session) => session,
        Err(CliError::Client(error)) if matches!(*error, client::Error::NotSignedIn(_)) => return Ok(None),
        Err(CliError::Client(error)) => {
            say(format!("Fetching without a token: {error}."))?;
            return Ok(None);
        }
        Err(stop) => return Err(stop),
    };
    match session.app_token(&Server::of(url)?).await {
        Ok(Some(token)) => Ok(Some((session.get_from_app(http, url, token, None).await?, session))),
        Ok(None) => {
            say("The portal does not know this app. Fetching without a token.")?;
            Ok(None)
        }
        Err(error) => {
            say(format!("Fetching without a token: {error}."))?;
            Ok(None)
        }
    }
}

async fn fetch_paid(
    context: &Context,
    args: &Get,
    output: &ResponseOutput<'_>,
    http: &HttpClient,
    url: &str,
) -> Outcome {
    let settings = TollSettings::load(&context.storage)?;
    let wallet = args.wallet.as_ref().or(settings.wallet.as_ref());
    let payer = wallet.map(|url| WalletPayer::new(url)).transpose()?;
    let prompt = TerminalPrompt { json: context.json };
    let agreed = AgreedKeys::default();
    let paying_client = PayingClient {
        http,
        environment: &SystemEnvironment,
        agreed: &agreed,
        storage: &context.storage,
        choice: args.storage.into(),
        payer: payer.as_ref().map(|payer| payer as &dyn Payer),
        prompt: &prompt,
        max_pay: args.max_pay.or(settings.max_pay).map(|most| most.0),
        wait_seconds: args.wait,
    };
    if args.dry_run {
        return print_quote(context, &paying_client.quote(url).await?);
    }
    terminal::end_on_interrupt();
    let answer = paying_client.open(url).await?;
    output.write(answer, &PaidSource { paying_client, url }).await
}

/// A source that requests the rest with the same token.
#[derive(Debug)]
struct AppSource {
    session: Session,
    http: HttpClient,
    url: String,
}

#[async_trait]
impl RangeSource for AppSource {
    async fn rest(&self, rest: &RemainingRange) -> client::Result<Answer> {
        let app = Server::of(&self.url)?;
        let token = self.session.app_token(&app).await?.ok_or_else(|| client::Error::NotSignedIn(app.origin()))?;
        self.session.get_from_app(&self.http, &self.url, token, Some(rest)).await
    }
}

#[derive(Debug)]
struct PaidSource<'a> {
    paying_client: PayingClient<'a>,
    url: &'a str,
}

#[async_trait]
impl RangeSource for PaidSource<'_> {
    async fn rest(&self, rest: &RemainingRange) -> client::Result<Answer> {
        self.paying_client.rest(self.url, rest).await
    }
}

/// A source for a complete answer, which has no rest.
#[derive(Debug)]
struct NotResumable;

#[async_trait]
impl RangeSource for NotResumable {
    async fn rest(&self, _: &RemainingRange) -> client::Result<Answer> {
        Err(client::Error::NoSuch("rest".to_owned()))
    }
}

fn print_quote(context: &Context, quote: &Quote) -> Outcome {
    if context.json {
        return print::json(&match quote {
            Quote::Free => json!({"pay": "0"}),
            Quote::Token { left } => json!({"pay": "0", "left": left}),
            Quote::Redeem { txid } => json!({"pay": "0", "redeem": txid}),
            Quote::Pay { offer, fee, verdict } => json!({
                "pay": offer.piconero.to_string(), "fee": fee.map(|fee| fee.to_string()), "address": offer.address,
                "quota": offer.quota, "ttl_s": offer.ttl_s, "confirmations": offer.conf,
                "asks": *verdict == Decision::Ask, "refuses": *verdict == Decision::Refuse,
            }),
        });
    }
    match quote {
        Quote::Free => print::line("Free: nothing to pay."),
        Quote::Token { left } => print::line(format!("Already paid: {left} requests are left. Nothing to pay.")),
        Quote::Redeem { txid } => {
            print::line(format!("The payment {txid} is not redeemed yet, so it is used first. Nothing to pay."))
        }
        Quote::Pay { offer, fee, verdict } => {
            print::line(format!("Would pay {}.", print::printable(&TerminalPrompt::offer(offer, *fee))))?;
            print::line(format!("To {}", print::printable(&offer.address)))?;
            print::line(match verdict {
                Decision::Pay => "This is within the limit for automatic payments.".to_owned(),
                Decision::Ask => "You would be asked first.".to_owned(),
                Decision::Refuse => {
                    format!(
                        "It would refuse, because it cannot ask without a terminal. --max-pay {} allows it.",
                        format_xmr(offer.piconero)
                    )
                }
            })
        }
    }
}

/// The way that the answer takes.
#[derive(Debug)]
struct ResponseOutput<'a> {
    json: bool,
    /// `None`: standard output.
    target: Option<Target>,
    /// The target as written.
    path: Option<&'a Path>,
}

impl ResponseOutput<'_> {
    async fn write(&self, answer: Answer, source: &dyn RangeSource) -> Outcome {
        let (status, media_type) = (answer.status, answer.media_type.clone());
        if status == PARTIAL_CONTENT {
            let problem = "the server sent a part (status 206), which was not asked for. Nothing was written";
            return Err(CliError::Refused(problem.to_owned()));
        }
        if answer.is_ok()
            && let Some(target) = &self.target
        {
            let bytes = target.write(Download::new(answer, source)).await?;
            if self.json {
                print::json(&json!({"status": status, "type": media_type, "file": self.path, "bytes": bytes}))?;
            }
            return Ok(());
        }
        if answer.is_ok() && !self.json {
            return output::to_stdout(Download::new(answer, source)).await;
        }
        let answer = answer.read_to_end().await?;
        if self.json {
            let text = || Value::String(String::from_utf8_lossy(&answer.body).into_owned());
            let body = serde_json::from_slice(&answer.body).unwrap_or_else(|_| text());
            print::json(&json!({"status": status, "type": media_type, "body": body}))?;
        } else {
            print::bytes(&answer.body)?;
        }
        if answer.is_ok() {
            return Ok(());
        }
        match (answer.problem(), &answer.location) {
            (Some(problem), _) => Err(client::Error::Refused(Box::new(problem)).into()),
            (None, Some(location)) => {
                Err(CliError::Refused(format!("the server redirects to {}", print::printable(location))))
            }
            (None, None) => Err(CliError::Refused(format!("status {}", answer.status))),
        }
    }
}
