//! Rendering of a page: its view, nonce, policy and status.

use crate::guards::headers::page_policies;
use crate::state::AppState;
use app::View;
use app::view::Site;
use axum::extract::{Request, State};
use axum::response::Response;
use http::{StatusCode, request};
use leptos::nonce::use_nonce;
use leptos::prelude::{expect_context, provide_context, use_context};
use leptos_axum::ResponseOptions;
use std::sync::Arc;

/// Returns the context of every page: its loaded data ([`View`], in the request's extensions).
pub(crate) fn context(state: &AppState) -> impl Fn() + Clone + Send + Sync + 'static {
    let state = state.clone();
    move || {
        let view = use_context::<request::Parts>()
            .and_then(|parts| parts.extensions.get::<View>().cloned())
            .unwrap_or(View::NotFound);
        let response = expect_context::<ResponseOptions>();
        let connect = match &view {
            View::Dashboard(dashboard) => dashboard.content.connection(),
            _ => None,
        };
        if let Some(nonce) = use_nonce() {
            for (name, value) in page_policies(&nonce, connect) {
                response.insert_header(name, value);
            }
        }
        match view {
            View::NotFound => response.set_status(StatusCode::NOT_FOUND),
            View::Broken => response.set_status(StatusCode::SERVICE_UNAVAILABLE),
            _ => {}
        }
        provide_context(site(&state));
        provide_context(view);
    }
}

fn site(state: &AppState) -> Site {
    Site {
        name: state.config.settings.site.name.clone(),
        insecure: state.config.insecure(),
        assets: Arc::clone(&state.assets),
        now: state.now().as_millis(),
    }
}

/// Renders a view at a path that is not a page.
pub(crate) async fn document(State(state): State<AppState>, view: View, mut request: Request) -> Response {
    request.extensions_mut().insert(view);
    let render = leptos_axum::render_app_async_with_context(context(&state), app::document);
    render(request).await
}
