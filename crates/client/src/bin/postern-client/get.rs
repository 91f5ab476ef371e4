//! `postern-client get URL`
//!
//! The portal's own token is for the portal: it goes to its API and nowhere else, not even to another path
//! of the same host, where a proxy may have put an app.

use crate::desk::Desk;
use crate::print::{self, say};
use crate::stop::{Outcome, Stop};
use client::{Answer, Http, Server};
use serde_json::{Value, json};

pub async fn run(desk: &Desk, url: &str) -> Outcome {
    let server = desk.server()?;
    let url = match &server {
        Some(server) if url.starts_with('/') => server.at(url),
        _ => url.to_owned(),
    };
    if !url.starts_with("https://") && !url.starts_with("http://") {
        return Err(Stop::Usage(format!("{url:?} is no URL")));
    }
    match server.and_then(|server| server.path_of(&url)) {
        Some(path) if path.starts_with("/api/") => tell(desk, &desk.session().await?.api(&path).await?),
        Some(_) => tell(desk, &without_a_token(&url).await?),
        None => {
            say("This is not the portal. Tokens for other audiences are not there yet: sent without one.")?;
            tell(desk, &without_a_token(&url).await?)
        }
    }
}

async fn without_a_token(url: &str) -> Outcome<Answer> {
    Ok(Http::new(Server::of(url)?)?.fetch(url).await?)
}

fn tell(desk: &Desk, answer: &Answer) -> Outcome {
    if desk.json {
        let text = || Value::String(String::from_utf8_lossy(&answer.body).into_owned());
        let body = serde_json::from_slice(&answer.body).unwrap_or_else(|_| text());
        print::json(&json!({"status": answer.status, "type": answer.media_type, "body": body}))?;
    } else {
        print::bytes(&answer.body)?;
    }
    if answer.is_ok() {
        return Ok(());
    }
    match (answer.problem(), &answer.location) {
        (Some(problem), _) => Err(client::Error::Refused(Box::new(problem)).into()),
        (None, Some(location)) => Err(Stop::Refused(format!("it leads to {}", print::printable(location)))),
        (None, None) => Err(Stop::Refused(format!("status {}", answer.status))),
    }
}
