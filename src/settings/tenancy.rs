//! How tenants are separated and found.

use crate::domain::TenantName;

use super::config::{ModeConfig, TenancyConfig};
use super::document::Document;
use super::error::SettingsError;
use super::globs::resolve_globs;
use super::rollout::NumberOrText;
use super::row::resolve_row;
use super::{MaxChange, Tenancy, TenancyMode};

pub(super) fn resolve_tenancy(
    document: &Document<'_>,
    config: &TenancyConfig,
) -> Result<Tenancy, SettingsError> {
    let mode = match config.mode {
        ModeConfig::Schema => TenancyMode::Schema,
        ModeConfig::Database => TenancyMode::Database,
        ModeConfig::Row => TenancyMode::Row,
    };
    let optional_texts = [
        ("registry", Some(&config.registry)),
        ("ensure_sql", config.ensure_sql.as_ref()),
        ("shared_schema", Some(&config.shared_schema)),
        ("ledger", config.ledger.as_ref()),
        ("serving_role", config.serving_role.as_ref()),
        ("domains", config.domains.as_ref()),
    ];
    for (key, text) in optional_texts {
        if text.is_some_and(|text| text.trim().is_empty()) {
            return Err(document.error(&["tenancy", key], format!("`{key}` is empty")));
        }
    }
    if let Some(sql) = &config.ensure_sql
        && !sql.contains("{tenant}")
    {
        return Err(document
            .error(&["tenancy", "ensure_sql"], "`ensure_sql` does not contain {tenant}")
            .hint("{tenant} becomes the tenant's name, quoted: INSERT INTO clients (schema_name) VALUES ({tenant})"));
    }
    Ok(Tenancy {
        mode,
        registry: config.registry.clone(),
        ensure: resolve_tenants(document, ["tenancy", "ensure"], &config.ensure)?,
        ensure_sql: config.ensure_sql.clone(),
        location: resolve_location(document, mode, config)?,
        shared_schema: config.shared_schema.clone(),
        ledger: config.ledger.clone(),
        ignore: resolve_globs(document, ["tenancy", "ignore"], &config.ignore)?,
        serving_role: config.serving_role.clone(),
        row: resolve_row(document, config)?,
        min: config.min,
        max_change: resolve_max_change(document, config.max_change.as_ref())?,
        domains: config.domains.clone(),
    })
}

fn resolve_max_change(
    document: &Document<'_>,
    value: Option<&NumberOrText>,
) -> Result<Option<MaxChange>, SettingsError> {
    let wrong = |message: &str| {
        let error = document.error(&["tenancy", "max_change"], message);
        error.hint("a number of tenants, or a percentage of those that there were, such as \"20%\"")
    };
    match value {
        None => Ok(None),
        Some(NumberOrText::Number(number)) => usize::try_from(*number)
            .map(|number| Some(MaxChange::Count(number)))
            .map_err(|_| wrong("`max_change` is less than 0")),
        Some(NumberOrText::Text(text)) => {
            let percent = text.trim().strip_suffix('%');
            let percent: Option<f64> = percent.and_then(|text| text.trim().parse().ok());
            percent
                .filter(|it| it.is_finite() && *it >= 0.0)
                .map(|it| Some(MaxChange::Percent(it)))
                .ok_or_else(|| wrong("`max_change` is neither a number nor a percentage"))
        }
    }
}

fn resolve_location(
    document: &Document<'_>,
    mode: TenancyMode,
    config: &TenancyConfig,
) -> Result<String, SettingsError> {
    let (key, template, foreign) = match mode {
        TenancyMode::Schema => ("schema", &config.schema, ("database", &config.database)),
        TenancyMode::Database => ("database", &config.database, ("schema", &config.schema)),
        // All of them are in one place; which, `schemas` says.
        TenancyMode::Row => return Ok(config.shared_schema.clone()),
    };
    if let (other, Some(_)) = foreign {
        let message = format!("`{other}` belongs to mode \"{other}\", but the mode is \"{key}\"");
        return Err(document.error_at_key(&["tenancy", other], message));
    }
    let template = match (mode, template) {
        (_, Some(template)) => template.as_str(),
        (TenancyMode::Schema | TenancyMode::Row, None) => "{tenant}",
        (TenancyMode::Database, None) => {
            return Err(document
                .error_at_key(&["tenancy", "mode"], "mode \"database\" needs the key `database`")
                .hint(
                    "say how a tenant's database is called: database = \"app_{tenant}\", or its file beside the \
                     shared one: database = \"tenants/{tenant}.db\"",
                ));
        }
    };
    let rest = template.replace("{tenant}", "");
    if rest == template {
        return Err(document
            .error(
                &["tenancy", key],
                format!("`{key}` does not contain {{tenant}}: all tenants would be one"),
            )
            .hint(format!("such as {key} = \"app_{{tenant}}\"")));
    }
    // `{shared}` lets environments share one server: each names its tenants' databases after its own.
    let rest = if mode == TenancyMode::Database {
        rest.replace("{shared}", "")
    } else {
        rest
    };
    if rest.contains(['{', '}']) {
        let message = format!("`{key}` has a brace that is not of {{tenant}} or {{shared}}");
        return Err(document.error(&["tenancy", key], message));
    }
    Ok(template.to_owned())
}

/// Each name once, in the order given.
pub(super) fn resolve_tenants(
    document: &Document<'_>,
    path: [&str; 2],
    names: &[String],
) -> Result<Vec<TenantName>, SettingsError> {
    let mut tenants = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let index = index.to_string();
        let tenant = TenantName::parse(name).map_err(|invalid| {
            let message = format!("`{}` has an item that is no tenant's name: {invalid}", path[1]);
            document.error(&[path[0], path[1], &index], message)
        })?;
        if !tenants.contains(&tenant) {
            tenants.push(tenant);
        }
    }
    Ok(tenants)
}
