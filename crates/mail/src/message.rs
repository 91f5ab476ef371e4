//! A message in the format of RFC 5322.

use base64ct::{Base64, Encoding};
use domain::UnixSeconds;
use domain::profile::EmailAddress;
use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address;
use mail_builder::headers::raw::Raw;
use std::io;

/// Maximum number of bytes in an encoded word, which has at most 75 characters (RFC 2047, section 2).
const WORD_BYTES: usize = 45;

/// A plain-text message to one recipient.
#[derive(Clone)]
pub struct Message {
    /// The left part of the message id. It is the same in each attempt, so that mail programs show one message.
    pub id: String,
    /// The display name of the sender's address.
    pub from_name: String,
    pub from: EmailAddress,
    pub to: EmailAddress,
    pub subject: String,
    pub body: String,
    pub date: UnixSeconds,
}

impl std::fmt::Debug for Message {
    /// Leaves the text out, because it may contain a link that is a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Message {
    /// Returns headers and body with CRLF line ends. The headers ask other programs not to answer automatically (RFC
    /// 3834).
    pub(crate) fn bytes(&self) -> io::Result<Vec<u8>> {
        let domain = self.from.as_str().rsplit_once('@').map_or("localhost", |(_, domain)| domain);
        MessageBuilder::new()
            .header("From", Raw::new(format!("{}<{}>", phrase(&one_line(&self.from_name)), self.from.as_str())))
            .to(Address::new_address(None::<String>, self.to.as_str().to_owned()))
            .subject(one_line(&self.subject))
            .date(self.date.as_seconds())
            .message_id(format!("{}@{domain}", self.id))
            .header("Auto-Submitted", Raw::new("auto-generated"))
            .header("X-Auto-Response-Suppress", Raw::new("All"))
            .text_body(self.body.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n"))
            .write_to_vec()
    }
}

/// Returns a display name and a space: a quoted string, or encoded words (RFC 5322, section 3.2.5; RFC 2047, section 5). The
/// address of `mail_builder` puts encoded words into quotes, where programs show them as they are.
fn phrase(name: &str) -> String {
    if name.trim().is_empty() {
        return String::new();
    }
    let quoted = format!("\"{}\" ", name.replace('\\', "\\\\").replace('"', "\\\""));
    // A longer line is folded, perhaps within the quotes.
    if name.is_ascii() && quoted.len() <= 68 {
        return quoted;
    }
    let mut words = vec![String::new()];
    for character in name.chars() {
        match words.last_mut() {
            Some(word) if word.len() + character.len_utf8() <= WORD_BYTES => word.push(character),
            _ => words.push(character.to_string()),
        }
    }
    let encoded = words.iter().map(|word| format!("=?utf-8?B?{}?= ", Base64::encode_string(word.as_bytes())));
    encoded.collect::<Vec<_>>().concat()
}

/// Replaces line ends and other control characters, which would end a header and begin another.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Returns the lines as they are sent after `DATA`. A line that begins with a dot gets a second one (RFC 5321, section
/// 4.5.2), and a line with a single dot ends the content.
pub(crate) fn dot_stuffed(message: &[u8]) -> Vec<u8> {
    let mut sent = Vec::with_capacity(message.len() + 8);
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        if line.first() == Some(&b'.') {
            sent.push(b'.');
        }
        let content = line.strip_suffix(b"\n").unwrap_or(line);
        sent.extend_from_slice(content.strip_suffix(b"\r").unwrap_or(content));
        sent.extend_from_slice(b"\r\n");
    }
    sent.extend_from_slice(b".\r\n");
    sent
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(subject: &str, name: &str, body: &str) -> String {
        let address = |text| EmailAddress::parse(text).expect("an address");
        let message = Message {
            id: "01J".to_owned(),
            from_name: name.to_owned(),
            from: address("postern@example.org"),
            to: address("ada@example.com"),
            subject: subject.to_owned(),
            body: body.to_owned(),
            date: UnixSeconds::EPOCH,
        };
        String::from_utf8(message.bytes().expect("bytes")).expect("text")
    }

    #[test]
    fn no_text_begins_another_header() {
        for break_of_line in ["\r\n", "\n", "\r", "\r\n\r\n", "\u{85}", "\u{b}"] {
            let evil = format!("Hello{break_of_line}Bcc: eve@example.net{break_of_line}X-Evil: 1");
            let text = message(&evil, &evil, "Body");
            let (headers, _) = text.split_once("\r\n\r\n").expect("headers end");
            for line in headers.split("\r\n") {
                assert!(!line.starts_with("Bcc") && !line.starts_with("X-Evil"), "{headers}");
            }
            assert!(!text.replace("\r\n", "").contains(['\r', '\n']), "{text:?}");
        }
    }

    #[test]
    fn headers_are_ascii_and_the_message_id_is_stable() {
        let text = message("Willkommen bei Käthe – 家", "Käthes Portal", "Grüße\n.\nEnde");
        let (headers, body) = text.split_once("\r\n\r\n").expect("headers end");
        assert!(text.is_ascii(), "{text}");
        assert!(headers.contains("Message-ID: <01J@example.org>"), "{headers}");
        assert!(headers.contains("Auto-Submitted: auto-generated"), "{headers}");
        assert!(headers.contains("Date: Thu, 1 Jan 1970 00:00:00 +0000"), "{headers}");
        assert!(headers.contains("To: <ada@example.com>"), "{headers}");
        assert!(headers.contains("quoted-printable") || headers.contains("base64"), "{headers}");
        assert!(!body.is_empty());
        assert!(text.lines().all(|line| line.len() <= 998), "RFC 5322, section 2.1.1");
    }

    #[test]
    fn a_long_name_is_folded() {
        let text = message(&"Über ".repeat(60), &"ä".repeat(200), "x");
        assert!(text.lines().all(|line| line.len() <= 998), "{text}");
    }

    #[test]
    fn a_line_with_a_dot_does_not_end_the_message() {
        assert_eq!(dot_stuffed(b"a\r\n.\r\n..b\nc"), b"a\r\n..\r\n...b\r\nc\r\n.\r\n");
        assert_eq!(dot_stuffed(b""), b".\r\n");
    }
}
