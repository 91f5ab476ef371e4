//! A process of its own that runs the time server's conversations, sealed and plain, so that its processor time can be
//! separated from its clients'. Plain ones exist here only.

use crate::load;
use anyhow::{Context, Result};
use channel::{Keys, Randoms};
use domain::UnixMs;
use domain::thumbprint::Thumbprint;
use serde::{Deserialize, Serialize};
use server::entropy::{Entropy, SystemEntropy};
use std::io::Read;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;
use time_server::carrier::Tcp;
use time_server::{
    Config, Environment, MessageChannel, OpenedTicket, SealedChannel, SystemClock, TicketHolder, TimeServer,
};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use wire::time::CloseReason;

/// The argument of our own command line that starts it.
pub(crate) const COMMAND: &str = "time-process";

/// The ports of both kinds of conversations.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct TimeAddresses {
    pub sealed: u16,
    pub plain: u16,
}

/// Returns the keys of both ends. Their origin does not matter to the measurement.
pub(crate) fn keys() -> Keys {
    Keys::derive(&[7; 32], "bench", &Randoms { client: [1; 32], server: [2; 32] })
}

/// A channel without encryption.
struct Plain;

impl MessageChannel for Plain {
    fn open<'a>(&mut self, frame: &'a mut [u8]) -> Result<&'a [u8], CloseReason> {
        Ok(frame)
    }

    fn seal(&mut self, message: &[u8], frame: &mut Vec<u8>) -> Result<(), CloseReason> {
        frame.extend_from_slice(message);
        Ok(())
    }
}

/// Runs that process, on one thread.
pub(crate) fn serve() -> Result<()> {
    load::runtime()?.block_on(async {
        let server = Arc::new(server()?);
        let (_stop, stopped) = watch::channel(false);
        let sealed = open(&server, &stopped, || SealedChannel::new(&keys())).await?;
        let plain = open(&server, &stopped, || Plain).await?;
        println!("{}", serde_json::to_string(&TimeAddresses { sealed, plain })?);
        let (ended, end) = oneshot::channel();
        std::thread::spawn(move || {
            drop(std::io::stdin().read_to_end(&mut Vec::new()));
            ended.send(())
        });
        end.await.context("standard input")
    })
}

fn server() -> Result<TimeServer> {
    let config = Config {
        issuer: "http://localhost".to_owned(),
        jwks_url: "http://localhost/".to_owned(),
        revocations_url: None,
        service: "time".to_owned(),
        origins: Vec::new(),
        max_connections: 20_000,
        trusted_proxies: Vec::new(),
        idle: Duration::from_hours(1),
    };
    let random = || <dyn Entropy>::bytes(&SystemEntropy);
    let surroundings = Environment { clock: Arc::new(SystemClock), random: Arc::new(random) };
    Ok(TimeServer::new(config, jwe::PrivateKey::generate(&random())?, surroundings)?)
}

/// Accepts connections on a port, each after its hello.
async fn open<C: MessageChannel + 'static>(
    server: &Arc<TimeServer>,
    stopped: &watch::Receiver<bool>,
    channel: impl Fn() -> C + Send + 'static,
) -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let port = listener.local_addr()?.port();
    let (server, stopped) = (Arc::clone(server), stopped.clone());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let (server, stopped, mut channel) = (Arc::clone(&server), stopped.clone(), channel());
            tokio::spawn(async move {
                let _ = server.converse(&mut Tcp::new(stream), &mut channel, opened(), stopped).await;
            });
        }
    });
    Ok(port)
}

fn opened() -> OpenedTicket {
    let text = || "bench".to_owned();
    let holder = TicketHolder { sub: text(), sid: text(), jkt: Thumbprint([0; 32]), version: 1, until: UnixMs::MAX };
    OpenedTicket { holder, kid: text(), expires_at: UnixMs::MAX, jti: text(), user_key: [0; 32].into() }
}
