//! The PROXY protocol (`HAProxy`, versions 1 and 2): a proxy sends the client's address first.

use ppp::{HeaderResult, v1, v2};
use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Length in bytes of the part that both versions have. A header of version 1 may be 15 bytes long.
const BEGINNING: usize = 12;
const V1_LONGEST: usize = 107;
const V2_FIXED: usize = 16;
/// Maximum length of a header of version 2 in bytes, sufficient for addresses and some TLVs. The protocol would allow
/// 64 KiB.
const V2_LONGEST: usize = 4096;

/// Reads the header and nothing after it. `None`: the proxy's own connection (`LOCAL`, `UNKNOWN`).
///
/// # Errors
/// The connection does not begin with such a header, or ends early.
pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Option<SocketAddr>> {
    let mut header = vec![0; BEGINNING];
    stream.read_exact(&mut header).await?;
    if header == v2::PROTOCOL_PREFIX {
        read_more(stream, &mut header, V2_FIXED).await?;
        let rest = header.get(14..V2_FIXED).and_then(|length| length.try_into().ok()).map_or(0, u16::from_be_bytes);
        let length = V2_FIXED + usize::from(rest);
        if length > V2_LONGEST {
            return Err(wrong());
        }
        read_more(stream, &mut header, length).await?;
    } else if header.starts_with(v1::PROTOCOL_PREFIX.as_bytes()) {
        while !header.ends_with(v1::PROTOCOL_SUFFIX.as_bytes()) {
            if header.len() >= V1_LONGEST {
                return Err(wrong());
            }
            header.push(stream.read_u8().await?);
        }
    }
    source(&header)
}

async fn read_more(stream: &mut (impl AsyncRead + Unpin), header: &mut Vec<u8>, length: usize) -> Result<()> {
    let have = header.len();
    header.resize(length, 0);
    match header.get_mut(have..) {
        Some(rest) => stream.read_exact(rest).await.map(drop),
        None => Ok(()),
    }
}

fn source(header: &[u8]) -> Result<Option<SocketAddr>> {
    match HeaderResult::parse(header) {
        HeaderResult::V1(Ok(header)) => Ok(match header.addresses {
            v1::Addresses::Tcp4(at) => Some((at.source_address, at.source_port).into()),
            v1::Addresses::Tcp6(at) => Some((at.source_address, at.source_port).into()),
            v1::Addresses::Unknown => None,
        }),
        HeaderResult::V2(Ok(header)) => Ok(match (header.command, header.addresses) {
            (v2::Command::Proxy, v2::Addresses::IPv4(at)) => Some((at.source_address, at.source_port).into()),
            (v2::Command::Proxy, v2::Addresses::IPv6(at)) => Some((at.source_address, at.source_port).into()),
            _ => None,
        }),
        HeaderResult::V1(Err(_)) | HeaderResult::V2(Err(_)) => Err(wrong()),
    }
}

fn wrong() -> Error {
    Error::new(ErrorKind::InvalidData, "no PROXY protocol header")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    async fn read_all(mut bytes: &[u8]) -> (Result<Option<SocketAddr>>, Vec<u8>) {
        let source = read(&mut bytes).await;
        (source, bytes.to_vec())
    }

    fn v2_header(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let mut header = v2::PROTOCOL_PREFIX.to_vec();
        header.extend([command, family]);
        header.extend(u16::try_from(body.len()).expect("short").to_be_bytes());
        header.extend(body);
        header
    }

    #[tokio::test]
    async fn both_versions_and_nothing_behind_them() {
        let v4 = v2_header(0x21, 0x11, &[203, 0, 113, 7, 10, 0, 0, 1, 0x10, 0x00, 0x01, 0xbb]);
        let mut v6_body = [0; 36];
        v6_body[..2].copy_from_slice(&[0x20, 0x01]);
        v6_body[33] = 9;
        let cases: [(Vec<u8>, Option<&str>); 6] = [
            (b"PROXY TCP4 203.0.113.7 10.0.0.1 4096 443\r\n".to_vec(), Some("203.0.113.7:4096")),
            (b"PROXY TCP6 2001:db8::7 2001:db8::1 5 443\r\n".to_vec(), Some("[2001:db8::7]:5")),
            (b"PROXY UNKNOWN\r\n".to_vec(), None),
            (v4, Some("203.0.113.7:4096")),
            (v2_header(0x21, 0x21, &v6_body), Some("[2001::]:9")),
            (v2_header(0x20, 0x00, &[]), None),
        ];
        for (mut bytes, expected) in cases {
            bytes.extend(b"GET / HTTP/1.1\r\n");
            let (source, rest) = read_all(&bytes).await;
            assert_eq!(source.expect("a header").map(|at| at.to_string()).as_deref(), expected);
            assert_eq!(rest, b"GET / HTTP/1.1\r\n");
        }
    }

    #[tokio::test]
    async fn every_other_header_is_refused() {
        let long = [b"PROXY TCP4 ".as_slice(), &[b'1'; 200], b"\r\n"].concat();
        let huge = [v2::PROTOCOL_PREFIX, &[0x21, 0x11, 0xff, 0xff]].concat();
        for bytes in [b"GET / HTTP/1.1\r\n\r\n".as_slice(), b"PROXY TCP4 1.2.3.4\r\n", b"", &long, &huge] {
            assert!(read_all(bytes).await.0.is_err(), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), version in 0..3_u8) {
            let prefix: &[u8] = match version { 0 => b"", 1 => b"PROXY TCP", _ => v2::PROTOCOL_PREFIX };
            let bytes = [prefix, &bytes].concat();
            drop(futures::executor::block_on(read_all(&bytes)));
        }
    }
}
