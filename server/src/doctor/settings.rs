//! Checks that only read the settings.

use super::{Finding, FindingLevel};
use crate::config::{Config, Settings};
use crate::error_chain::chain;
use crate::mailer::Mailer;
use crate::network;
use ipnet::IpNet;

/// Shortest plausible prefixes of a network of proxies, for IPv4 and IPv6. Shorter ones cover more than one network.
const WIDEST: (u8, u8) = (8, 16);

/// OWASP's equivalent argon2id settings: minimum KiB for a number of passes.
const LEAST: [(u32, u32); 5] = [(47_104, 1), (19_456, 2), (12_288, 3), (9_216, 4), (7_168, 5)];

pub(super) fn proxies(config: &Config) -> Finding {
    const CHECK: &str = "trusted_proxies";
    let list = &config.settings.trusted_proxies;
    let is_wide = |text: &&String| match network::parse(text) {
        Some(IpNet::V4(network)) => network.prefix_len() < WIDEST.0,
        Some(IpNet::V6(network)) => network.prefix_len() < WIDEST.1,
        None => false,
    };
    if let Some(wide) = list.iter().find(is_wide) {
        return Finding::new(
            CHECK,
            FindingLevel::Problem,
            format!("trusted_proxies contains {wide}: any client there can choose the address that is banned."),
            "List only the proxies' own addresses.",
        );
    }
    match list.len() {
        0 => Finding::fine(CHECK, "No proxy is trusted: a client's address is the one that it connects from."),
        _ => Finding::fine(CHECK, format!("Forwarded addresses are accepted from {} only.", list.join(", "))),
    }
}

pub(super) fn cookies(config: &Config) -> Finding {
    const CHECK: &str = "cookies";
    if config.insecure() {
        return Finding::new(
            CHECK,
            FindingLevel::Warning,
            format!(
                "{} is plain http: cookies cannot be Secure, and others on the network can take over sessions.",
                config.origin
            ),
            "Put TLS in front ([tls] or a proxy), make public_url https, and remove allow_insecure_http.",
        );
    }
    if config.https {
        Finding::fine(CHECK, "Cookies are Secure and bound to this host.")
    } else {
        Finding::fine(CHECK, format!("{} is for this machine only; browsers treat it as secure.", config.origin))
    }
}

pub(super) fn password_strength(settings: &Settings) -> Finding {
    const CHECK: &str = "password_strength";
    let (memory, passes) = (settings.password.memory_kib, settings.password.passes);
    let times = if passes == 1 { "pass" } else { "passes" };
    let says = format!("argon2id uses {memory} KiB and {passes} {times}");
    if LEAST.iter().any(|(kib, least)| memory >= *kib && passes >= *least) {
        Finding::fine(CHECK, format!("{says}."))
    } else {
        let advice = "Run 'postern calibrate' and use its suggestion.";
        Finding::new(CHECK, FindingLevel::Warning, format!("{says}, below OWASP's minimum."), advice)
    }
}

/// Finds a password or certificates of the mail server that cannot be read. The server would not start.
pub(super) fn mailer(config: &Config) -> Option<Finding> {
    let error = Mailer::load(config).err()?;
    let says = format!("Mail cannot be sent: {}.", chain(&error));
    Some(Finding::new("mail_settings", FindingLevel::Problem, says, "Correct the section [mail] of the settings."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        Config::new(toml::from_str(text).expect("readable")).expect("stands")
    }

    #[test]
    fn proxies_that_are_too_many() {
        for (list, state) in [
            ("", FindingLevel::Fine),
            ("'127.0.0.1', '10.0.0.0/8', '2001:db8::/32'", FindingLevel::Fine),
            ("'10.0.0.1', '128.0.0.0/1'", FindingLevel::Problem),
            ("'2000::/3'", FindingLevel::Problem),
        ] {
            assert_eq!(proxies(&config(&format!("trusted_proxies = [{list}]"))).state, state, "{list}");
        }
    }

    #[test]
    fn cookies_and_hashes() {
        assert_eq!(cookies(&config("")).state, FindingLevel::Fine);
        let insecure = config("public_url = 'http://a.lan'\nallow_insecure_http = true");
        assert_eq!(cookies(&insecure).state, FindingLevel::Warning);
        for (text, state) in [
            ("", FindingLevel::Fine),
            ("[password]\nmemory_kib = 8192\npasses = 5", FindingLevel::Fine),
            ("[password]\nmemory_kib = 19456\npasses = 1", FindingLevel::Warning),
        ] {
            assert_eq!(password_strength(&config(text).settings).state, state, "{text}");
        }
        let once = password_strength(&config("[password]\nmemory_kib = 65536\npasses = 1").settings);
        assert_eq!(once.says, "argon2id uses 65536 KiB and 1 pass.");
    }
}
