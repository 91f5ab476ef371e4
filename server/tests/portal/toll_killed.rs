//! The paid gate is killed in the middle of a purchase, on a real chain.

use crate::toll::{GateProgram, answer_ok};
use regtest::RegtestNetwork;
use serde_json::Value;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use wire::toll::{Offer, REDEEM, RedeemedToken};

async fn settings(regtest: &RegtestNetwork, folder: &Path) {
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let (node, to) = (regtest.node_url(), upstream.local_addr().unwrap());
    answer_ok(upstream);
    let primary = regtest.merchant.address().await.unwrap();
    let key = regtest.merchant.view_key().await.unwrap();
    let mut file = fs::OpenOptions::new();
    let mut file = file.write(true).create_new(true).mode(0o600).open(folder.join("view.key")).unwrap();
    std::io::Write::write_all(&mut file, key.as_bytes()).unwrap();
    let text = format!(
        "[toll]\nmonerod = ['{node}']\nprimary_address = '{primary}'\nview_key_file = 'view.key'\nsubaddresses = 20\n\
         [[toll.routes]]\nname = 'price'\npath = '/price'\nupstream = 'http://{to}'\nprice = '0.002 XMR'\n\
         bind = 'bearer'\n"
    );
    fs::write(folder.join("postern.toml"), text).unwrap();
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

/// Pays an offer. Returns the request with the proof, its body, and the transaction id.
async fn bought(regtest: &RegtestNetwork, gate: &GateProgram) -> (String, String, String) {
    let answer = gate.ask("GET /price HTTP/1.1", "");
    assert!(answer.starts_with("HTTP/1.1 402"), "{answer}");
    let demand: Offer = serde_json::from_str(body(&answer)).unwrap();
    let paid = regtest.pay(&demand.address, demand.min_amt.0, &demand.message).await.unwrap();
    let request = format!("POST {REDEEM} HTTP/1.1\r\nAuthorization: TPAT {}:{}", paid.txid, paid.proof);
    let body = serde_json::json!({"challenge": demand.challenge}).to_string();
    (request, body, paid.txid.to_string())
}

fn redeemed(gate: &GateProgram, request: &str, shown: &str) -> RedeemedToken {
    let answer = gate.ask(request, shown);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    serde_json::from_str(body(&answer)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_that_is_killed_gives_the_same_token_again() {
    let regtest = RegtestNetwork::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    settings(&regtest, folder.path()).await;

    // Killed between payment and redemption.
    let gate = GateProgram::start(folder.path());
    let (request, shown, _) = bought(&regtest, &gate).await;
    gate.kill();
    let gate = GateProgram::start(folder.path());
    let first = redeemed(&gate, &request, &shown);
    assert_eq!(redeemed(&gate, &request, &shown), first);

    // Killed between minting and answering: the answer is not read, and the gate is killed as soon as the row exists.
    let (request, shown, txid) = bought(&regtest, &gate).await;
    let unread = gate.send(&request, &shown);
    let url = format!("sqlite:{}", folder.path().join("data/postern.db").display());
    let store = store::open(&url, store::StoreOptions::default()).await.unwrap();
    while store.toll_tokens(10).await.unwrap().len() < 2 {
        tokio::task::yield_now().await;
    }
    gate.kill();
    drop(unread);
    let minted = store.toll_tokens(10).await.unwrap();
    let gate = GateProgram::start(folder.path());
    let second = redeemed(&gate, &request, &shown);
    assert_ne!(second.token, first.token);
    assert_eq!(redeemed(&gate, &request, &shown).token, second.token);
    assert_eq!(store.toll_tokens(10).await.unwrap(), minted, "nothing was minted again");
    for token in [&first.token, &second.token] {
        let answer = gate.ask(&format!("GET /price HTTP/1.1\r\nAuthorization: TPAT-Session {token}"), "");
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.to_ascii_lowercase().contains("tpat-quota: 19"),
            "{answer}"
        );
    }

    // The log contains that a payment was made, and not its transaction.
    let log = gate.log();
    assert!(log.contains("redeemed") && !log.contains(&txid) && !log.contains(&second.token), "{log}");
    let answer: Value = serde_json::from_str(body(&gate.ask(&request, "{}"))).unwrap();
    assert_eq!(answer["code"], "malformed");
}

/// Returns the value of a cookie that an answer sets.
fn set<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let start = format!("set-cookie: {name}=");
    let lines = answer.lines().filter(|line| line.to_ascii_lowercase().starts_with(&start));
    let mut values = lines.filter_map(|line| line[start.len()..].split(';').next());
    values.find(|value| !value.is_empty())
}

/// Repeats a browser's request with this cookie until the answer has this status, and returns the answer.
async fn opened(gate: &GateProgram, cookie: &str, status: &str) -> String {
    loop {
        let answer = gate.ask(&format!("GET /price HTTP/1.1\r\nAccept: text/html\r\nCookie: {cookie}"), "");
        if answer.starts_with(&format!("HTTP/1.1 {status}")) {
            return answer;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_that_is_killed_finds_what_a_browser_paid_meanwhile() {
    let regtest = RegtestNetwork::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    settings(&regtest, folder.path()).await;
    let gate = GateProgram::start(folder.path());
    // An address is offered as soon as the gate has read the chain.
    let page = opened(&gate, "", "402").await;
    let offer = page
        .lines()
        .find_map(|line| line.strip_prefix("set-cookie: ").filter(|set| set.starts_with("postern-offer-price.")));
    let offer = offer.unwrap().split(';').next().unwrap().to_owned();
    let address = page.split("<code>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    gate.kill();
    regtest.payer.refresh().await.unwrap();
    let sent = regtest.payer.transfer(&[(&address, 2_000_000_000)], 0).await.unwrap();
    regtest.mine(2).await.unwrap();

    // Again, between detection and pick-up.
    let gate = GateProgram::start(folder.path());
    let url = format!("sqlite:{}", folder.path().join("data/postern.db").display());
    let store = store::open(&url, store::StoreOptions::default()).await.unwrap();
    while store.toll_payments(10).await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    gate.kill();
    let gate = GateProgram::start(folder.path());
    let answer = opened(&gate, &offer, "303").await;
    let token = format!("postern-toll-price={}", set(&answer, "postern-toll-price").unwrap());
    opened(&gate, &token, "200").await;
    assert_eq!(store.toll_tokens(10).await.unwrap().len(), 1);
    let log = gate.log();
    assert!(
        !log.contains(&sent.txid.to_string())
            && !log.contains(&address)
            && !log.contains(offer.split_once('=').unwrap().1),
        "{log}"
    );
}
