//! `[toll]`: the paid gate.

use super::ConfigError;
use super::durations::DurationSetting;
use super::operator::ListenSetting;
use super::toll_route::TollRouteSettings;
use domain::authority::Origin;
use http::Uri;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TollSettings {
    pub listen: SocketAddr,
    pub public_url: String,
    pub network: NetworkSetting,
    pub monerod: Vec<String>,
    pub verifier: VerifierSetting,
    pub wallet_rpc: String,
    pub addresses: Vec<String>,
    pub primary_address: String,
    pub view_key_file: Option<PathBuf>,
    pub subaddresses: u32,
    pub people: u32,
    pub challenge: DurationSetting,
    pub redemptions_per_minute: u32,
    pub max_connections: usize,
    pub operator_listen: ListenSetting,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<TollRouteSettings>,
}

/// The Monero network. A private chain for tests (`--regtest`) uses mainnet addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NetworkSetting {
    Mainnet,
    Stagenet,
    Testnet,
}

/// The verifier of payment proofs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerifierSetting {
    /// This program, with data from monerod.
    Monerod,
    /// A wallet of the operator.
    WalletRpc,
}

impl Default for TollSettings {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 3004).into(),
            public_url: "http://localhost:3004".to_owned(),
            network: NetworkSetting::Mainnet,
            monerod: vec!["http://127.0.0.1:18081".to_owned()],
            verifier: VerifierSetting::Monerod,
            wallet_rpc: String::new(),
            addresses: Vec::new(),
            primary_address: String::new(),
            view_key_file: None,
            subaddresses: 1000,
            people: 200,
            challenge: DurationSetting::seconds(3600),
            redemptions_per_minute: 30,
            max_connections: 4096,
            operator_listen: ListenSetting(None),
            routes: Vec::new(),
        }
    }
}

impl TollSettings {
    /// Checks ranges that the types do not express.
    ///
    /// # Errors
    /// Names the setting and the allowed values.
    pub fn check(&self) -> Result<(), ConfigError> {
        let ranges = [
            ("toll.subaddresses", u64::from(self.subaddresses), 1, 100_000),
            ("toll.people", u64::from(self.people), 0, 10_000),
            ("toll.challenge in seconds", self.challenge.0.as_secs(), 60, 86_400),
            ("toll.redemptions_per_minute", self.redemptions_per_minute.into(), 1, 100_000),
            ("toll.max_connections", self.max_connections as u64, 1, 1_000_000),
        ];
        for (name, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                return Err(ConfigError::invalid(name, &format!("must be between {least} and {most}")));
            }
        }
        Origin::parse(&self.public_url)
            .map_err(|problem| ConfigError::invalid("toll.public_url", &problem.to_string()))?;
        for url in &self.monerod {
            node("toll.monerod", url)?;
        }
        if !self.wallet_rpc.is_empty() {
            node("toll.wallet_rpc", &self.wallet_rpc)?;
        }
        if self.verifier == VerifierSetting::WalletRpc && self.wallet_rpc.is_empty() {
            return Err(ConfigError::invalid("toll.wallet_rpc", "the verifier \"wallet-rpc\" needs its address"));
        }
        if self.view_key_file.is_some() == self.primary_address.is_empty() {
            return Err(ConfigError::invalid("toll.view_key_file", "must be set together with toll.primary_address"));
        }
        for (at, text) in (1..).zip(&self.addresses) {
            self.check_address(text)
                .map_err(|problem| ConfigError::invalid("toll.addresses", &format!("address {at}: {problem}")))?;
        }
        if !self.primary_address.is_empty() {
            self.check_address(&self.primary_address)
                .map_err(|problem| ConfigError::invalid("toll.primary_address", &problem))?;
        }
        self.check_routes()
    }

    fn check_address(&self, text: &str) -> Result<(), String> {
        let address = text.parse::<tpat::Address>().map_err(|error| error.to_string())?;
        let network = match self.network {
            NetworkSetting::Mainnet => wire::toll::Network::Mainnet,
            NetworkSetting::Stagenet => wire::toll::Network::Stagenet,
            NetworkSetting::Testnet => wire::toll::Network::Testnet,
        };
        if address.network() == network {
            return Ok(());
        }
        Err("this address is of another network than toll.network".to_owned())
    }

    fn check_routes(&self) -> Result<(), ConfigError> {
        let mut names = HashSet::new();
        for route in &self.routes {
            route.check()?;
            if !names.insert(&route.name) {
                return Err(ConfigError::invalid(&route.setting("name"), "another route has this name"));
            }
        }
        let paid = self.routes.iter().find(|route| route.price.is_some());
        match paid {
            Some(_) if self.monerod.is_empty() => {
                Err(ConfigError::invalid("toll.monerod", "paid routes need a node to ask"))
            }
            Some(_) if self.addresses.is_empty() && self.view_key_file.is_none() => Err(ConfigError::invalid(
                "toll.addresses",
                "paid routes need subaddresses to be paid to: list them, or give primary_address and view_key_file",
            )),
            _ => Ok(()),
        }
    }

    /// Whether clients use https, either here or at a proxy in front.
    pub fn https(&self) -> bool {
        self.public_url.starts_with("https:")
    }
}

fn node(setting: &str, url: &str) -> Result<(), ConfigError> {
    let uri = url.parse::<Uri>().ok();
    let good = uri.is_some_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
            && matches!(uri.path(), "" | "/")
    });
    if good {
        return Ok(());
    }
    Err(ConfigError::invalid(setting, "this is not a node's URL: write http://127.0.0.1:18081, without a password"))
}
