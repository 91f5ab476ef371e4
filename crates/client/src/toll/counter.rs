//! Fetches URLs that may cost money.

use super::asking::{Gate, bill, problem};
use super::bill::Bill;
use super::decision::{Verdict, decide};
use super::payer::Payer;
use super::person::{News, Person};
use super::purse::{Purse, Ticket};
use crate::storage::Lock;
use crate::{Answer, Choice, Error, Http, Machine, Rest, Result, Server, Storage};
use wire::toll::{Code, EXPIRES_HEADER, QUOTA_HEADER};

/// A customer of one gate.
#[derive(Debug)]
pub struct Counter<'a> {
    pub http: &'a Http,
    pub machine: &'a dyn Machine,
    pub storage: &'a Storage,
    /// Where a new record is stored.
    pub choice: Choice,
    pub payer: Option<&'a dyn Payer>,
    pub person: &'a dyn Person,
    /// Maximum price to pay without asking, in piconero.
    pub max_pay: Option<u64>,
    /// How long to wait for a payment to be redeemed, in seconds.
    pub patience: u64,
}

/// What fetching would cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forecast {
    /// Free: the answer came without payment.
    Free,
    /// A token exists with this many requests left.
    Ticket { left: u64 },
    /// A payment of an earlier run would be redeemed.
    Redeem { txid: String },
    /// This would be paid; `fee` is known if a wallet was asked.
    Pay { bill: Bill, fee: Option<u64>, verdict: Verdict },
}

/// The result of trying tokens.
enum Shown {
    Open(Answer),
    /// No token admits the request.
    Asks(Bill),
}

impl Counter<'_> {
    /// Like [`Self::open`], and reads the whole body.
    ///
    /// # Errors
    /// As there; the body is interrupted.
    pub async fn get(&self, url: &str) -> Result<Answer> {
        self.open(url).await?.whole().await
    }

    /// Fetches the rest of an interrupted answer of [`Self::open`] with an existing token; never pays.
    ///
    /// # Errors
    /// It costs something; the gate or the storage fails.
    pub async fn rest(&self, url: &str, rest: &Rest) -> Result<Answer> {
        let mut purse = self.purse().await?;
        let tickets = purse.tickets.clone();
        match self.show(&Gate::new(self.http, self.machine), &mut purse, url, Some(rest)).await? {
            Shown::Open(answer) => self.note(&purse, &tickets).await.map(|()| answer),
            Shown::Asks(_) => Err(Error::RestCosts(self.server().origin())),
        }
    }

    /// Sends `GET` for a URL at this gate and returns any status. Pays if necessary and confirmed. A successful
    /// answer's body is not read yet.
    ///
    /// # Errors
    /// Nobody confirmed the price; the gate, the wallet or the storage fails. Payments so far are stored.
    pub async fn open(&self, url: &str) -> Result<Answer> {
        let gate = Gate::new(self.http, self.machine);
        if !self.purse().await?.payments.is_empty() {
            let _alone = self.alone().await?;
            self.settle(&gate, &mut self.purse().await?, true).await?;
        }
        let mut purse = self.purse().await?;
        let tickets = purse.tickets.clone();
        let bill = match self.show(&gate, &mut purse, url, None).await? {
            Shown::Open(answer) => return self.note(&purse, &tickets).await.map(|()| answer),
            Shown::Asks(bill) => bill,
        };
        // No lock is held while a person thinks, so everything is read again after that.
        self.agree(&bill).await?;
        let _alone = self.alone().await?;
        let mut purse = self.purse_kept().await?.unwrap_or(purse);
        self.settle(&gate, &mut purse, true).await?;
        let bill = match self.show(&gate, &mut purse, url, None).await? {
            Shown::Open(answer) => return self.keep(&purse).await.map(|()| answer),
            Shown::Asks(fresh) if fresh.sells_like(&bill) => fresh,
            Shown::Asks(_) => return Err(Error::PriceChanged(self.server().origin())),
        };
        self.pay(&mut purse, bill, url).await?;
        self.settle(&gate, &mut purse, false).await?;
        match self.show(&gate, &mut purse, url, None).await? {
            Shown::Open(answer) => self.keep(&purse).await.map(|()| answer),
            Shown::Asks(_) => Err(Error::AskedAgain(self.server().origin())),
        }
    }

    /// Returns what [`Self::get`] would do, without doing it.
    ///
    /// # Errors
    /// The gate, the wallet or the storage fails.
    pub async fn forecast(&self, url: &str) -> Result<Forecast> {
        let purse = self.purse().await?;
        if let Some(payment) = purse.payments.first() {
            return Ok(Forecast::Redeem { txid: payment.txid.clone() });
        }
        let answer = Gate::new(self.http, self.machine).plainly(url).await?;
        let Some(bill) = bill(&answer)? else { return Ok(Forecast::Free) };
        if let Some(ticket) = purse.candidates(&self.path(url)).first().filter(|ticket| ticket.path == self.path(url)) {
            return Ok(Forecast::Ticket { left: ticket.left });
        }
        let fee = match self.payer {
            Some(payer) => Some(payer.prepare(&bill).await?.fee),
            None => None,
        };
        let verdict = decide(bill.piconero, self.max_pay, self.person.is_there());
        Ok(Forecast::Pay { bill, fee, verdict })
    }

    /// Tries tokens, the most likely first, and without any sends a plain request.
    async fn show(&self, gate: &Gate<'_>, purse: &mut Purse, url: &str, rest: Option<&Rest>) -> Result<Shown> {
        let key = purse.key()?;
        let mut asks = None;
        for mut ticket in purse.candidates(&self.path(url)) {
            let answer = gate.with_token(&key, url, ticket.token.expose(), rest).await?;
            if let Some(bill) = bill(&answer)? {
                ticket.left = 0;
                purse.note(&ticket);
                asks = Some(bill);
                continue;
            }
            match problem(&answer) {
                Some(problem) if problem.code == Code::OtherRoute => {}
                Some(problem) if is_about_token(problem.code) => return Err(Error::Gate(Box::new(problem))),
                _ => {
                    ticket.left = number(&answer, QUOTA_HEADER).unwrap_or(ticket.left);
                    ticket.expires = number(&answer, EXPIRES_HEADER).unwrap_or(ticket.expires);
                    purse.note(&ticket);
                    return Ok(Shown::Open(answer));
                }
            }
        }
        if let Some(bill) = asks {
            return Ok(Shown::Asks(bill));
        }
        let answer = gate.for_key(&key, url, rest).await?;
        Ok(match bill(&answer)? {
            Some(bill) => Shown::Asks(bill),
            None => Shown::Open(answer),
        })
    }

    async fn agree(&self, bill: &Bill) -> Result<()> {
        let verdict = decide(bill.piconero, self.max_pay, self.person.is_there());
        if verdict == Verdict::Refuse {
            return Err(Error::NotAgreed(bill.piconero));
        }
        let payer = self.payer.ok_or(Error::NoWallet(bill.piconero))?;
        if verdict == Verdict::Pay {
            return Ok(());
        }
        let fee = payer.prepare(bill).await?.fee;
        if self.person.agrees(bill, fee).await { Ok(()) } else { Err(Error::NotAgreed(bill.piconero)) }
    }

    /// Locks this gate's record. A second run waits while the first pays, and reports it.
    async fn alone(&self) -> Result<Lock> {
        if let Some(lock) = self.storage.try_lock::<Purse>(self.server())? {
            return Ok(lock);
        }
        self.person.hears(&News::Waits);
        self.storage.lock::<Purse>(self.server()).await
    }

    pub(super) fn server(&self) -> &Server {
        self.http.server()
    }

    pub(super) fn path(&self, url: &str) -> String {
        let path = self.server().path_of(url).unwrap_or_default();
        path.split('?').next().unwrap_or_default().to_owned()
    }

    async fn purse_kept(&self) -> Result<Option<Purse>> {
        self.storage.load(self.server()).await
    }

    async fn purse(&self) -> Result<Purse> {
        match self.purse_kept().await? {
            Some(purse) => Ok(purse),
            None => Purse::new(self.server(), self.machine),
        }
    }

    /// Stores the record. The caller holds the lock.
    pub(super) async fn keep(&self, purse: &Purse) -> Result<()> {
        match self.storage.place_of::<Purse>(self.server())? {
            Some(_) => self.storage.update(self.server(), purse).await,
            None => {
                let stored = self.storage.put(self.server(), purse, self.choice).await?;
                stored.left.into_iter().for_each(|left| self.person.hears(&News::Left(left)));
                Ok(())
            }
        }
    }

    /// Stores the remaining quotas that a gate reported, and merges them with others' changes.
    async fn note(&self, seen: &Purse, before: &[Ticket]) -> Result<()> {
        if seen.tickets == before {
            return Ok(());
        }
        let _alone = self.storage.lock::<Purse>(self.server()).await?;
        let Some(mut purse) = self.purse_kept().await? else { return Ok(()) };
        seen.tickets.iter().for_each(|ticket| purse.note(ticket));
        self.keep(&purse).await
    }
}

/// Whether a gate's refusal is about a valid token, so that paying again would be wrong.
fn is_about_token(code: Code) -> bool {
    matches!(
        code,
        Code::TokenSuspended
            | Code::TokenRevoked
            | Code::Forged
            | Code::BadPossession
            | Code::UseDpopNonce
            | Code::TooMany
            | Code::NodeUnavailable
    )
}

fn number(answer: &Answer, name: &str) -> Option<u64> {
    answer.header(name)?.parse().ok()
}
