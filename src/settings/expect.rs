//! What the schemas must look like.

use std::fmt;

use schemars::JsonSchema;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize};

use crate::domain::{RowSecurity, Scope};

use super::config::{
    ColumnConfig, ColumnFullConfig, ExpectConfig, ScopeExpectConfig, TableExpectConfig, ThresholdConfig,
};
use super::document::Document;
use super::error::SettingsError;
use super::{
    Assertion, ColumnExpectation, DefaultExpectation, Expectations, ScopeExpectations, TableExpectation,
    TenancyMode, Threshold,
};

pub(super) fn resolve_expectations(
    document: &Document<'_>,
    config: &ExpectConfig,
    mode: TenancyMode,
) -> Result<Expectations, SettingsError> {
    Ok(Expectations {
        shared: resolve_scope(document, Scope::Shared, &config.shared, mode)?,
        tenant: resolve_scope(document, Scope::Tenant, &config.tenant, mode)?,
    })
}

fn resolve_scope(
    document: &Document<'_>,
    scope: Scope,
    config: &ScopeExpectConfig,
    mode: TenancyMode,
) -> Result<ScopeExpectations, SettingsError> {
    let tables = config.tables.iter().map(|(name, table)| {
        let path = ["expect", scope.as_str(), "tables", name];
        Ok((name.clone(), resolve_table(document, path, table, mode)?))
    });
    Ok(ScopeExpectations {
        tables: tables.collect::<Result<_, SettingsError>>()?,
        assertions: resolve_assertions(document, scope, config)?,
        thresholds: resolve_thresholds(document, scope, &config.thresholds)?,
    })
}

fn resolve_table(
    document: &Document<'_>,
    [expect, scope, tables, table]: [&str; 4],
    config: &TableExpectConfig,
    mode: TenancyMode,
) -> Result<TableExpectation, SettingsError> {
    let only_postgres = [
        ("row_security", config.row_security.is_some()),
        ("policies", !config.policies.is_empty()),
    ];
    for (key, is_given) in only_postgres {
        if is_given && mode == TenancyMode::Database {
            let path = [expect, scope, tables, table, key];
            return Err(document
                .error_at_key(&path, format!("`{key}` is known to PostgreSQL only"))
                .hint("mode \"database\" is for MySQL, MariaDB and SQLite, which have no such thing: take it out"));
        }
    }
    let columns = config.columns.iter().map(|(name, column)| {
        let path = [expect, scope, tables, table, "columns", name];
        Ok((name.clone(), resolve_column(document, &path, column)?))
    });
    Ok(TableExpectation {
        columns: columns.collect::<Result<_, SettingsError>>()?,
        indexes: config.indexes.clone(),
        foreign_keys: config.foreign_keys.clone(),
        row_security: config.row_security.map(|it| it.0),
        policies: config.policies.clone(),
    })
}

fn resolve_column(
    document: &Document<'_>,
    path: &[&str],
    config: &ColumnConfig,
) -> Result<ColumnExpectation, SettingsError> {
    let config = match config {
        ColumnConfig::Type(data_type) => &ColumnFullConfig {
            data_type: Some(data_type.clone()),
            ..ColumnFullConfig::default()
        },
        ColumnConfig::Full(config) => config,
    };
    let default = match (&config.default, config.no_default) {
        (Some(_), true) => {
            return Err(document.error_at_key(path, "a column has both `default` and `no_default`"));
        }
        (Some(default), false) => Some(DefaultExpectation::Is(default.clone())),
        (None, true) => Some(DefaultExpectation::Absent),
        (None, false) => None,
    };
    Ok(ColumnExpectation {
        data_type: config.data_type.clone(),
        nullable: config.nullable,
        default,
    })
}

fn resolve_assertions(
    document: &Document<'_>,
    scope: Scope,
    config: &ScopeExpectConfig,
) -> Result<Vec<Assertion>, SettingsError> {
    let mut assertions: Vec<Assertion> = Vec::new();
    for (index, assertion) in config.assertions.iter().enumerate() {
        let index = index.to_string();
        let error = |key, message: &str| {
            document.error(
                &["expect", scope.as_str(), "assertions", &index, key],
                message.to_owned(),
            )
        };
        if assertion.name.trim().is_empty() {
            return Err(error("name", "an assertion's `name` is empty"));
        }
        if assertion.sql.trim().is_empty() {
            return Err(error("sql", "an assertion's `sql` is empty"));
        }
        if assertions.iter().any(|known| known.name == assertion.name) {
            return Err(error("name", "two assertions have this name"));
        }
        assertions.push(Assertion {
            name: assertion.name.clone(),
            sql: assertion.sql.clone(),
            equals: assertion.equals.0.clone(),
        });
    }
    Ok(assertions)
}

fn resolve_thresholds(
    document: &Document<'_>,
    scope: Scope,
    config: &[ThresholdConfig],
) -> Result<Vec<Threshold>, SettingsError> {
    let mut thresholds: Vec<Threshold> = Vec::new();
    for (index, threshold) in config.iter().enumerate() {
        let index = index.to_string();
        let path = |key| ["expect", scope.as_str(), "thresholds", index.as_str(), key];
        let error = |key, message: &str| document.error(&path(key), message.to_owned());
        let ThresholdConfig {
            name,
            sql,
            warn,
            fail,
            warn_below,
            fail_below,
        } = threshold;
        if name.trim().is_empty() {
            return Err(error("name", "a threshold's `name` is empty"));
        }
        if sql.trim().is_empty() {
            return Err(error("sql", "a threshold's `sql` is empty"));
        }
        if thresholds.iter().any(|known| known.name == *name) {
            return Err(error("name", "two thresholds have this name"));
        }
        let limits = [warn, fail, warn_below, fail_below];
        if limits.iter().all(|it| it.is_none()) {
            return Err(error("name", "a threshold has no limit")
                .hint("give one or more of `warn`, `fail`, `warn_below` and `fail_below`"));
        }
        if limits.iter().any(|it| it.is_some_and(|it| !it.is_finite())) {
            return Err(error("name", "a threshold's limit is no number"));
        }
        if warn.zip(*fail).is_some_and(|(warn, fail)| warn > fail) {
            return Err(error(
                "warn",
                "`warn` is more than `fail`: it would never be told",
            ));
        }
        if warn_below
            .zip(*fail_below)
            .is_some_and(|(warn, fail)| warn < fail)
        {
            return Err(error(
                "warn_below",
                "`warn_below` is less than `fail_below`: it would never be told",
            ));
        }
        thresholds.push(Threshold {
            name: name.clone(),
            sql: sql.clone(),
            warn: *warn,
            fail: *fail,
            warn_below: *warn_below,
            fail_below: *fail_below,
        });
    }
    Ok(thresholds)
}

/// `true`, `false` or `"forced"`.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowSecurityConfig(pub(super) RowSecurity);

impl Serialize for RowSecurityConfig {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            RowSecurity::Off => serializer.serialize_bool(false),
            RowSecurity::On => serializer.serialize_bool(true),
            RowSecurity::Forced => serializer.serialize_str("forced"),
        }
    }
}

impl<'de> Deserialize<'de> for RowSecurityConfig {
    /// By hand, since serde's untagged enums lose the place of an error.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = RowSecurityConfig;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false or \"forced\"")
            }

            fn visit_bool<E>(self, on: bool) -> Result<RowSecurityConfig, E> {
                Ok(RowSecurityConfig(if on {
                    RowSecurity::On
                } else {
                    RowSecurity::Off
                }))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<RowSecurityConfig, E> {
                match text {
                    "forced" => Ok(RowSecurityConfig(RowSecurity::Forced)),
                    other => Err(E::invalid_value(serde::de::Unexpected::Str(other), &self)),
                }
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for RowSecurityConfig {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RowSecurity".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "enum": [true, false, "forced"] })
    }
}
