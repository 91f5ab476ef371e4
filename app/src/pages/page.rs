use super::account::{AccountPage, DeletePage};
use super::activity::ActivityPage;
use super::ask::{AskPage, DeviceCodePage, RefusedPage, SignedOutPage};
use super::audit::AuditPage;
use super::bans::BansPage;
use super::client::ClientPage;
use super::clients::ClientsPage;
use super::devices::DevicesPage;
use super::enrol::EnrolPage;
use super::enter::EnterPage;
use super::forgotten::ForgottenPage;
use super::groups::GroupsPage;
use super::help::HelpPage;
use super::invitations::InvitationsPage;
use super::keys::KeysPage;
use super::login::LoginPage;
use super::notices::{BrokenPage, NotFoundPage};
use super::overview::OverviewPage;
use super::profile::{PersonPage, ProfilePage};
use super::reset::ResetPage;
use super::resume::ResumePage;
use super::server_keys::ServerKeysPage;
use super::signup::{SignedInPage, SignupPage};
use super::time::TimePage;
use super::toll::TollPage;
use super::users::UsersPage;
use crate::components::Insecure;
use crate::view::{Site, View};
use leptos::prelude::*;

/// The page that the server chose, independent of the path.
#[component]
pub fn Page() -> impl IntoView {
    let (Some(site), Some(view)) = (use_context::<Site>(), use_context::<View>()) else {
        return view! { <BrokenPage /> }.into_any();
    };
    let insecure = site.insecure.then(|| view! { <Insecure /> });
    let page = match view {
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
        View::Overview(overview) => view! { <OverviewPage site overview=*overview /> }.into_any(),
        View::Devices(devices) => view! { <DevicesPage site devices /> }.into_any(),
        View::Keys(keys) => view! { <KeysPage site keys /> }.into_any(),
        View::Time(time) => view! { <TimePage site time /> }.into_any(),
        View::Activity(activity) => view! { <ActivityPage site activity /> }.into_any(),
        View::Account(account) => view! { <AccountPage site account=*account /> }.into_any(),
        View::Enrol(enrol) => view! { <EnrolPage site enrol=*enrol /> }.into_any(),
        View::Delete(account) => view! { <DeletePage site account=*account /> }.into_any(),
        View::Profile(profile) => view! { <ProfilePage site profile /> }.into_any(),
        View::Person(person) => view! { <PersonPage site person=*person /> }.into_any(),
        View::Groups(groups) => view! { <GroupsPage site groups /> }.into_any(),
        View::Clients(clients) => view! { <ClientsPage site clients=*clients /> }.into_any(),
        View::Client(client) => view! { <ClientPage site client=*client /> }.into_any(),
        View::Users(users) => view! { <UsersPage site users /> }.into_any(),
        View::Invitations(invitations) => view! { <InvitationsPage site invitations /> }.into_any(),
        View::Bans(bans) => view! { <BansPage site bans=*bans /> }.into_any(),
        View::Toll(toll) => view! { <TollPage site toll=*toll /> }.into_any(),
        View::ServerKeys(keys) => view! { <ServerKeysPage site keys /> }.into_any(),
        View::Audit(audit) => view! { <AuditPage site audit=*audit /> }.into_any(),
        View::Help(help) => view! { <HelpPage site help /> }.into_any(),
        View::NotFound => view! { <NotFoundPage /> }.into_any(),
        View::Broken => view! { <BrokenPage /> }.into_any(),
    };
    view! { {insecure}{page} }.into_any()
}
