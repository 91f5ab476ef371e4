//! The limit of open files (`RLIMIT_NOFILE`), and the number of connections under it.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The files that a program needs, and its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenFileLimit {
    /// Number of connections that fit.
    pub connections: usize,
    /// The limit that all of them would need.
    pub needed: u64,
    /// The limit in force. `None`: unlimited.
    pub limit: Option<u64>,
}

impl OpenFileLimit {
    /// Whether fewer connections fit than requested.
    pub fn is_short(&self) -> bool {
        self.limit.is_some_and(|limit| limit < self.needed)
    }

    /// Returns the number of connections of `each` files that fit under `limit`, with `spare` other files.
    pub fn plan(connections: usize, each: u64, spare: u64, limit: Option<u64>) -> Self {
        let needed = (connections as u64).saturating_mul(each).saturating_add(spare);
        let fit = limit.filter(|limit| *limit < needed).map(|limit| {
            // If not even the spare files fit, half of the limit.
            let left = limit.saturating_sub(spare).max(limit / 2) / each.max(1);
            usize::try_from(left.max(1)).unwrap_or(connections)
        });
        Self { connections: fit.unwrap_or(connections), needed, limit }
    }

    /// Returns the same for the hard limit, without changing anything.
    pub fn possible(connections: usize, each: u64, spare: u64) -> Self {
        Self::plan(connections, each, spare, getrlimit(Resource::Nofile).maximum)
    }
}

/// Raises the soft limit of open files as far as allowed, and returns how many connections fit. A connection uses
/// `each` files, everything else `spare`.
pub fn fit(connections: usize, each: u64, spare: u64) -> OpenFileLimit {
    let before = getrlimit(Resource::Nofile);
    let plan = OpenFileLimit::plan(connections, each, spare, before.current);
    if !plan.is_short() {
        return plan;
    }
    let wanted = before.maximum.map_or(plan.needed, |most| most.min(plan.needed));
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: before.maximum });
    let limit = if raised.is_ok() { Some(wanted) } else { before.current };
    let fitted = OpenFileLimit::plan(connections, each, spare, limit);
    if fitted.is_short() {
        tracing::warn!(
            limit,
            needed = fitted.needed,
            connections = fitted.connections,
            "the limit of open files is too low for the configured number of connections: fewer are taken. Raise it \
             (LimitNOFILE= in systemd, ulimit -n)"
        );
    }
    fitted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_fit_under_the_limit() {
        for (connections, each, limit, fits) in [
            (4096, 1, None, 4096),
            (4096, 1, Some(4352), 4096),
            (4096, 1, Some(4351), 4095),
            (4096, 1, Some(1024), 768),
            (4096, 2, Some(1024), 384),
            (4096, 1, Some(64), 32),
            (4096, 2, Some(1), 1),
        ] {
            let files = OpenFileLimit::plan(connections, each, 256, limit);
            assert_eq!(files.connections, fits, "{limit:?}");
            assert_eq!(files.is_short(), fits < connections);
        }
    }
}
