//! Drift, said as a person would.

use crate::domain::words::{clip, count};
use crate::domain::{
    Change, Check, Difference, EnvironmentName, ExpectedFrom, Finding, Fingerprint, Object, ObjectKind,
    ServerName, Severity, Tenant,
};
use crate::engine::Unseen;

use super::super::{DRIFT_ENVIRONMENT, DRIFT_SHARED};
use super::Groups;

/// Differences on one line; more of them stand on lines of their own.
const ON_ONE_LINE: usize = 3;
/// Differences that a finding names, and how much of each. Each tenant of a group has the whole text.
const NAMED: usize = 100;
const CLIPPED: usize = 600;
/// The same in a group of many.
const NAMED_OF_MANY: usize = 10;
const CLIPPED_OF_MANY: usize = 200;
const MANY: usize = 100;
/// Tenants of one group whose findings carry SQL.
const WITH_SQL: usize = 20;

/// How findings are told.
#[derive(Debug, Clone, Copy)]
pub struct Told {
    pub severity: Severity,
    pub expected: ExpectedFrom,
}

impl Told {
    fn finding(self, message: String) -> Finding {
        let mut finding = Finding::error(message);
        finding.severity = self.severity;
        finding
    }

    fn hint(self, everybody: bool) -> &'static str {
        match self.expected {
            ExpectedFrom::Largest => {
                "it is not what most tenants are; read the SQL that would mend it before you run it"
            }
            ExpectedFrom::Snapshot if everybody => {
                "every tenant differs so: is the snapshot older than the migrations? `tenantgate snapshot` writes it anew"
            }
            _ if everybody => {
                "every tenant differs so: was a migration edited, or everything changed by hand? What is right belongs into a migration"
            }
            ExpectedFrom::Snapshot => {
                "it is not what the snapshot says; read the SQL that would mend it before you run it, or write the snapshot anew"
            }
            ExpectedFrom::Migrations => {
                "it is not what the migrations make; read the SQL that would mend it before you run it"
            }
        }
    }
}

/// `index `by_total` of `orders` is missing; extra table `junk``.
fn sentence(differences: &[Difference], tenants: usize) -> String {
    let (most, clipped) = match tenants {
        0..=MANY => (NAMED, CLIPPED),
        _ => (NAMED_OF_MANY, CLIPPED_OF_MANY),
    };
    let named: Vec<String> = differences
        .iter()
        .take(most)
        .map(|it| clip(&it.to_string(), clipped))
        .collect();
    let more = match differences.len().saturating_sub(most) {
        0 => String::new(),
        more => format!("\n  and {more} more"),
    };
    if differences.len() <= ON_ONE_LINE {
        return named.join("; ");
    }
    let head = count(differences.len(), "difference");
    format!("{head}:\n  {}{more}", named.join("\n  "))
}

/// One table too few and one too many, or one column of a table, are perhaps the same: SQL that makes the one and drops
/// the other would lose what is in it.
fn renamed(differences: &[Difference]) -> Option<String> {
    let of_kind = |it: &&Difference| matches!(it.object.kind, ObjectKind::Table | ObjectKind::Column);
    // Tables are of no table.
    let only = |beside: &Object, change: Change| {
        let mut those = differences.iter().filter(|it| {
            it.change == change && it.object.kind == beside.kind && it.object.table == beside.table
        });
        those.next().filter(|_| those.next().is_none())
    };
    let missing = differences.iter().filter(of_kind);
    let missing = missing.filter(|it| it.change == Change::Missing);
    let pairs = missing.filter_map(|it| {
        let missing = &only(&it.object, Change::Missing)?.object;
        let extra = &only(&it.object, Change::Extra)?.object;
        let table = match extra.kind {
            ObjectKind::Column => format!("{}.", extra.table),
            _ => String::new(),
        };
        Some(format!("`{table}{}` is `{}`", extra.name, missing.name))
    });
    let pairs: Vec<String> = pairs.take(ON_ONE_LINE).collect();
    (!pairs.is_empty()).then(|| {
        let pairs = pairs.join(", or ");
        format!("; where {pairs} by another name, rename it instead: its data stay")
    })
}

/// A finding for each tenant of a group. `sql` is what would mend one of them.
pub fn tenant_findings(
    told: Told,
    tenants: &[&Tenant],
    everybody: bool,
    differences: &[Difference],
    sql: impl Fn(&Tenant) -> String,
) -> Vec<Finding> {
    let message = sentence(differences, tenants.len());
    let hint = told.hint(everybody).to_owned() + &renamed(differences).unwrap_or_default();
    let finding = |(index, tenant): (usize, &&Tenant)| {
        let finding = told.finding(message.clone()).tenant(&tenant.name);
        let finding = finding.hint(hint.clone());
        let sql = if index < WITH_SQL {
            sql(tenant)
        } else {
            String::new()
        };
        if sql.is_empty() { finding } else { finding.sql(sql) }
    };
    tenants.iter().enumerate().map(finding).collect()
}

/// Tenants of which only that they differ is known.
pub fn unread_findings(told: Told, groups: &Groups<'_>) -> Vec<Finding> {
    let finding = |tenant: &Tenant| {
        let message =
            "its structure is like nobody else's; there are too many different ones to name what differs";
        let finding = told.finding(message.to_owned()).tenant(&tenant.name);
        finding.hint("mend those that are named, then validate again")
    };
    groups.unread().map(finding).collect()
}

/// A kind of thing that was compared with nobody's.
pub fn unseen_finding(unseen: Unseen, server: Option<&ServerName>) -> Finding {
    let Unseen { things, privilege } = unseen;
    let place = server
        .map(|server| format!(" on server {server}"))
        .unwrap_or_default();
    let message = format!("{things} were not compared{place}: a role without {privilege} does not see them");
    Finding::warning(message).hint(format!("grant the role {privilege} on the tenants' databases"))
}

/// A schema that the role may not look into.
pub fn closed_finding(tenant: &Tenant, role: &str, [schema, grantee]: [String; 2]) -> Finding {
    let message = format!("its structure was not compared: role `{role}` may not look into its schema");
    Finding::error(message)
        .operational(true)
        .tenant(&tenant.name)
        .hint("let the schema's owner grant it")
        .sql(format!("GRANT USAGE ON SCHEMA {schema} TO {grantee};"))
}

/// The shared schema's own check.
pub fn shared_findings(told: Told, wrong: &[Difference], extra: &[Difference], sql: &str) -> Check {
    let mut findings = Vec::new();
    if !wrong.is_empty() {
        let hint = told.hint(false).to_owned() + &renamed(wrong).unwrap_or_default();
        let finding = told.finding(sentence(wrong, 1)).hint(hint);
        findings.push(if sql.is_empty() { finding } else { finding.sql(sql) });
    }
    if !extra.is_empty() {
        let message = format!("in no migration: {}", sentence(extra, 1));
        let hint = "write a migration for it, drop it, or name it in `ignore` of [validate]";
        findings.push(Finding::warning(message).hint(hint));
    }
    Check::answered(&DRIFT_SHARED, findings)
}

/// Whether this environment is what the one before was when it passed.
pub fn environment(
    severity: Severity,
    after: &EnvironmentName,
    pairs: &[(&str, Option<&Fingerprint>, Option<&Fingerprint>)],
    same_server: bool,
) -> Check {
    let finding = |(what, theirs, ours): &(&str, Option<&Fingerprint>, Option<&Fingerprint>)| {
        let (theirs, ours) = (theirs.as_ref()?, ours.as_ref()?);
        (theirs != ours).then(|| {
            let mut finding = Finding::error(format!(
                "{what} {} here, and was {} in {after} when it passed",
                short(ours),
                short(theirs)
            ));
            finding.severity = severity;
            if !same_server {
                finding.severity = Severity::Warning;
                return finding.hint(format!(
                    "{after} is on another version of the server, which may write the same otherwise"
                ));
            }
            finding.hint(
                "both have these migrations: what else was changed in one of the two? `tenantgate snapshot --from largest` of each shows it",
            )
        })
    };
    Check::answered(&DRIFT_ENVIRONMENT, pairs.iter().filter_map(finding).collect())
}

/// The environment before has to have been compared, and nothing says that it was.
pub fn nothing_recorded(severity: Severity, after: &EnvironmentName) -> Check {
    let mut finding = Finding::error(format!("no pass of {after} says what its structure was"));
    finding.severity = severity;
    let hint = format!(
        "run `tenantgate run --environment {after}` with these migrations, and `compare = \"always\"` in [validate]"
    );
    Check::answered(&DRIFT_ENVIRONMENT, vec![finding.hint(hint)])
}

fn short(fingerprint: &Fingerprint) -> String {
    let digits = fingerprint.0.trim_start_matches("sha256:");
    digits.chars().take(12).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(table: &str, name: &str, change: Change) -> Difference {
        let (table, name) = (table.to_owned(), name.to_owned());
        let kind = ObjectKind::Column;
        Difference {
            object: Object { kind, table, name },
            change,
        }
    }

    #[test]
    fn one_column_for_another_may_be_the_same() {
        let (missing, extra) = (Change::Missing, Change::Extra);
        let one = [
            column("orders", "total", missing.clone()),
            column("items", "n", missing.clone()),
            column("orders", "amount", extra.clone()),
        ];
        assert_eq!(
            renamed(&one).unwrap_or_default(),
            "; where `orders.amount` is `total` by another name, rename it instead: its data stay"
        );
        let several = [
            column("orders", "total", missing.clone()),
            column("orders", "a", extra.clone()),
            column("orders", "b", extra),
        ];
        assert_eq!(renamed(&several), None);
        assert_eq!(renamed(&[column("orders", "total", missing.clone())]), None);
        let table = |name, change| {
            let mut it = column("", name, change);
            it.object.kind = ObjectKind::Table;
            it
        };
        assert_eq!(
            renamed(&[table("customers", missing), table("clients", Change::Extra)]).unwrap_or_default(),
            "; where `clients` is `customers` by another name, rename it instead: its data stay"
        );
    }
}
