//! Data of the pages between an app and the portal.

/// The way back to an app.
#[derive(Debug, Clone)]
pub struct EnterView {
    /// The app's name.
    pub app: String,
    /// The request body for entering the app, as JSON.
    pub body: String,
    /// For the request's proof.
    pub nonce: String,
    /// The path of the request.
    pub path: String,
}

/// A question with two answers, each of which is a request with a body.
#[derive(Debug, Clone)]
pub struct AskView {
    pub title: String,
    pub about: String,
    pub lists: Vec<AskList>,
    pub note: String,
    pub path: String,
    pub yes: String,
    pub yes_body: String,
    pub no: String,
    /// Empty: the answer sends nothing and leads to the dashboard.
    pub no_body: String,
    pub nonce: String,
}

/// A list of a question, with the sentence before it. Without items it is not shown.
#[derive(Debug, Clone)]
pub struct AskList {
    pub about: String,
    pub items: Vec<String>,
}

/// The page for the code of a device.
#[derive(Debug, Clone)]
pub struct DeviceCodeView {
    /// The typed code is of no device.
    pub wrong: bool,
    /// There were too many wrong codes, so that the typed one was not checked.
    pub limited: bool,
    /// The person has answered: whether the device is connected.
    pub done: Option<bool>,
}

/// The reason why an app's request was refused.
#[derive(Debug, Clone)]
pub struct RefusedView {
    pub code: String,
    pub description: String,
    /// Names and values for the developer of the app.
    pub facts: Vec<(String, String)>,
    /// Leads to the app's own start, from which the person can try again.
    pub start: Option<LeaveLink>,
    /// Brings the error to the app.
    pub leave: Option<LeaveLink>,
}

/// A link to an app that nobody at this site has checked.
#[derive(Debug, Clone)]
pub struct LeaveLink {
    /// The host of the link, for people.
    pub host: String,
    pub href: String,
}
