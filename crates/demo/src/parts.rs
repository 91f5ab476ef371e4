//! The parts of the demo, all on this machine.

use http::Uri;
use server::cli::Outcome;
use std::net::{Ipv4Addr, SocketAddr};
use std::thread::JoinHandle;

/// Runs a part on a thread of its own. If one part ends, all parts end.
pub(crate) fn beside(
    name: &'static str,
    work: impl FnOnce() -> Outcome + Send + 'static,
) -> Result<JoinHandle<()>, std::io::Error> {
    std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        if let Err(error) = work() {
            eprintln!("postern: the {name}: {}", server::error_chain::chain(&*error));
            std::process::exit(1);
        }
    })
}

/// Returns this machine's address with the port of another.
pub(crate) fn here(address: &str) -> Option<SocketAddr> {
    let port = address.parse::<Uri>().ok()?.port_u16()?;
    Some((Ipv4Addr::LOCALHOST, port).into())
}
