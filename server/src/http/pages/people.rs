//! The pages of accounts, groups and invitations, for administrators.

use crate::flows::{self, paging};
use crate::http::ApiError;
use crate::http::page_request::{PageData, PageRequest};
use app::view::{GroupsView, HeldFactors, InvitationsView, PersonView, UsersView};
use domain::ids::UserId;

impl PageData for UsersView {
    async fn load(request: PageRequest<'_>) -> Result<Option<Self>, ApiError> {
        let (word, after) = (request.asked().word.unwrap_or_default(), request.after());
        let PageRequest { state, viewer, administrator, .. } = request;
        let Some(administrator) = administrator else { return Ok(None) };
        let (users, count, next) = if word.trim().is_empty() {
            let (users, next) = flows::users::page(&*state.store, &after, paging::ENTRIES).await?;
            (users, Some(state.accounts.count(&*state.store, state.now()).await?), next)
        } else {
            let (users, next) = flows::users::search(&*state.store, &word, &after, paging::ENTRIES).await?;
            // Counting the matches on other pages would read every account.
            let is_whole = after.is_empty() && next.is_none();
            let count = is_whole.then_some(u64::try_from(users.len()).unwrap_or(u64::MAX));
            (users, count, next)
        };
        let (me, mail) = (administrator.user.id.into(), state.mailer.is_some());
        Ok(Some(Self { viewer, me, users, mail, word, count, next }))
    }
}

impl PageData for PersonView {
    async fn load(request: PageRequest<'_>) -> Result<Option<Self>, ApiError> {
        let (id, done) = (UserId::from(request.asked().id.unwrap_or_default()), request.is_done());
        let PageRequest { state, viewer, .. } = request;
        let Some(user) = state.store.user_by_id(&id).await? else { return Ok(None) };
        let profile = state.store.profile(&id).await?.unwrap_or_default();
        let groups = flows::profiles::groups(&*state.store).await?.into_iter().map(|group| group.name).collect();
        let account = flows::users::shown(user, &profile);
        let held = state.store.factors(&id, state.config.relying_party()).await?;
        let factors = HeldFactors { totp: held.totp, passkeys: held.passkeys, recovery_codes: held.recovery_codes };
        Ok(Some(Self { viewer, account, groups, factors, done }))
    }
}

impl PageData for GroupsView {
    async fn load(request: PageRequest<'_>) -> Result<Option<Self>, ApiError> {
        let after = request.after();
        let PageRequest { state, viewer, .. } = request;
        let groups = flows::profiles::groups(&*state.store).await?;
        let (groups, next) = paging::page(groups, |group| &group.id, &after);
        let unknown = flows::profiles::unknown_groups(&*state.store, &state.config.apps).await?;
        let unknown = unknown.into_iter().map(|(app, group)| (app, group.to_string())).collect();
        Ok(Some(Self { viewer, groups, unknown, next }))
    }
}

impl PageData for InvitationsView {
    async fn load(request: PageRequest<'_>) -> Result<Option<Self>, ApiError> {
        let after = request.after();
        let PageRequest { state, viewer, .. } = request;
        let invitations = flows::invitations::open(&*state.store, state.now()).await?;
        let (invitations, next) = paging::page(invitations, |invitation| &invitation.id, &after);
        Ok(Some(Self { viewer, invitations, mail: state.mailer.is_some(), next }))
    }
}
