//! Checks of the paid gate: its nodes, the programs behind it, and the view key.

use super::{Finding, FindingLevel};
use crate::config::{Config, NetworkSetting, TollSettings, VerifierSetting, toll_table};
use crate::flows::toll::listens;
use crate::view_key::view_pair;
use monero::{Node, NodeInfo, RpcLimits, Wallet};
use std::collections::BTreeMap;
use std::time::Duration;
use toll::route::RouteTable;
use toll::upstream::UpstreamAddress;
use wire::toll_admin::{ChainState, Gate, TollRoute};

const NODE: &str = "toll_node";
const UPSTREAM: &str = "toll_upstream";
const PATIENT: RpcLimits = RpcLimits { timeout: Duration::from_secs(5), at_once: 1, longest: 1 << 20 };

/// Runs the checks; none if no route is set up.
pub(super) async fn findings(config: &Config) -> Vec<Finding> {
    let settings = &config.settings.toll;
    let mut findings = Vec::new();
    if settings.routes.is_empty() {
        return findings;
    }
    if settings.routes.iter().any(|route| route.price.is_some()) {
        for url in &settings.monerod {
            findings.push(node(url, settings.network).await);
        }
        findings.extend(wallet(settings).await);
        findings.extend(view_key(settings));
    }
    findings.extend(upstreams(settings).await);
    findings
}

/// Returns the problems that running gates have reported: for a page, which makes no connections.
pub(crate) fn reported(settings: &TollSettings, gates: &[Gate], routes: &[TollRoute]) -> Vec<Finding> {
    if gates.is_empty() {
        return no_gate(settings).into_iter().collect();
    }
    let mut findings = Vec::new();
    if gates.iter().any(|gate| gate.chain == ChainState::Away) {
        findings.push(Finding::new(
            NODE,
            FindingLevel::Problem,
            "A gate does not see the Monero network and makes no offers.",
            "Start monerod, or correct toll.monerod. 'postern doctor' shows the cause.",
        ));
    }
    let mut behind: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for route in routes.iter().filter(|route| !route.up) {
        behind.entry(&route.upstream).or_default().push(&route.name);
    }
    findings.extend(behind.into_iter().map(|(upstream, routes)| no_upstream(upstream, &routes.join(", "))));
    findings
}

fn no_gate(settings: &TollSettings) -> Option<Finding> {
    let finding = Finding::new(
        "toll_gate",
        FindingLevel::Problem,
        "The settings name routes of the paid gate, and no gate has reported in the last half minute.",
        "Start it with 'postern toll run', or remove the routes (toll.routes).",
    );
    (!settings.routes.is_empty()).then_some(finding)
}

fn no_upstream(endpoint: &str, routes: &str) -> Finding {
    Finding::new(
        UPSTREAM,
        FindingLevel::Problem,
        format!("No program behind the gate listens at {endpoint} (routes: {routes})."),
        "Start that program, or correct the upstream of these routes. Until then, requests to it cost nothing.",
    )
}

async fn node(url: &str, network: NetworkSetting) -> Finding {
    const CHECK: &str = NODE;
    let asked = match Node::new(url, PATIENT) {
        Ok(node) => node.info().await,
        Err(error) => Err(error),
    };
    let info = match asked {
        Ok(info) => info,
        Err(error) => {
            return Finding::new(
                CHECK,
                FindingLevel::Problem,
                format!("The Monero node does not answer: {error}. The gate makes no offers."),
                "Start monerod, or correct toll.monerod.",
            );
        }
    };
    let NodeInfo { height, target_height, synchronized, nettype, .. } = info;
    if !synchronized || target_height > height {
        return Finding::new(
            CHECK,
            FindingLevel::Warning,
            format!(
                "The Monero node {url} has {height} blocks of {} and is behind the network.",
                target_height.max(height)
            ),
            "Wait until it is synchronised: the gate makes no offers until then.",
        );
    }
    let wanted = match network {
        NetworkSetting::Mainnet => "mainnet",
        NetworkSetting::Stagenet => "stagenet",
        NetworkSetting::Testnet => "testnet",
    };
    match nettype.as_str() {
        nettype if nettype == wanted => {
            Finding::fine(CHECK, format!("The Monero node {url} is synchronised, with {height} blocks."))
        }
        // A private chain for tests uses addresses of mainnet.
        "fakechain" if network == NetworkSetting::Mainnet => Finding::new(
            CHECK,
            FindingLevel::Hint,
            format!("The Monero node {url} has a test chain: payments on it are worthless."),
            "For real payments, use a node of the Monero network (toll.monerod).",
        ),
        other => Finding::new(
            CHECK,
            FindingLevel::Problem,
            format!("The Monero node {url} is of the network {other}, and toll.network is {wanted}."),
            "Correct toll.network or toll.monerod: no payment would be found.",
        ),
    }
}

/// Checks the wallet that verifies payments besides the node, if one is configured.
async fn wallet(settings: &TollSettings) -> Option<Finding> {
    const CHECK: &str = "toll_wallet";
    if settings.verifier != VerifierSetting::WalletRpc {
        return None;
    }
    let asked = match Wallet::new(&settings.wallet_rpc, PATIENT) {
        Ok(wallet) => wallet.version().await.map(drop),
        Err(error) => Err(error),
    };
    Some(match asked {
        Ok(()) => Finding::fine(CHECK, "The wallet that verifies payments answers."),
        Err(error) => Finding::new(
            CHECK,
            FindingLevel::Problem,
            format!("The wallet that verifies payments does not answer: {error}. The gate makes no offers."),
            "Start monero-wallet-rpc, correct toll.wallet_rpc, or set toll.verifier = \"monerod\".",
        ),
    })
}

fn view_key(settings: &TollSettings) -> Option<Finding> {
    const CHECK: &str = "toll_view_key";
    settings.view_key_file.as_ref()?;
    Some(match view_pair(settings) {
        Ok(_) => Finding::fine(CHECK, "The view key belongs to toll.primary_address."),
        Err(error) => Finding::new(
            CHECK,
            FindingLevel::Problem,
            format!("The view key cannot be used: {error}."),
            "Put the private view key of toll.primary_address into toll.view_key_file, mode 600. The gate does not start \
             without.",
        ),
    })
}

async fn upstreams(settings: &TollSettings) -> Vec<Finding> {
    const CHECK: &str = UPSTREAM;
    let table = match toll_table(&settings.routes, &RouteTable::default()) {
        Ok(table) => table,
        Err(error) => {
            let says = format!("The gate's routes cannot be used: {error}.");
            return vec![Finding::new(CHECK, FindingLevel::Problem, says, "Correct them; see 'postern toll routes'.")];
        }
    };
    let mut behind: BTreeMap<String, (UpstreamAddress, Vec<String>)> = BTreeMap::new();
    for route in table.iter() {
        let address = &route.upstream.address;
        let entry = behind.entry(address.endpoint()).or_insert_with(|| (address.clone(), Vec::new()));
        entry.1.push(route.name.clone());
    }
    let mut findings = Vec::new();
    for (endpoint, (address, routes)) in behind {
        let routes = routes.join(", ");
        findings.push(if listens(&address).await {
            Finding::fine(CHECK, format!("The program behind the gate at {endpoint} answers (routes: {routes})."))
        } else {
            no_upstream(&endpoint, &routes)
        });
    }
    findings
}
