use super::ask::{AskPage, DeviceCodePage, RefusedPage, SignedOutPage};
use super::content::DashboardView;
use super::enrol::EnrolPage;
use super::enter::EnterPage;
use super::forgotten::ForgottenPage;
use super::login::LoginPage;
use super::notices::{BrokenPage, NotFoundPage};
use super::reset::ResetPage;
use super::resume::ResumePage;
use super::signup::{SignedInPage, SignupPage};
use crate::components::{Frame, Insecure};
use crate::view::{
    AskView, DeviceCodeView, EnrolView, EnterView, ForgottenView, FormFacts, LeaveLink, LoginView, RefusedView,
    ResetView, ResumeView, SignupView, Site, Viewer,
};
use leptos::prelude::*;

/// The page to render.
#[derive(Debug, Clone)]
pub enum View {
    Login(LoginView),
    Signup(SignupView),
    /// The page for signing up, opened by a person who is signed in.
    SignedIn(Viewer),
    Resume(ResumeView),
    Enter(EnterView),
    /// A question of an app.
    Ask(Box<AskView>),
    /// A refused request of an app.
    Refused(RefusedView),
    /// The person is signed out, and may go back to an app that nobody at this site has checked.
    SignedOut(LeaveLink),
    DeviceCode(DeviceCodeView),
    Reset(ResetView),
    Forgotten(ForgottenView),
    Enrol(Box<EnrolView>),
    Dashboard(Box<DashboardView>),
    NotFound,
    /// A failure; the cause is in the log only.
    Broken,
}

fn show(site: Site, view: View) -> AnyView {
    match view {
        View::Login(login) => view! { <LoginPage site login /> }.into_any(),
        View::Signup(signup) => view! { <SignupPage site signup /> }.into_any(),
        View::SignedIn(viewer) => view! { <SignedInPage viewer /> }.into_any(),
        View::Resume(resume) => view! { <ResumePage site resume /> }.into_any(),
        View::Enter(enter) => view! { <EnterPage enter /> }.into_any(),
        View::Ask(ask) => view! { <AskPage ask=*ask /> }.into_any(),
        View::DeviceCode(device) => view! { <DeviceCodePage device /> }.into_any(),
        View::Refused(refused) => view! { <RefusedPage refused /> }.into_any(),
        View::SignedOut(link) => view! { <SignedOutPage link /> }.into_any(),
        View::Forgotten(forgotten) => view! { <ForgottenPage site forgotten /> }.into_any(),
        View::Reset(reset) => view! { <ResetPage site reset /> }.into_any(),
        View::Enrol(enrol) => view! { <EnrolPage site enrol=*enrol /> }.into_any(),
        View::Dashboard(dashboard) => {
            let DashboardView { page, viewer, content } = *dashboard;
            let password_min = content.password_min.map(|min| min.to_string());
            view! {
                <Frame site=site.clone() viewer here=page.listed().path() password_min>
                    {content.draw(site)}
                </Frame>
            }
            .into_any()
        }
        View::NotFound => view! { <NotFoundPage /> }.into_any(),
        View::Broken => view! { <BrokenPage /> }.into_any(),
    }
}

/// The page that the server chose, independent of the path.
#[component]
pub fn Page() -> impl IntoView {
    let (Some(site), Some(view)) = (use_context::<Site>(), use_context::<View>()) else {
        return view! { <BrokenPage /> }.into_any();
    };
    provide_context(form_facts(&site, &view));
    let insecure = site.insecure.then(|| view! { <Insecure /> });
    let page = show(site, view);
    view! { {insecure}{page} }.into_any()
}

fn form_facts(site: &Site, view: &View) -> FormFacts {
    let closed = match view {
        View::Login(login) => login.closed.as_ref().filter(|closed| closed.until > site.now),
        _ => None,
    };
    FormFacts {
        closed: closed.map(|closed| (closed.until - site.now, closed.incident.clone())),
        password_min: match view {
            View::Signup(signup) => signup.password_min,
            View::Reset(reset) => reset.password_min,
            View::Dashboard(dashboard) => dashboard.content.password_min.unwrap_or_default(),
            _ => 0,
        },
        factor: matches!(view, View::Login(login) if login.asks_for_factor()),
        username: match view {
            View::Dashboard(dashboard) => dashboard.viewer.username.clone(),
            _ => String::new(),
        },
    }
}
