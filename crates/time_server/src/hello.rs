//! The handshake: greeting and hello.

use crate::carrier::{Carrier, CarrierError};
use crate::conversation::SealedChannel;
use crate::server::TimeServer;
use crate::tickets::OpenedTicket;
use channel::{Keys, Randoms};
use domain::encoding::{base64url, from_base64url};
use verify::dpop;
use wire::time::{CloseReason, Greeting, Hello, PROOF_METHOD};

/// Time limit for a client's hello.
pub(crate) const HELLO_MS: i64 = 5_000;

impl TimeServer {
    /// Sends the greeting and verifies the hello.
    pub(crate) async fn greet(
        &self,
        carrier: &mut impl Carrier,
    ) -> Result<(SealedChannel, OpenedTicket), CarrierError> {
        let server_random = (self.environment.random)();
        let greeting = Greeting { server_random: base64url(&server_random) };
        carrier.send(&serde_json::to_vec(&greeting).map_err(|_| CarrierError::Gone)?).await?;

        let clock = &*self.environment.clock;
        let end = clock.now() + HELLO_MS;
        let late = async {
            while clock.now() < end {
                clock.wait_until(end).await;
            }
        };
        let mut message = Vec::new();
        tokio::select! {
            received = carrier.receive(&mut message) => received?,
            () = late => return Err(CloseReason::TooSlow.into()),
        }
        Ok(self.judge(&message, server_random).await?)
    }

    /// Verifies a hello. Checks the proof first, because that is cheaper than a ticket.
    async fn judge(
        &self,
        message: &[u8],
        server_random: [u8; 32],
    ) -> Result<(SealedChannel, OpenedTicket), CloseReason> {
        let hello: Hello = serde_json::from_slice(message).map_err(|_| CloseReason::BadTicket)?;
        let client = from_base64url(&hello.client_random).and_then(|bytes| bytes.try_into().ok());
        let randoms = Randoms { client: client.ok_or(CloseReason::BadProof)?, server: server_random };
        let proof = dpop::verify(&hello.proof, PROOF_METHOD, &self.service).ok_or(CloseReason::BadProof)?;
        let for_this = proof.nonce == Some(base64url(&server_random))
            && proof.ath.as_deref() == Some(&*dpop::token_hash(&hello.ticket));
        if !for_this {
            return Err(CloseReason::BadProof);
        }
        let opened = self.tickets.open(&hello.ticket, self.environment.clock.now()).await?;
        if opened.holder.jkt != proof.jkt {
            return Err(CloseReason::BadProof);
        }
        let keys = Keys::derive(&opened.user_key, &opened.jti, &randoms);
        Ok((SealedChannel::new(&keys), opened))
    }
}
