//! `postern-client get URL`
//!
//! The portal's token goes only to the portal's API, not even to another path of the same host, where a proxy may have
//! put an app. An app behind the portal gets its own token. Requests for payment are handled by [`client::toll`].

use crate::args::Get;
use crate::customer::Customer;
use crate::desk::Desk;
use crate::print::{self, say};
use crate::stop::{Outcome, Stop};
use crate::{output, terminal};
use async_trait::async_trait;
use client::toll::{Counter, Forecast, Payer, Settings, Verdict, WalletPayer};
use client::{Answer, Download, Http, Rest, Server, Session, Source, ThisMachine};
use serde_json::{Value, json};
use std::time::Duration;
use tpat::amount::format_xmr;

pub async fn run(desk: &Desk, wish: Get) -> Outcome {
    let server = desk.server()?;
    let url = match &server {
        Some(server) if wish.url.starts_with('/') => server.at(&wish.url),
        _ => wish.url.clone(),
    };
    if !url.starts_with("https://") && !url.starts_with("http://") {
        return Err(Stop::Usage(format!("{url:?} is not a URL")));
    }
    let http = Http::with_silence(Server::of(&url)?, Duration::from_secs(wish.silence))?;
    match server.and_then(|server| server.path_of(&url)) {
        Some(path) if path.starts_with("/api/") => {
            let answer = desk.session().await?.api(&path).await?;
            tell(desk, &wish, answer, &OnlyOnce).await
        }
        Some(_) => at_the_counter(desk, &wish, &http, &url).await,
        None => match of_app(desk, &wish, &http, &url).await? {
            Some((answer, session)) => tell(desk, &wish, answer, &App { session, http, url }).await,
            None => at_the_counter(desk, &wish, &http, &url).await,
        },
    }
}

/// Fetches from an app behind the portal with a token for it. `None`: it is not an app, or nobody is signed in.
async fn of_app(desk: &Desk, wish: &Get, http: &Http, url: &str) -> Outcome<Option<(Answer, Session)>> {
    if wish.dry_run {
        return Ok(None);
    }
    let session = match desk.session().await {
        Ok(session) => session,
        Err(Stop::Client(error)) if matches!(*error, client::Error::NotSignedIn(_)) => return Ok(None),
        Err(Stop::Client(error)) => {
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

async fn at_the_counter(desk: &Desk, wish: &Get, http: &Http, url: &str) -> Outcome {
    let settings = Settings::load(&desk.storage)?;
    let wallet = wish.wallet.as_ref().or(settings.wallet.as_ref());
    let payer = wallet.map(|url| WalletPayer::new(url)).transpose()?;
    let person = Customer { json: desk.json };
    let counter = Counter {
        http,
        machine: &ThisMachine,
        storage: &desk.storage,
        choice: wish.storage.into(),
        payer: payer.as_ref().map(|payer| payer as &dyn Payer),
        person: &person,
        max_pay: wish.max_pay.or(settings.max_pay).map(|most| most.0),
        patience: wish.wait,
    };
    if wish.dry_run {
        return foretell(desk, &counter.forecast(url).await?);
    }
    terminal::end_on_interrupt();
    let answer = counter.open(url).await?;
    tell(desk, wish, answer, &Paid { counter, url }).await
}

/// Requests the rest again with the same token.
#[derive(Debug)]
struct App {
    session: Session,
    http: Http,
    url: String,
}

#[async_trait]
impl Source for App {
    async fn rest(&self, rest: &Rest) -> client::Result<Answer> {
        let app = Server::of(&self.url)?;
        let token = self.session.app_token(&app).await?.ok_or_else(|| client::Error::NotSignedIn(app.origin()))?;
        self.session.get_from_app(&self.http, &self.url, token, Some(rest)).await
    }
}

#[derive(Debug)]
struct Paid<'a> {
    counter: Counter<'a>,
    url: &'a str,
}

#[async_trait]
impl Source for Paid<'_> {
    async fn rest(&self, rest: &Rest) -> client::Result<Answer> {
        self.counter.rest(self.url, rest).await
    }
}

/// A complete answer has no rest.
#[derive(Debug)]
struct OnlyOnce;

#[async_trait]
impl Source for OnlyOnce {
    async fn rest(&self, _: &Rest) -> client::Result<Answer> {
        Err(client::Error::NoSuch("rest".to_owned()))
    }
}

fn foretell(desk: &Desk, forecast: &Forecast) -> Outcome {
    if desk.json {
        return print::json(&match forecast {
            Forecast::Free => json!({"pay": "0"}),
            Forecast::Ticket { left } => json!({"pay": "0", "left": left}),
            Forecast::Redeem { txid } => json!({"pay": "0", "redeem": txid}),
            Forecast::Pay { bill, fee, verdict } => json!({
                "pay": bill.piconero.to_string(), "fee": fee.map(|fee| fee.to_string()), "address": bill.address,
                "quota": bill.quota, "ttl_s": bill.ttl_s, "confirmations": bill.conf,
                "asks": *verdict == Verdict::Ask, "refuses": *verdict == Verdict::Refuse,
            }),
        });
    }
    match forecast {
        Forecast::Free => print::line("Free: nothing to pay."),
        Forecast::Ticket { left } => print::line(format!("Already paid: {left} requests are left. Nothing to pay.")),
        Forecast::Redeem { txid } => {
            print::line(format!("The payment {txid} is not redeemed yet, so it is used first. Nothing to pay."))
        }
        Forecast::Pay { bill, fee, verdict } => {
            print::line(format!("Would pay {}.", print::printable(&Customer::offer(bill, *fee))))?;
            print::line(format!("To {}", bill.address))?;
            print::line(match verdict {
                Verdict::Pay => "This is within the limit for automatic payments.".to_owned(),
                Verdict::Ask => "You would be asked first.".to_owned(),
                Verdict::Refuse => {
                    format!(
                        "It would refuse, because it cannot ask without a terminal. --max-pay {} allows it.",
                        format_xmr(bill.piconero)
                    )
                }
            })
        }
    }
}

async fn tell(desk: &Desk, wish: &Get, answer: Answer, source: &dyn Source) -> Outcome {
    let (status, media_type) = (answer.status, answer.media_type.clone());
    if answer.is_ok()
        && let Some(path) = &wish.output
    {
        let bytes = output::to_file(Download::new(answer, source), path).await?;
        if desk.json {
            print::json(&json!({"status": status, "type": media_type, "file": path, "bytes": bytes}))?;
        }
        return Ok(());
    }
    if answer.is_ok() && !desk.json {
        return output::to_stdout(Download::new(answer, source)).await;
    }
    let answer = answer.whole().await?;
    if desk.json {
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
        (None, Some(location)) => Err(Stop::Refused(format!("the server redirects to {}", print::printable(location)))),
        (None, None) => Err(Stop::Refused(format!("status {}", answer.status))),
    }
}
