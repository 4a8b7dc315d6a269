//! Tables, columns, indexes and foreign keys by name, against what is there.

use crate::database_url::EngineKind;
use crate::domain::words::listed;
use crate::domain::{Check, Finding, RowSecurity, TenantName};
use crate::engine::{FoundColumn, FoundTable};
use crate::settings::{ColumnExpectation, DefaultExpectation, ScopeExpectations, TableExpectation};

use super::types::{same_default, same_type};
use super::{COLUMNS, FOREIGN_KEYS, INDEXES, ROW_SECURITY, TABLES};

/// Whose tables are compared: a tenant's, or the shared schema's.
pub type Place<'a> = Option<&'a TenantName>;

/// One check for tables, columns, indexes and foreign keys each, over all places; and one for row-level security
/// where any is expected.
pub fn compare_tables(
    kind: EngineKind,
    places: &[(Place<'_>, &ScopeExpectations, Vec<FoundTable>)],
) -> Vec<Check> {
    let mut found = Found {
        kind,
        ..Found::default()
    };
    for (place, expected, tables) in places {
        for (name, table) in &expected.tables {
            match tables.iter().find(|it| it.name == *name) {
                Some(there) => found.table(*place, name, table, there),
                None => found
                    .tables
                    .push(at(*place, Finding::error(format!("table `{name}` is missing")))),
            }
        }
    }
    let mut checks = vec![
        Check::answered(&TABLES, found.tables),
        Check::answered(&COLUMNS, found.columns),
        Check::answered(&INDEXES, found.indexes),
        Check::answered(&FOREIGN_KEYS, found.foreign_keys),
    ];
    if places
        .iter()
        .any(|(_, expected, _)| expected.names_row_security())
    {
        checks.push(Check::answered(&ROW_SECURITY, found.row_security));
    }
    checks
}

struct Found {
    kind: EngineKind,
    tables: Vec<Finding>,
    columns: Vec<Finding>,
    indexes: Vec<Finding>,
    foreign_keys: Vec<Finding>,
    row_security: Vec<Finding>,
}

impl Default for Found {
    fn default() -> Self {
        let none = Vec::new;
        Self {
            kind: EngineKind::Postgres,
            tables: none(),
            columns: none(),
            indexes: none(),
            foreign_keys: none(),
            row_security: none(),
        }
    }
}

impl Found {
    fn table(&mut self, place: Place<'_>, name: &str, expected: &TableExpectation, found: &FoundTable) {
        for (column, expected) in &expected.columns {
            match found.columns.iter().find(|it| it.name == *column) {
                None => self.columns.push(at(
                    place,
                    Finding::error(format!("column `{name}.{column}` is missing")),
                )),
                Some(there) => {
                    let wrong = differences(self.kind, expected, there);
                    if !wrong.is_empty() {
                        let message = format!("column `{name}.{column}` is {}", wrong.join("; "));
                        self.columns.push(at(place, Finding::error(message)));
                    }
                }
            }
        }
        self.indexes
            .extend(missing(place, name, "index", &expected.indexes, &found.indexes));
        self.foreign_keys.extend(missing(
            place,
            name,
            "foreign key",
            &expected.foreign_keys,
            &found.foreign_keys,
        ));
        self.row_security(place, name, expected, found);
    }

    fn row_security(
        &mut self,
        place: Place<'_>,
        name: &str,
        expected: &TableExpectation,
        found: &FoundTable,
    ) {
        let is_right = |wanted: RowSecurity| match wanted {
            RowSecurity::Off => found.row_security == wanted,
            // What is forced is on.
            RowSecurity::On | RowSecurity::Forced => found.row_security >= wanted,
        };
        if let Some(wanted) = expected.row_security.filter(|wanted| !is_right(*wanted)) {
            let finding = Finding::error(format!(
                "row-level security of `{name}` is {}, expected {}",
                found.row_security.as_str(),
                wanted.as_str()
            ));
            self.row_security.push(at(place, finding));
        }
        let wanted = &expected.policies;
        self.row_security
            .extend(missing(place, name, "policy", wanted, &found.policies));
    }
}

fn at(place: Place<'_>, finding: Finding) -> Finding {
    match place {
        Some(tenant) => finding.tenant(tenant),
        None => finding,
    }
}

fn missing(
    place: Place<'_>,
    table: &str,
    what: &str,
    expected: &[String],
    found: &[String],
) -> Option<Finding> {
    let missing: Vec<&String> = expected.iter().filter(|name| !found.contains(name)).collect();
    let message = format!("{what} of `{table}` missing: {}", listed(&missing, 10));
    (!missing.is_empty()).then(|| at(place, Finding::error(message)))
}

fn differences(kind: EngineKind, expected: &ColumnExpectation, found: &FoundColumn) -> Vec<String> {
    let mut wrong = Vec::new();
    if let Some(wanted) = &expected.data_type
        && !same_type(kind, wanted, &found.data_type)
    {
        wrong.push(format!("{}, expected {wanted}", found.data_type));
    }
    match (expected.nullable, found.nullable) {
        (Some(false), true) => wrong.push("nullable, expected NOT NULL".to_owned()),
        (Some(true), false) => wrong.push("NOT NULL, expected nullable".to_owned()),
        _ => {}
    }
    match (&expected.default, &found.default) {
        (None, _) | (Some(DefaultExpectation::Absent), None) => {}
        (Some(DefaultExpectation::Is(wanted)), Some(there)) if same_default(wanted, there) => {}
        (Some(DefaultExpectation::Absent), Some(there)) => {
            wrong.push(format!("with default {there}, expected none"));
        }
        (Some(DefaultExpectation::Is(wanted)), there) => {
            let there = there.as_deref().unwrap_or("no default");
            wrong.push(format!("with default {there}, expected {wanted}"));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::CheckStatus;

    fn expected() -> ScopeExpectations {
        let column = ColumnExpectation {
            data_type: Some("numeric(12,2)".into()),
            nullable: Some(false),
            default: Some(DefaultExpectation::Is("0".into())),
        };
        let orders = TableExpectation {
            columns: [("total".to_owned(), column)].into(),
            indexes: vec!["orders_created".into()],
            foreign_keys: vec!["orders_customer".into()],
            row_security: Some(RowSecurity::On),
            policies: vec!["own".into()],
        };
        ScopeExpectations {
            tables: [("orders".to_owned(), orders)].into(),
            ..ScopeExpectations::default()
        }
    }

    fn orders(data_type: &str, nullable: bool, default: Option<&str>) -> FoundTable {
        FoundTable {
            name: "orders".into(),
            columns: vec![FoundColumn {
                name: "total".into(),
                data_type: data_type.into(),
                nullable,
                default: default.map(str::to_owned),
            }],
            indexes: vec!["orders_created".into(), "orders_pkey".into()],
            foreign_keys: vec!["orders_customer".into()],
            row_security: RowSecurity::Forced,
            policies: vec!["own".into()],
        }
    }

    fn compare(tables: Vec<FoundTable>) -> Vec<(CheckStatus, Vec<String>)> {
        let expected = expected();
        let checks = compare_tables(EngineKind::Postgres, &[(None, &expected, tables)]);
        let messages = |check: Check| {
            (
                check.status,
                check.findings.into_iter().map(|it| it.message).collect(),
            )
        };
        checks.into_iter().map(messages).collect()
    }

    #[test]
    fn what_is_as_expected_passes_all() {
        let all = compare(vec![orders("numeric(12,2)", false, Some("0"))]);
        assert!(
            all.iter().all(|(status, _)| *status == CheckStatus::Passed),
            "{all:?}"
        );
    }

    #[test]
    fn each_difference_is_named() {
        let mut wrong = orders("numeric(10,2)", true, None);
        wrong.indexes.clear();
        wrong.foreign_keys.clear();
        wrong.policies.clear();
        wrong.row_security = RowSecurity::Off;
        let all = compare(vec![wrong]);
        assert_eq!(
            all[1].1,
            [
                "column `orders.total` is numeric(10,2), expected numeric(12,2); nullable, expected NOT NULL; with default no default, expected 0"
            ]
        );
        assert_eq!(all[2].1, ["index of `orders` missing: orders_created"]);
        assert_eq!(all[3].1, ["foreign key of `orders` missing: orders_customer"]);
        assert_eq!(
            all[4].1,
            [
                "row-level security of `orders` is off, expected on",
                "policy of `orders` missing: own"
            ]
        );
        assert_eq!(compare(vec![])[0].1, ["table `orders` is missing"]);
        assert_eq!(
            compare(vec![FoundTable {
                name: "orders".into(),
                ..FoundTable::default()
            }])[1]
                .1,
            ["column `orders.total` is missing"]
        );
    }
}
