//! `/dashboard/time`

use crate::http::ApiError;
use crate::http::page_request::{PageData, PageRequest};
use app::pages::time::TimeView;

impl PageData for TimeView {
    async fn load(request: PageRequest<'_>) -> Result<Option<Self>, ApiError> {
        let url = &request.state.config.settings.time.url;
        Ok(Some(Self { url: (!url.is_empty()).then(|| url.clone()), viewer: request.viewer }))
    }
}
