//! The context of every command.

use crate::args::Args;
use crate::cli_error::{CliError, Outcome};
use crate::confirmation;
use client::{HttpClient, Server, Session, Storage, SystemEnvironment};
use etcetera::BaseStrategy;
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct Context {
    pub storage: Storage,
    pub json: bool,
    /// The time server's address, if given.
    pub time_server: Option<String>,
    server: Option<Server>,
}

impl Context {
    pub(crate) fn new(args: &Args) -> Outcome<Self> {
        let base = etcetera::choose_base_strategy().map_err(|error| CliError::Broken(error.to_string()))?;
        let storage = Storage::new(base.config_dir().join("postern-client"));
        let server = args.server.as_deref().map(Server::parse).transpose()?;
        Ok(Self { storage, json: args.json, time_server: args.time_server.clone(), server })
    }

    /// Returns the given server, or the one of the last login.
    pub(crate) fn server(&self) -> Outcome<Option<Server>> {
        match &self.server {
            Some(server) => Ok(Some(server.clone())),
            None => Ok(self.storage.server()?),
        }
    }

    pub(crate) async fn session(&self) -> Outcome<Session> {
        let Some(server) = self.server()? else {
            return Err(client::Error::NotSignedIn("any server".to_owned()).into());
        };
        let session =
            Session::open(HttpClient::new(server)?, Arc::new(SystemEnvironment), self.storage.clone()).await?;
        Ok(asking(session))
    }
}

/// Lets a session ask at the terminal for the proofs that the server demands.
pub(crate) fn asking(session: Session) -> Session {
    match confirmation::prompt() {
        Some(prompt) => session.with_prompt(prompt),
        None => session,
    }
}
