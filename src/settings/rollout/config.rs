//! `[rollout]` as it is written. The comments are the manual, as in the rest of the config.

use std::fmt;

use schemars::JsonSchema;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize};

use crate::settings::config::DurationText;

/// How migrations are carried out over the tenants.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::settings) struct RolloutConfig {
    /// Tenants that go before the others, after the ensured ones, and are validated before the others
    /// begin: when one of them fails or does not come out right, the others are not touched.
    pub(super) canary: Vec<String>,
    /// Groups of tenants that go after the canaries, one group after the other, in the order written;
    /// a tenant belongs to the first group that has it. Who is in none goes last.
    pub(super) waves: Vec<WaveConfig>,
    /// What becomes of tenants that the registry calls suspended (`active` is false).
    pub(super) suspended: SuspendedConfig,
    /// How many tenants are migrated at a time: a number, or `"auto"`, which measures the server and
    /// goes on with what it does best.
    pub(super) concurrency: NumberOrText,
    /// How many tenants may fail: a number, or a percentage of those that are behind (`"5%"`).
    pub(super) max_failures: NumberOrText,
    /// What happens when more than `max_failures` tenants have failed.
    pub(super) on_failure: OnFailureConfig,
    /// How long a statement may wait for a lock before it gives way to the application.
    pub(super) lock_timeout: DurationText,
    /// Tries beyond the first after a lock timeout, a deadlock or a serialization failure.
    pub(super) lock_retries: usize,
    /// Tries beyond the first after a connection was lost or not to be had.
    pub(super) connection_retries: usize,
    /// The pause between two ranges of a batch, besides those that it makes by itself when ranges get slow.
    pub(super) batch_pause: DurationText,
    /// A batch waits while more sessions than this are at work on the server. Default: no such limit.
    pub(super) max_active_sessions: Option<u64>,
    /// A batch waits while a replica is further behind, as far as the server shows it to this role
    /// (PostgreSQL). Default: no such limit.
    pub(super) max_replica_lag: Option<DurationText>,
    /// How long one statement may run. Default: the server's own limit.
    pub(super) statement_timeout: Option<DurationText>,
    /// After this much of a run nothing new is begun, and half a minute later what is still in hand is
    /// rolled back. Also `--deadline`. Less than the job's own time limit, so that the report is written.
    pub(super) deadline: Option<DurationText>,
    /// A run that takes longer is a warning.
    pub(super) warn_after: Option<DurationText>,
    /// A run that takes longer fails.
    pub(super) fail_after: Option<DurationText>,
    /// How long after its last sign of life a run still owns the environment; at least `"1s"`.
    pub(super) lease_ttl: DurationText,
    /// How long to wait for another run that owns the environment.
    pub(super) lease_wait: DurationText,
}

/// A group of tenants.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::settings) struct WaveConfig {
    /// What the report calls it.
    pub(super) name: String,
    /// Its tenants: names or globs (`eu_*`).
    #[serde(default)]
    pub(super) tenants: Vec<String>,
    /// Its tenants: a query over the shared schema with a column `tenant`.
    pub(super) query: Option<String>,
    /// Like `concurrency` of [rollout], for this group alone.
    pub(super) concurrency: Option<NumberOrText>,
    /// Who goes first. Default: as the query gives them, else as the registry does.
    pub(super) order: Option<OrderConfig>,
}

#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::settings) enum OrderConfig {
    /// As the registry gives them.
    Registry,
    /// By name.
    Name,
    /// As the group's own `tenants` or `query` give them.
    Listed,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::settings) enum SuspendedConfig {
    /// They are migrated like the others.
    #[default]
    Migrate,
    /// They are migrated when all others are done.
    Last,
    /// They are left as they are, and reported as skipped.
    Skip,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::settings) enum OnFailureConfig {
    /// Nothing new is begun.
    #[default]
    Stop,
    /// The others get their turn all the same. A canary that fails stops the rollout even so.
    Continue,
    /// Nothing new is begun, and what this run applied to tenants is taken back by their down files;
    /// where one lacks, nothing is begun at all. The shared migrations stay.
    Rollback,
}

/// A number, or text that says more than one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::settings) enum NumberOrText {
    Number(i64),
    Text(String),
}

impl Default for RolloutConfig {
    fn default() -> Self {
        Self {
            canary: Vec::new(),
            waves: Vec::new(),
            suspended: SuspendedConfig::default(),
            concurrency: NumberOrText::Text("auto".to_owned()),
            max_failures: NumberOrText::Number(0),
            on_failure: OnFailureConfig::default(),
            lock_timeout: DurationText("2s".to_owned()),
            lock_retries: 5,
            connection_retries: 5,
            batch_pause: DurationText("0s".to_owned()),
            max_active_sessions: None,
            max_replica_lag: None,
            statement_timeout: None,
            deadline: None,
            warn_after: None,
            fail_after: None,
            lease_ttl: DurationText("30s".to_owned()),
            lease_wait: DurationText("10m".to_owned()),
        }
    }
}

impl<'de> Deserialize<'de> for NumberOrText {
    /// By hand, since serde's untagged enums lose the place of an error.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = NumberOrText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number or text")
            }

            fn visit_i64<E>(self, number: i64) -> Result<NumberOrText, E> {
                Ok(NumberOrText::Number(number))
            }

            fn visit_u64<E>(self, number: u64) -> Result<NumberOrText, E> {
                Ok(NumberOrText::Number(i64::try_from(number).unwrap_or(i64::MAX)))
            }

            fn visit_str<E>(self, text: &str) -> Result<NumberOrText, E> {
                Ok(NumberOrText::Text(text.to_owned()))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl Serialize for NumberOrText {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => serializer.serialize_i64(*number),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl JsonSchema for NumberOrText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "NumberOrText".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": ["integer", "string"], "minimum": 0 })
    }
}
