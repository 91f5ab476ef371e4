//! The context of every command.

use crate::args::Args;
use crate::stop::{Outcome, Stop};
use client::{Http, Server, Session, Storage, ThisMachine};
use etcetera::BaseStrategy;
use std::sync::Arc;

#[derive(Debug)]
pub struct Desk {
    pub storage: Storage,
    pub json: bool,
    /// The time server's address, if given.
    pub time_server: Option<String>,
    server: Option<Server>,
}

impl Desk {
    pub fn new(args: &Args) -> Outcome<Self> {
        let base = etcetera::choose_base_strategy().map_err(|error| Stop::Broken(error.to_string()))?;
        let storage = Storage::new(base.config_dir().join("postern-client"));
        let server = args.server.as_deref().map(Server::parse).transpose()?;
        Ok(Self { storage, json: args.json, time_server: args.time_server.clone(), server })
    }

    /// Returns the given server, or the one of the last login.
    pub fn server(&self) -> Outcome<Option<Server>> {
        match &self.server {
            Some(server) => Ok(Some(server.clone())),
            None => Ok(self.storage.server()?),
        }
    }

    pub async fn session(&self) -> Outcome<Session> {
        let Some(server) = self.server()? else {
            return Err(client::Error::NotSignedIn("any server".to_owned()).into());
        };
        Ok(Session::open(Http::new(server)?, Arc::new(ThisMachine), self.storage.clone()).await?)
    }
}
