/// The reason why there is no network. A test that needs one fails and is not skipped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{program} is not installed; on Debian: apt-get install {package}")]
    Missing { program: &'static str, package: &'static str },
    #[error("{name} ended before it answered; its last words:\n{log}")]
    Ended { name: &'static str, log: String },
    #[error("{name} does not answer; its last words:\n{log}")]
    Silent { name: &'static str, log: String },
    #[error("the snapshot of the chain could not be unpacked: {0}")]
    Snapshot(String),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Monero(#[from] monero::Error),
}
