//! Changes of a password, deletion of an account, and renewed proofs of the person. All require the password or a code.

use super::check_password::check_password;
use super::passkey_login::{self, UsableAssertion};
use super::sealed::{self, AttemptError, OpenedMessage, SealedMessage};
use super::{new_password, second_factor};
use crate::api_error::ApiError;
use crate::audit;
use crate::client::Client;
use crate::guards::copied::{self, TokenOwner};
use crate::guards::signed_in::SignedIn;
use crate::guards::{proof, recent_factor};
use crate::keyring::thumbprint;
use crate::offences;
use crate::passwords::PasswordCheck;
use crate::state::AppState;
use domain::account::AccountDigest;
use domain::account_delay::{self, DelayDecision};
use domain::authentication::Method;
use domain::ban::Trigger;
use domain::ids::SessionId;
use domain::login::LoginRefusal;
use domain::second_factor::ProofKind;
use serde::de::DeserializeOwned;
use store::attempts::AttemptRefusal;
use store::audit::{AuditEntry, AuditEvent};
use store::given_codes::GivenCode;
use store::second_factors::{ConfirmIdentity, ConfirmOutcome};
use store::users::{ChangeOutcome, DeleteUser, NewPassword, User};
use wire::envelope::EnvelopeKind;
use wire::passkeys::AssertionCredential;
use wire::password::{Deletion, PasswordChange};
use wire::problem::Code;
use wire::second_factor::IdentityConfirmation;
use zeroize::Zeroizing;

/// Number of attempts to count a proof while others of the session are counted.
const COUNT_TRIES: u32 = 10;

/// Changes the password and ends every other session.
///
/// # Errors
/// The refusal. A wrong password counts like one at sign-in.
pub async fn change(state: AppState, client: Client, session: SignedIn, sealed: SealedMessage) -> Result<(), ApiError> {
    let asked = PasswordRequest::receive(state, client, session, sealed, EnvelopeKind::Password).await?;
    let result = asked.change().await;
    sealed::settle(&asked.state, &asked.received.attempt, result).await
}

/// Deletes the account with all its sessions.
///
/// # Errors
/// The refusal: a wrong password, or the last administrator.
pub async fn delete(state: AppState, client: Client, session: SignedIn, sealed: SealedMessage) -> Result<(), ApiError> {
    let asked = PasswordRequest::receive(state, client, session, sealed, EnvelopeKind::Deletion).await?;
    let result = asked.delete().await;
    sealed::settle(&asked.state, &asked.received.attempt, result).await
}

/// Proves the person again in a live session. If a second factor is needed, this takes a passkey or a code, otherwise
/// the password.
///
/// # Errors
/// The refusal. A wrong password or code counts like one at sign-in.
pub async fn confirm(
    state: AppState,
    client: Client,
    session: SignedIn,
    sealed: SealedMessage,
) -> Result<(), ApiError> {
    let asked = PasswordRequest::receive(state, client, session, sealed, EnvelopeKind::Confirmation).await?;
    let result = asked.confirm().await;
    sealed::settle(&asked.state, &asked.received.attempt, result).await
}

/// Whether a bound session's key was proven, with the token or by the message itself.
fn is_of(session: &SignedIn, received: &OpenedMessage) -> bool {
    let proven = |jkt| received.keys.as_ref().is_some_and(|(signing, _)| thumbprint(signing) == jkt);
    session.proven || session.jkt().is_none_or(proven)
}

/// An encrypted request of a signed-in person.
struct PasswordRequest {
    state: AppState,
    client: Client,
    session: SignedIn,
    user: User,
    account: AccountDigest,
    /// The message's `short_key`, whose hash a passkey signs.
    short_key: String,
    received: OpenedMessage,
    event: AuditEvent,
}

/// A correct proof of the person. The write that makes the session fresh consumes it; a crash in between would lose it
/// otherwise.
struct GivenProof {
    method: Method,
    code: Option<GivenCode>,
    passkey: Option<UsableAssertion>,
}

impl GivenProof {
    fn of(method: Method) -> Self {
        Self { method, code: None, passkey: None }
    }
}

impl PasswordRequest {
    async fn receive(
        state: AppState,
        mut client: Client,
        session: SignedIn,
        sealed: SealedMessage,
        kind: EnvelopeKind,
    ) -> Result<Self, ApiError> {
        let user = state.store.user_by_id(&session.claims.sub).await?;
        let user = user.ok_or_else(|| ApiError::new(Code::NoSession))?;
        let account = state.keyring.digests.account(&user.name);
        let jkt = session.jkt();
        client.known = client.known.filter(|known| known.is_of(&account, jkt));
        client.proven = session.proven || jkt.is_some_and(|jkt| sealed.proves(&state, jkt));
        let short_key = sealed.request.short_key.clone();
        let received = sealed::receive(&state, &client, sealed, kind).await?;
        if !is_of(&session, &received) {
            copied::record(&state, &client, TokenOwner::of(&session.claims)).await?;
            let refused = Err(AttemptError::Open(proof::refuse(&state, Code::BadProof)));
            return sealed::settle(&state, &received.attempt, refused).await;
        }
        let event = match kind {
            EnvelopeKind::Deletion => AuditEvent::UserDeleted,
            EnvelopeKind::Confirmation => AuditEvent::IdentityConfirmed,
            _ => AuditEvent::PasswordSet,
        };
        Ok(Self { state, client, session, user, account, short_key, received, event })
    }

    async fn change(&self) -> Result<(), AttemptError> {
        let request: PasswordChange = self.content()?;
        self.check_factor().await?;
        new_password::check(&self.state, &self.user.name, &request.new).await?;
        self.prove(&request.old).await?;
        let hash = new_password::hash(&self.state, &self.received.permit, &request.new).await?;
        let change = NewPassword {
            attempt: self.received.attempt.clone(),
            user: self.user.id.clone(),
            account: self.account.as_str().to_owned(),
            judged_by: self.user.password_hash.clone(),
            hash,
            keep: self.session.claims.sid.clone(),
            audit: self.entry(audit::OK),
            now: self.state.now(),
        };
        let ended = self.state.store.change_password(&change).await?;
        // The password was changed elsewhere meanwhile, so the typed one is wrong now.
        let ended = ended.ok_or_else(|| AttemptError::Ended(ApiError::new(Code::WrongCredentials)))?;
        self.end(&ended);
        Ok(())
    }

    async fn delete(&self) -> Result<(), AttemptError> {
        let request: Deletion = self.content()?;
        self.check_factor().await?;
        self.prove(&request.password).await?;
        let deletion = DeleteUser {
            attempt: Some(self.received.attempt.clone()),
            user: self.user.id.clone(),
            account: self.account.as_str().to_owned(),
            audit: crate::audit::of_system(&self.state, self.event, &self.user.id),
            now: self.state.now(),
        };
        match self.state.store.delete_user(&deletion).await? {
            ChangeOutcome::Done { ended } => {
                self.end(&ended);
                Ok(())
            }
            ChangeOutcome::Nothing => Err(AttemptError::Ended(ApiError::new(Code::NoSession))),
            ChangeOutcome::LastAdministrator => Err(AttemptError::Ended(ApiError::new(Code::LastAdministrator))),
        }
    }

    async fn confirm(&self) -> Result<(), AttemptError> {
        let given: IdentityConfirmation = self.content()?;
        let need = recent_factor::of(&self.state, &self.user.id, self.user.role).await?;
        let proof = match (&given.code, &given.password, &given.passkey) {
            (Some(code), None, None) if need.is_factor() => self.prove_code(code).await?,
            (None, Some(password), None) if !need.is_factor() => {
                self.prove(password).await?;
                GivenProof::of(Method::Password)
            }
            (None, None, Some(assertion)) if need.proofs().contains(&ProofKind::Passkey) => {
                self.prove_passkey(assertion).await?
            }
            // The other kind of proof is not sufficient.
            _ => return Err(need.refusal().into()),
        };
        let GivenProof { method, code, passkey } = proof;
        let change = passkey.as_ref().and_then(|used| {
            let change = used.change?;
            let entry = self.entry_of(AuditEvent::PasskeyChanged, change.as_str());
            Some(AuditEntry { about: used.label.clone(), ..entry })
        });
        let by_code = code.is_some();
        let confirm = ConfirmIdentity {
            attempt: self.received.attempt.clone(),
            session: self.session.claims.sid.clone(),
            proven: method,
            code,
            audit: std::iter::once(self.entry(audit::OK)).chain(change).collect(),
            passkey: passkey.as_ref().map(|used| used.used.clone()),
            now: self.state.now(),
        };
        match self.state.store.confirm_identity(&confirm).await? {
            ConfirmOutcome::Confirmed(new) => {
                self.state.sessions.renew(&confirm.session, new);
                self.state.identity_headers.forget(&confirm.session, &self.state.config.apps);
                Ok(())
            }
            ConfirmOutcome::ProofGone if by_code => Err(self.refuse_code().await),
            ConfirmOutcome::ProofGone => {
                if let Some(used) = &confirm.passkey {
                    let entry = self.entry(audit::PASSKEY_REFUSED);
                    passkey_login::note_overtaken(&self.state, &self.client, entry, used).await?;
                }
                Err(ApiError::new(Code::PasskeyRefused).into())
            }
            ConfirmOutcome::SessionOver => Err(ApiError::new(Code::SessionEnded).into()),
        }
    }

    async fn prove_code(&self, code: &str) -> Result<GivenProof, AttemptError> {
        let given = self.count_proof().await?;
        match second_factor::check_code(&self.state, &self.client, &self.user.id, code).await? {
            Some(proven) => {
                let method = proven.method();
                Ok(GivenProof { code: Some(proven), ..GivenProof::of(method) })
            }
            None => {
                let refusal = self.refuse_code().await;
                Err(self.end_after(given, refusal).await)
            }
        }
    }

    /// Checks an assertion of one of the account's passkeys. A wrong one is no guess, because signatures cannot be found
    /// by trying.
    async fn prove_passkey(&self, assertion: &AssertionCredential) -> Result<GivenProof, AttemptError> {
        let (state, user) = (&self.state, &self.user.id);
        let given = self.count_proof().await?;
        match passkey_login::of_account(state, user, assertion, &self.short_key).await? {
            Ok(passkey) => Ok(GivenProof { passkey: Some(passkey), ..GivenProof::of(Method::Passkey) }),
            Err(refusal) => {
                let entry = self.entry(audit::PASSKEY_REFUSED);
                passkey_login::note_refusal(state, &self.client, entry, refusal).await?;
                Err(self.end_after(given, ApiError::new(Code::PasskeyRefused).into()).await)
            }
        }
    }

    /// Counts a proof before it is checked, and returns the session's number of proofs in a row. A thief of a session
    /// could otherwise try passwords and codes in it without end, because bans are for addresses. A right proof sets
    /// the number to zero.
    async fn count_proof(&self) -> Result<u32, AttemptError> {
        let (store, session) = (&self.state.store, &self.session.claims.sid);
        for _ in 0..COUNT_TRIES {
            let now = self.state.now();
            let given = store.given_proofs(session, now).await?.ok_or_else(|| ApiError::new(Code::SessionEnded))?;
            match account_delay::gate(given, now) {
                DelayDecision::Wait { ms } => return Err(ApiError::wait(Code::AccountDelayed, ms).into()),
                // The request that gave the last proof did not end the session, because it failed in between.
                DelayDecision::Shut => {
                    return Err(self.end_after(given.count, ApiError::new(Code::SessionEnded).into()).await);
                }
                DelayDecision::Open => {}
            }
            if store.count_proof(session, given.count, now).await? {
                return Ok(given.count + 1);
            }
        }
        Err(ApiError::wait(Code::Busy, 1000).into())
    }

    /// Ends the session after the last wrong proof that it may give.
    async fn end_after(&self, given: u32, refusal: AttemptError) -> AttemptError {
        if given < account_delay::LIMIT {
            return refusal;
        }
        let (user, session) = (&self.user.id, &self.session.claims.sid);
        let entry = self.entry_of(AuditEvent::SessionEnded, audit::TOO_MANY_PROOFS);
        if let Err(error) = self.state.store.revoke(user, session, &entry, self.state.now()).await {
            return error.into();
        }
        self.end(std::slice::from_ref(session));
        match refusal {
            AttemptError::Ended(_) => AttemptError::Ended(ApiError::new(Code::SessionEnded)),
            AttemptError::Open(_) => AttemptError::Open(ApiError::new(Code::SessionEnded)),
        }
    }

    /// Requires a fresh proof of the second factor from an account that has one.
    async fn check_factor(&self) -> Result<(), AttemptError> {
        if recent_factor::of(&self.state, &self.user.id, self.user.role).await?.is_factor() {
            recent_factor::check(&self.state, &self.session).await?;
        }
        Ok(())
    }

    async fn refuse_code(&self) -> AttemptError {
        let offender = self.received.attempt.client_key;
        let refusal = AttemptRefusal {
            attempt: self.received.attempt.clone(),
            offender,
            trigger: Trigger::WrongSecondFactor,
            account: Some(self.account.as_str().to_owned()),
            counts_as_failure: true,
            evidence: "a wrong code in a live session".to_owned(),
            audit: self.entry(audit::WRONG_SECOND_FACTOR),
            ban_context: offences::ban_context(&self.state.defence, &self.client, offender),
        };
        AttemptError::Ended(sealed::end_refused(&self.state.defence, refusal, Code::WrongCode).await)
    }

    fn content<T: DeserializeOwned>(&self) -> Result<T, AttemptError> {
        let content = serde_json::from_slice(&self.received.plaintext);
        content.map_err(|_| ApiError::new(Code::BadEnvelope).into())
    }

    async fn prove(&self, password: &str) -> Result<(), AttemptError> {
        let given = self.count_proof().await?;
        let password = Zeroizing::new(password.as_bytes().to_vec());
        let stored = Some(self.user.password_hash.0.as_str());
        if check_password(&self.state, &self.received.permit, password, stored).await? != PasswordCheck::Wrong {
            return Ok(());
        }
        let offender = self.received.attempt.client_key;
        let refusal = AttemptRefusal {
            attempt: self.received.attempt.clone(),
            // The session's key is proven by now, or it has none.
            offender,
            trigger: Trigger::InvalidCredentials,
            account: Some(self.account.as_str().to_owned()),
            counts_as_failure: true,
            evidence: "a wrong password in a live session".to_owned(),
            audit: self.entry(LoginRefusal::Wrong.as_str()),
            ban_context: offences::ban_context(&self.state.defence, &self.client, offender),
        };
        let refused = sealed::end_refused(&self.state.defence, refusal, Code::WrongCredentials).await;
        Err(self.end_after(given, AttemptError::Ended(refused)).await)
    }

    fn entry(&self, outcome: &str) -> AuditEntry {
        self.entry_of(self.event, outcome)
    }

    fn entry_of(&self, event: AuditEvent, outcome: &str) -> AuditEntry {
        let mut entry = audit::entry(&self.state, &self.client, event, outcome);
        entry.user = Some(self.user.id.clone());
        entry.session = Some(self.session.claims.sid.clone());
        entry
    }

    fn end(&self, sessions: &[SessionId]) {
        for id in sessions {
            self.state.sessions.end(id, self.state.now());
        }
    }
}
