//! `postern-client login`

use crate::args::Login;
use crate::cli_error::{CliError, Outcome};
use crate::confirmation::PASSKEY_OR_CODE;
use crate::context::{Context, asking};
use crate::print::{self, PLAIN, STRONG, at_a_terminal, say};
use crate::{menu, notices, terminal, whoami};
use client::{BrowserLogin, DeviceLogin, Error, HttpClient, Profile, Session, SystemEnvironment, discover, login};
use std::io::{BufRead, IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;
use wire::Code;
use wire::login::Credentials;
use zeroize::Zeroizing;

/// Maximum number of mistyped passwords.
const TRIES: u32 = 3;

pub(crate) async fn run(context: &Context, args: Login) -> Outcome {
    let server =
        context.server()?.ok_or_else(|| CliError::Usage("which server? Name it with --server URL".to_owned()))?;
    if !server.is_private() && !args.allow_insecure_http {
        let why = "is plain http: others on the network could read your tokens and replace the encryption key";
        return Err(CliError::Usage(format!("{server} {why} (--allow-insecure-http allows it)")));
    }
    terminal::end_on_interrupt();
    let http = HttpClient::new(server.clone())?;
    discover(&http).await?;
    let profile = if args.device || (args.browser && !has_browser()) {
        through_any_browser(&http).await?
    } else if args.browser {
        through_browser(&http).await?
    } else {
        sign_in(&http, &args).await?
    };
    let unreached = end_the_one_before(context, &http).await;
    let stored = match context.storage.keep(&server, &profile, args.storage.into()).await {
        Ok(stored) => stored,
        Err(error) => return Err(end_unstored(context, &http, &profile, error).await),
    };
    let session = Session::of(http, Arc::new(SystemEnvironment), context.storage.clone(), profile.clone())?;
    if let Some(id) = unreached {
        end_by_id(&session, id.as_deref()).await?;
    }
    if let Some(left) = &stored.left {
        say(format!("Not removed: {left}."))?;
    }
    if context.json {
        return whoami::run(context, &session).await;
    }
    print::line(format!("Signed in at {server} as {STRONG}{}{PLAIN}.", print::printable(&profile.username)))?;
    print::line(format!("The session is stored in {}.", whoami::location_name(&stored.place)))?;
    notices::announce(&session).await?;
    if at_a_terminal() && !args.no_menu && !args.password_stdin {
        menu::run(context, &asking(session)).await?;
    }
    Ok(())
}

/// Whether a browser can be opened here. Without a display, the person uses one elsewhere.
fn has_browser() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER"].into_iter().any(is_set)
}

/// Signs in through a browser on this machine.
async fn through_browser(http: &HttpClient) -> Outcome<Profile> {
    let waiting = BrowserLogin::begin(http, &SystemEnvironment).await?;
    say(format!("Continue in the browser. If it does not open, open this page on this machine:\n{}", waiting.url))?;
    open(&waiting.url);
    Ok(waiting.finish(http, &SystemEnvironment).await?)
}

/// Signs in through a browser on any machine.
async fn through_any_browser(http: &HttpClient) -> Outcome<Profile> {
    let waiting = DeviceLogin::begin(http, &SystemEnvironment).await?;
    let (page, code) = (print::printable(waiting.url()), print::printable(waiting.user_code()));
    print::say_styled(format!("Open {page} in a browser and enter this code: {STRONG}{code}{PLAIN}"))?;
    say(format!("Or open {}", print::printable(waiting.complete_url())))?;
    Ok(waiting.finish(http, &SystemEnvironment).await?)
}

/// Opens a page with the person's own program. Nothing is lost if it fails, because the page's address is printed.
fn open(url: &str) {
    let own = std::env::var("BROWSER").ok().filter(|own| !own.is_empty());
    let program = own.unwrap_or_else(|| if cfg!(target_os = "macos") { "open" } else { "xdg-open" }.to_owned());
    let quiet = std::process::Stdio::null;
    let started = std::process::Command::new(program).arg(url).stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn();
    if let Ok(mut child) = started {
        // A child process must be waited for.
        std::thread::spawn(move || child.wait());
    }
}

async fn sign_in(http: &HttpClient, args: &Login) -> Outcome<Profile> {
    let username = match &args.name {
        Some(name) => name.clone(),
        None => ask_name()?,
    };
    let mut tries = if args.password_stdin { 1 } else { TRIES };
    loop {
        tries -= 1;
        let password = if args.password_stdin { read_password()? } else { ask_password()? };
        // The server would count them as a wrong password, which bans after some more.
        if username.is_empty() || password.is_empty() {
            return Err(CliError::Usage("the name or the password is empty, so nothing was sent".to_owned()));
        }
        let mut credentials = Credentials {
            username: username.clone(),
            password: password.to_string(),
            code: None,
            remember: false,
            factor: false,
        };
        let mut result = login_with_waits(http, &credentials, args.wait).await;
        if let Err(CliError::Client(error)) = &result
            && error.code() == Some(Code::SecondFactorRequired)
        {
            if !error.takes_code() {
                return Err(Error::PasskeyNeeded.into());
            }
            let passkey_first = error.takes_passkey_first();
            let code = if args.password_stdin { read_code(passkey_first)? } else { ask_code(passkey_first)? };
            credentials.code = Some(code.to_string());
            result = login_with_waits(http, &credentials, args.wait).await;
        }
        match result {
            Err(CliError::Client(error)) if error.code() == Some(Code::WrongCredentials) && tries > 0 => {
                say(format!("{error}"))?;
            }
            result => return result,
        }
    }
}

/// Signs in. If the server says to wait, waits and reports it.
async fn login_with_waits(http: &HttpClient, credentials: &Credentials, longest: u64) -> Outcome<Profile> {
    loop {
        let error = match login(http, &SystemEnvironment, credentials).await {
            Ok(profile) => return Ok(profile),
            Err(error) => error,
        };
        let asks_to_wait = matches!(error.code(), Some(Code::Banned | Code::AccountDelayed | Code::Busy));
        match error.retry_after() {
            Some(seconds) if asks_to_wait && seconds <= longest => {
                say(format!("{error} Trying again in {seconds} s."))?;
                tokio::time::sleep(Duration::from_secs(seconds)).await;
            }
            Some(seconds) if asks_to_wait => {
                say(format!("The server says to wait {}.", humantime::format_duration(Duration::from_secs(seconds))))?;
                return Err(error.into());
            }
            _ => return Err(error.into()),
        }
    }
}

/// Ends the session that was stored for this server, since it would become unreachable. Returns its id, as far as
/// known, if it is in a keyring that cannot be reached.
async fn end_the_one_before(context: &Context, http: &HttpClient) -> Option<Option<String>> {
    match Session::open(http.clone(), Arc::new(SystemEnvironment), context.storage.clone()).await {
        Ok(before) => {
            if let Err(error) = before.sign_out().await {
                drop(say(format!("The previous session is still alive: {error}")));
            }
            None
        }
        Err(Error::Keyring(_)) => Some(context.storage.session_in_keyring(http.server())),
        Err(_) => None,
    }
}

/// Ends a session by its id. Its tokens remain in the keyring but become useless.
async fn end_by_id(session: &Session, id: Option<&str>) -> Outcome {
    let ended = match id {
        Some(id) => session.end(id).await,
        None => Err(Error::NoSuch("id of the session".to_owned())),
    };
    match ended {
        Ok(()) => say("The previous session has ended. Its keyring cannot be reached."),
        Err(error) => say(format!(
            "The session before this one is in a keyring that cannot be reached, and may still be alive: {error}. \
             See postern-client sessions."
        )),
    }
}

/// Signs out, because a session that cannot be stored must not stay alive.
async fn end_unstored(context: &Context, http: &HttpClient, profile: &Profile, error: Error) -> CliError {
    let session = Session::of(http.clone(), Arc::new(SystemEnvironment), context.storage.clone(), profile.clone());
    let ended = match session {
        Ok(session) => session.sign_out().await,
        Err(error) => Err(error),
    };
    if let Err(error) = ended {
        drop(say(format!("The session {} is still alive: {error}", profile.session)));
    }
    error.into()
}

fn ask_name() -> Outcome<String> {
    if !std::io::stdin().is_terminal() {
        return Err(CliError::Usage(
            "cannot ask for a name without a terminal: login NAME --password-stdin".to_owned(),
        ));
    }
    write!(anstream::stderr().lock(), "Name: ")?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

fn ask_password() -> Outcome<Zeroizing<String>> {
    if !std::io::stdin().is_terminal() {
        return Err(CliError::Usage("cannot ask for a password without a terminal: use --password-stdin".to_owned()));
    }
    terminal::ask_secret("Password: ")
}

/// Asks for a code. `passkey_first`: the account has a passkey and no one-time codes.
fn ask_code(passkey_first: bool) -> Outcome<Zeroizing<String>> {
    if !std::io::stdin().is_terminal() {
        return Err(CliError::Usage("cannot ask for a code without a terminal: use --password-stdin".to_owned()));
    }
    if passkey_first {
        say(PASSKEY_OR_CODE)?;
        return terminal::ask_secret("Recovery code: ");
    }
    terminal::ask_secret("One-time code or recovery code: ")
}

/// Reads the code of `--password-stdin`, which is the second line.
fn read_code(passkey_first: bool) -> Outcome<Zeroizing<String>> {
    let code = read_password()?;
    if code.is_empty() {
        return Err(CliError::Refused(missing_code(passkey_first).to_owned()));
    }
    Ok(code)
}

fn missing_code(passkey_first: bool) -> &'static str {
    if passkey_first {
        "this account signs in with a passkey, which needs a browser: postern-client login --browser. Or write a recovery \
         code as the second line after the password"
    } else {
        "this account needs a one-time code or a recovery code: write it as the second line after the password"
    }
}

fn read_password() -> Outcome<Zeroizing<String>> {
    let mut line = Zeroizing::new(String::new());
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned()))
}
