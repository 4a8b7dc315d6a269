//! The tenant column, and keys that leave it out.

use crate::domain::Finding;
use crate::engine::row_security::{RowFacts, TableFacts};
use crate::settings::RowTenancy;

use super::{is_global, is_global_name, named, table};

/// NOT NULL, and a part of unique and foreign keys.
pub(super) fn columns(facts: &RowFacts, tenancy: &RowTenancy) -> Vec<Finding> {
    let mut findings = Vec::new();
    let tenants = |it: &&TableFacts| !it.partition && !is_global(tenancy, it);
    for it in facts.tables.iter().filter(tenants) {
        let Some(column) = &it.column else { continue };
        let name = format!("{}.{}", table(it), it.key);
        if !column.not_null {
            let hint =
                "a row without it is nobody's, or everybody's: ALTER TABLE … ALTER COLUMN … SET NOT NULL";
            findings.push(Finding::error(format!("{name} may be NULL")).hint(hint));
        }
        if !column.indexed && it.kind != "f" {
            findings.push(Finding::note(format!(
                "no index begins with {name}: every query of a tenant reads all tenants' rows"
            )));
        }
    }
    let key = |schema: &str, name: &str| {
        let of = |it: &&TableFacts| it.schema == schema && it.name == name;
        let found = facts.tables.iter().find(of);
        found.map_or_else(|| "the tenant column".to_owned(), |it| it.key.clone())
    };
    let everybodys = |schema: &str, name: &str| is_global_name(tenancy, schema, name);
    let uniques = facts.uniques.iter().filter(|it| !it.has_key && !it.surrogate);
    for it in uniques.filter(|it| !everybodys(&it.schema, &it.table)) {
        let (table, key) = (named(&it.schema, &it.table), key(&it.schema, &it.table));
        findings.push(
            Finding::warning(format!(
                "{} of {table} is unique over all tenants, without {key}",
                it.name
            ))
            .hint(format!(
                "an INSERT that fails tells what others have: put {key} into the key"
            )),
        );
    }
    let keys = facts.foreign_keys.iter().filter(|it| !it.has_key);
    for it in keys.filter(|it| !everybodys(&it.schema, &it.table) && !everybodys(&it.schema, &it.parent)) {
        let (table, key) = (named(&it.schema, &it.table), key(&it.schema, &it.table));
        findings.push(
            Finding::warning(format!(
                "{} of {table} may point at another tenant's row of {}",
                it.name, it.parent
            ))
            .hint(format!(
                "foreign keys pass policies by: make it (…, {key}), and ({key}, …) UNIQUE in {}",
                it.parent
            )),
        );
    }
    findings
}
