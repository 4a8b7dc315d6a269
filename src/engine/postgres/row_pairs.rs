//! Two tenants for each table, of whom one at least has rows in it.

use std::collections::HashSet;

use crate::engine::EngineError;
use crate::engine::ErrorKind;
use crate::engine::row_security::TableFacts;

use super::connect::Row;
use super::row_trial::{Trying, is_true, may};
use super::sql::{ident, literal};

/// Tenants that are asked for their rows, one by one, where the gate's own role may not see them.
const ASKED: usize = 20;

/// Who acts, and on whose rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Pair {
    own: Option<String>,
    other: Option<String>,
    pub(super) own_has_rows: bool,
    pub(super) other_has_rows: bool,
    /// The table has rows of a tenant that the registry lacks.
    pub(super) stranger: bool,
}

impl Pair {
    pub(super) fn tenants(&self) -> Option<(&str, &str)> {
        self.own.as_deref().zip(self.other.as_deref())
    }

    pub(super) fn both(&self) -> bool {
        self.own_has_rows && self.other_has_rows
    }

    /// Tenants with rows first; who is missing is any other one of the registry.
    fn of(with_rows: Vec<String>, tenants: &[String], stranger: bool) -> Self {
        let mut with_rows = with_rows.into_iter();
        let (first, second) = (with_rows.next(), with_rows.next());
        // The one who has rows is acted upon: whether others see them matters most.
        let (own, other) = match (first, second) {
            (Some(first), Some(second)) => (Some((second, true)), Some((first, true))),
            (Some(first), None) => {
                let another = tenants.iter().find(|it| **it != first);
                (another.map(|it| (it.clone(), false)), Some((first, true)))
            }
            _ => {
                let mut any = tenants.iter().map(|it| (it.clone(), false));
                (any.next(), any.next())
            }
        };
        Self {
            own_has_rows: own.as_ref().is_some_and(|it| it.1),
            other_has_rows: other.as_ref().is_some_and(|it| it.1),
            own: own.map(|it| it.0),
            other: other.map(|it| it.0),
            stranger,
        }
    }
}

pub(super) struct Pairs {
    /// In the order of the trial's tables.
    pub(super) of_tables: Vec<Pair>,
}

impl Pairs {
    /// Asks as the gate's own role where it sees all rows; else tenants of the registry, each in its context.
    pub(super) async fn find(trying: &mut Trying<'_>) -> Result<Self, EngineError> {
        let trial = trying.trial();
        let known: HashSet<&str> = trial.tenants.iter().map(String::as_str).collect();
        let mut of_tables = Vec::new();
        let mut hidden = Vec::new();
        for (index, table) in trial.tables.iter().enumerate() {
            let text = format!(
                "{}SET LOCAL row_security = off;{}",
                trying.opening(),
                two_of(table)
            );
            let rows = trying.send(text).await;
            let rows = match rows {
                Err(failed) if failed.error.kind == ErrorKind::Disconnected => return Err(failed.into()),
                rows => rows,
            };
            trying.roll_back().await?;
            let found: Vec<String> = match rows {
                Ok(rows) => rows.into_iter().flat_map(Row::into_iter).flatten().collect(),
                Err(_) => {
                    hidden.push(index);
                    Vec::new()
                }
            };
            // Those of the registry first, whom the gate may set a context for.
            let (registered, strangers): (Vec<_>, Vec<_>) =
                found.into_iter().partition(|it| known.contains(it.as_str()));
            let stranger = !strangers.is_empty();
            let with_rows = registered.into_iter().chain(strangers).collect();
            of_tables.push(Pair::of(with_rows, trial.tenants, stranger));
        }
        if !hidden.is_empty() {
            ask_tenants(trying, &hidden, &mut of_tables).await?;
        }
        Ok(Self { of_tables })
    }
}

/// Two keys that rows have; the second is looked for only behind the first.
fn two_of(table: &TableFacts) -> String {
    let name = format!("{}.{}", ident(&table.schema), ident(&table.name));
    let key = ident(&table.key);
    let first = format!("(SELECT {key} FROM {name} WHERE {key} IS NOT NULL LIMIT 1)");
    format!("SELECT {first}::text, (SELECT {key} FROM {name} WHERE {key} <> {first} LIMIT 1)::text")
}

async fn ask_tenants(
    trying: &mut Trying<'_>,
    hidden: &[usize],
    pairs: &mut [Pair],
) -> Result<(), EngineError> {
    let trial = trying.trial();
    let mut found: Vec<(usize, Vec<String>)> = hidden.iter().map(|index| (*index, Vec::new())).collect();
    for tenant in trial.tenants.iter().take(ASKED) {
        if found.iter().all(|(_, tenants)| tenants.len() > 1) {
            break;
        }
        trying.send(trying.opening()).await?;
        let mut became = trying.become_tenant(tenant).await;
        if became.is_ok() {
            became = trying.send("SAVEPOINT look".to_owned()).await.map(|_| ());
        }
        if became.is_ok() {
            for (index, tenants) in &mut found {
                let table = trial.tables[*index];
                if tenants.len() > 1 || !may(table, "SELECT") {
                    continue;
                }
                let text = format!(
                    "ROLLBACK TO SAVEPOINT look;SELECT EXISTS (SELECT 1 FROM {}.{} WHERE {} = {})",
                    ident(&table.schema),
                    ident(&table.name),
                    ident(&table.key),
                    literal(tenant)
                );
                match trying.send(text).await {
                    Ok(rows) if is_true(&rows) => tenants.push(tenant.clone()),
                    Err(failed) if failed.error.kind == ErrorKind::Disconnected => {
                        return Err(failed.into());
                    }
                    _ => {}
                }
            }
        }
        trying.roll_back().await?;
    }
    for (index, tenants) in found {
        pairs[index] = Pair::of(tenants, trial.tenants, false);
    }
    Ok(())
}
