//! Every path, once.

pub const LOGIN_PAGE: &str = "/login";
pub const SIGNUP_PAGE: &str = "/signup";
pub const RESUME_PAGE: &str = "/resume";
pub const DASHBOARD_PAGE: &str = "/dashboard";
pub const DEVICES_PAGE: &str = "/dashboard/devices";
pub const ACTIVITY_PAGE: &str = "/dashboard/activity";

pub const CHALLENGE: &str = "/api/challenge";
pub const LOGIN: &str = "/api/login";
pub const SIGNUP: &str = "/api/signup";
pub const REFRESH: &str = "/api/refresh";
pub const LOGOUT: &str = "/api/logout";
pub const SESSION: &str = "/api/session";
/// `GET` lists, `DELETE` ends every session but the one that asks; `DELETE` on `/{id}` below it ends one.
pub const SESSIONS: &str = "/api/sessions";

pub const JWKS: &str = "/.well-known/jwks.json";
pub const METADATA: &str = "/.well-known/postern";
