//! A long answer whose sending the test controls.

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, StreamExt};
use parking_lot::Mutex;
use std::convert::Infallible;
use std::io::{Error, ErrorKind};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// The course of the answer to one request.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub tag: Option<&'static str>,
    /// The range of [`content`] that is sent, from the first byte or as a part (206).
    pub bytes: Range<usize>,
    pub then: Then,
}

#[derive(Debug, Clone)]
pub(crate) enum Then {
    /// The body ends there.
    End,
    /// The connection breaks.
    Break,
    /// No further byte is sent.
    Silence,
    /// Nothing is sent before this is notified, and then the rest.
    Wait(Arc<Notify>),
    /// The rest follows in eight pieces, each after this pause.
    Slow(Duration),
}

#[derive(Debug, Default)]
pub(crate) struct Files {
    pub steps: Mutex<Vec<Step>>,
    /// `Range` and `If-Range` of each request.
    pub asked: Mutex<Vec<(String, String)>>,
}

pub(crate) const LENGTH: usize = 1 << 20;

/// Returns bytes of which no two parts are equal.
pub(crate) fn content() -> Vec<u8> {
    (0_u32..).flat_map(u32::to_be_bytes).take(LENGTH).collect()
}

impl Files {
    pub(crate) fn then(&self, tag: Option<&'static str>, bytes: Range<usize>, then: Then) {
        self.steps.lock().push(Step { tag, bytes, then });
    }

    pub(crate) fn answer(&self, headers: &HeaderMap) -> Response {
        let text = |name: &str| headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        self.asked.lock().push((text("range"), text("if-range")));
        let Step { tag, bytes: Range { start, end }, then } = self.steps.lock().remove(0);
        let first = stream::iter([Ok::<_, Error>(content()[start..end].to_vec())]);
        let last = match then {
            Then::End => stream::empty().boxed(),
            Then::Break => stream::iter([Err(ErrorKind::ConnectionReset.into())]).boxed(),
            Then::Silence => stream::pending().boxed(),
            Then::Wait(released) => stream::once(async move {
                released.notified().await;
                Ok(content()[end..].to_vec())
            })
            .boxed(),
            Then::Slow(pause) => {
                let pieces: Vec<Vec<u8>> = content()[end..].chunks((LENGTH - end).div_ceil(8)).map(Vec::from).collect();
                let late = move |piece: Vec<u8>| async move {
                    tokio::time::sleep(pause).await;
                    Ok::<_, Error>(piece)
                };
                stream::iter(pieces).then(late).boxed()
            }
        };
        let mut answer = Body::from_stream(first.chain(last)).into_response();
        let headers = answer.headers_mut();
        headers.insert("content-length", (LENGTH - start).into());
        if let Some(tag) = tag {
            headers.insert("etag", tag.parse().unwrap());
        }
        if start > 0 {
            headers.insert("content-range", format!("bytes {start}-{}/{LENGTH}", LENGTH - 1).parse().unwrap());
            *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
        }
        answer
    }
}

/// Serves the answer, and returns its URL.
pub(crate) async fn open(files: Arc<Files>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/file", listener.local_addr().unwrap());
    let serve = move |headers: HeaderMap| {
        let answer = files.answer(&headers);
        async move { Ok::<_, Infallible>(answer) }
    };
    let router = axum::Router::new().route("/file", axum::routing::get(serve));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}
