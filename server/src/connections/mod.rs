//! The portal's listeners. The crate `net` accepts the connections.

mod redirect;
mod serve;

pub use net::{Tls, TlsError};
pub use redirect::{bind as bind_redirect, serve as serve_redirect};
pub use serve::{HttpService, MainListener, serve};

/// Open files besides connections: the database, its journal, the log, and closing connections.
pub const SPARE_FILES: u64 = 256;
