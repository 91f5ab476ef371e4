//! Every path, once.

pub const LOGIN_PAGE: &str = "/login";
pub const SIGNUP_PAGE: &str = "/signup";
pub const RESET_PAGE: &str = "/reset";
pub const RESUME_PAGE: &str = "/resume";
pub const DASHBOARD_PAGE: &str = "/dashboard";
pub const DEVICES_PAGE: &str = "/dashboard/devices";
pub const ACTIVITY_PAGE: &str = "/dashboard/activity";
pub const ACCOUNT_PAGE: &str = "/dashboard/account";
pub const DELETE_PAGE: &str = "/dashboard/account/delete";
pub const USERS_PAGE: &str = "/dashboard/users";
pub const INVITATIONS_PAGE: &str = "/dashboard/invitations";

pub const CHALLENGE: &str = "/api/challenge";
pub const LOGIN: &str = "/api/login";
pub const SIGNUP: &str = "/api/signup";
pub const REFRESH: &str = "/api/refresh";
pub const LOGOUT: &str = "/api/logout";
pub const SESSION: &str = "/api/session";
/// `GET` lists, `DELETE` ends every session but the one that asks; `DELETE` on `/{id}` below it ends one.
pub const SESSIONS: &str = "/api/sessions";

pub const PASSWORD: &str = "/api/password";
pub const RESET: &str = "/api/reset";
pub const ACCOUNT_DELETE: &str = "/api/account/delete";
/// `GET` lists; `PATCH` and `DELETE` on `/{id}` below it; `POST` on `/{id}/reset` makes a one-time link.
pub const USERS: &str = "/api/admin/users";
/// `GET` lists, `POST` makes one, `DELETE` on `/{id}` below it revokes one.
pub const INVITATIONS: &str = "/api/admin/invitations";

pub const JWKS: &str = "/.well-known/jwks.json";
pub const METADATA: &str = "/.well-known/postern";
