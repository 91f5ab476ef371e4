//! Recognisable names of devices: "Firefox on Linux".

/// Derives a name from `User-Agent`, which the client may forge.
pub(crate) fn name(user_agent: Option<&str>) -> String {
    let Some(agent) = user_agent.filter(|agent| !agent.is_empty() && agent.len() <= 512) else {
        return "Unknown program".to_owned();
    };
    let Some(known) = woothee::parser::Parser::new().parse(agent).filter(|known| known.category != "misc") else {
        return program(agent);
    };
    match (known.name, known.os) {
        (name, "UNKNOWN") => name.to_owned(),
        (name, os) => format!("{name} on {}", system(os)),
    }
}

fn system(os: &str) -> &str {
    match os {
        os if os.starts_with("Windows") => "Windows",
        "Mac OSX" => "macOS",
        os => os,
    }
}

/// Returns an unknown agent's product: `curl/8.5` becomes "curl".
fn program(agent: &str) -> String {
    let product: String =
        agent.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')).take(32).collect();
    if product.is_empty() { "Unknown program".to_owned() } else { product }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_people_know() {
        let cases = [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
                "Chrome on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            ("postern-client/0.1", "postern-client"),
            ("<script>", "Unknown program"),
            ("", "Unknown program"),
        ];
        for (agent, expected) in cases {
            assert_eq!(name(Some(agent)), expected, "{agent}");
        }
        assert_eq!(name(None), "Unknown program");
    }
}
