//! The pages of the dashboard as the renderer sees them.

use crate::dashboard::DashboardPage;
use crate::view::{Site, Viewer};
use leptos::prelude::*;
use std::fmt;
use std::sync::Arc;

/// A page of the dashboard, whose content the server has loaded.
#[derive(Debug, Clone)]
pub struct DashboardView {
    pub page: DashboardPage,
    pub viewer: Viewer,
    pub content: Content,
}

/// The content of a page of the dashboard: a function with its data, and the page's needs.
#[derive(Clone)]
pub struct Content {
    draw: Arc<dyn Fn(Site) -> AnyView + Send + Sync>,
    pub(crate) title: Option<String>,
    pub(crate) password_min: Option<u32>,
    pub(crate) private: bool,
    connection: Option<String>,
}

impl Content {
    /// Returns content that a function draws between the navigation and the end of the page.
    pub fn new<V: IntoView + 'static>(draw: impl FnOnce(Site) -> V + Clone + Send + Sync + 'static) -> Self {
        Self {
            draw: Arc::new(move |site| draw.clone()(site).into_any()),
            title: None,
            password_min: None,
            private: false,
            connection: None,
        }
    }

    /// Replaces the title of the table.
    #[must_use]
    pub fn with_title(self, title: Option<String>) -> Self {
        Self { title, ..self }
    }

    /// Names the minimum number of characters in a password, which the page's forms need.
    #[must_use]
    pub fn with_password_min(self, min: u32) -> Self {
        Self { password_min: Some(min), ..self }
    }

    /// Loads the bundle `private`, for islands that encrypt and decrypt.
    #[must_use]
    pub fn with_private_bundle(self) -> Self {
        Self { private: true, ..self }
    }

    /// Lets the page connect to another origin.
    #[must_use]
    pub fn with_connection(self, origin: Option<String>) -> Self {
        Self { connection: origin, ..self }
    }

    /// Returns the other origin that the page connects to.
    pub fn connection(&self) -> Option<&str> {
        self.connection.as_deref()
    }

    pub(crate) fn draw(&self, site: Site) -> AnyView {
        (self.draw)(site)
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content").field("title", &self.title).finish_non_exhaustive()
    }
}
