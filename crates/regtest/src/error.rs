/// Why there is no network to test on. A test that needs one fails: none is passed over.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0} cannot be started: install Debian's package monero, and setpriv of util-linux")]
    Missing(&'static str, #[source] std::io::Error),
    #[error("{name} ended before it answered; its last words:\n{log}")]
    Ended { name: &'static str, log: String },
    #[error("{name} does not answer; its last words:\n{log}")]
    Silent { name: &'static str, log: String },
    #[error("the snapshot of the chain cannot be unpacked: {0}")]
    Snapshot(String),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Monero(#[from] monero::Error),
}
