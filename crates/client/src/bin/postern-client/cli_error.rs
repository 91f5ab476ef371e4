//! Errors of commands, and their exit codes.

use crate::print::printable_lines;
use crate::style::{BAD, PLAIN};
use client::Error;
use serde_json::json;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;
use wire::Code;
use wire::time::CloseReason;

pub(crate) type Outcome<T = ()> = Result<T, CliError>;

#[derive(Debug)]
pub(crate) enum CliError {
    Client(Box<Error>),
    /// The command line is invalid.
    Usage(String),
    /// A server other than the portal refuses.
    Refused(String),
    /// Any other failure.
    Broken(String),
    /// The reader of our output has closed it, for example `| head`.
    ClosedPipe,
    Interrupted,
}

impl From<Error> for CliError {
    fn from(error: Error) -> Self {
        Self::Client(Box::new(error))
    }
}

impl From<std::io::Error> for CliError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::BrokenPipe => Self::ClosedPipe,
            ErrorKind::Interrupted => Self::Interrupted,
            _ => Self::Broken(error.to_string()),
        }
    }
}

impl From<dialoguer::Error> for CliError {
    fn from(dialoguer::Error::IO(error): dialoguer::Error) -> Self {
        error.into()
    }
}

impl CliError {
    /// Prints the error on standard error, for people or for programs.
    pub(crate) fn report(&self, json: bool) -> ExitCode {
        let code = self.code();
        if let Some(message) = self.message() {
            let mut stderr = anstream::stderr().lock();
            // A closed standard error is ignored.
            drop(if json {
                let problem = match self {
                    Self::Client(error) => match &**error {
                        Error::Refused(problem) => Some(problem),
                        _ => None,
                    },
                    _ => None,
                };
                writeln!(stderr, "{}", json!({"error": message, "exit": code, "problem": problem}))
            } else {
                writeln!(stderr, "{BAD}error:{PLAIN} {}", printable_lines(&message))
            });
        }
        ExitCode::from(code)
    }

    fn code(&self) -> u8 {
        match self {
            Self::ClosedPipe => 0,
            Self::Broken(_) => 1,
            Self::Usage(_) => 2,
            Self::Refused(_) => 4,
            Self::Interrupted => 130,
            Self::Client(error) => match &**error {
                Error::NotSignedIn(_) | Error::SessionEnded(_) | Error::DamagedSession(_) => 3,
                Error::Refused(problem) => match problem.code {
                    Code::Banned | Code::AccountDelayed | Code::Busy | Code::Unavailable => 6,
                    _ => 4,
                },
                Error::Gate(problem) => match problem.status {
                    429 | 502..=504 => 6,
                    _ => 4,
                },
                Error::NoSuch(_)
                | Error::Browser(_)
                | Error::PasskeyNeeded
                | Error::PaymentRefused { .. }
                | Error::PaymentUncertain { .. }
                | Error::Clocks { .. }
                | Error::AskedAgain(_)
                | Error::Bill(_) => 4,
                Error::PaymentOnItsWay { .. } | Error::PaymentStuck { .. } | Error::MoneyLocked(_) => 6,
                Error::NotAgreed(_) | Error::NoWallet(_) | Error::PriceChanged(_) | Error::RestCosts(_) => 7,
                Error::Closed(reason) => match reason {
                    CloseReason::GoingAway | CloseReason::Full => 6,
                    _ => 4,
                },
                Error::Unreachable(..)
                | Error::BrokenOff { .. }
                | Error::WalletClosed(_)
                | Error::WalletOffline(_)
                | Error::Wallet(monero::Error::Unreachable(..) | monero::Error::Timeout(_)) => 5,
                Error::Server(_) => 2,
                _ => 1,
            },
        }
    }

    fn message(&self) -> Option<String> {
        match self {
            Self::Client(error) => Some(advised(error)),
            Self::Usage(message) | Self::Refused(message) | Self::Broken(message) => Some(message.clone()),
            Self::ClosedPipe | Self::Interrupted => None,
        }
    }
}

/// Returns the error with its causes, and what to do if it does not say so itself.
fn advised(error: &Error) -> String {
    const NO_TLS: &str = "InvalidContentType";
    const NO_AUTHORITIES: &str = "No CA certificates were loaded";
    let message = with_causes(error);
    match error {
        Error::NotSignedIn(_) | Error::SessionEnded(_) | Error::DamagedSession(_) => {
            format!("{message}: sign in with postern-client login --server URL")
        }
        Error::Unreachable(server, _) if message.contains(NO_TLS) => {
            format!("{server} answers without TLS. If it is on this machine, write http:// before its name")
        }
        Error::Unreachable(..) if message.contains(NO_AUTHORITIES) => {
            "this machine has no certificate authorities: install the package ca-certificates, or name a file with them in \
             the environment variable SSL_CERT_FILE"
                .to_owned()
        }
        _ => message,
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_says = cause.to_string();
        if !message.contains(&cause_says) {
            message = format!("{message}: {cause_says}");
        }
        next = cause.source();
    }
    message
}
