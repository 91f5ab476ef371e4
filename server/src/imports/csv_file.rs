//! CSV with a header (RFC 4180).

use super::raw::{ImportError, RawAccount, RawPassword};

const COLUMNS: [&str; 7] = ["username", "display_name", "email", "groups", "role", "password_hash", "disabled"];

/// Reads all accounts of the file.
///
/// # Errors
/// The header has an unknown or no `username` column, or a line has another number of fields.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<RawAccount>, ImportError> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
    let header = reader.headers().map_err(|error| of_csv(&error))?.clone();
    if let Some(unknown) = header.iter().position(|name| !COLUMNS.contains(&name)) {
        // Without a header, this is a line with an account and its hash.
        let problem = format!("column {} is unknown; columns are {}", unknown + 1, COLUMNS.join(", "));
        return Err(ImportError::Line { line: 1, problem });
    }
    if !header.iter().any(|name| name == "username") {
        let problem = "the first line names the columns, and one of them is username".to_owned();
        return Err(ImportError::Line { line: 1, problem });
    }
    let mut accounts = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| of_csv(&error))?;
        let line = record.position().map_or(0, csv::Position::line);
        let of = |name: &str| {
            let column = header.iter().position(|column| column == name);
            column.and_then(|column| record.get(column)).unwrap_or_default().to_owned()
        };
        let disabled = match of("disabled").to_ascii_lowercase().as_str() {
            "" | "false" | "no" | "0" => false,
            "true" | "yes" | "1" => true,
            _ => {
                let problem = "disabled is true or false".to_owned();
                return Err(ImportError::Line { line, problem });
            }
        };
        let hash = of("password_hash");
        accounts.push(RawAccount {
            location: format!("line {line}"),
            username: of("username"),
            display_name: of("display_name"),
            email: of("email"),
            groups: of("groups")
                .split([',', ';'])
                .map(|group| group.trim().to_owned())
                .filter(|g| !g.is_empty())
                .collect(),
            role: of("role"),
            disabled,
            password: if hash.is_empty() { RawPassword::Missing } else { RawPassword::Hash(hash) },
        });
    }
    Ok(accounts)
}

fn of_csv(error: &csv::Error) -> ImportError {
    let line = error.position().map_or(0, csv::Position::line);
    let problem = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("this line has {len} fields, and the first line {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "this line is not UTF-8".to_owned(),
        _ => "this line is not CSV".to_owned(),
    };
    ImportError::Line { line, problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_name_and_lines_are_numbered() {
        let text = "\u{feff}email,username,groups,disabled\n a@example.org , ada ,\"family; media\",\n,bob,,TRUE\n";
        let read = read(text.as_bytes()).expect("csv");
        let [ada, bob] = &read[..] else { panic!("{read:?}") };
        assert_eq!(
            (ada.location.as_str(), ada.username.as_str(), ada.email.as_str()),
            ("line 2", "ada", "a@example.org")
        );
        assert_eq!((ada.groups.clone(), ada.disabled), (vec!["family".to_owned(), "media".to_owned()], false));
        assert_eq!((bob.location.as_str(), bob.disabled, bob.password.clone()), ("line 3", true, RawPassword::Missing));
    }

    #[test]
    fn faults_of_the_file_name_the_line() {
        for (text, says) in [
            ("username,name\nada,\n", "line 1: column 2 is unknown"),
            ("email\na@example.org\n", "line 1: the first line names"),
            ("username,email\nada\n", "line 2: this line has 1 fields"),
            ("username,disabled\nada,maybe\n", "line 2: disabled"),
        ] {
            let error = read(text.as_bytes()).expect_err(text).to_string();
            assert!(error.starts_with(says), "{error}");
        }
        for text in ["ada,$argon2id$hash\n", "username,disabled\nada,$argon2id$hash\n"] {
            let error = read(text.as_bytes()).expect_err(text).to_string();
            assert!(!error.contains("argon2id"), "{error}");
        }
        assert!(read(b"username\n\xff\n").is_err());
    }
}
