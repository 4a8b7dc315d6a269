//! What the schemas must look like.

use crate::domain::Scope;

use super::config::{ColumnConfig, ColumnFullConfig, ExpectConfig, ScopeExpectConfig, TableExpectConfig};
use super::document::Document;
use super::error::SettingsError;
use super::{
    Assertion, ColumnExpectation, DefaultExpectation, Expectations, ScopeExpectations, TableExpectation,
};

pub(super) fn resolve_expectations(
    document: &Document<'_>,
    config: &ExpectConfig,
) -> Result<Expectations, SettingsError> {
    Ok(Expectations {
        shared: resolve_scope(document, Scope::Shared, &config.shared)?,
        tenant: resolve_scope(document, Scope::Tenant, &config.tenant)?,
    })
}

fn resolve_scope(
    document: &Document<'_>,
    scope: Scope,
    config: &ScopeExpectConfig,
) -> Result<ScopeExpectations, SettingsError> {
    let tables = config.tables.iter().map(|(name, table)| {
        let path = ["expect", scope.as_str(), "tables", name];
        Ok((name.clone(), resolve_table(document, path, table)?))
    });
    Ok(ScopeExpectations {
        tables: tables.collect::<Result<_, SettingsError>>()?,
        assertions: resolve_assertions(document, scope, config)?,
    })
}

fn resolve_table(
    document: &Document<'_>,
    [expect, scope, tables, table]: [&str; 4],
    config: &TableExpectConfig,
) -> Result<TableExpectation, SettingsError> {
    let columns = config.columns.iter().map(|(name, column)| {
        let path = [expect, scope, tables, table, "columns", name];
        Ok((name.clone(), resolve_column(document, &path, column)?))
    });
    Ok(TableExpectation {
        columns: columns.collect::<Result<_, SettingsError>>()?,
        indexes: config.indexes.clone(),
        foreign_keys: config.foreign_keys.clone(),
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
