//! Bans for nftables: `postern ban export --format nft | nft -f -`

use crate::flows::bans::network;
use domain::UnixMs;
use ipnet::IpNet;
use std::fmt::Write;
use store::bans::Ban;

/// Returns a table of its own for nftables, which is replaced as a whole. Its elements expire automatically.
pub(super) fn nft(bans: &[Ban], now: UnixMs) -> String {
    let mut text = "# Addresses that Postern has banned from everything. Load with: nft -f FILE\n\
                    table inet postern {}\ndelete table inet postern\ntable inet postern {\n"
        .to_owned();
    let outermost = outermost(bans);
    let of = |v4: bool| outermost.iter().filter(move |(network, _)| network.addr().is_ipv4() == v4);
    for (name, kind, v4) in [("closed4", "ipv4_addr", true), ("closed6", "ipv6_addr", false)] {
        // Writing to a string cannot fail.
        let _ = write!(text, "    set {name} {{\n        type {kind}\n        flags interval, timeout\n");
        let elements: Vec<_> = of(v4).map(|(network, ban)| element(network, ban, now)).collect();
        if !elements.is_empty() {
            let _ =
                writeln!(text, "        elements = {{\n            {}\n        }}", elements.join(",\n            "));
        }
        text.push_str("    }\n");
    }
    text.push_str(
        "    chain input {\n        type filter hook input priority -10; policy accept;\n        \
         ip saddr @closed4 drop\n        ip6 saddr @closed6 drop\n    }\n}\n",
    );
    text
}

/// Removes networks inside others, because intervals of a set must not overlap. They occur if `ipv6_prefix` was
/// changed. The input is sorted, so wider ones come first.
fn outermost(bans: &[Ban]) -> Vec<(IpNet, &Ban)> {
    let mut all: Vec<_> = bans.iter().filter_map(|ban| Some((network(ban.client_key)?, ban))).collect();
    all.sort_by_key(|(network, _)| *network);
    let mut kept: Vec<(IpNet, &Ban)> = Vec::with_capacity(all.len());
    for (network, ban) in all {
        if !kept.last().is_some_and(|(outer, _)| outer.contains(&network)) {
            kept.push((network, ban));
        }
    }
    kept
}

fn element(network: &IpNet, ban: &Ban, now: UnixMs) -> String {
    let seconds = ((ban.until - now).max(0) / 1000).max(1);
    let name =
        if network.prefix_len() == network.max_prefix_len() { network.addr().to_string() } else { network.to_string() };
    format!("{name} timeout {seconds}s comment \"{}\"", ban.incident)
}

/// Whether two networks share an address.
pub(super) fn overlap(one: &IpNet, other: &IpNet) -> bool {
    one.contains(other) || other.contains(one)
}
