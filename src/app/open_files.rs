//! Adapts the number of connections to the number of files that the process may open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::TrafficConfig;

/// The number of files that are not available to the connections of clients.
///
/// They are for the admin listener, the connections to the database, the provider and the collector,
/// and the files of SQLite.
const RESERVED_FILES: u64 = 256;

/// The maximum numbers of connections to the public listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ConnectionBounds {
    /// The maximum number of all connections.
    pub(super) max: usize,
    /// The maximum number of connections per client address.
    pub(super) max_per_address: usize,
}

impl ConnectionBounds {
    /// Returns the configured bounds, or smaller ones if the process may not open as many files.
    pub(super) fn from_traffic(traffic: &TrafficConfig) -> Self {
        let configured = Self {
            max: traffic.max_connections,
            max_per_address: traffic.max_connections_per_address,
        };
        let Some(open_files) = raise_open_files() else { return configured };
        let bounds = configured.fit_into(open_files);
        if bounds != configured {
            tracing::warn!(
                open_files,
                max_connections = bounds.max,
                max_connections_per_address = bounds.max_per_address,
                "TENANTRY_MAX_CONNECTIONS exceeds the limit of open files and was lowered"
            );
        }
        bounds
    }

    /// Lowers the bounds so that this number of open files suffices.
    ///
    /// One address can then take at most half of the connections, because there are few.
    fn fit_into(self, open_files: u64) -> Self {
        let available = open_files - RESERVED_FILES.min(open_files / 2);
        let available = usize::try_from(available).unwrap_or(usize::MAX).max(1);
        if self.max <= available {
            return self;
        }
        Self { max: available, max_per_address: self.max_per_address.min(available.div_ceil(2)) }
    }
}

/// Raises the soft limit of open files to the hard limit.
///
/// Returns the limit that applies, or `None` if there is none.
fn raise_open_files() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(error) => {
            tracing::debug!(%error, "the limit of open files cannot be raised");
            limit.current
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_everything_else() {
        let configured = ConnectionBounds { max: 4096, max_per_address: 512 };
        for (open_files, max, max_per_address) in [
            (1_048_576, 4096, 512),
            (4352, 4096, 512),
            (4351, 4095, 512),
            (1024, 768, 384),
            (64, 32, 16),
            (1, 1, 1),
        ] {
            let expected = ConnectionBounds { max, max_per_address };
            assert_eq!(configured.fit_into(open_files), expected, "{open_files}");
        }
        let small = ConnectionBounds { max: 10, max_per_address: 10 };
        assert_eq!(small.fit_into(1024), small);
    }
}
