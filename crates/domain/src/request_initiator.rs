//! The page that made a browser send a request, by what the browser says (Fetch Metadata Request Headers, section 2).
//!
//! A request that a page of another origin causes must not count against the person who looks at that page.

use crate::authority::{Authority, Origin};

/// The headers of a request that say what caused it. A page cannot set any of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RequestInitiator<'a> {
    /// `Sec-Fetch-Site`. Browsers send it to https and localhost only.
    pub site: Option<&'a str>,
    /// `Sec-Fetch-Mode`.
    pub mode: Option<&'a str>,
    /// `Sec-Fetch-Dest`.
    pub dest: Option<&'a str>,
    /// `Sec-Purpose`: the browser only prepares a page that the person may open.
    pub purpose: Option<&'a str>,
    /// `Origin` (Fetch, section 3.2).
    pub origin: Option<&'a str>,
}

impl RequestInitiator<'_> {
    /// Whether a page of another origin than `https` and `own` caused the request. `None`: the request does not say.
    pub fn is_elsewhere(&self, https: bool, own: &Authority) -> Option<bool> {
        match (self.site, self.origin) {
            (Some(site), _) => Some(site != "same-origin" && site != "none"),
            (None, Some(origin)) => Some(!is_own(origin, https, own)),
            (None, None) => None,
        }
    }

    /// Whether the page opens in its own window, where the person sees its address.
    pub fn is_top_level_navigation(&self) -> bool {
        self.mode == Some("navigate") && self.dest == Some("document") && self.purpose.is_none()
    }
}

/// Whether a header `Origin` names this origin.
pub fn is_own(origin: &str, https: bool, own: &Authority) -> bool {
    Origin::parse(origin).is_ok_and(|origin| origin.https == https && origin.authority == *own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browser_says_which_page_caused_a_request() {
        let own = Authority::parse("gate.example", true).expect("an authority");
        for (site, origin, elsewhere) in [
            (Some("same-origin"), None, Some(false)),
            (Some("none"), None, Some(false)),
            (Some("same-site"), None, Some(true)),
            (Some("cross-site"), None, Some(true)),
            (Some("cross-site"), Some("https://gate.example"), Some(true)),
            (Some(""), None, Some(true)),
            (None, Some("https://gate.example"), Some(false)),
            (None, Some("https://GATE.example:443"), Some(false)),
            (None, Some("http://gate.example"), Some(true)),
            (None, Some("https://gate.example:8443"), Some(true)),
            (None, Some("https://gate.example.evil.example"), Some(true)),
            (None, Some("null"), Some(true)),
            (None, Some(""), Some(true)),
            (None, None, None),
        ] {
            let initiator = RequestInitiator { site, origin, ..RequestInitiator::default() };
            assert_eq!(initiator.is_elsewhere(true, &own), elsewhere, "{initiator:?}");
        }
    }

    #[test]
    fn a_frame_and_a_prefetch_are_no_top_level_navigation() {
        for (mode, dest, purpose, top) in [
            (Some("navigate"), Some("document"), None, true),
            (Some("navigate"), Some("document"), Some("prefetch"), false),
            (Some("navigate"), Some("document"), Some("prefetch;prerender"), false),
            (Some("navigate"), Some("iframe"), None, false),
            (Some("navigate"), None, None, false),
            (Some("no-cors"), Some("image"), None, false),
            (Some("no-cors"), Some("document"), None, false),
            (None, None, None, false),
        ] {
            let initiator = RequestInitiator { mode, dest, purpose, ..RequestInitiator::default() };
            assert_eq!(initiator.is_top_level_navigation(), top, "{initiator:?}");
        }
    }
}
