//! Discovery of the issuer by an account's address (RFC 7033; OpenID Connect Discovery 1.0, section 2).

use domain::authority::{Authority, Origin, split_url};
use serde_json::{Value, json};

/// The relation type of an issuer.
pub const ISSUER: &str = "http://openid.net/specs/connect/1.0/issuer";

/// Answers a query. `relations`: the values of `rel`. The answer is the same for every name at this host, so that it
/// does not reveal which accounts exist. `None`: the resource is not one of this server's.
pub fn answer(issuer: &str, resource: &str, relations: &[&str]) -> Option<Value> {
    let site = Origin::parse(issuer).ok()?;
    let own = match resource.strip_prefix("acct:") {
        Some(account) => {
            let (name, at) = account.rsplit_once('@')?;
            let at = Authority::parse(at, site.https).ok()?;
            // People leave a port out.
            !name.is_empty() && at.host() == site.authority.host() && (at.port().is_none() || at == site.authority)
        }
        None => split_url(resource).is_some_and(|(origin, _)| origin == site),
    };
    let wanted = relations.is_empty() || relations.contains(&ISSUER);
    let links = if wanted { vec![json!({"rel": ISSUER, "href": issuer})] } else { Vec::new() };
    own.then(|| json!({"subject": resource, "links": links}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_at_this_host_leads_to_the_issuer() {
        let issuer = "https://auth.example:8443";
        for resource in [
            "acct:ada@auth.example",
            "acct:nobody@AUTH.example",
            "acct:ada@auth.example:8443",
            issuer,
            "HTTPS://Auth.example:8443/ada",
        ] {
            let found = answer(issuer, resource, &[ISSUER]).unwrap_or_default();
            assert_eq!(found["links"], json!([{"rel": ISSUER, "href": issuer}]), "{resource}");
            assert_eq!(found["subject"], resource);
        }
        assert_eq!(answer(issuer, issuer, &["author"]).unwrap_or_default()["links"], json!([]));
        for other in
            ["acct:ada@other.example", "acct:@auth.example", "acct:ada", "https://auth.example:84439", "", "ada"]
        {
            assert_eq!(answer(issuer, other, &[]), None, "{other}");
        }
    }
}
