//! The second factors of an account, and their requirement.

use crate::account::Role;
use crate::authentication::{Methods, acr};
use crate::profile::GroupName;

/// Lifetime of a sign-in that waits for its second factor.
pub const PENDING_MS: i64 = 5 * 60_000;
/// Number of codes that may be tried in it.
pub const PENDING_TRIES: i64 = 5;

/// The second factors that an account has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Factors {
    /// Whether it has a generator of one-time codes.
    pub totp: bool,
    /// Number of passkeys and security keys that work at this site: those of its host.
    pub passkeys: u32,
    /// Whether the owner requires a passkey after the password. Without passkeys it has no effect.
    pub passkey_after_password: bool,
    /// Number of recovery codes that are not used yet. They replace a lost factor and do not count as one.
    pub recovery_codes: u32,
}

/// A kind of proof, as an answer names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProofKind {
    Password,
    Totp,
    Passkey,
    RecoveryCode,
}

impl ProofKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Totp => "totp",
            Self::Passkey => "passkey",
            Self::RecoveryCode => "recovery_code",
        }
    }
}

impl Factors {
    /// Whether a password alone is not sufficient. A passkey that was added to the password does not change that
    /// until its owner says so, because a lost device would lock the owner out.
    pub fn any(self) -> bool {
        self.totp || (self.passkeys > 0 && self.passkey_after_password)
    }

    /// Whether the account has a factor besides its password.
    pub fn held(self) -> bool {
        self.totp || self.passkeys > 0
    }

    /// Whether a sign-in by password needs a second factor if the account has this requirement.
    pub fn needed_after_password(self, required: Requirement) -> bool {
        self.any() || (required > Requirement::Optional && self.held())
    }

    /// Returns the strictest requirement that these factors can meet.
    pub fn strictest(self) -> Requirement {
        let met = Requirement::ALL.into_iter().filter(|one| one.can_be_met_with(self));
        met.max().unwrap_or_default()
    }

    /// Returns the kinds of proof that this account can give besides a password, the strongest first.
    pub fn kinds(self) -> Vec<ProofKind> {
        let kinds = [
            (self.passkeys > 0, ProofKind::Passkey),
            (self.totp, ProofKind::Totp),
            (self.held() && self.recovery_codes > 0, ProofKind::RecoveryCode),
        ];
        kinds.into_iter().filter_map(|(held, kind)| held.then_some(kind)).collect()
    }

    /// Returns the kinds of a fresh proof: a second factor if one is needed, or the password.
    pub fn fresh_proofs(self, required: Requirement) -> Vec<ProofKind> {
        if self.needed_after_password(required) { self.kinds() } else { vec![ProofKind::Password] }
    }
}

/// An operator's requirement for a role, a group or an app. Later ones are stricter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Requirement {
    /// People decide for themselves.
    #[default]
    Optional,
    /// Two factors.
    Required,
    /// Two factors that resist phishing.
    Passkey,
}

impl Requirement {
    pub const ALL: [Self; 3] = [Self::Optional, Self::Required, Self::Passkey];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Optional => "optional",
            Self::Required => "required",
            Self::Passkey => "passkey",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }

    /// Whether a sign-in by these methods is sufficient.
    pub fn is_met_by(self, methods: Methods) -> bool {
        match self {
            Self::Optional => true,
            Self::Required => methods.are_two_factors(),
            Self::Passkey => methods.resist_phishing(),
        }
    }

    /// Returns the weakest `acr` that meets it, as in the table of [`crate::authentication`].
    pub fn acr(self) -> &'static str {
        match self {
            Self::Optional => acr::ONE_FACTOR,
            Self::Required => acr::TWO_FACTORS,
            Self::Passkey => acr::PHISHING_RESISTANT,
        }
    }

    /// Returns the strictest requirement that a sign-in with this `acr` meets. `None`: the value is unknown.
    pub fn of_acr(acr: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.acr() == acr)
    }

    /// Whether a sign-in with this `acr` is sufficient. An unknown or missing one meets only [`Self::Optional`].
    pub fn is_met_by_acr(self, acr: Option<&str>) -> bool {
        acr.and_then(Self::of_acr).unwrap_or_default() >= self
    }

    /// Whether the account has a factor that can meet it.
    pub fn can_be_met_with(self, factors: Factors) -> bool {
        match self {
            Self::Optional => true,
            Self::Required => factors.held(),
            Self::Passkey => factors.passkeys > 0,
        }
    }

    /// Returns a person's next step for access that needs this.
    pub fn next_step(self, methods: Methods, factors: Factors) -> FactorStep {
        if self.is_met_by(methods) {
            FactorStep::Met
        } else if self.can_be_met_with(factors) {
            FactorStep::Confirm
        } else {
            FactorStep::Enrol
        }
    }
}

/// The missing part for access that needs a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactorStep {
    /// Nothing is missing.
    Met,
    /// The person proves a factor that the account has.
    Confirm,
    /// The person sets up a factor first.
    Enrol,
}

/// The requirements of a site. The strictest that applies to an account counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    pub users: Requirement,
    pub administrators: Requirement,
    pub groups: Vec<(GroupName, Requirement)>,
}

impl Policy {
    /// Returns the requirement for an account.
    pub fn of(&self, role: Role, groups: &[GroupName]) -> Requirement {
        let by_role = match role {
            Role::Administrator => self.administrators.max(self.users),
            Role::User => self.users,
        };
        let is_in = |name: &GroupName| groups.iter().any(|group| group.key() == name.key());
        let by_group = self.groups.iter().filter(|(name, _)| is_in(name)).map(|(_, required)| *required);
        by_group.fold(by_role, Requirement::max)
    }

    /// Returns the requirement that no account exceeds.
    pub fn strictest(&self) -> Requirement {
        self.groups.iter().map(|(_, required)| *required).fold(self.users.max(self.administrators), Requirement::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authentication::Method;

    #[test]
    fn recovery_codes_alone_are_no_factor() {
        let codes = Factors { recovery_codes: 10, ..Factors::default() };
        assert!(!codes.any() && codes.kinds().is_empty());
        for required in Requirement::ALL {
            assert_eq!(codes.fresh_proofs(required), [ProofKind::Password], "the first factor can be set up");
        }
        let totp = Factors { totp: true, ..codes };
        assert_eq!(totp.kinds(), [ProofKind::Totp, ProofKind::RecoveryCode]);
        let all = Factors { passkeys: 1, ..totp };
        assert_eq!(
            all.fresh_proofs(Requirement::Optional),
            [ProofKind::Passkey, ProofKind::Totp, ProofKind::RecoveryCode]
        );
    }

    #[test]
    fn a_passkey_is_asked_for_after_a_password_when_its_owner_or_the_operator_says_so() {
        let key = Factors { passkeys: 1, ..Factors::default() };
        assert!(!key.any() && key.held());
        for (required, needed) in
            [(Requirement::Optional, false), (Requirement::Required, true), (Requirement::Passkey, true)]
        {
            assert_eq!(key.needed_after_password(required), needed, "{required:?}");
            let proof = if needed { ProofKind::Passkey } else { ProofKind::Password };
            assert_eq!(key.fresh_proofs(required), [proof], "{required:?}");
            assert!(!Factors::default().needed_after_password(required), "there is nothing to ask for");
        }
        let both = Factors { passkey_after_password: true, ..key };
        assert!(both.any() && both.needed_after_password(Requirement::Optional));
        assert_eq!(both.fresh_proofs(Requirement::Optional), [ProofKind::Passkey]);
        let gone = Factors { passkeys: 0, ..both };
        assert!(!gone.any() && !gone.held(), "without a passkey the wish means nothing");
    }

    #[test]
    fn the_strictest_requirement_counts() {
        let policy = Policy {
            users: Requirement::Optional,
            administrators: Requirement::Required,
            groups: vec![(GroupName::parse("staff").expect("a name"), Requirement::Passkey)],
        };
        let [staff, other] = ["Staff", "other"].map(|name| [GroupName::parse(name).expect("a name")]);
        assert_eq!(policy.of(Role::User, &[]), Requirement::Optional);
        assert_eq!(policy.of(Role::User, &other), Requirement::Optional);
        assert_eq!(policy.of(Role::Administrator, &[]), Requirement::Required);
        assert_eq!(policy.of(Role::User, &staff), Requirement::Passkey);
        assert_eq!(policy.strictest(), Requirement::Passkey);
        assert_eq!(Policy::default().strictest(), Requirement::Optional);
        let everybody = Policy { users: Requirement::Required, ..Policy::default() };
        assert_eq!(everybody.of(Role::Administrator, &[]), Requirement::Required, "an administrator is a user too");
    }

    #[test]
    fn a_requirement_is_met_by_the_methods_of_its_level() {
        let password = Methods::PASSWORD;
        let (code, passkey) = (password.with(Method::Totp), Methods::of(Method::Passkey));
        for (required, met) in [
            (Requirement::Optional, [true, true, true]),
            (Requirement::Required, [false, true, true]),
            (Requirement::Passkey, [false, false, true]),
        ] {
            assert_eq!([password, code, passkey].map(|methods| required.is_met_by(methods)), met, "{required:?}");
            let by_acr = |methods: Methods| required.is_met_by_acr(Some(methods.acr()));
            assert_eq!([password, code, passkey].map(by_acr), met, "{required:?}");
        }
    }

    #[test]
    fn an_unknown_acr_meets_nothing_that_is_required() {
        for acr in [None, Some(""), Some("urn:postern:acr:3"), Some("phr")] {
            assert_eq!(Requirement::ALL.map(|required| required.is_met_by_acr(acr)), [true, false, false], "{acr:?}");
        }
    }

    #[test]
    fn a_person_confirms_with_a_factor_that_fits_and_otherwise_sets_one_up() {
        let (none, totp) = (Factors::default(), Factors { totp: true, ..Factors::default() });
        let key = Factors { passkeys: 1, ..none };
        let codes = Factors { recovery_codes: 10, ..none };
        let password = Methods::PASSWORD;
        for (required, methods, factors, step) in [
            (Requirement::Optional, password, none, FactorStep::Met),
            (Requirement::Required, password, none, FactorStep::Enrol),
            (Requirement::Required, password, codes, FactorStep::Enrol),
            (Requirement::Required, password, totp, FactorStep::Confirm),
            (Requirement::Required, password.with(Method::Totp), totp, FactorStep::Met),
            (Requirement::Passkey, password.with(Method::Totp), totp, FactorStep::Enrol),
            (Requirement::Passkey, password.with(Method::Totp), key, FactorStep::Confirm),
            (Requirement::Passkey, Methods::of(Method::Passkey), key, FactorStep::Met),
        ] {
            assert_eq!(required.next_step(methods, factors), step, "{required:?} {methods:?} {factors:?}");
        }
    }
}
