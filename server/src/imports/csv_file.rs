//! CSV with a header (RFC 4180).

use super::raw::{ImportError, RawAccount, RawPassword};

const COLUMNS: [&str; 7] = ["username", "display_name", "email", "groups", "role", "password_hash", "disabled"];

/// Reads all accounts of the file. A row with a fault is an account with this fault.
///
/// # Errors
/// The first line does not name the columns, or has an unknown one.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<RawAccount>, ImportError> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let mut reader =
        csv::ReaderBuilder::new().delimiter(separator(bytes)).flexible(true).trim(csv::Trim::All).from_reader(bytes);
    let header = reader.headers().map_err(|error| of_csv(&error))?.clone();
    let header: Vec<_> = header.iter().map(str::to_ascii_lowercase).collect();
    if let Some(unknown) = header.iter().position(|name| !COLUMNS.contains(&name.as_str())) {
        // Without a header, this is a line with an account and its hash.
        let problem = format!("column {} is unknown; columns are {}", unknown + 1, COLUMNS.join(", "));
        return Err(ImportError::Line { line: 1, problem });
    }
    if !header.iter().any(|name| name == "username") {
        let problem = "the first line names the columns, and one of them is username".to_owned();
        return Err(ImportError::Line { line: 1, problem });
    }
    let mut accounts = Vec::new();
    for record in reader.byte_records() {
        let record = record.map_err(|error| of_csv(&error))?;
        let line = record.position().map_or(0, csv::Position::line);
        accounts.push(account(&header, &record, format!("line {line}")));
    }
    Ok(accounts)
}

/// Returns the separator of fields: a semicolon if the first line has no comma, as spreadsheets of some countries write.
fn separator(bytes: &[u8]) -> u8 {
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if first.contains(&b';') && !first.contains(&b',') { b';' } else { b',' }
}

fn account(header: &[String], record: &csv::ByteRecord, location: String) -> RawAccount {
    let of = |name: &str| {
        let column = header.iter().position(|column| column == name);
        let field = column.and_then(|column| record.get(column)).unwrap_or_default();
        std::str::from_utf8(field).map(str::to_owned)
    };
    let unreadable = |fault| RawAccount::unreadable(location.clone(), of("username").unwrap_or_default(), fault);
    if record.len() != header.len() {
        return unreadable(unequal(header.len(), record));
    }
    let not_utf8 = || {
        let columns = header.iter().filter(|name| of(name).is_err()).map(String::as_str);
        format!("{} is not UTF-8", columns.collect::<Vec<_>>().join(", "))
    };
    let fields = || {
        let hash = of("password_hash")?;
        Ok::<_, std::str::Utf8Error>(RawAccount {
            location: location.clone(),
            username: of("username")?,
            display_name: of("display_name")?,
            email: of("email")?,
            groups: of("groups")?
                .split([',', ';'])
                .map(|group| group.trim().to_owned())
                .filter(|group| !group.is_empty())
                .collect(),
            role: of("role")?,
            password: if hash.is_empty() { RawPassword::Missing } else { RawPassword::Hash(hash) },
            ..RawAccount::default()
        })
    };
    let (Ok(mut account), Ok(disabled)) = (fields(), of("disabled")) else { return unreadable(not_utf8()) };
    match disabled.to_ascii_lowercase().as_str() {
        "" | "false" | "no" | "0" => {}
        "true" | "yes" | "1" => account.disabled = true,
        _ => account.faults.push("disabled is true or false".to_owned()),
    }
    account
}

fn unequal(columns: usize, record: &csv::ByteRecord) -> String {
    let problem = format!("this line has {} fields, and the first line {columns}", record.len());
    if record.iter().any(|field| field.starts_with(b"$argon2")) {
        return format!("{problem}: a hash of argon2 has commas, so put it in double quotes");
    }
    problem
}

/// Reports a first line that cannot be read.
fn of_csv(error: &csv::Error) -> ImportError {
    let line = error.position().map_or(1, csv::Position::line).max(1);
    let problem = match error.kind() {
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
    fn faults_of_the_first_line_name_it() {
        for (text, says) in [
            ("username,name\nada,\n", "line 1: column 2 is unknown"),
            ("email\na@example.org\n", "line 1: the first line names"),
        ] {
            let error = read(text.as_bytes()).expect_err(text).to_string();
            assert!(error.starts_with(says), "{error}");
        }
        let error = read(b"ada,$argon2id$hash\n").expect_err("no header").to_string();
        assert!(!error.contains("argon2id"), "{error}");
        assert!(read(b"username\xff\nada\n").is_err());
    }

    #[test]
    fn faults_of_rows_belong_to_their_rows() {
        let text = b"UserName;Email;Disabled;password_hash\nada;a@example.org;;h\nbob;b@example.org;maybe;h\ncarl;x\n\
                     \xff\xfe;d@example.org;;h\neve;e@example.org;yes;$argon2id$v=19$m=64;t=1;p=1$salt$hash\n";
        let read = read(text).expect("csv");
        let faults: Vec<_> =
            read.iter().map(|row| (row.location.as_str(), row.username.as_str(), row.faults.join("|"))).collect();
        assert_eq!(
            faults,
            [
                ("line 2", "ada", String::new()),
                ("line 3", "bob", "disabled is true or false".to_owned()),
                ("line 4", "carl", "this line has 2 fields, and the first line 4".to_owned()),
                ("line 5", "", "username is not UTF-8".to_owned()),
                (
                    "line 6",
                    "eve",
                    "this line has 6 fields, and the first line 4: a hash of argon2 has commas, so put it in double quotes"
                        .to_owned()
                ),
            ]
        );
        assert!(super::read(b"username,email\n").expect("csv").is_empty());
    }
}
