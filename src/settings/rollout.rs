//! How migrations are carried out over the tenants.

use std::time::Duration;

use super::Rollout;
use super::config::{DurationText, RolloutConfig};
use super::document::Document;
use super::environments::resolve_duration;
use super::error::SettingsError;
use super::tenancy::resolve_tenants;

/// To a server, a timeout below this is none at all.
/// <https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-LOCK-TIMEOUT>
const SHORTEST_TIMEOUT: Duration = Duration::from_millis(1);
/// PostgreSQL keeps timeouts as milliseconds in 31 bits.
const LONGEST_TIMEOUT: Duration = Duration::from_millis(i32::MAX as u64);
/// The lease's holder has to show that it lives, over a network, several times within this.
const SHORTEST_LEASE: Duration = Duration::from_secs(1);

pub(super) fn resolve_rollout(
    document: &Document<'_>,
    config: &RolloutConfig,
) -> Result<Rollout, SettingsError> {
    let given = |key, text: &Option<DurationText>| resolve_duration(document, &at(key), text.as_ref());
    let always = |key, text: &DurationText| {
        resolve_duration(document, &at(key), Some(text)).map(Option::unwrap_or_default)
    };
    let rollout = Rollout {
        canary: resolve_tenants(document, at("canary"), &config.canary)?,
        concurrency: config.concurrency,
        max_failures: config.max_failures,
        lock_timeout: always("lock_timeout", &config.lock_timeout)?,
        lock_retries: config.lock_retries,
        batch_pause: always("batch_pause", &config.batch_pause)?,
        max_active_sessions: config.max_active_sessions,
        max_replica_lag: given("max_replica_lag", &config.max_replica_lag)?,
        statement_timeout: given("statement_timeout", &config.statement_timeout)?,
        warn_after: given("warn_after", &config.warn_after)?,
        fail_after: given("fail_after", &config.fail_after)?,
        lease_ttl: always("lease_ttl", &config.lease_ttl)?,
        lease_wait: always("lease_wait", &config.lease_wait)?,
    };
    refuse_nonsense(document, &rollout)?;
    Ok(rollout)
}

fn at(key: &str) -> [&str; 2] {
    ["rollout", key]
}

fn refuse_nonsense(document: &Document<'_>, rollout: &Rollout) -> Result<(), SettingsError> {
    if rollout.concurrency == 0 {
        return Err(document
            .error(&at("concurrency"), "`concurrency` is 0: nothing would ever run")
            .hint("1 migrates one tenant at a time"));
    }
    let timeouts = [
        ("lock_timeout", Some(rollout.lock_timeout)),
        ("statement_timeout", rollout.statement_timeout),
    ];
    for (key, timeout) in timeouts {
        if timeout.is_some_and(|timeout| timeout < SHORTEST_TIMEOUT) {
            return Err(document
                .error(
                    &at(key),
                    format!("`{key}` is less than 1ms, which a server takes for no limit"),
                )
                .hint("such as \"2s\""));
        }
        if timeout.is_some_and(|timeout| timeout > LONGEST_TIMEOUT) {
            return Err(document.error(&at(key), format!("`{key}` is more than 24 days")));
        }
    }
    if rollout.lease_ttl < SHORTEST_LEASE {
        return Err(document
            .error(&at("lease_ttl"), "`lease_ttl` is less than 1s")
            .hint("a run that cannot renew its lease in time loses it; \"30s\" is the default"));
    }
    if let (Some(warn), Some(fail)) = (rollout.warn_after, rollout.fail_after)
        && fail < warn
    {
        return Err(document.error(&at("fail_after"), "`fail_after` is less than `warn_after`"));
    }
    Ok(())
}
