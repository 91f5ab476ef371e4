//! The PROXY protocol: the address that is read is the one that is written, and nothing after the header is read.

use net::proxy_protocol;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// Checks `data`: the beginning of a connection.
pub(crate) fn check(data: &[u8]) {
    let mut rest = data;
    let Ok(source) = futures::executor::block_on(proxy_protocol::read(&mut rest)) else { return };
    let (header, _) = data.split_at(data.len() - rest.len());
    let expected = if header.starts_with(SIGNATURE) { version_2(header) } else { version_1(header) };
    assert_eq!(source, expected);
}

/// Reads a valid header of version 1 (section 2.1 of the specification).
fn version_1(header: &[u8]) -> Option<SocketAddr> {
    let line = header.strip_suffix(b"\r\n").expect("a whole line");
    assert!(!line.contains(&b'\r') || !line.windows(2).any(|pair| pair == b"\r\n"), "more than one line");
    // A receiver ignores what follows, up to the end of the line.
    if line == b"PROXY UNKNOWN" || line.starts_with(b"PROXY UNKNOWN ") {
        return None;
    }
    let words: Vec<_> = std::str::from_utf8(line).expect("ASCII").split(' ').collect();
    assert_eq!(words[0], "PROXY");
    match words[1..] {
        [kind @ ("TCP4" | "TCP6"), source, _, port, _] => {
            let address: IpAddr = source.parse().expect("an address");
            assert_eq!(address.is_ipv4(), kind == "TCP4");
            Some(SocketAddr::new(address, port.parse().expect("a port")))
        }
        _ => panic!("{words:?} is taken"),
    }
}

/// Reads a valid header of version 2 (section 2.2).
fn version_2(header: &[u8]) -> Option<SocketAddr> {
    let length = usize::from(u16::from_be_bytes([header[14], header[15]]));
    assert_eq!(header.len(), 16 + length, "as many bytes as it says");
    let at = |place: usize| u16::from_be_bytes([header[place], header[place + 1]]);
    match (header[12], header[13] >> 4) {
        (0x21, 1) => {
            let address: [u8; 4] = header[16..20].try_into().expect("four bytes");
            Some((Ipv4Addr::from(address), at(24)).into())
        }
        (0x21, 2) => {
            let address: [u8; 16] = header[16..32].try_into().expect("sixteen bytes");
            Some((Ipv6Addr::from(address), at(48)).into())
        }
        (0x20 | 0x21, _) => None,
        other => panic!("{other:?} is taken"),
    }
}
