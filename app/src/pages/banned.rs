//! The page for a banned address. It is built without a renderer, because a banned client should cost almost nothing.

use crate::components::DRAWING;
use crate::text::{moment, refusal, wait};
use domain::html::escaped;

/// A script that counts down, shows the time in the reader's locale, and reloads the page at the end.
const SCRIPT: &str = "const wait=document.getElementById('wait'),[time,left]=wait.children,ms=wait.dataset.left*1e3,\
end=Date.now()+ms;\
time.textContent=new Date(end).toLocaleString([],ms>432e5?{dateStyle:'long',timeStyle:'short'}:{timeStyle:'short'});\
const step=()=>{\
const s=Math.max(0,Math.ceil((end-Date.now())/1e3)),\
[of,unit]=s<=90?[1,'second']:s<=5400?[60,'minute']:s<=129600?[3600,'hour']:[86400,'day'],n=Math.ceil(s/of);\
left.textContent=n+' '+unit+(n===1?'':'s');\
s?setTimeout(step,1e3):location.reload()};\
step()";

/// Builds the whole document. `incident` is the ban's public id, `until_unix_ms` its end.
pub fn page(site_name: &str, css: &str, nonce: &str, until_unix_ms: i64, seconds_left: u64, incident: &str) -> String {
    let (name, css, incident) = (escaped(site_name), escaped(css), escaped(incident));
    let left_ms = i64::try_from(seconds_left).unwrap_or(i64::MAX / 1000).saturating_mul(1000);
    let (until, exact) = (moment::iso(until_unix_ms), moment::exact(until_unix_ms));
    let span = wait::span(left_ms);
    let ask = refusal::ASK;
    format!(
        r#"<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex, nofollow">
<title>Banned · {name}</title><link rel="icon" href="/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="{css}"></head>
<body><main class="page-center"><section class="card"><header class="card-title">
<svg class="mark" viewBox="0 0 32 32" aria-hidden="true">{DRAWING}</svg><h1>Your address is banned</h1></header>
<p>{name} refuses requests from your address <span id="wait" data-left="{seconds_left}">until <time datetime="{until}">{exact}</time>,
for another <b>{span}</b></span>.</p>
<p>Requests from it looked like an attack, or there were far too many of them. {ask}</p>
<p class="quiet">Incident <code>{incident}</code></p></section></main>
<script nonce="{nonce}">{SCRIPT}</script></body></html>
"#
    )
}

#[cfg(test)]
mod tests {
    use super::page;

    #[test]
    fn names_are_text_and_never_markup() {
        let html = page("A & <b>\"B\"</b>", "/pkg/main.css", "n0nce", 1_700_000_000_000, 720, "7F3K-2Q");
        assert!(html.contains("A &amp; &lt;b&gt;&quot;B&quot;&lt;/b&gt; refuses requests from your address"), "{html}");
        assert!(html.contains("<b>12 minutes</b>"), "{html}");
        assert!(html.contains("<code>7F3K-2Q</code>"), "{html}");
        assert!(html.contains(r#"<time datetime="2023-11-14T22:13:20Z">"#), "{html}");
        assert!(html.contains(r#"<script nonce="n0nce">"#), "{html}");
        assert!(!html.contains("style="), "{html}");
    }
}
