//! Are the rows of tenants kept apart that share tables? Pure judging of what the catalog says, and of what
//! was tried.

mod columns;
mod expression;
mod policies;
mod roles;
mod trial;
mod views;

use crate::domain::{Check, CheckDefinition};
use crate::engine::row_security::{RowFacts, RowQuestion, TableFacts};
use crate::settings::RowTenancy;

pub use trial::{nothing_tried, to_try, tried};

pub const ROLE: CheckDefinition = CheckDefinition {
    id: "isolation.row-role",
    title: "the serving role is bound by row-level security",
};
pub const SECURITY: CheckDefinition = CheckDefinition {
    id: "isolation.row-security",
    title: "row-level security is on and forced on every tenant table",
};
pub const POLICIES: CheckDefinition = CheckDefinition {
    id: "isolation.row-policies",
    title: "every policy asks whose row it is",
};
pub const COLUMNS: CheckDefinition = CheckDefinition {
    id: "isolation.row-columns",
    title: "every row says whose it is, and keys do not reach across tenants",
};
pub const GRANTS: CheckDefinition = CheckDefinition {
    id: "isolation.row-grants",
    title: "the serving role has no privilege that passes the policies by",
};
pub const VIEWS: CheckDefinition = CheckDefinition {
    id: "isolation.row-views",
    title: "no view shows rows past the policies",
};
pub const FUNCTIONS: CheckDefinition = CheckDefinition {
    id: "isolation.row-functions",
    title: "no function gives rows past the policies",
};
pub const TRY: CheckDefinition = CheckDefinition {
    id: "isolation.row-try",
    title: "acting as one tenant reaches no other's rows",
};

pub const CHECKS: &[CheckDefinition] = &[ROLE, SECURITY, POLICIES, COLUMNS, GRANTS, VIEWS, FUNCTIONS, TRY];

/// What is asked of the catalog.
pub fn question(tenancy: &RowTenancy) -> RowQuestion {
    RowQuestion {
        schemas: tenancy.schemas.clone(),
        column: tenancy.column.clone(),
        columns: tenancy.columns.clone(),
        role: tenancy.role.clone(),
    }
}

/// All that the catalog answers; trying is apart.
pub fn judge(facts: &RowFacts, tenancy: &RowTenancy) -> Vec<Check> {
    vec![
        Check::answered(&ROLE, roles::bound(facts, tenancy)),
        Check::answered(&SECURITY, policies::security(facts, tenancy)),
        Check::answered(&POLICIES, policies::policies(facts, tenancy)),
        Check::answered(&COLUMNS, columns::columns(facts, tenancy)),
        Check::answered(&GRANTS, roles::grants(facts, tenancy)),
        Check::answered(&VIEWS, views::views(facts)),
        Check::answered(&FUNCTIONS, views::functions(facts, tenancy)),
    ]
}

/// `public` is left out of names, as most people do.
fn named(schema: &str, name: &str) -> String {
    match schema {
        "public" => name.to_owned(),
        _ => format!("{schema}.{name}"),
    }
}

fn table(table: &TableFacts) -> String {
    named(&table.schema, &table.name)
}

/// Everybody's on purpose, by its name or with its schema's.
fn is_global(tenancy: &RowTenancy, table: &TableFacts) -> bool {
    is_global_name(tenancy, &table.schema, &table.name)
}

fn is_global_name(tenancy: &RowTenancy, schema: &str, name: &str) -> bool {
    let globs = &tenancy.global_tables;
    globs.is_match(name) || globs.is_match(format!("{schema}.{name}"))
}
