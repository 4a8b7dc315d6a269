//! A guess at the query that gives the tenants.

use regex::Regex;

use crate::database_url::EngineKind;

use super::tree::Tree;
use super::{Layout, Registry};

/// The likeliest first.
const TABLES: &[&str] = &[
    "tenants",
    "tenant",
    "tenants_client",
    "tenants_tenant",
    "clients",
    "organisations",
    "organizations",
    "companies",
    "workspaces",
    "accounts",
    "customers",
];
const NAMES: &[&str] = &[
    "schema_name",
    "database_name",
    "slug",
    "subdomain",
    "name",
    "code",
];
const ACTIVE: &[&str] = &["is_active", "active", "enabled"];

pub(super) fn guess(tree: &Tree, layout: &Layout, engine: EngineKind) -> Registry {
    from_django(tree)
        .or_else(|| from_sql(tree, layout))
        .unwrap_or_else(|| Registry {
            sql: match engine {
                EngineKind::Postgres => "SELECT schema_name AS tenant FROM public.tenants".to_owned(),
                EngineKind::Mysql | EngineKind::Sqlite => "SELECT name AS tenant FROM tenants".to_owned(),
            },
            because: None,
        })
}

/// django-tenants: `TENANT_MODEL = "tenants.Client"` is the table `tenants_client`.
fn from_django(tree: &Tree) -> Option<Registry> {
    let pattern = Regex::new(r#"(?m)^\s*TENANT_MODEL\s*=\s*["'](\w+)\.(\w+)["']"#).ok()?;
    let settings = tree
        .files
        .iter()
        .filter(|file| file.ends_with(".py") && file.contains("settings"));
    settings.into_iter().find_map(|file| {
        let text = tree.text(file)?;
        let model = pattern.captures(&text)?;
        let table = format!("{}_{}", &model[1], &model[2]).to_lowercase();
        Some(Registry {
            // django-tenants' own schema is a row, too.
            sql: format!("SELECT schema_name AS tenant FROM public.{table} WHERE schema_name <> 'public'"),
            because: Some(format!("{file}: TENANT_MODEL")),
        })
    })
}

fn from_sql(tree: &Tree, layout: &Layout) -> Option<Registry> {
    let pattern =
        Regex::new(r#"(?is)\bcreate\s+table\s+(?:if\s+not\s+exists\s+)?([\w."`]+)\s*\((.*?)\n\s*\)"#).ok()?;
    let folders = [layout.shared.as_deref(), layout.tenant.as_deref()];
    let mut best: Option<(usize, Registry)> = None;
    for folder in folders.into_iter().flatten() {
        let inside = |file: &&String| {
            file.strip_prefix(folder)
                .is_some_and(|rest| rest.starts_with('/'))
        };
        for file in tree
            .files
            .iter()
            .filter(inside)
            .filter(|file| file.ends_with(".sql"))
        {
            let text = tree.text(file).unwrap_or_default();
            for table in pattern.captures_iter(&text) {
                let Some((rank, sql)) = query(&table[1], &table[2]) else {
                    continue;
                };
                if best.as_ref().is_none_or(|(known, _)| rank < *known) {
                    let because = Some(format!("{file}: CREATE TABLE {}", unquoted(&table[1])));
                    best = Some((rank, Registry { sql, because }));
                }
            }
        }
    }
    best.map(|(_, registry)| registry)
}

fn unquoted(name: &str) -> String {
    name.replace(['"', '`'], "")
}

fn query(table: &str, body: &str) -> Option<(usize, String)> {
    let table = unquoted(table);
    let bare = table.rsplit('.').next()?.to_lowercase();
    let rank = TABLES.iter().position(|known| *known == bare)?;
    let columns: Vec<String> = body
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .map(|word| unquoted(word).to_lowercase())
        .collect();
    let first = |known: &[&str]| {
        let known = known
            .iter()
            .find(|known| columns.iter().any(|column| column == *known));
        known.map(|column| (*column).to_owned())
    };
    let name = first(NAMES)?;
    let active = first(ACTIVE).map(|column| match column.as_str() {
        "active" => ", active".to_owned(),
        _ => format!(", {column} AS active"),
    });
    let active = active.unwrap_or_default();
    let name = if name == "tenant" {
        name
    } else {
        format!("{name} AS tenant")
    };
    Some((rank, format!("SELECT {name}{active} FROM {table}")))
}
