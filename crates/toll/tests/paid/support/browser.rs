//! A browser without script: it keeps cookies and follows no redirect.

use super::{Reply, World};
use http::header::SET_COOKIE;
use parking_lot::Mutex;
use reqwest::RequestBuilder;
use reqwest::redirect::Policy;
use std::collections::BTreeMap;

const ACCEPT: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

pub(crate) struct Browser {
    http: reqwest::Client,
    /// Its address, as the gate receives it.
    from: String,
    pub cookies: Mutex<BTreeMap<String, String>>,
}

impl Browser {
    /// Creates a browser at an address of its own. `name`: its last number.
    pub(crate) fn at(name: u8) -> Self {
        let http = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        Self { http, from: format!("203.0.113.{name}"), cookies: Mutex::default() }
    }

    pub(crate) async fn open(&self, world: &World, path: &str) -> Reply {
        self.send(world, self.http.get(world.client.url(path))).await
    }

    pub(crate) async fn post(&self, world: &World, path: &str, fields: &[(&str, &str)]) -> Reply {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        let request = self.http.post(world.client.url(path)).body(body.finish());
        self.send(world, request.header("content-type", "application/x-www-form-urlencoded")).await
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().get(name).cloned()
    }

    /// Returns the values of the cookies that keep offers for a route.
    pub(crate) fn offers(&self, route: &str) -> Vec<String> {
        let prefix = format!("postern-offer-{route}.");
        let cookies = self.cookies.lock();
        cookies.iter().filter(|(name, _)| name.starts_with(&prefix)).map(|(_, value)| value.clone()).collect()
    }

    /// Returns the challenge of the one offer that it keeps for a route.
    pub(crate) fn challenge(&self, route: &str) -> String {
        let [offer] = &self.offers(route)[..] else { panic!("not one offer for {route}") };
        offer.split('.').next().unwrap().to_owned()
    }

    /// Keeps the cookies from the answer to another tab.
    pub(crate) fn keep(&self, reply: &Reply) {
        for set in reply.headers.get_all(SET_COOKIE) {
            let set = set.to_str().unwrap();
            assert!(set.contains("; HttpOnly; SameSite=Lax"), "{set}");
            let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
            match value {
                "" => drop(self.cookies.lock().remove(name)),
                value => drop(self.cookies.lock().insert(name.to_owned(), value.to_owned())),
            }
        }
    }

    async fn send(&self, world: &World, request: RequestBuilder) -> Reply {
        let cookies: Vec<_> = self.cookies.lock().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = request.header("accept", ACCEPT).header("x-client", &self.from);
        let reply = world.client.send(request.header("cookie", cookies.join("; "))).await;
        self.keep(&reply);
        reply
    }
}

impl Reply {
    pub(crate) fn html(&self) -> String {
        assert_eq!(self.header("content-type"), Some("text/html; charset=utf-8"));
        let html = String::from_utf8(self.body.clone()).unwrap();
        assert!(!html.contains("<script") && html.contains("<html lang=\"en\">"), "{html}");
        html
    }

    /// Returns the address that the page shows.
    pub(crate) fn address(&self) -> String {
        let html = self.html();
        let address = html.split("<code>").nth(1).and_then(|rest| rest.split('<').next()).unwrap();
        assert!(address.len() == 95 && html.contains(&format!("monero:{address}?tx_amount=")), "{html}");
        address.to_owned()
    }
}
