//! How migrations are carried out over the tenants.

mod config;
mod waves;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::{ServerName, TenantName};

use super::config::DurationText;
use super::document::Document;
use super::environments::resolve_duration;
use super::error::SettingsError;
use super::tenancy::resolve_tenants;

pub(super) use config::{NumberOrText, RolloutConfig};
use config::{OnFailureConfig, SuspendedConfig};
pub use waves::{Order, Wave, WaveTenants};

#[derive(Debug, Clone)]
pub struct Rollout {
    /// These go before the others.
    pub canary: Vec<TenantName>,
    /// Then these, in this order.
    pub waves: Vec<Wave>,
    pub suspended: Suspended,
    pub concurrency: Concurrency,
    /// Of the servers that have one of their own.
    pub server_concurrency: BTreeMap<ServerName, Concurrency>,
    pub max_failures: MaxFailures,
    pub on_failure: OnFailure,
    /// How long a statement may queue for a lock.
    pub lock_timeout: Duration,
    /// Tries beyond the first after a lock timeout, deadlock or serialization failure.
    pub lock_retries: usize,
    /// Tries beyond the first after a connection was lost or not to be had.
    pub connection_retries: usize,
    /// Between two ranges of a batch.
    pub batch_pause: Duration,
    /// Ranges wait while more sessions than this are at work.
    pub max_active_sessions: Option<u64>,
    /// Ranges wait while a replica is further behind (PostgreSQL).
    pub max_replica_lag: Option<Duration>,
    /// How long one statement may run; absent: the server's own limit.
    pub statement_timeout: Option<Duration>,
    /// When nothing new is begun, from the run's begin.
    pub deadline: Option<Duration>,
    /// A longer run is a warning.
    pub warn_after: Option<Duration>,
    /// A longer run fails.
    pub fail_after: Option<Duration>,
    /// How long the lease outlives its holder's last heartbeat.
    pub lease_ttl: Duration,
    /// How long to wait for another run's lease.
    pub lease_wait: Duration,
}

impl Rollout {
    /// How many tenants of a turn are migrated at a time on one server (absent: the environment's own).
    /// A server's own number stands for that of `[rollout]`, and a wave's own may lower it.
    pub fn concurrency_on(&self, server: Option<&ServerName>, of_turn: Concurrency) -> Concurrency {
        let own = server.and_then(|server| self.server_concurrency.get(server));
        match (own, of_turn) {
            (None, of_turn) => of_turn,
            (Some(own), of_turn) if of_turn == self.concurrency => *own,
            (Some(Concurrency::Fixed(own)), Concurrency::Fixed(wave)) => Concurrency::Fixed(wave.min(*own)),
            (Some(Concurrency::Fixed(own)), Concurrency::Auto) => Concurrency::Fixed(*own),
            (Some(Concurrency::Auto), of_turn) => of_turn,
        }
    }
}

/// How many tenants are migrated at a time on each server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concurrency {
    /// As many as the server, measured, does best with.
    Auto,
    Fixed(usize),
}

/// How many tenants may fail.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MaxFailures {
    Count(usize),
    /// Of those that are behind.
    Percent(f64),
}

impl MaxFailures {
    /// For so many tenants that are behind.
    pub fn of(self, behind: usize) -> usize {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => (behind as f64 * percent / 100.0).floor() as usize,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// Nothing new is begun.
    Stop,
    /// The others get their turn all the same.
    Continue,
    /// Nothing new is begun, and what this run applied to tenants is taken back.
    Rollback,
}

/// What becomes of tenants that the registry calls suspended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suspended {
    Migrate,
    Last,
    Skip,
}

/// To a server, a timeout below this is none at all.
/// <https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-LOCK-TIMEOUT>
const SHORTEST_TIMEOUT: Duration = Duration::from_millis(1);
/// PostgreSQL keeps timeouts as milliseconds in 31 bits.
const LONGEST_TIMEOUT: Duration = Duration::from_millis(i32::MAX as u64);
/// The lease's holder has to show that it lives, over a network, several times within this.
const SHORTEST_LEASE: Duration = Duration::from_secs(1);
/// More connections than this are an application's, or a mistake.
const MOST_CONNECTIONS: i64 = 1000;

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
        waves: waves::resolve(document, &config.waves)?,
        suspended: match config.suspended {
            SuspendedConfig::Migrate => Suspended::Migrate,
            SuspendedConfig::Last => Suspended::Last,
            SuspendedConfig::Skip => Suspended::Skip,
        },
        server_concurrency: BTreeMap::new(),
        concurrency: resolve_concurrency(document, &at("concurrency"), &config.concurrency)?,
        max_failures: resolve_max_failures(document, &config.max_failures)?,
        on_failure: match config.on_failure {
            OnFailureConfig::Stop => OnFailure::Stop,
            OnFailureConfig::Continue => OnFailure::Continue,
            OnFailureConfig::Rollback => OnFailure::Rollback,
        },
        lock_timeout: always("lock_timeout", &config.lock_timeout)?,
        lock_retries: config.lock_retries,
        connection_retries: config.connection_retries,
        batch_pause: always("batch_pause", &config.batch_pause)?,
        max_active_sessions: config.max_active_sessions,
        max_replica_lag: given("max_replica_lag", &config.max_replica_lag)?,
        statement_timeout: given("statement_timeout", &config.statement_timeout)?,
        deadline: given("deadline", &config.deadline)?,
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

pub(super) fn resolve_concurrency(
    document: &Document<'_>,
    path: &[&str],
    value: &NumberOrText,
) -> Result<Concurrency, SettingsError> {
    let hint = "a number, 1 migrates one tenant at a time; or \"auto\"";
    match value {
        NumberOrText::Text(text) if text == "auto" => Ok(Concurrency::Auto),
        NumberOrText::Text(_) => Err(document
            .error(path, "`concurrency` is neither a number nor \"auto\"")
            .hint(hint)),
        NumberOrText::Number(0) => Err(document
            .error(path, "`concurrency` is 0: nothing would ever run")
            .hint(hint)),
        NumberOrText::Number(number @ 1..=MOST_CONNECTIONS) => Ok(Concurrency::Fixed(*number as usize)),
        NumberOrText::Number(_) => {
            let message = format!("`concurrency` is not between 1 and {MOST_CONNECTIONS}");
            Err(document.error(path, message).hint(hint))
        }
    }
}

fn resolve_max_failures(document: &Document<'_>, value: &NumberOrText) -> Result<MaxFailures, SettingsError> {
    let wrong = |message: &str| {
        let error = document.error(&at("max_failures"), message);
        error.hint("a number of tenants, or a percentage of those that are behind, such as \"5%\"")
    };
    match value {
        NumberOrText::Number(number) => usize::try_from(*number)
            .map(MaxFailures::Count)
            .map_err(|_| wrong("`max_failures` is less than 0")),
        NumberOrText::Text(text) => {
            let percent = text
                .trim()
                .strip_suffix('%')
                .and_then(|text| text.trim().parse().ok());
            percent
                .filter(|percent| (0.0..=100.0).contains(percent))
                .map(MaxFailures::Percent)
                .ok_or_else(|| wrong("`max_failures` is neither a number nor a percentage from 0% to 100%"))
        }
    }
}

fn refuse_nonsense(document: &Document<'_>, rollout: &Rollout) -> Result<(), SettingsError> {
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
    if rollout.deadline.is_some_and(|deadline| deadline.is_zero()) {
        return Err(document
            .error(&at("deadline"), "`deadline` is 0: nothing would ever run")
            .hint("such as \"50m\" for a job whose limit is an hour"));
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
