//! A client on plain TCP that keeps every byte it sends and receives.

use super::person::Person;
use super::world::random;
use channel::client::{Conversation, HelloDraft, Reading, ServerMessage, refusal};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use wire::tickets::IssuedTicket;
use wire::time::CloseReason;

/// Time limit of each step; a test that reaches it has failed.
const TIMEOUT: Duration = Duration::from_secs(20);

pub(crate) struct Wire {
    stream: TcpStream,
    pub sent: Vec<Vec<u8>>,
    pub received: Vec<Vec<u8>>,
}

impl Wire {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, sent: Vec::new(), received: Vec::new() }
    }

    pub(crate) async fn send(&mut self, message: &[u8]) {
        let length = u16::try_from(message.len()).unwrap().to_be_bytes();
        self.send_raw(&[&length, message].concat()).await;
        self.sent.push(message.to_vec());
    }

    pub(crate) async fn send_raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Receives the next message; `None` when the server has closed.
    pub(crate) async fn receive(&mut self) -> Option<Vec<u8>> {
        let receive = async {
            let length = self.stream.read_u16().await.ok()?;
            let mut message = vec![0; length.into()];
            self.stream.read_exact(&mut message).await.unwrap();
            Some(message)
        };
        let message = timeout(TIMEOUT, receive).await.expect("an answer")?;
        self.received.push(message.clone());
        Some(message)
    }

    /// Receives the plain last message, and returns its reason.
    pub(crate) async fn refused(&mut self) -> CloseReason {
        let reason = refusal(&self.receive().await.expect("a last word")).expect("closed");
        assert_eq!(self.receive().await, None, "nothing after the last word");
        reason
    }
}

pub(crate) struct Client {
    pub wire: Wire,
    pub conversation: Conversation,
}

impl Client {
    pub(crate) async fn open(address: SocketAddr, person: &Person, ticket: &IssuedTicket) -> Self {
        let mut wire = Wire::connect(address).await;
        let greeting = wire.receive().await.expect("a greeting");
        let (hello, conversation) = hello(&greeting, person, ticket);
        wire.send(hello.as_bytes()).await;
        Self { wire, conversation }
    }

    pub(crate) async fn time(&mut self) -> Reading {
        let frame = self.conversation.ask(0).unwrap();
        self.wire.send(&frame).await;
        match self.receive().await {
            ServerMessage::Time(reading) => reading,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn receive(&mut self) -> ServerMessage {
        let frame = self.wire.receive().await.expect("an answer");
        match refusal(&frame) {
            Some(reason) => panic!("refused: {reason:?}"),
            None => self.conversation.decode(&frame, 0).unwrap(),
        }
    }

    /// Receives the encrypted last message, and returns its reason.
    pub(crate) async fn closed(&mut self) -> CloseReason {
        let ServerMessage::Closed(reason) = self.receive().await else { panic!("no last word") };
        assert_eq!(self.wire.receive().await, None, "nothing after the last word");
        reason
    }
}

pub(crate) fn hello(greeting: &[u8], person: &Person, ticket: &IssuedTicket) -> (String, Conversation) {
    let opening = HelloDraft::new(greeting, ticket, &person.content(), random()).unwrap();
    let unsigned = opening.unsigned(&person.public(), "time", "proof", 1);
    let signature = person.sign(&unsigned);
    opening.hello(&unsigned, &signature).unwrap()
}
