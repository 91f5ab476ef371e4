//! Reads replies of the server within limits.

use crate::error::Cause;
use crate::reply::{Reply, parse};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// Maximum length of a line in bytes. RFC 5321 requires 512.
const MAX_LINE: u64 = 2048;
const MAX_LINES: usize = 64;

/// Reads one reply.
pub(crate) async fn read(reader: &mut (impl AsyncBufRead + Unpin)) -> Result<Reply, Cause> {
    let mut lines = Vec::new();
    loop {
        let mut line = Vec::new();
        (&mut *reader).take(MAX_LINE).read_until(b'\n', &mut line).await?;
        let (code, is_last, text) = parse(&line).ok_or(Cause::NotSmtp)?;
        lines.push(text);
        if is_last {
            return Ok(Reply { code, lines });
        }
        if lines.len() == MAX_LINES {
            return Err(Cause::NotSmtp);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn of(bytes: &[u8]) -> Result<Reply, Cause> {
        read(&mut &*bytes).await
    }

    #[tokio::test]
    async fn lines_are_joined_and_what_is_no_reply_is_refused() {
        let reply = of(b"250-mail.example\r\n250-AUTH PLAIN login\r\n250 STARTTLS\r\nmore").await.expect("a reply");
        assert_eq!((reply.code, reply.lines.len()), (250, 3));
        assert_eq!(reply.extension("auth"), Some("PLAIN login"));
        assert_eq!((reply.extension("STARTTLS"), reply.extension("SIZE")), (Some(""), None));
        assert_eq!(of(b"451 4.7.1 Later\x1b[31m\n").await.expect("a reply").to_string(), "451 4.7.1 Later\u{fffd}[31m");
        assert_eq!(of(b"250\r\n").await.expect("a reply").code, 250);
        let endless = b"250-x\r\n".repeat(MAX_LINES + 1);
        let long = [b"250 ".as_slice(), &b"x".repeat(4096), b"\r\n"].concat();
        for bytes in
            [&b""[..], b"250", b"HTTP/1.1 400 Bad\r\n", b"25 x\r\n", b"250+x\r\n", b"999 x\r\n", &endless, &long]
        {
            assert!(matches!(of(bytes).await, Err(Cause::NotSmtp)), "{:?}", String::from_utf8_lossy(bytes));
        }
    }
}
