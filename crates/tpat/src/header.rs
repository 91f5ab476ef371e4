//! Writes and parses `WWW-Authenticate` (RFC 9110, sections 11.2 to 11.6).

use wire::toll::{Network, Offer, SCHEME};

/// Maximum length of a value in bytes.
pub const LONGEST: usize = 8192;
/// Maximum number of parameters in a challenge.
const MOST: usize = 64;

/// One challenge of a `WWW-Authenticate` value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthChallenge {
    pub scheme: String,
    /// `token68`, for schemes that use it instead of parameters.
    pub token68: Option<String>,
    /// In order, with lower-case names and unquoted values.
    pub parameters: Vec<(String, String)>,
}

impl AuthChallenge {
    /// Whether the scheme is `TPAT`, ignoring case.
    pub fn is_tpat(&self) -> bool {
        self.scheme.eq_ignore_ascii_case(SCHEME)
    }

    /// Returns a parameter's value. `None` if it is absent or ambiguous, because it occurs twice.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut found = self.parameters.iter().filter(|(parameter, _)| parameter == name);
        let (_, value) = found.next()?;
        found.next().is_none().then_some(value)
    }
}

/// The value is malformed or too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the header is malformed")]
pub struct MalformedHeader;

/// The refused credential, for old clients; both parts are empty in a first challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RefusedCredential<'a> {
    pub hash: &'a str,
    pub signature: &'a str,
}

/// Returns the value of `WWW-Authenticate`. All values are quoted; the first six parameters are those of 2022, in their
/// order.
pub fn write(demand: &Offer, presented: RefusedCredential<'_>) -> String {
    let network = match demand.network {
        Network::Mainnet => "mainnet",
        Network::Stagenet => "stagenet",
        Network::Testnet => "testnet",
    };
    let parameters = [
        ("address", demand.address.as_str()),
        ("min_amt", &demand.min_amt.0.to_string()),
        ("ttl", &demand.ttl.to_string()),
        ("hash", presented.hash),
        ("signature", presented.signature),
        ("ast", "0"),
        ("v", &demand.v.to_string()),
        ("realm", &demand.realm),
        ("challenge", &demand.challenge),
        ("message", &demand.message),
        ("expires", &demand.expires.to_string()),
        ("ttl_s", &demand.ttl_s.to_string()),
        ("quota", &demand.quota.to_string()),
        ("conf", &demand.conf.to_string()),
        ("network", network),
        ("redeem", &demand.redeem),
    ];
    let jkt = demand.jkt.as_deref().map(|jkt| ("jkt", jkt));
    let mut value = format!("{SCHEME} ");
    for (position, (name, text)) in parameters.into_iter().chain(jkt).enumerate() {
        let separator = if position == 0 { "" } else { ", " };
        value.push_str(separator);
        value.push_str(name);
        value.push('=');
        quote(text, &mut value);
    }
    value
}

/// Writes a quoted-string (RFC 9110, section 5.6.4) and omits invalid characters.
fn quote(text: &str, value: &mut String) {
    value.push('"');
    for character in text.chars().filter(|character| matches!(character, ' '..='~')) {
        if matches!(character, '"' | '\\') {
            value.push('\\');
        }
        value.push(character);
    }
    value.push('"');
}

/// Parses all challenges of a value. A comma needs no space after it, and empty list members are ignored (section
/// 5.6.1.2).
pub fn parse(value: &str) -> Result<Vec<AuthChallenge>, MalformedHeader> {
    if value.len() > LONGEST {
        return Err(MalformedHeader);
    }
    Reader { rest: value }.challenges().ok_or(MalformedHeader)
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn challenges(&mut self) -> Option<Vec<AuthChallenge>> {
        let mut challenges = Vec::new();
        self.skip_commas();
        while !self.rest.is_empty() {
            challenges.push(self.challenge()?);
        }
        Some(challenges)
    }

    fn challenge(&mut self) -> Option<AuthChallenge> {
        let mut challenge = AuthChallenge { scheme: self.token()?.to_owned(), token68: None, parameters: Vec::new() };
        if self.rest.is_empty() || self.rest.starts_with(',') {
            self.skip_commas();
            return Some(challenge);
        }
        self.rest.starts_with(' ').then(|| self.skip_blanks())?;
        if let Some(token68) = self.token68() {
            challenge.token68 = Some(token68.to_owned());
            self.skip_commas();
            return Some(challenge);
        }
        while let Some((name, value)) = self.parameter() {
            challenge.parameters.push((name.to_ascii_lowercase(), value));
            self.skip_blanks();
            let more = self.rest.is_empty() || self.rest.starts_with(',');
            if !more || challenge.parameters.len() > MOST {
                return None;
            }
            self.skip_commas();
        }
        // The rest begins another challenge, or is empty.
        Some(challenge)
    }

    /// Parses `name = value`; does not advance without one.
    fn parameter(&mut self) -> Option<(&'a str, String)> {
        let start = self.rest;
        let found = self.token().and_then(|name| {
            self.skip_blanks();
            self.rest = self.rest.strip_prefix('=')?;
            self.skip_blanks();
            let value = if self.rest.starts_with('"') { self.quoted()? } else { self.token()?.to_owned() };
            Some((name, value))
        });
        if found.is_none() {
            self.rest = start;
        }
        found
    }

    fn token(&mut self) -> Option<&'a str> {
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        self.take_while(is_token)
    }

    /// Parses a `token68`, which must be at the end of a list member, because `a=` may begin a parameter.
    fn token68(&mut self) -> Option<&'a str> {
        let start = self.rest;
        let is_char = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
        let body = self.take_while(is_char)?.len();
        let padding = self.rest.len() - self.rest.trim_start_matches('=').len();
        let (text, rest) = start.split_at(body + padding);
        let ended = rest.trim_start_matches([' ', '\t']);
        if ended.is_empty() || ended.starts_with(',') {
            self.rest = ended;
            return Some(text);
        }
        self.rest = start;
        None
    }

    fn quoted(&mut self) -> Option<String> {
        let mut text = String::new();
        let mut characters = self.rest.char_indices();
        characters.next();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return Some(text);
                }
                '\\' => text.push(characters.next().map(|(_, escaped)| escaped).filter(|&it| may_quote(it))?),
                _ if may_quote(character) => text.push(character),
                _ => return None,
            }
        }
        None
    }

    fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> Option<&'a str> {
        let length = self.rest.bytes().take_while(|&byte| wanted(byte)).count();
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        (!taken.is_empty()).then_some(taken)
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    fn skip_commas(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', ',']);
    }
}

fn may_quote(character: char) -> bool {
    !character.is_control() || character == '\t'
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use wire::toll::Piconero;

    fn demand() -> Offer {
        Offer {
            address: "87omSJnY".to_owned(),
            min_amt: Piconero(2_000_000_000),
            ttl: 30,
            v: 1,
            realm: "api.example".to_owned(),
            challenge: "Ab-_".to_owned(),
            message: "tpat1:Ab-_".to_owned(),
            expires: 1_795_240_000,
            ttl_s: 3600,
            quota: 100,
            conf: 1,
            network: Network::Mainnet,
            redeem: "/.well-known/tpat/redeem".to_owned(),
            jkt: None,
            title: String::new(),
            accepts: Vec::new(),
        }
    }

    #[test]
    fn written_headers_begin_as_in_2022() {
        let value = write(&demand(), RefusedCredential::default());
        assert!(value.starts_with(
            r#"TPAT address="87omSJnY", min_amt="2000000000", ttl="30", hash="", signature="", ast="0", v="1""#
        ));
        let read = parse(&value).expect("read");
        assert_eq!(read.len(), 1);
        assert!(read[0].is_tpat());
        assert_eq!(read[0].get("message"), Some("tpat1:Ab-_"));
        assert_eq!((read[0].get("hash"), read[0].get("absent")), (Some(""), None));
        assert_eq!((read[0].get("jkt"), read[0].parameters.len()), (None, 16));
        let value = write(&Offer { jkt: Some("thumb".to_owned()), ..demand() }, RefusedCredential::default());
        assert_eq!(parse(&value).expect("read")[0].get("jkt"), Some("thumb"));
    }

    #[test]
    fn the_original_forgets_a_blank() {
        let value = r#"TPAT address="8", min_amt="1", ttl="1", hash="ab",signature="Out", ast="3600000""#;
        let read = parse(value).expect("read");
        assert_eq!((read[0].get("signature"), read[0].get("ast")), (Some("Out"), Some("3600000")));
    }

    #[test]
    fn lists_of_challenges() {
        // RFC 9110, section 11.6.1.
        let value = r#"Basic realm="simple", Newauth realm="apps", type=1, title="Login to \"apps\"""#;
        let read = parse(value).expect("read");
        assert_eq!((read[0].scheme.as_str(), read[0].get("realm")), ("Basic", Some("simple")));
        assert_eq!((read[1].get("type"), read[1].get("title")), (Some("1"), Some("Login to \"apps\"")));
        let read = parse(r#",, Negotiate YWJj== ,tpat a = "1" , b=2,Digest"#).expect("read");
        assert_eq!(read[0].token68.as_deref(), Some("YWJj=="));
        assert!(read[1].is_tpat() && read[1].get("a") == Some("1") && read[1].get("b") == Some("2"));
        assert_eq!(read[2].scheme, "Digest");
        assert_eq!(parse("").expect("read"), []);
    }

    #[test]
    fn a_repeated_parameter_counts_as_missing() {
        let read = parse(r#"TPAT address="mine", Address="yours""#).expect("read");
        assert_eq!(read[0].get("address"), None);
    }

    #[test]
    fn malformed_values_are_refused() {
        for value in
            [r#"TPAT a="1"#, r#"TPAT a="1" b="2""#, "TPAT a=\"\u{7f}\"", "TPAT \"a\"", "TPAT a=1,b=,", "=", "\u{e9}"]
        {
            assert_eq!(parse(value), Err(MalformedHeader), "{value}");
        }
        assert_eq!(parse(&"a".repeat(LONGEST + 1)), Err(MalformedHeader));
        assert_eq!(parse(&format!("T {}", "a=1,".repeat(100))), Err(MalformedHeader));
    }

    proptest! {
        #[test]
        fn fuzz_header_of_any_text(value in "[ -~\t]{0,200}|.{0,200}|(TPAT |a=|\"|\\\\|,| |=|x){0,40}") {
            let _ = parse(&value);
        }

        #[test]
        fn fuzz_header_there_and_back(address in "[ -~]{0,100}", hash in "[ -~]{0,100}", quota: u64) {
            let demand = Offer { address: address.clone(), quota, ..demand() };
            let read = parse(&write(&demand, RefusedCredential { hash: &hash, signature: "" })).expect("read");
            prop_assert_eq!(read.len(), 1);
            prop_assert_eq!(read[0].get("address"), Some(address.as_str()));
            prop_assert_eq!(read[0].get("hash"), Some(hash.as_str()));
            let quota = quota.to_string();
            prop_assert_eq!(read[0].get("quota"), Some(quota.as_str()));
        }
    }
}
