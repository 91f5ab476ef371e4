//! The audit log for operators.

use crate::span::span_ms;
use domain::UnixMs;
use domain::account::name_key;
use domain::ids::UserId;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use std::sync::Arc;
use std::time::UNIX_EPOCH;
use store::Store;
use store::audit::{AuditEvent, AuditLine, AuditSearch};
use wire::audit::{AuditEntry, AuditPage};

/// Number of rows that an export reads at a time.
const EXPORT_PAGE: u32 = 500;
const DAY_MS: i64 = 24 * 60 * 60_000;

/// An operator's filter; empty: any.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct AuditQuery {
    /// A name, or the id of a deleted account.
    pub user: String,
    pub event: String,
    pub outcome: String,
    /// `2026-11-21`, `2026-11-21T09:00:00Z`, or a period before now: `7d`.
    pub since: String,
    /// Like `since`; a day includes its end.
    pub until: String,
    /// The end of the previous page.
    pub before: String,
}

/// The reason why a filter is invalid.
#[derive(Debug, thiserror::Error)]
pub enum AuditQueryError {
    #[error("'{0}' is not an event: write one of {list}", list = events())]
    Event(String),
    #[error("'{0}' is not a time: write 2026-11-21, 2026-11-21T09:00:00Z, or 7d for seven days ago")]
    Time(String),
    #[error("'{0}' is not a position in the list")]
    Before(String),
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl AuditQuery {
    /// Builds the search.
    ///
    /// # Errors
    /// Names the invalid part of the filter.
    pub async fn search(&self, store: &dyn Store, limit: u32, now: UnixMs) -> Result<AuditSearch, AuditQueryError> {
        let user = match given(&self.user) {
            Some(name) => Some(id_of(store, name).await?),
            None => None,
        };
        Ok(AuditSearch { user, limit, ..self.read(now)? })
    }

    /// Parses all of the filter except the user's name.
    ///
    /// # Errors
    /// Names the invalid part of the filter.
    pub fn read(&self, now: UnixMs) -> Result<AuditSearch, AuditQueryError> {
        let event = given(&self.event);
        let event = event
            .map(|text| AuditEvent::parse(text).ok_or_else(|| AuditQueryError::Event(text.to_owned())))
            .transpose()?;
        let before = given(&self.before);
        Ok(AuditSearch {
            user: None,
            event,
            outcome: given(&self.outcome).map(str::to_owned),
            since: given(&self.since).map(|text| parse_time(text, now, 0)).transpose()?,
            until: given(&self.until).map(|text| parse_time(text, now, DAY_MS)).transpose()?,
            before: before
                .map(|text| cursor(text).ok_or_else(|| AuditQueryError::Before(text.to_owned())))
                .transpose()?,
            limit: 0,
        })
    }
}

/// Reads where a page ended: a time and an id.
fn cursor(text: &str) -> Option<(UnixMs, String)> {
    let (at, id) = text.split_once('-')?;
    let counted = (1..=15).contains(&at.len()) && at.bytes().all(|byte| byte.is_ascii_digit());
    let named = id.len() == 26 && id.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    Some((UnixMs::from_millis(at.parse().ok().filter(|_| counted && named)?), id.to_owned()))
}

/// Returns a page of rows.
///
/// # Errors
/// The store fails.
pub async fn page(store: &dyn Store, search: &AuditSearch) -> store::Result<AuditPage> {
    let lines = store.search_audit(search).await?;
    let next = following(&lines, search).map(|(at, id)| format!("{at}-{id}"));
    Ok(AuditPage { entries: lines.into_iter().map(shown).collect(), next })
}

/// Returns all matching rows, read in pages, so that an export holds only one page in memory.
pub fn all(store: Arc<dyn Store>, search: AuditSearch) -> impl Stream<Item = store::Result<AuditEntry>> {
    let first = Some(AuditSearch { limit: EXPORT_PAGE, ..search });
    let pages = stream::unfold(first, move |search| {
        let store = Arc::clone(&store);
        async move {
            let search = search?;
            Some(match store.search_audit(&search).await {
                Ok(lines) => {
                    let next = following(&lines, &search).map(|before| AuditSearch { before: Some(before), ..search });
                    (Ok(stream::iter(lines).map(|line| Ok(shown(line)))), next)
                }
                Err(error) => (Err(error), None),
            })
        }
    });
    pages.try_flatten()
}

/// Returns the start of the next page, if there may be one.
fn following(lines: &[AuditLine], search: &AuditSearch) -> Option<(UnixMs, String)> {
    let full = lines.len() == usize::try_from(search.limit).unwrap_or(usize::MAX);
    lines.last().filter(|_| full).map(|line| (line.entry.at, line.entry.id.clone()))
}

fn shown(line: AuditLine) -> AuditEntry {
    let AuditLine { entry, username, actor_name } = line;
    AuditEntry {
        id: entry.id,
        at: entry.at.as_millis(),
        event: entry.event.as_str().to_owned(),
        outcome: entry.outcome,
        user: username.filter(|name| !name.is_empty()),
        user_id: entry.user.map(Into::into),
        by: actor_name.filter(|name| !name.is_empty()),
        by_id: entry.actor.map(Into::into),
        about: entry.about,
        address: entry.address,
        device: entry.device,
    }
}

async fn id_of(store: &dyn Store, name: &str) -> store::Result<UserId> {
    let user = store.user_by_key(&name_key(name)).await?;
    Ok(user.map_or_else(|| name.into(), |user| user.id))
}

/// Parses a day, a time, or a period before now. `day_ms`: what to add to a bare day.
fn parse_time(text: &str, now: UnixMs, day_ms: i64) -> Result<UnixMs, AuditQueryError> {
    if let Ok(span) = span_ms(text) {
        return Ok((now - span).max(UnixMs::EPOCH));
    }
    let is_day = text.len() == "2026-11-21".len();
    let exact = if is_day { format!("{text}T00:00:00Z") } else { text.to_owned() };
    let moment = humantime::parse_rfc3339_weak(&exact).ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let ms = moment.and_then(|since| i64::try_from(since.as_millis()).ok());
    let ms = ms.ok_or_else(|| AuditQueryError::Time(text.to_owned()))?;
    let time = UnixMs::from_millis(ms);
    Ok(if is_day { time + day_ms } else { time })
}

fn given(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

fn events() -> String {
    AuditEvent::ALL.iter().map(|event| event.as_str()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_days_times_or_spans() {
        let (at, now) = (UnixMs::from_millis, UnixMs::from_millis(1_800_000_000_000));
        for (text, since, until) in [
            ("2026-11-21", at(1_795_219_200_000), at(1_795_305_600_000)),
            ("2026-11-21T09:00:00Z", at(1_795_251_600_000), at(1_795_251_600_000)),
            ("7d", now - 7 * DAY_MS, now - 7 * DAY_MS),
            ("1d 2 hours", now - 93_600_000, now - 93_600_000),
            ("999999999y", UnixMs::EPOCH, UnixMs::EPOCH),
        ] {
            assert_eq!(parse_time(text, now, 0).ok(), Some(since), "{text}");
            assert_eq!(parse_time(text, now, DAY_MS).ok(), Some(until), "{text}");
        }
        for wrong in
            ["yesterday", "2026-13-01", "'; --", "1969-12-31", "9999999999-12-31", "0d", "7", "7 x", "1000000000d"]
        {
            assert!(matches!(parse_time(wrong, now, 0), Err(AuditQueryError::Time(_))), "{wrong}");
        }
    }
}
