//! Fetches URLs that may cost money.

use super::account::{GateAccount, StoredToken};
use super::agreed_keys::AgreedKeys;
use super::decision::{Decision, decide};
use super::gate_client::{GateClient, offer, problem};
use super::offer::Offer;
use super::payer::Payer;
use super::prompt::{PaymentEvent, Prompt};
use crate::storage::FileLock;
use crate::{Answer, Environment, Error, HttpClient, RemainingRange, Result, Server, Storage, StorageChoice};
use wire::toll::{EXPIRES_HEADER, QUOTA_HEADER, TollCode};

/// A paying client of one gate.
#[derive(Debug)]
pub struct PayingClient<'a> {
    pub http: &'a HttpClient,
    pub environment: &'a dyn Environment,
    /// Keys that replace proofs. Kept as long as the process runs, they save most signatures.
    pub agreed: &'a AgreedKeys,
    pub storage: &'a Storage,
    /// The storage of a new record.
    pub choice: StorageChoice,
    pub payer: Option<&'a dyn Payer>,
    pub prompt: &'a dyn Prompt,
    /// Maximum price to pay without asking, in piconero.
    pub max_pay: Option<u64>,
    /// Maximum time to wait for a payment to be redeemed, in seconds.
    pub wait_seconds: u64,
}

/// The price of fetching.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Quote {
    /// Free: the answer came without payment.
    Free,
    /// A token exists with this many requests left.
    Token { left: u64 },
    /// A payment of an earlier run would be redeemed.
    Redeem { txid: String },
    /// This would be paid; `fee` is known if a wallet was asked.
    Pay { offer: Offer, fee: Option<u64>, verdict: Decision },
}

/// The result of trying tokens.
enum FetchResult {
    Open(Answer),
    /// No token admits the request.
    Asks(Offer),
}

impl PayingClient<'_> {
    /// Like [`Self::open`], and reads the whole body.
    ///
    /// # Errors
    /// As there; the body is interrupted.
    pub async fn get(&self, url: &str) -> Result<Answer> {
        self.open(url).await?.read_to_end().await
    }

    /// Fetches the rest of an interrupted answer of [`Self::open`] with an existing token; never pays.
    ///
    /// # Errors
    /// It costs something; the gate or the storage fails.
    pub async fn rest(&self, url: &str, rest: &RemainingRange) -> Result<Answer> {
        let mut account = self.account().await?;
        let tokens = account.tokens.clone();
        match self
            .show(&GateClient::new(self.http, self.environment, self.agreed), &mut account, url, Some(rest))
            .await?
        {
            FetchResult::Open(answer) => self.note(&account, &tokens).await.map(|()| answer),
            FetchResult::Asks(_) => Err(Error::RestCosts(self.server().origin())),
        }
    }

    /// Sends `GET` for a URL at this gate and returns any status. Pays if necessary and confirmed. A successful
    /// answer's body is not read yet.
    ///
    /// # Errors
    /// Nobody confirmed the price; the gate, the wallet or the storage fails. Payments so far are stored.
    pub async fn open(&self, url: &str) -> Result<Answer> {
        let gate = GateClient::new(self.http, self.environment, self.agreed);
        if !self.account().await?.payments.is_empty() {
            let _alone = self.lock_account().await?;
            self.settle(&gate, &mut self.account().await?, true).await?;
        }
        let mut account = self.account().await?;
        let tokens = account.tokens.clone();
        let offer = match self.show(&gate, &mut account, url, None).await? {
            FetchResult::Open(answer) => return self.note(&account, &tokens).await.map(|()| answer),
            FetchResult::Asks(offer) => offer,
        };
        // No lock is held while a person decides, so everything is read again after that.
        self.agree(&offer).await?;
        let _alone = self.lock_account().await?;
        let mut account = self.stored_account().await?.unwrap_or(account);
        self.settle(&gate, &mut account, true).await?;
        let offer = match self.show(&gate, &mut account, url, None).await? {
            FetchResult::Open(answer) => return self.keep(&account).await.map(|()| answer),
            FetchResult::Asks(fresh) if fresh.has_same_terms(&offer) => fresh,
            FetchResult::Asks(_) => return Err(Error::PriceChanged(self.server().origin())),
        };
        self.pay(&mut account, offer, url).await?;
        self.settle(&gate, &mut account, false).await?;
        match self.show(&gate, &mut account, url, None).await? {
            FetchResult::Open(answer) => self.keep(&account).await.map(|()| answer),
            FetchResult::Asks(_) => Err(Error::AskedAgain(self.server().origin())),
        }
    }

    /// Returns what [`Self::get`] would do, without doing it.
    ///
    /// # Errors
    /// The gate, the wallet or the storage fails.
    pub async fn quote(&self, url: &str) -> Result<Quote> {
        let account = self.account().await?;
        if let Some(payment) = account.payments.first() {
            return Ok(Quote::Redeem { txid: payment.txid.clone() });
        }
        let answer = GateClient::new(self.http, self.environment, self.agreed).get_unpaid(url).await?;
        let Some(offer) = offer(&answer)? else { return Ok(Quote::Free) };
        if let Some(stored) = account.candidates(&self.path(url)).first().filter(|stored| stored.path == self.path(url))
        {
            return Ok(Quote::Token { left: stored.left });
        }
        let fee = match self.payer {
            Some(payer) => Some(payer.prepare(&offer).await?.fee),
            None => None,
        };
        let verdict = decide(offer.piconero, self.max_pay, self.prompt.is_interactive());
        Ok(Quote::Pay { offer, fee, verdict })
    }

    /// Tries tokens, the most likely first, and without any sends a plain request.
    async fn show(
        &self,
        gate: &GateClient<'_>,
        account: &mut GateAccount,
        url: &str,
        rest: Option<&RemainingRange>,
    ) -> Result<FetchResult> {
        let key = account.key()?;
        let mut asks = None;
        for mut stored in account.candidates(&self.path(url)) {
            let answer = gate.with_token(&key, url, stored.token.expose(), rest).await?;
            if let Some(offer) = offer(&answer)? {
                stored.left = 0;
                account.note(&stored);
                asks = Some(offer);
                continue;
            }
            match problem(&answer) {
                Some(problem) if problem.code == TollCode::OtherRoute => {}
                Some(problem) if is_about_token(problem.code) => return Err(Error::Gate(Box::new(problem))),
                _ => {
                    stored.left = number(&answer, QUOTA_HEADER).unwrap_or(stored.left);
                    stored.expires = number(&answer, EXPIRES_HEADER).unwrap_or(stored.expires);
                    account.note(&stored);
                    return Ok(FetchResult::Open(answer));
                }
            }
        }
        if let Some(offer) = asks {
            return Ok(FetchResult::Asks(offer));
        }
        let answer = gate.for_key(&key, url, rest).await?;
        Ok(match offer(&answer)? {
            Some(offer) => FetchResult::Asks(offer),
            None => FetchResult::Open(answer),
        })
    }

    async fn agree(&self, offer: &Offer) -> Result<()> {
        let verdict = decide(offer.piconero, self.max_pay, self.prompt.is_interactive());
        if verdict == Decision::Refuse {
            return Err(Error::NotAgreed(offer.piconero));
        }
        let payer = self.payer.ok_or(Error::NoWallet(offer.piconero))?;
        if verdict == Decision::Pay {
            return Ok(());
        }
        let fee = payer.prepare(offer).await?.fee;
        if self.prompt.confirm(offer, fee).await { Ok(()) } else { Err(Error::NotAgreed(offer.piconero)) }
    }

    /// Locks this gate's record. A second run waits while the first pays, and reports it.
    async fn lock_account(&self) -> Result<FileLock> {
        if let Some(lock) = self.storage.try_lock::<GateAccount>(self.server())? {
            return Ok(lock);
        }
        self.prompt.notify(&PaymentEvent::Waits);
        self.storage.lock::<GateAccount>(self.server()).await
    }

    pub(super) fn server(&self) -> &Server {
        self.http.server()
    }

    pub(super) fn path(&self, url: &str) -> String {
        let path = self.server().path_of(url).unwrap_or_default();
        path.split('?').next().unwrap_or_default().to_owned()
    }

    async fn stored_account(&self) -> Result<Option<GateAccount>> {
        self.storage.load(self.server()).await
    }

    async fn account(&self) -> Result<GateAccount> {
        match self.stored_account().await? {
            Some(account) => Ok(account),
            None => GateAccount::new(self.server(), self.environment),
        }
    }

    /// Stores the record. The caller holds the lock.
    pub(super) async fn keep(&self, account: &GateAccount) -> Result<()> {
        match self.storage.location_of::<GateAccount>(self.server())? {
            Some(_) => self.storage.update(self.server(), account).await,
            None => {
                let stored = self.storage.put(self.server(), account, self.choice).await?;
                stored.left.into_iter().for_each(|left| self.prompt.notify(&PaymentEvent::Left(left)));
                Ok(())
            }
        }
    }

    /// Stores the remaining quotas that a gate reported, and merges them with others' changes.
    async fn note(&self, seen: &GateAccount, before: &[StoredToken]) -> Result<()> {
        if seen.tokens == before {
            return Ok(());
        }
        let _alone = self.storage.lock::<GateAccount>(self.server()).await?;
        let Some(mut account) = self.stored_account().await? else { return Ok(()) };
        seen.tokens.iter().for_each(|stored| account.note(stored));
        self.keep(&account).await
    }
}

/// Whether a gate's refusal is about a valid token, so that paying again would be wrong.
fn is_about_token(code: TollCode) -> bool {
    matches!(
        code,
        TollCode::TokenSuspended
            | TollCode::TokenRevoked
            | TollCode::Forged
            | TollCode::BadPossession
            | TollCode::UseDpopNonce
            | TollCode::TooMany
            | TollCode::NodeUnavailable
    )
}

fn number(answer: &Answer, name: &str) -> Option<u64> {
    answer.header(name)?.parse().ok()
}
