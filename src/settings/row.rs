//! Mode `row`: tenants share tables, and row-level security keeps their rows apart.

use super::config::{Config, ModeConfig, TenancyConfig};
use super::document::Document;
use super::error::SettingsError;
use super::globs::resolve_globs;
use super::{Expectations, Rollout, RowTenancy, ScopeExpectations};

/// Absent in the other modes, which refuse its keys.
pub(super) fn resolve_row(
    document: &Document<'_>,
    config: &TenancyConfig,
) -> Result<Option<RowTenancy>, SettingsError> {
    if config.mode != ModeConfig::Row {
        return refuse_keys(document, config).map(|()| None);
    }
    refuse_other_modes(document, config)?;
    let needed = |key: &str, hint: &str| {
        let message = format!("mode \"row\" needs the key `{key}`");
        document
            .error_at_key(&["tenancy", "mode"], message)
            .hint(hint.to_owned())
    };
    let column = config.column.clone().ok_or_else(|| {
        needed(
            "column",
            "the column that says whose a row is: column = \"tenant_id\"",
        )
    })?;
    let role = config.serving_role.clone().ok_or_else(|| {
        needed(
            "serving_role",
            "the role as which the application is connected, whom the policies are for: serving_role = \"app\"",
        )
    })?;
    if role.contains("{tenant}") {
        let message =
            "`serving_role` contains {tenant}, and in mode \"row\" all tenants are served by one role";
        return Err(document.error(&["tenancy", "serving_role"], message));
    }
    if let Some(context) = &config.context
        && !context.contains("{tenant}")
    {
        return Err(document
            .error(&["tenancy", "context"], "`context` does not contain {tenant}")
            .hint("{tenant} becomes the tenant's key, quoted: SET LOCAL app.tenant_id = {tenant}"));
    }
    let schemas = if config.schemas.is_empty() {
        vec![config.shared_schema.clone()]
    } else {
        config.schemas.clone()
    };
    let names = std::iter::once((vec!["column"], &column))
        .chain(
            config
                .columns
                .iter()
                .map(|(table, name)| (vec!["columns", table.as_str()], name)),
        )
        .chain(schemas.iter().map(|name| (vec!["schemas"], name)));
    for (key, name) in names {
        if name.trim().is_empty() {
            let path: Vec<&str> = std::iter::once("tenancy").chain(key).collect();
            return Err(document.error(&path, format!("`{}` has an empty name", path[1])));
        }
    }
    Ok(Some(RowTenancy {
        column,
        columns: config.columns.clone(),
        role,
        context: config.context.clone(),
        schemas,
        global_tables: resolve_globs(document, ["tenancy", "global_tables"], &config.global_tables)?,
        trusted_functions: resolve_globs(
            document,
            ["tenancy", "trusted_functions"],
            &config.trusted_functions,
        )?,
    }))
}

fn refuse_keys(document: &Document<'_>, config: &TenancyConfig) -> Result<(), SettingsError> {
    let given = [
        ("column", config.column.is_some()),
        ("columns", !config.columns.is_empty()),
        ("context", config.context.is_some()),
        ("schemas", !config.schemas.is_empty()),
        ("global_tables", !config.global_tables.is_empty()),
        ("trusted_functions", !config.trusted_functions.is_empty()),
    ];
    match given.iter().find(|(_, given)| *given) {
        Some((key, _)) => {
            let message = format!("`{key}` belongs to mode \"row\"");
            Err(document.error_at_key(&["tenancy", key], message))
        }
        None => Ok(()),
    }
}

fn refuse_other_modes(document: &Document<'_>, config: &TenancyConfig) -> Result<(), SettingsError> {
    let given = [
        ("schema", config.schema.is_some(), "say `schemas`"),
        ("database", config.database.is_some(), "take it out"),
        (
            "ignore",
            !config.ignore.is_empty(),
            "it names schemas; tables that are everybody's are named in `global_tables`",
        ),
    ];
    match given.iter().find(|(_, given, _)| *given) {
        Some((key, _, hint)) => {
            let message = format!("`{key}` has no place in mode \"row\"");
            Err(document
                .error_at_key(&["tenancy", key], message)
                .hint((*hint).to_owned()))
        }
        None => Ok(()),
    }
}

/// What is done tenant by tenant: in shared tables there is nothing that one of them has alone.
pub(super) fn refuse_what_is_one_tenants(
    document: &Document<'_>,
    config: &Config,
    rollout: &Rollout,
    expect: &Expectations,
) -> Result<(), SettingsError> {
    let refused = |path: &[&str], what: &str, hint: &str| {
        let message = format!("{what}, and in mode \"row\" tenants share their tables");
        Err(document.error_at_key(path, message).hint(hint.to_owned()))
    };
    if config.migrations.tenant.is_some() {
        return refused(
            &["migrations", "tenant"],
            "`tenant` is a folder of migrations that each tenant gets",
            "all migrations are `shared`",
        );
    }
    if !rollout.canary.is_empty() {
        return refused(
            &["rollout", "canary"],
            "`canary` names tenants that are migrated before others",
            "take it out",
        );
    }
    if !rollout.waves.is_empty() {
        return refused(
            &["rollout", "waves"],
            "[[rollout.waves]] are groups of tenants that are migrated in turn",
            "take them out",
        );
    }
    if expect.tenant != ScopeExpectations::default() {
        return refused(
            &["expect", "tenant"],
            "[expect.tenant] is about tables that each tenant has",
            "say [expect.shared]",
        );
    }
    for (name, environment) in &config.environments {
        if !environment.servers.is_empty() {
            return refused(
                &["environments", name, "servers"],
                "`servers` are other servers that tenants are on",
                "take them out",
            );
        }
    }
    Ok(())
}
