use super::local_time;
use crate::browser::sealed_post::PostError;
use crate::browser::{clock, keys};
use crate::text::{countdown, no_answer, refusal, wait};
use leptos::prelude::document;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Element, Event, EventTarget, HtmlElement, HtmlInputElement};

/// The state of a form, as in the stylesheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FormStep {
    Ready,
    Sealing,
    Checking,
    /// The server requires a pause, or something is missing.
    Waiting,
}

impl FormStep {
    fn word(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Sealing => "sealing",
            Self::Checking => "checking",
            Self::Waiting => "waiting",
        }
    }
}

/// The form of this page.
#[derive(Debug, Clone)]
pub(crate) struct FormHandle(Element);

/// Calls `first` after hydration of the form, never on the server. Earlier changes would break hydration, which looks
/// for the server's text.
pub(crate) fn wake(first: impl FnOnce(FormHandle) + 'static) {
    if cfg!(not(feature = "ssr")) {
        spawn_local(async {
            if let Some(form) = FormHandle::find() {
                form.watch_password();
                first(form);
            }
        });
    }
}

/// Calls `then` at each event of this kind, as long as the page is open.
fn listen(target: &EventTarget, event: &str, then: fn(Event)) {
    let listener = Closure::<dyn FnMut(Event)>::new(then).into_js_value();
    // Fails only for a listener that is no function.
    let _ = target.add_event_listener_with_callback(event, listener.unchecked_ref());
}

impl FormHandle {
    pub(crate) fn find() -> Option<Self> {
        document().query_selector("form").ok().flatten().map(Self)
    }

    pub(crate) fn part(&self, selector: &str) -> Option<Element> {
        self.0.query_selector(selector).ok().flatten()
    }

    /// Calls `then` at each event of this kind at the form itself.
    pub(crate) fn on(&self, event: &str, then: fn(Event)) {
        listen(&self.0, event, then);
    }

    /// Calls `then` at each event of this kind at a part of the form, if it has that.
    pub(crate) fn on_part(&self, selector: &str, event: &str, then: fn(Event)) {
        if let Some(part) = self.part(selector) {
            listen(&part, event, then);
        }
    }

    pub(crate) fn input(&self, selector: &str) -> Option<HtmlInputElement> {
        self.part(selector)?.dyn_into().ok()
    }

    /// Moves the focus to a part.
    #[cfg_attr(all(feature = "hydrate", not(feature = "login")), expect(dead_code, reason = "only sign-in does"))]
    pub(crate) fn focus(&self, selector: &str) {
        if let Some(part) = self.part(selector).and_then(|part| part.dyn_into::<HtmlElement>().ok()) {
            let _ = part.focus();
        }
    }

    pub(crate) fn write(&self, selector: &str, text: &str) {
        if let Some(part) = self.part(selector) {
            part.set_text_content(Some(text));
        }
    }

    /// Finds or creates this browser's keys while the person types, so that nobody waits for them later. Shows the
    /// reason if there are none.
    #[cfg_attr(all(feature = "hydrate", not(feature = "login")), expect(dead_code, reason = "only sign-in makes keys"))]
    pub(crate) fn warn_unbound(&self) {
        let form = self.clone();
        spawn_local(async move {
            if let Err(missing) = keys::find().await {
                form.write("#unbound", &refusal::unbound(missing));
            }
        });
    }

    pub(crate) fn set_step(&self, step: FormStep) {
        mark(&self.0, "data-step", step.word());
        if let Some(button) = self.part("[type=submit]") {
            // Neither call fails: the name is valid.
            let _ = button.toggle_attribute_with_force("disabled", step != FormStep::Ready);
        }
    }

    /// Shows an error; hides it if the text is empty.
    pub(crate) fn say(&self, text: &str) {
        self.write(".said", text);
        self.write_wait("");
        if let Some(alert) = self.part(".alert") {
            let _ = alert.class_list().toggle_with_force("emphasized", !text.is_empty());
        }
    }

    /// Returns the new password if its length is valid; otherwise shows the error.
    pub(crate) fn new_password(&self, min: u32) -> Option<String> {
        let field = self.input("#password")?;
        let password = field.value();
        if let Err(bad) = domain::password::check_length(&password, min) {
            self.say(&refusal::length(bad, min));
            let _ = field.focus();
            return None;
        }
        Some(password)
    }

    /// Starts a new attempt, if possible.
    pub(crate) fn start(&self) -> bool {
        let ready = self.0.get_attribute("data-step").as_deref() == Some(FormStep::Ready.word());
        if ready {
            self.say("");
            self.set_step(FormStep::Sealing);
        }
        ready
    }

    /// Shows the error, and waits if the server requires a pause.
    pub(crate) fn refused(&self, refused: &PostError) {
        self.set_step(FormStep::Ready);
        let problem = match refused {
            PostError::Problem(problem) => problem,
            PostError::NoCookies => return self.say(no_answer::NO_COOKIES),
            PostError::Unreachable => return self.say(no_answer::UNREACHABLE),
            PostError::Broken => return self.say(refusal::BROKEN),
        };
        let seconds = problem.retry_after.and_then(|seconds| i64::try_from(seconds).ok()).unwrap_or(0);
        let until = clock::now() + seconds * 1000;
        let said = refusal::sentence(problem, &local_time(until));
        #[cfg(any(feature = "ssr", feature = "private"))]
        let said = if problem.code == wire::Code::WrongCredentials && self.part("#username").is_none() {
            refusal::WRONG_PASSWORD.to_owned()
        } else {
            said
        };
        self.say(&said);
        if seconds > 0 {
            self.pause(until);
        }
    }

    /// Counts down to `until`, unix milliseconds, and then enables the form again.
    pub(crate) fn pause(&self, until: i64) {
        self.set_step(FormStep::Waiting);
        self.write("#wait-said", &wait::sentence(until - clock::now()));
        let form = self.clone();
        spawn_local(async move {
            loop {
                let left = until - clock::now();
                if left <= 0 {
                    break;
                }
                form.write("#wait", &wait::sentence(left));
                clock::sleep(countdown::next_tick(left)).await;
            }
            form.write_wait(countdown::OVER);
            form.set_step(FormStep::Ready);
        });
    }

    fn write_wait(&self, text: &str) {
        self.write("#wait-said", text);
        self.write("#wait", text);
    }
}

/// Sets an attribute, which fails only for an invalid name.
pub(super) fn mark(element: &Element, name: &str, value: &str) {
    let _ = element.set_attribute(name, value);
}
