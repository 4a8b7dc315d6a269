//! Poolers that people know by their names and ports.

use super::checks::{PARAMETER, Problems};
use super::parameters::{Given, Meaning};
use super::{Address, EngineKind};

/// True where it looks like a pooler in transaction mode.
///
/// - Supabase (Supavisor, PgBouncer): port 6543; its port 5432 is session mode:
///   <https://supabase.com/docs/guides/database/connecting-to-postgres>
/// - Neon: `-pooler` at the end of the endpoint: <https://neon.com/docs/connect/connection-pooling>
/// - PgBouncer's own port 6432, whatever its mode; `pgbouncer=false` says that it is not in that mode.
pub(super) fn detect(
    kind: EngineKind,
    addresses: &[Address],
    given: &Given<'_>,
    problems: &mut Problems,
) -> bool {
    match given.raw(Meaning::Pooler) {
        Some("true" | "1") => return true,
        Some("false" | "0") => return false,
        Some(_) => problems.add(
            &PARAMETER,
            "the parameter `pgbouncer` is neither `true` nor `false`",
            "write `pgbouncer=true` for a pooler in transaction mode",
        ),
        None => {}
    }
    let pooled = |address: &Address| match address {
        Address::Tcp { host, port } => matches!(port, 6543 | 6432) || is_neon_pooler(host),
        Address::Socket { port, .. } => *port == 6432,
    };
    kind == EngineKind::Postgres && addresses.iter().any(pooled)
}

fn is_neon_pooler(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let first = host.split('.').next().unwrap_or(&host);
    first.ends_with("-pooler") && host.contains('.')
}
