//! The pages of the dashboard, of which the table has one line each.

use crate::view::Viewer;

/// Calls a macro with the table of the pages.
///
/// The columns are the variant of [`DashboardPage`], path, title, place in the navigation, viewers, and the page's file
/// in `server/src/http/pages`. `path!` needs the path as a literal.
#[macro_export]
macro_rules! dashboard_pages {
    ($with:ident) => {
        $with! {
            Overview "/dashboard" "Overview", Own, Everyone, overview;
            Devices "/dashboard/devices" "Devices", Own, Everyone, devices;
            Keys "/dashboard/keys" "Keys", Own, Everyone, keys;
            Time "/dashboard/time" "Time", Own, Everyone, time;
            Activity "/dashboard/activity" "Activity", Own, Everyone, activity;
            Account "/dashboard/account" "Account", Own, Everyone, account;
            Delete "/dashboard/account/delete" "Delete account", Below(DashboardPage::Account), Everyone, delete;
            Profile "/dashboard/account/profile" "Profile", Below(DashboardPage::Account), Everyone, profile;
            Users "/dashboard/users" "Users", Administration, Administrators, users;
            Person "/dashboard/users/person" "Profile", Below(DashboardPage::Users), Administrators, person;
            Groups "/dashboard/groups" "Groups", Administration, Administrators, groups;
            Clients "/dashboard/clients" "Clients", Administration, Administrators, clients;
            Client "/dashboard/clients/client" "Clients", Below(DashboardPage::Clients), Administrators, client;
            Invitations "/dashboard/invitations" "Invitations", Administration, Administrators, invitations;
            Bans "/dashboard/bans" "Bans", Administration, Administrators, bans;
            Toll "/dashboard/toll" "Toll", Administration, Administrators, toll;
            ServerKeys "/dashboard/server-keys" "Server keys", Administration, Administrators, server_keys;
            Audit "/dashboard/audit" "Audit", Administration, Administrators, audit;
            Help "/dashboard/help" "Help", Administration, Administrators, help;
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
    ($($page:ident $path:tt $title:tt, $place:expr, $viewers:ident, $file:ident;)+) => {
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

    /// Returns the page of the navigation that it is, or that leads to it.
    pub(crate) fn listed(self) -> Self {
        match self.place() {
            PagePlace::Below(parent) => parent,
            PagePlace::Own | PagePlace::Administration => self,
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
