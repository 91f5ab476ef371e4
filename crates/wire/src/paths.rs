//! Paths that several crates use. The server's router derives the parametrised ones from these.

pub const LOGIN_PAGE: &str = "/login";
pub const SIGNUP_PAGE: &str = "/signup";
pub const RESET_PAGE: &str = "/reset";
pub const FORGOTTEN_PAGE: &str = "/forgotten";
pub const RESUME_PAGE: &str = "/resume";
pub const DASHBOARD_PAGE: &str = "/dashboard";
pub const DEVICES_PAGE: &str = "/dashboard/devices";
pub const KEYS_PAGE: &str = "/dashboard/keys";
pub const TIME_PAGE: &str = "/dashboard/time";
pub const ACTIVITY_PAGE: &str = "/dashboard/activity";
pub const ACCOUNT_PAGE: &str = "/dashboard/account";
pub const PROFILE_PAGE: &str = "/dashboard/account/profile";
pub const DELETE_PAGE: &str = "/dashboard/account/delete";
pub const SERVER_KEYS_PAGE: &str = "/dashboard/server-keys";
pub const USERS_PAGE: &str = "/dashboard/users";
/// The page on which people set up a required second factor.
pub const ENROL_PAGE: &str = "/dashboard/second-factor";
/// One account's profile; its id is in the query.
pub const PERSON_PAGE: &str = "/dashboard/users/person";
pub const GROUPS_PAGE: &str = "/dashboard/groups";
pub const CLIENTS_PAGE: &str = "/dashboard/clients";
/// One client; its id is in the query.
pub const CLIENT_PAGE: &str = "/dashboard/clients/client";
pub const INVITATIONS_PAGE: &str = "/dashboard/invitations";
pub const BANS_PAGE: &str = "/dashboard/bans";
pub const TOLL_PAGE: &str = "/dashboard/toll";
pub const AUDIT_PAGE: &str = "/dashboard/audit";
/// The audit log as a spreadsheet. It is a page, because a link leads there.
pub const AUDIT_FILE: &str = "/dashboard/audit.csv";
/// The contents of the manual; its pages are below.
pub const HELP_PAGE: &str = "/dashboard/help";

pub const CHALLENGE: &str = "/api/challenge";
pub const LOGIN: &str = "/api/login";
/// [`LOGIN`] with a passkey.
pub const PASSKEY_LOGIN: &str = "/api/login/passkey";
/// [`LOGIN`] for programs: tokens in the body.
pub const AUTHENTICATE: &str = "/api/authenticate";
/// Turns an authorization of [`crate::oauth::TERMINAL_CLIENT`] into a session.
pub const TERMINAL_LOGIN: &str = "/api/login/terminal";
/// Finishes a sign-in that waits for its second factor.
pub const SECOND_FACTOR: &str = "/api/login/second-factor";
pub const SIGNUP: &str = "/api/signup";
pub const REFRESH: &str = "/api/refresh";
pub const LOGOUT: &str = "/api/logout";
pub const SESSION: &str = "/api/session";
/// `GET` lists; `DELETE` forgets all; `DELETE` on `/{id}` forgets one.
pub const REMEMBERED_DEVICES: &str = "/api/account/remembered-devices";
/// `GET` lists; `DELETE` ends every session except the current one; `DELETE` on `/{id}` ends one.
pub const SESSIONS: &str = "/api/sessions";

/// `GET` lists; `POST` registers one; `PATCH` and `DELETE` on `/{id}`.
pub const PASSKEYS: &str = "/api/passkeys";
/// Begins a registration.
pub const PASSKEY_OPTIONS: &str = "/api/passkeys/options";
/// The input for [`PASSKEY_LOGIN`].
pub const PASSKEY_CHALLENGE: &str = "/api/passkeys/challenge";

/// Lists one's own notices that were not dismissed on this device.
pub const NOTICES: &str = "/api/notices";
/// Dismisses one's own notices, on this device.
pub const NOTICES_READ: &str = "/api/notices/read";
/// One's own: `GET` and `PATCH`.
pub const PROFILE: &str = "/api/profile";
pub const EMAIL_PROOF: &str = "/api/profile/email-proof";
pub const CONFIRM_EMAIL_PROOF: &str = "/api/profile/email-proof/confirm";
pub const PASSWORD: &str = "/api/password";
pub const RESET: &str = "/api/reset";
pub const FORGOTTEN_PASSWORD: &str = "/api/password/forgotten";
pub const ACCOUNT_DELETE: &str = "/api/account/delete";
/// Proves the person again in a live session.
pub const CONFIRM: &str = "/api/account/confirm";
/// The account's second factors.
pub const SECOND_FACTORS: &str = "/api/account/second-factors";
/// `POST` begins a generator of one-time codes; `DELETE` removes the one in use.
pub const TOTP: &str = "/api/account/totp";
pub const CONFIRM_TOTP: &str = "/api/account/totp/confirm";
/// `POST` makes a new set.
pub const RECOVERY_CODES: &str = "/api/account/recovery-codes";
/// `GET` lists versions; `POST` returns one, encrypted to the session's receiving key; `DELETE` on `/{version}` revokes
/// one.
pub const USER_KEYS: &str = "/api/keys/user";
pub const ROTATE_USER_KEY: &str = "/api/keys/user/rotate";
pub const TICKETS: &str = "/api/tickets";
/// A token for an app behind Postern.
pub const APP_TOKENS: &str = "/api/tokens";
/// Reverse proxies call it for each request to an app.
pub const VERIFY: &str = "/api/verify";
/// A page that leads a signed-in person back to an app.
pub const APP_RETURN: &str = "/apps/return";
/// That page's request for a code, which begins a session at the app.
pub const APP_ENTER: &str = "/api/apps/enter";
/// On the app's host: redirects to sign-in and back from it, and sign-out.
pub const APP_START: &str = "/.postern/start";
pub const APP_CALLBACK: &str = "/.postern/callback";
pub const APP_LOGOUT: &str = "/.postern/logout";
/// Continues to a URL that the browser has stored because it was too long for the redirects through sign-in.
pub const APP_PLACE: &str = "/.postern/place";

/// `GET` lists; `PATCH` and `DELETE` on `/{id}`; `POST` on `/{id}/reset` creates a one-time link, and on `/{id}/key` a
/// new version of the user key.
pub const USERS: &str = "/api/admin/users";
/// `GET` lists; `POST` adds one; `GET`, `PATCH` and `DELETE` on `/{id}`.
pub const GROUPS: &str = "/api/admin/groups";
/// `GET` lists; `POST` adds one; `PATCH` and `DELETE` on `/{id}`; `POST` on `/{id}/secret` makes a new secret.
pub const CLIENTS: &str = "/api/admin/clients";
/// Whether an app's authorization request would be accepted.
pub const CLIENT_REQUESTS: &str = "/api/admin/client-requests";
/// Tokens with which clients register themselves. `GET` lists; `DELETE` on `/{id}` revokes one.
pub const REGISTRATION_TOKENS: &str = "/api/admin/registration-tokens";
/// `GET` lists; `DELETE` on `/{kid}` revokes one.
pub const SERVER_KEYS: &str = "/api/admin/keys";
pub const ROTATE_SERVER_KEY: &str = "/api/admin/keys/rotate";
/// `GET` lists; `POST` adds or changes; `DELETE` on `/{name}` removes one.
pub const SERVICES: &str = "/api/admin/services";
/// `GET` lists; `POST` creates one; `DELETE` on `/{id}` revokes one.
pub const INVITATIONS: &str = "/api/admin/invitations";
/// `GET` searches; `POST` imposes one; `DELETE` on `/{id}` lifts one.
pub const BANS: &str = "/api/admin/bans";
pub const EXPLAIN: &str = "/api/admin/bans/explain";
/// `GET` lists; `POST` adds one; `DELETE` on `/{id}` removes one.
pub const ALLOWLIST: &str = "/api/admin/allow";
pub const AUDIT: &str = "/api/admin/audit";
/// The paid gate's routes and prices, and whether their upstreams answer.
pub const TOLL_ROUTES: &str = "/api/admin/toll/routes";
pub const TOLL_PAYMENTS: &str = "/api/admin/toll/payments";
/// `GET` lists; `POST` on `/{id}/suspend` and `/{id}/resume`; `DELETE` on `/{id}` revokes one.
pub const TOLL_TOKENS: &str = "/api/admin/toll/tokens";
pub const TOLL_DAYS: &str = "/api/admin/toll/days";
pub const REFUSALS: &str = "/api/admin/refusals/hours";
/// Server-sent events.
pub const LIVE: &str = "/api/admin/live";

/// The `OpenID` provider's endpoints (`OpenID` Connect Core 1.0, OAuth 2.1).
pub const OAUTH_AUTHORIZE: &str = "/oauth/authorize";
pub const OAUTH_TOKEN: &str = "/oauth/token";
pub const OAUTH_USERINFO: &str = "/oauth/userinfo";
pub const OAUTH_REVOKE: &str = "/oauth/revoke";
pub const OAUTH_INTROSPECT: &str = "/oauth/introspect";
/// Pushed authorization requests (RFC 9126).
pub const OAUTH_PAR: &str = "/oauth/par";
/// Codes for devices (RFC 8628), the page where people enter them, and its request.
pub const OAUTH_DEVICE: &str = "/oauth/device_authorization";
pub const DEVICE_PAGE: &str = "/device";
pub const OAUTH_DEVICE_ANSWER: &str = "/api/oauth/device";
/// Sign-out that an app asks for.
pub const OAUTH_LOGOUT: &str = "/oauth/logout";
/// A page that posts an answer to an app (`response_mode=form_post`).
pub const OAUTH_FORM_POST: &str = "/oauth/form_post";
/// The pages' own requests: for a code, and for the end of the session.
pub const OAUTH_ENTER: &str = "/api/oauth/authorize";
pub const OAUTH_SIGN_OUT: &str = "/api/oauth/logout";
/// `GET` lists the apps that a person gave access; `DELETE` on `/{id}` revokes one.
pub const CONSENTS: &str = "/api/consents";
pub const OPENID_CONFIGURATION: &str = "/.well-known/openid-configuration";
/// Clients register themselves (RFC 7591); `GET`, `PUT` and `DELETE` on `/{id}` (RFC 7592).
pub const OAUTH_REGISTER: &str = "/oauth/register";
/// The issuer of an account (RFC 7033).
pub const WEBFINGER: &str = "/.well-known/webfinger";
/// Protected resources of this server (RFC 9728).
pub const PROTECTED_RESOURCE: &str = "/.well-known/oauth-protected-resource";
pub const PROTECTED_USERINFO: &str = "/.well-known/oauth-protected-resource/oauth/userinfo";
pub const OAUTH_SERVER: &str = "/.well-known/oauth-authorization-server";

pub const JWKS: &str = "/.well-known/jwks.json";
pub const REVOCATIONS: &str = "/.well-known/revocations";
/// The pages where people manage passkeys.
pub const PASSKEY_ENDPOINTS: &str = "/.well-known/passkey-endpoints";
/// Leads to the page where people change their password.
pub const CHANGE_PASSWORD: &str = "/.well-known/change-password";
pub const METADATA: &str = "/.well-known/postern";
pub const OPENAPI: &str = "/api/openapi.json";

/// A header of any value that our own pages send with every request to this site. Another origin's page may not set it
/// (Fetch, CORS-preflight).
pub const PAGE_HEADER: &str = "postern-page";
/// The id of the account that a page was rendered for. Our pages send it with each change; requests without it are
/// accepted too.
pub const ACCOUNT_HEADER: &str = "postern-account";
