//! The tenant column, and keys that leave it out.

use crate::domain::Finding;
use crate::engine::row_security::RowFacts;

use super::{named, table};

/// NOT NULL, and a part of unique and foreign keys.
pub(super) fn columns(facts: &RowFacts) -> Vec<Finding> {
    let mut findings = Vec::new();
    for it in facts.tables.iter().filter(|it| !it.partition) {
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
        let of = |it: &&crate::engine::row_security::TableFacts| it.schema == schema && it.name == name;
        let found = facts.tables.iter().find(of);
        found.map_or_else(|| "the tenant column".to_owned(), |it| it.key.clone())
    };
    for it in facts.uniques.iter().filter(|it| !it.has_key && !it.surrogate) {
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
    for it in facts.foreign_keys.iter().filter(|it| !it.has_key) {
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
