//! Accounts as files have them.

/// An account as a file has it, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RawAccount {
    /// Its position in the file, for people: `line 3`.
    pub location: String,
    pub username: String,
    /// Empty texts are absent values.
    pub display_name: String,
    pub email: String,
    pub groups: Vec<String>,
    pub role: String,
    pub disabled: bool,
    pub password: RawPassword,
    /// Faults that were found while its fields were read.
    pub faults: Vec<String>,
    /// Whether the other fields are missing because of `faults`, so that they are not checked.
    pub unreadable: bool,
}

impl RawAccount {
    /// Returns an account of which at most the name can be read.
    pub(super) fn unreadable(location: String, username: String, fault: String) -> Self {
        Self { location, username, faults: vec![fault], unreadable: true, ..Self::default() }
    }
}

/// The password hash as a file has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum RawPassword {
    #[default]
    Missing,
    Hash(String),
    /// It is no text, and `faults` says so.
    Faulty,
    /// The format contains nothing that another program can check.
    NotPortable,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    #[error("{0}")]
    File(#[from] std::io::Error),
    #[error("line {line}: {problem}")]
    Line { line: u64, problem: String },
    #[error("{0}")]
    Format(String),
    #[error("it is not a database of lldap: {0}")]
    Lldap(#[source] store::Error),
}
