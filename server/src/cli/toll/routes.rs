//! `postern toll routes`

use crate::cli::wrong_value::wrong_value;
use crate::cli::{Failure, Outcome, print};
use crate::config::{TollSettings, toll_table};
use domain::authority::Authority;
use http::{Method, Uri};
use serde::Serialize;
use toll::pricing::Pricing;
use toll::route::{RequestPath, RouteTable};

#[derive(Serialize)]
struct Row {
    name: String,
    hosts: Vec<String>,
    methods: Vec<String>,
    path: String,
    /// The price in piconero.
    price: Option<u64>,
    quota: Option<u32>,
    upstream: String,
    /// With `--explain`: why it does not match the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    objection: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    takes: Option<bool>,
}

pub(super) fn run(settings: &TollSettings, explain: Option<&[String]>, json: bool) -> Outcome {
    let table = toll_table(&settings.routes, &RouteTable::default())?;
    let mut rows: Vec<Row> = table.iter().map(|route| row(route)).collect();
    let mut taken = None;
    if let Some([method, url]) = explain {
        let (method, host, path) = request(method, url)?;
        taken = table.find(&method, &host, &path).map(|route| route.name.clone());
        for (row, (route, objection)) in rows.iter_mut().zip(table.explain(&method, &host, &path)) {
            row.objection = objection.map(toll::route::Mismatch::as_str);
            row.takes = Some(taken.as_ref() == Some(&route.name));
        }
    }
    if json {
        print::json(&rows)?;
    } else if rows.is_empty() {
        print::empty("There is no route. See [toll] in postern.toml.");
    } else {
        show(rows, explain.is_some());
    }
    if explain.is_some() && taken.is_none() {
        return Err(print::not_found("no route matches this request: the answer is 404"));
    }
    Ok(())
}

fn show(rows: Vec<Row>, explain: bool) {
    let any = |list: &[String]| if list.is_empty() { "any".to_owned() } else { list.join(" ") };
    let cells = rows.into_iter().map(|row| {
        let why = match (row.takes, row.objection) {
            (Some(true), _) => "takes it".to_owned(),
            (Some(false), None) => "never asked".to_owned(),
            (_, objection) => objection.unwrap_or_default().to_owned(),
        };
        let price = match (row.price, row.quota) {
            (Some(price), Some(quota)) => format!("{} for {quota}", toll_amount(price)),
            _ => "free".to_owned(),
        };
        [row.name, any(&row.hosts), any(&row.methods), row.path, price, row.upstream, why]
    });
    let last = if explain { "THIS REQUEST" } else { "" };
    print::table(["ROUTE", "HOST", "METHOD", "PATH", "PRICE", "UPSTREAM", last], cells);
}

fn toll_amount(piconero: u64) -> String {
    crate::config::XmrAmount(piconero).into()
}

fn row(route: &toll::route::Route) -> Row {
    let first = route.pricing.as_ref().and_then(|pricing: &Pricing| pricing.bundles.first());
    Row {
        name: route.name.clone(),
        hosts: route.hosts.clone(),
        methods: route.methods.iter().map(ToString::to_string).collect(),
        path: route.path.to_string(),
        price: first.map(|bundle| bundle.price),
        quota: first.map(|bundle| bundle.quota),
        upstream: route.upstream.address.as_str().to_owned(),
        objection: None,
        takes: None,
    }
}

fn request(method: &str, url: &str) -> Result<(Method, Authority, RequestPath), Failure> {
    let method = method
        .to_ascii_uppercase()
        .parse::<Method>()
        .map_err(|_| wrong_value(format!("'{method}' is not a method")))?;
    let uri = url.parse::<Uri>().ok().filter(|uri| uri.authority().is_some());
    let uri = uri.ok_or_else(|| wrong_value(format!("'{url}' is not a URL: write https://api.example.com/price")))?;
    let (https, host) = (uri.scheme_str() == Some("https"), uri.authority().map_or("", |host| host.as_str()));
    let host = Authority::parse(host, https).map_err(|error| wrong_value(format!("'{host}': {error}")))?;
    let path = RequestPath::read(uri.path()).map_err(|error| format!("{error}: it is answered with 400"))?;
    Ok((method, host, path))
}
