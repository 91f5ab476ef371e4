//! The pages of the dashboard, of which the table has one line each.

use crate::view::Viewer;

/// Calls a macro with the table of the pages.
///
/// The columns are the variant of [`DashboardPage`] and of [`View`](crate::View), path, title, place in the navigation
/// and viewers. Its data (from the root of this crate) and the function of `pages` that shows it follow.
/// `path!` needs the path as a literal.
#[macro_export]
macro_rules! dashboard_pages {
    ($with:ident) => {
        $with! {
            Overview "/dashboard" "Overview", Own, Everyone, view::OverviewView => overview::overview_page;
            Devices "/dashboard/devices" "Devices", Own, Everyone, view::DevicesView => devices::devices_page;
            Keys "/dashboard/keys" "Keys", Own, Everyone, view::KeysView => keys::keys_page;
            Time "/dashboard/time" "Time", Own, Everyone, pages::time::TimeView => time::time_page;
            Activity "/dashboard/activity" "Activity", Own, Everyone, view::ActivityView => activity::activity_page;
            Account "/dashboard/account" "Account", Own, Everyone, view::AccountView => account::account_page;
            Delete "/dashboard/account/delete" "Delete account", Below(DashboardPage::Account), Everyone,
                view::DeleteView => account::delete_page;
            Profile "/dashboard/account/profile" "Profile", Below(DashboardPage::Account), Everyone,
                view::ProfileView => profile::profile_page;
            Users "/dashboard/users" "Users", Administration, Administrators,
                view::UsersView => users::users_page;
            Person "/dashboard/users/person" "Profile", Below(DashboardPage::Users), Administrators,
                view::PersonView => profile::person_page;
            Groups "/dashboard/groups" "Groups", Administration, Administrators,
                view::GroupsView => groups::groups_page;
            Clients "/dashboard/clients" "Clients", Administration, Administrators,
                view::ClientsView => clients::clients_page;
            Client "/dashboard/clients/client" "Clients", Below(DashboardPage::Clients), Administrators,
                view::ClientView => client::client_page;
            Invitations "/dashboard/invitations" "Invitations", Administration, Administrators,
                view::InvitationsView => invitations::invitations_page;
            Bans "/dashboard/bans" "Bans", Administration, Administrators, view::BansView => bans::bans_page;
            Toll "/dashboard/toll" "Toll", Administration, Administrators, view::TollView => toll::toll_page;
            ServerKeys "/dashboard/server-keys" "Server keys", Administration, Administrators,
                view::ServerKeysView => server_keys::server_keys_page;
            Audit "/dashboard/audit" "Audit", Administration, Administrators,
                view::AuditView => audit::audit_page;
            Help "/dashboard/help" "Help", Administration, Administrators, view::HelpView => help::help_page;
        }
    };
}

/// The place of a page in the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PagePlace {
    /// Among the pages of every person.
    Own,
    /// Among the pages of administrators.
    Administration,
    /// Not listed; a link of this page leads there.
    Below(DashboardPage),
}

/// The people who may see a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageViewers {
    Everyone,
    Administrators,
}

macro_rules! pages {
    ($($page:ident $path:tt $title:tt, $place:expr, $viewers:ident, $($data:ident)::+ => $($show:ident)::+;)+) => {
        /// A page of the dashboard.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum DashboardPage {
            $($page,)+
        }

        impl DashboardPage {
            pub const ALL: &[Self] = &[$(Self::$page),+];

            pub fn path(self) -> &'static str {
                match self { $(Self::$page => $path),+ }
            }

            pub fn title(self) -> &'static str {
                match self { $(Self::$page => $title),+ }
            }

            pub fn place(self) -> PagePlace {
                use PagePlace::{Administration, Below, Own};
                match self { $(Self::$page => $place),+ }
            }

            pub fn viewers(self) -> PageViewers {
                match self { $(Self::$page => PageViewers::$viewers),+ }
            }
        }
    };
}

dashboard_pages!(pages);

impl DashboardPage {
    /// Returns the page at a path. The manual has pages of its own below its path.
    pub fn at(path: &str) -> Option<Self> {
        let is_help = |rest: &str| rest.starts_with('/');
        match path.strip_prefix(Self::Help.path()) {
            Some(rest) if is_help(rest) => Some(Self::Help),
            _ => Self::ALL.iter().copied().find(|page| page.path() == path),
        }
    }

    /// Whether the navigation offers it to this person.
    pub(crate) fn is_offered(self, viewer: &Viewer) -> bool {
        (self.viewers() == PageViewers::Everyone || viewer.administrator) && (self != Self::Toll || viewer.toll)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_page_of_the_dashboard_has_a_path_of_its_own_a_title_and_a_place() {
        let mut paths = HashSet::new();
        for page in DashboardPage::ALL.iter().copied() {
            let path = page.path();
            assert!(paths.insert(path), "{path} is the path of two pages");
            assert!(path == "/dashboard" || path.starts_with("/dashboard/"), "{path}");
            assert_eq!(DashboardPage::at(path), Some(page), "{path}");
            assert!(!page.title().is_empty(), "{path} has no title");
            match page.place() {
                PagePlace::Own => assert_eq!(page.viewers(), PageViewers::Everyone, "{path}"),
                PagePlace::Administration => assert_eq!(page.viewers(), PageViewers::Administrators, "{path}"),
                PagePlace::Below(parent) => {
                    assert!(path.starts_with(parent.path()), "{path} is not below {}", parent.path());
                    assert!(
                        !matches!(parent.place(), PagePlace::Below(_)),
                        "{path} is below a page that is not listed"
                    );
                    assert_eq!(page.viewers(), parent.viewers(), "{path}");
                }
            }
        }
        assert_eq!(DashboardPage::at("/dashboard/help/guides/nginx"), Some(DashboardPage::Help));
        assert_eq!(DashboardPage::at("/dashboard/helpful"), None);
    }

    /// Other code links to pages by the constants of `wire`, and the routes have literals.
    #[test]
    fn links_and_the_table_agree() {
        use wire::paths;
        let linked = [
            paths::DASHBOARD_PAGE,
            paths::DEVICES_PAGE,
            paths::KEYS_PAGE,
            paths::TIME_PAGE,
            paths::ACTIVITY_PAGE,
            paths::ACCOUNT_PAGE,
            paths::DELETE_PAGE,
            paths::PROFILE_PAGE,
            paths::USERS_PAGE,
            paths::PERSON_PAGE,
            paths::GROUPS_PAGE,
            paths::CLIENTS_PAGE,
            paths::CLIENT_PAGE,
            paths::INVITATIONS_PAGE,
            paths::BANS_PAGE,
            paths::TOLL_PAGE,
            paths::SERVER_KEYS_PAGE,
            paths::AUDIT_PAGE,
            paths::HELP_PAGE,
        ];
        for path in linked {
            assert!(DashboardPage::at(path).is_some(), "{path}");
        }
    }
}
