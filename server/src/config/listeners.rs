//! Listeners of one program, which need an address each.

use super::{ConfigError, Settings, TollSettings};
use std::net::SocketAddr;

/// A setting that names an address to listen on.
pub(super) type Listener = (&'static str, SocketAddr);

/// Checks that the portal's listeners have different addresses, and the gate's too.
///
/// # Errors
/// Names the two settings.
pub(super) fn check(settings: &Settings) -> Result<(), ConfigError> {
    let mut portal = vec![("listen", settings.listen)];
    portal.extend(settings.operator.listen.0.map(|address| ("operator.listen", address)));
    portal.extend(settings.tls.redirect_http.map(|address| ("tls.redirect_http", address)));
    // One that is on by default gives way.
    if settings.time.embedded == Some(true) {
        portal.push(("time.listen", settings.time.listen));
        portal.extend(settings.time.listen_tcp.0.map(|address| ("time.listen_tcp", address)));
    }
    apart(&portal)?;
    let TollSettings { listen, operator_listen, .. } = &settings.toll;
    let mut gate = vec![("toll.listen", *listen)];
    gate.extend(operator_listen.0.map(|address| ("toll.operator_listen", address)));
    apart(&gate)
}

/// Checks that no two listeners have the same address.
///
/// # Errors
/// Names the two settings.
pub(super) fn apart(listeners: &[Listener]) -> Result<(), ConfigError> {
    for (at, (setting, address)) in listeners.iter().enumerate() {
        if let Some((other, _)) = listeners.iter().take(at).find(|(_, other)| collide(*address, *other)) {
            return Err(ConfigError::invalid(setting, &format!("{other} has the same address: choose another port")));
        }
    }
    Ok(())
}

/// Whether two listeners cannot be open at once. Port 0 is a free one, and `[::]` includes IPv4.
fn collide(one: SocketAddr, other: SocketAddr) -> bool {
    let (a, b) = (one.ip().to_canonical(), other.ip().to_canonical());
    let includes =
        |all: std::net::IpAddr, one: std::net::IpAddr| all.is_unspecified() && (all.is_ipv6() || one.is_ipv4());
    one.port() != 0 && one.port() == other.port() && (a == b || includes(a, b) || includes(b, a))
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    #[test]
    fn listeners_need_addresses_of_their_own() {
        let with = |text: &str| Config::new(toml::from_str(text).expect(text));
        for (text, named) in [
            ("listen = '127.0.0.1:3001'", Some("operator.listen: listen has")),
            ("listen = '0.0.0.0:3001'", Some("operator.listen")),
            ("listen = '[::]:3001'", Some("operator.listen")),
            ("listen = '10.0.0.1:3001'", None),
            ("listen = '[::1]:3001'", None),
            ("listen = '127.0.0.1:0'\noperator.listen = '127.0.0.1:0'", None),
            ("listen = '127.0.0.1:3002'", None),
            ("listen = '127.0.0.1:3002'\ntime.embedded = true", Some("time.listen: listen has")),
            ("toll.operator_listen = '127.0.0.1:3004'", Some("toll.operator_listen")),
        ] {
            match (with(text), named) {
                (Ok(_), None) => {}
                (Err(error), Some(named)) => assert!(error.to_string().contains(named), "{text}: {error}"),
                (outcome, _) => panic!("{text}: {outcome:?}"),
            }
        }
    }
}
