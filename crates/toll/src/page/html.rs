//! The frame of a page.

use axum::body::Body;
use domain::encoding::sha256;
use domain::html::escaped;
use http::{HeaderValue, Response, StatusCode, header};
use std::sync::LazyLock;

const STYLE: &str = "\
:root{color-scheme:light dark;--ground:oklch(.963 .007 82);--ink:oklch(.27 .012 65);--quiet:oklch(.475 .014 70);\
--edge:oklch(.61 .016 75);--accent:oklch(.5 .085 187);--on:oklch(.99 .005 187);--sunken:oklch(.94 .008 82)}\
@media(prefers-color-scheme:dark){:root{--ground:oklch(.188 .008 68);--ink:oklch(.925 .008 82);\
--quiet:oklch(.735 .013 78);--edge:oklch(.565 .014 75);--accent:oklch(.78 .1 185);--on:oklch(.205 .03 187);\
--sunken:oklch(.275 .01 70)}}\
*{box-sizing:border-box}body{font:1rem/1.5 system-ui,sans-serif;background:var(--ground);color:var(--ink);\
max-width:34rem;margin:8vh auto 4rem;padding:0 1.25rem}h1{font-size:1.5rem;line-height:1.25}h2{font-size:1.1rem;\
margin:2rem 0 .5rem}p{margin:.5rem 0}.quiet{color:var(--quiet)}.code{display:block;width:min(15rem,100%);\
margin:1rem 0;border-radius:8px}code{display:block;font:.875rem/1.5 ui-monospace,monospace;background:var(--sunken);\
padding:.5rem .75rem;border-radius:8px;overflow-wrap:anywhere;user-select:all}a{color:var(--accent)}\
label{display:block;margin:1rem 0 .25rem}input,textarea{width:100%;font:.875rem/1.5 ui-monospace,monospace;\
color:inherit;background:transparent;border:1px solid var(--edge);border-radius:8px;padding:.6rem .75rem;\
min-height:2.75rem}button,.button{display:inline-block;font:inherit;min-height:2.75rem;padding:.6rem 1.25rem;\
margin-top:1rem;border:0;border-radius:8px;background:var(--accent);color:var(--on);text-decoration:none}\
.state{margin:1.25rem 0;padding:.75rem 1rem .125rem;border-left:4px solid var(--accent);background:var(--sunken);\
border-radius:0 8px 8px 0}.state a{display:block;width:fit-content;padding:.625rem 0}\
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}\
@media(forced-colors:active){button,.button{background:ButtonFace;color:ButtonText;border:1px solid ButtonText}}";

/// Allows the one style by its hash (CSP level 3, section 6.7.3.3), and forms to this host only.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = base64(&sha256(STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
});

/// Builds a page. `title` is text, `body` is HTML.
pub(super) fn page(status: StatusCode, title: &str, body: &str) -> Response<Body> {
    let title = escaped(title);
    let html = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\"><meta name=\"referrer\" content=\"same-origin\">\
         <title>{title}</title><style>{STYLE}</style></head><body><main><h1>{title}</h1>{body}</main></body></html>\n"
    );
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // A page is for one browser only. With `no-referrer` its forms would send `Origin: null`, and on plain http nothing
    // else tells them from those of another origin.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    if let Ok(policy) = HeaderValue::try_from(POLICY.as_str()) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Encodes to base64 with padding, as policies require.
fn base64(bytes: &[u8]) -> String {
    let unpadded = domain::encoding::base64url(bytes).replace('-', "+").replace('_', "/");
    let padding = "=".repeat(unpadded.len().wrapping_neg() % 4);
    unpadded + &padding
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_padded() {
        // RFC 4648, section 10.
        assert_eq!([base64(b"f"), base64(b"fo"), base64(b"foo")], ["Zg==", "Zm8=", "Zm9v"]);
        assert_eq!(base64(&[0xfb, 0xff]), "+/8=");
    }
}
