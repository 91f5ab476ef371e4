//! Data about the state of the site.

/// The state of the whole site.
#[derive(Debug, Clone)]
pub struct SiteState {
    /// One count for each of the last 24 hours, oldest first.
    pub sign_ins: Vec<u64>,
    /// The same of refusals.
    pub refusals: Vec<u64>,
    /// Bans in force.
    pub bans: usize,
    pub accounts: u64,
    pub backup: Backup,
    /// Unix milliseconds from which the current key has been in use.
    pub signing_key: Option<i64>,
    pub envelope_key: Option<i64>,
    pub mac_key: Option<i64>,
    /// `None` also if no app signs people in with OpenID Connect.
    pub id_token_key: Option<i64>,
    pub version: &'static str,
    /// The problems that need attention, the worst first.
    pub findings: Vec<SiteFinding>,
}

/// The last backup, as far as the server knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backup {
    /// The database's own tools make it.
    Elsewhere,
    Never,
    /// Unix milliseconds.
    At(i64),
}

/// One result of the server's self-check that is not fine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteFinding {
    /// Whether it harms now or will; otherwise it is a recommendation.
    pub urgent: bool,
    /// The finding, as a sentence.
    pub says: String,
    /// The recommended action.
    pub advice: String,
    /// The page where the administrator acts, or reads how.
    pub link: String,
}
