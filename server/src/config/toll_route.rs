//! `[[toll.routes]]`: routes and prices.

use super::ConfigError;
use super::durations::DurationSetting;
use domain::authority::{Authority, InvalidAuthority};
use http::{HeaderName, HeaderValue, Method};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use toll::cors::Allowed;
use toll::pricing::{Allowance, Bundle, ConfirmationStep, Pricing, TokenBinding};
use toll::route::{PathPattern, Route, RouteTable};
use toll::upstream::{ForwardSettings, Upstream, UpstreamAddress};
use tpat::amount::{format_xmr, parse_xmr};

const CENTURY: u64 = 100 * 365 * 86_400;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct TollRouteSettings {
    pub name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<HostPattern>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<MethodName>,
    pub path: ParsedText<PathPattern>,
    pub upstream: ParsedText<UpstreamAddress>,
    #[serde(default)]
    pub http2: bool,
    #[serde(default)]
    pub preserve_host: bool,
    #[serde(default = "answer_within")]
    pub answer_within: DurationSetting,
    #[serde(default = "max_body_mib")]
    pub max_body_mib: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inject: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cors_origins: Vec<ParsedText<Allowed>>,
    /// `None`: the route is free.
    pub price: Option<XmrAmount>,
    #[serde(default = "quota")]
    pub quota: u32,
    #[serde(default = "ttl")]
    pub ttl: DurationSetting,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bundles: Vec<BundleSettings>,
    #[serde(default = "zero_conf_below")]
    pub zero_conf_below: XmrAmount,
    #[serde(default = "confirmations")]
    pub confirmations: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more_confirmations: Vec<ConfirmationSettings>,
    #[serde(default)]
    pub free_requests: u32,
    #[serde(default = "free_every")]
    pub free_every: DurationSetting,
    #[serde(default)]
    pub bind: BindTo,
    #[serde(default = "lease")]
    pub lease: DurationSetting,
    #[serde(default)]
    pub tpat0: bool,
    #[serde(default)]
    pub signed_in_free: bool,
}

/// Another bundle with its price.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundleSettings {
    pub price: XmrAmount,
    pub quota: u32,
    pub ttl: DurationSetting,
}

/// Required confirmations from this amount.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfirmationSettings {
    pub from: XmrAmount,
    pub need: u32,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BindTo {
    #[default]
    Key,
    Bearer,
}

fn answer_within() -> DurationSetting {
    DurationSetting::seconds(30)
}

fn max_body_mib() -> u64 {
    64
}

fn quota() -> u32 {
    100
}

fn ttl() -> DurationSetting {
    DurationSetting::seconds(3600)
}

fn zero_conf_below() -> XmrAmount {
    // 0.005 XMR.
    XmrAmount(5_000_000_000)
}

fn confirmations() -> u32 {
    1
}

fn lease() -> DurationSetting {
    DurationSetting::seconds(60)
}

fn free_every() -> DurationSetting {
    DurationSetting::seconds(86_400)
}

/// A value parsed from its text, so that an error contains the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedText<T>(pub T, String);

impl<T> Serialize for ParsedText<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.1)
    }
}

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for ParsedText<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let value = text.parse().map_err(serde::de::Error::custom)?;
        Ok(Self(value, text))
    }
}

/// An amount in piconero, written `0.002 XMR` or `2000000000 piconero`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct XmrAmount(pub u64);

impl TryFrom<String> for XmrAmount {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let read = match text.trim().split_once(' ') {
            Some((number, unit)) if unit.trim().eq_ignore_ascii_case("xmr") => parse_xmr(number).ok(),
            // `parse` alone accepts a sign.
            Some((number, "piconero")) if number.bytes().all(|byte| byte.is_ascii_digit()) => number.parse().ok(),
            _ => None,
        };
        read.map(Self).ok_or_else(|| {
            "this is not an amount: write \"0.002 XMR\" (at most 12 decimals) or \"2000000000 piconero\"".to_owned()
        })
    }
}

impl From<XmrAmount> for String {
    fn from(amount: XmrAmount) -> Self {
        format!("{} XMR", format_xmr(amount.0))
    }
}

/// A host without port, or `*.` and a suffix.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostPattern(String);

impl TryFrom<String> for HostPattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (below, name) = text.strip_prefix("*.").map_or(("", text.as_str()), |name| ("*.", name));
        // Routes are for every port of a host.
        match Authority::parse(name, false) {
            Ok(host) if host.port().is_none() && !name.ends_with(':') && !name.ends_with(":80") => {
                Ok(Self(format!("{below}{}", host.host())))
            }
            Err(error @ InvalidAuthority::NotAscii) => Err(error.to_string()),
            _ => Err("this is not a host: write api.example.com, or *.example.com for every name below".to_owned()),
        }
    }
}

impl From<HostPattern> for String {
    fn from(host: HostPattern) -> Self {
        host.0
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MethodName(Method);

impl TryFrom<String> for MethodName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
        match text.parse() {
            Ok(method) if known.contains(&text.as_str()) => Ok(Self(method)),
            _ => Err(format!("this is not a method: write {}", known.join(", "))),
        }
    }
}

impl From<MethodName> for String {
    fn from(verb: MethodName) -> Self {
        verb.0.to_string()
    }
}

impl TollRouteSettings {
    /// Returns the full name of one of its settings.
    pub fn setting(&self, name: &str) -> String {
        format!("toll.routes '{}': {name}", self.name)
    }

    /// Checks names, ranges and combinations.
    ///
    /// # Errors
    /// Names the setting and the allowed values.
    pub fn check(&self) -> Result<(), ConfigError> {
        let named = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if self.name.is_empty() || self.name.len() > 40 || !self.name.bytes().all(named) {
            return Err(ConfigError::invalid(
                &self.setting("name"),
                "must have 1 to 40 lower-case letters, digits and -",
            ));
        }
        let mut ranges = vec![
            ("answer_within in seconds", self.answer_within.0.as_secs(), 1, 3600),
            ("max_body_mib", self.max_body_mib, 1, 1_048_576),
            ("confirmations", self.confirmations.into(), 1, 100),
            ("lease in seconds", self.lease.0.as_secs(), 1, CENTURY),
            ("free_every in seconds", self.free_every.0.as_secs(), 1, CENTURY),
        ];
        for bundle in self.all_bundles() {
            ranges.extend([
                ("price in piconero", bundle.price.0, 1, u64::MAX),
                ("quota", bundle.quota.into(), 1, 1_000_000_000),
                ("ttl in seconds", bundle.ttl.0.as_secs(), 1, CENTURY),
            ]);
        }
        for step in &self.more_confirmations {
            ranges.push(("more_confirmations.need", step.need.into(), self.confirmations.into(), 100));
        }
        for (name, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                let problem = format!("must be between {least} and {most}");
                return Err(ConfigError::invalid(&self.setting(name), &problem));
            }
        }
        if self.price.is_none() && (!self.bundles.is_empty() || self.free_requests > 0 || self.tpat0) {
            return Err(ConfigError::invalid(&self.setting("price"), "without one the route is free"));
        }
        self.injected().map(drop)
    }

    fn all_bundles(&self) -> Vec<BundleSettings> {
        let first = self.price.map(|price| BundleSettings { price, quota: self.quota, ttl: self.ttl });
        first.into_iter().chain(self.bundles.iter().cloned()).collect()
    }

    fn injected(&self) -> Result<Vec<(HeaderName, HeaderValue)>, ConfigError> {
        let header = |(name, value): (&String, &String)| {
            let wrong = || ConfigError::invalid(&self.setting("inject"), &format!("'{name}' cannot be a header"));
            let name = HeaderName::try_from(name).map_err(|_| wrong())?;
            let mut value = HeaderValue::try_from(value).map_err(|_| wrong())?;
            value.set_sensitive(true);
            Ok((name, value))
        };
        self.inject.iter().map(header).collect()
    }

    fn pricing(&self) -> Option<Pricing> {
        self.price?;
        let bundle = |more: BundleSettings| Bundle { price: more.price.0, quota: more.quota, ttl_ms: more.ttl.ms() };
        let step = |from: u64, need| ConfirmationStep { from, need };
        let mut confirmations = vec![step(self.zero_conf_below.0, self.confirmations)];
        if self.zero_conf_below.0 > 0 {
            confirmations.insert(0, step(0, 0));
        }
        confirmations.extend(self.more_confirmations.iter().map(|more| step(more.from.0, more.need)));
        confirmations.sort_by_key(|step| step.from);
        let allowance = Allowance { requests: self.free_requests, window_ms: self.free_every.ms() };
        Some(Pricing {
            bundles: self.all_bundles().into_iter().map(bundle).collect(),
            confirmations,
            allowance: (allowance.requests > 0).then_some(allowance),
            binding: if self.bind == BindTo::Key { TokenBinding::Key } else { TokenBinding::Bearer },
            lease_ms: self.lease.ms(),
            tpat0: self.tpat0,
            signed_in_free: self.signed_in_free,
        })
    }

    /// Builds a route for the gate. `before`: the previous routes, whose upstream connections are kept.
    fn route(&self, before: &RouteTable, made: &mut Vec<Arc<Upstream>>) -> Result<Route, ConfigError> {
        let forward = ForwardSettings {
            answer_within: self.answer_within.0,
            max_body: self.max_body_mib * 1024 * 1024,
            preserve_host: self.preserve_host,
            http2: self.http2,
        };
        let address = &self.upstream.0;
        let same = |upstream: &&Arc<Upstream>| upstream.address == *address && upstream.forward == forward;
        let known = before.upstream(address, &forward).or_else(|| made.iter().find(same)).cloned();
        let upstream = known.unwrap_or_else(|| Arc::new(Upstream::new(address.clone(), &forward)));
        made.push(Arc::clone(&upstream));
        Ok(Route {
            name: self.name.clone(),
            hosts: self.hosts.iter().map(|host| host.0.clone()).collect(),
            methods: self.methods.iter().map(|verb| verb.0.clone()).collect(),
            path: self.path.0.clone(),
            pricing: self.pricing(),
            upstream,
            inject: self.injected()?,
            cors: self.cors_origins.iter().map(|origin| origin.0.clone()).collect(),
        })
    }
}

/// Builds all routes for the gate.
///
/// # Errors
/// As [`TollRouteSettings::check`].
pub fn table(routes: &[TollRouteSettings], before: &RouteTable) -> Result<RouteTable, ConfigError> {
    let mut made = Vec::new();
    routes.iter().map(|route| route.route(before, &mut made)).collect::<Result<_, _>>().map(RouteTable::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tpat::amount::XMR;

    #[test]
    fn amounts_are_exact() {
        for (text, piconero) in [
            ("0.002 XMR", 2_000_000_000),
            ("1 xmr", XMR),
            // What the payer's program accepts, the settings accept too.
            ("1. XMR", XMR),
            (".002 XMR", 2_000_000_000),
            ("1  XMR", XMR),
            ("0.000000000001 XMR", 1),
            ("2000000000 piconero", 2_000_000_000),
            ("18446744.073709551615 XMR", u64::MAX),
        ] {
            assert_eq!(XmrAmount::try_from(text.to_owned()), Ok(XmrAmount(piconero)), "{text}");
            assert_eq!(XmrAmount::try_from(String::from(XmrAmount(piconero))), Ok(XmrAmount(piconero)));
        }
        for wrong in [
            "",
            "1",
            "1 EUR",
            "0.0000000000001 XMR",
            "18446744.073709551616 XMR",
            "-1 XMR",
            ". XMR",
            "+1 XMR",
            "1,5 XMR",
            "1_000 XMR",
            "1e3 XMR",
            "1.5 piconero",
            "+5 piconero",
        ] {
            assert!(XmrAmount::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
        assert_eq!(String::from(XmrAmount(2_000_000_000)), "0.002 XMR");
        assert_eq!(String::from(XmrAmount(10 * XMR)), "10 XMR");
    }
}
