//! Statements that work `CONCURRENTLY`: what they leave when they fail, and whether one took effect whose
//! answer was never read.

use crate::database_url::EngineKind;
use crate::engine::{EngineError, Target};
use crate::migrations::words;

use super::session::PostgresSession;
use super::sql::{ident, literal};

/// Indexes that are not valid and that nobody is building. That of a partitioned table is not valid while
/// its partitions lack it, which is as it should be.
pub(super) const INVALID: &str = "SELECT n.nspname, t.relname, c.relname FROM pg_catalog.pg_index x
JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid AND c.relkind = 'i'
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class t ON t.oid = x.indrelid
WHERE NOT x.indisvalid
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index p WHERE p.index_relid = x.indexrelid)
ORDER BY 1, 2, 3";

/// What a statement does concurrently.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Concurrent {
    Create(String),
    Drop(String),
    /// Names as written, for the server to resolve.
    ReindexIndex(String),
    ReindexTable(String),
    Detach {
        parent: String,
        partition: String,
    },
}

impl Concurrent {
    pub(super) fn of(sql: &str) -> Option<Self> {
        let words = words(sql, EngineKind::Postgres, 32);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words[..] {
            ["DROP", "INDEX", "CONCURRENTLY", ref rest @ ..] => {
                let rest = rest.strip_prefix(&["IF", "EXISTS"]).unwrap_or(rest);
                Some(Self::Drop(last_name(rest)?))
            }
            ["CREATE", "INDEX", "CONCURRENTLY", ref rest @ ..]
            | ["CREATE", "UNIQUE", "INDEX", "CONCURRENTLY", ref rest @ ..] => {
                let rest = rest.strip_prefix(&["IF", "NOT", "EXISTS"]).unwrap_or(rest);
                Some(Self::Create(last_name(rest)?))
            }
            ["REINDEX", ref rest @ ..] => Self::reindex(rest),
            ["ALTER", "TABLE", ref rest @ ..] => Self::detach(rest),
            _ => None,
        }
    }

    fn reindex(words: &[&str]) -> Option<Self> {
        let at = words.iter().position(|word| matches!(*word, "INDEX" | "TABLE"))?;
        let options = &words[..at];
        let (concurrently, rest) = match words[at + 1..] {
            ["CONCURRENTLY", ref rest @ ..] => (true, rest),
            ref rest => (options.contains(&"CONCURRENTLY"), rest),
        };
        let name = whole_name(rest)?;
        concurrently.then(|| match words[at] {
            "INDEX" => Self::ReindexIndex(name),
            _ => Self::ReindexTable(name),
        })
    }

    fn detach(words: &[&str]) -> Option<Self> {
        let words = words.strip_prefix(&["IF", "EXISTS"]).unwrap_or(words);
        let at = words
            .windows(2)
            .position(|pair| pair == ["DETACH", "PARTITION"])?;
        if words.last() != Some(&"CONCURRENTLY") {
            return None;
        }
        Some(Self::Detach {
            parent: whole_name(words)?,
            partition: whole_name(&words[at + 2..])?,
        })
    }
}

/// The last part of `schema.name`, as the catalog has it: folded to lower case unless quoted.
fn last_name(words: &[&str]) -> Option<String> {
    let name = match words {
        [_, ".", name, ..] | [name, ..] => *name,
        [] => return None,
    };
    match name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(quoted) => Some(quoted.replace("\"\"", "\"")),
        None => Some(name.to_lowercase()),
    }
}

/// `schema.name` as text that the server resolves, which folds what is not quoted.
fn whole_name(words: &[&str]) -> Option<String> {
    match words {
        [schema, ".", name, ..] => Some(format!("{schema}.{name}")),
        [name, ..] => Some((*name).to_owned()),
        [] => None,
    }
}

impl PostgresSession {
    /// Whether a statement whose answer was never read took effect. A partition that is half detached is
    /// detached the rest of the way.
    pub(super) async fn is_done(
        &mut self,
        target: Target<'_>,
        action: &Concurrent,
    ) -> Result<bool, EngineError> {
        match action {
            Concurrent::Create(name) => Ok(self.index_state(target, name).await? == Some(true)),
            Concurrent::Drop(name) => Ok(self.index_state(target, name).await?.is_none()),
            // Once more does no harm.
            Concurrent::ReindexIndex(_) | Concurrent::ReindexTable(_) => Ok(false),
            Concurrent::Detach { parent, partition } => {
                // As JSON, because PostgreSQL 13 has no such column.
                let text = format!(
                    "SET search_path = {};SELECT coalesce(to_jsonb(i) ->> 'inhdetachpending', 'false')
FROM pg_catalog.pg_inherits i WHERE inhrelid = to_regclass({}) AND inhparent = to_regclass({})",
                    self.path(target),
                    literal(partition),
                    literal(parent)
                );
                let results = self.send(text).await?;
                let Some(row) = results
                    .into_iter()
                    .nth(1)
                    .and_then(|rows| rows.into_iter().next())
                else {
                    return Ok(true);
                };
                if row.first().and_then(Option::as_deref) != Some("true") {
                    return Ok(false);
                }
                self.send(format!(
                    "ALTER TABLE {parent} DETACH PARTITION {partition} FINALIZE"
                ))
                .await?;
                Ok(true)
            }
        }
    }

    /// Drops what a failed build left, here or of an earlier tool: its index without which it could not be
    /// built again, and the copies that REINDEX makes.
    /// <https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY>
    pub(super) async fn clear(&mut self, target: Target<'_>, action: &Concurrent) -> Result<(), EngineError> {
        let left = match action {
            Concurrent::Create(name) => match self.index_state(target, name).await? {
                Some(false) => vec![format!("{}.{}", ident(&self.schema(target)), ident(name))],
                _ => Vec::new(),
            },
            Concurrent::ReindexIndex(name) => {
                let of = format!(
                    "(SELECT indrelid FROM pg_catalog.pg_index WHERE indexrelid = to_regclass({}))",
                    literal(name)
                );
                self.copies(target, &of).await?
            }
            Concurrent::ReindexTable(name) => {
                let of = format!("to_regclass({})", literal(name));
                self.copies(target, &of).await?
            }
            Concurrent::Drop(_) | Concurrent::Detach { .. } => Vec::new(),
        };
        for index in left {
            // Alone in its message, as it must not be in a transaction.
            self.send(format!("DROP INDEX CONCURRENTLY {index}")).await?;
        }
        Ok(())
    }

    /// Invalid copies of a table's indexes.
    async fn copies(&mut self, target: Target<'_>, table: &str) -> Result<Vec<String>, EngineError> {
        let text = format!(
            "SET search_path = {};SELECT format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_index x
JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE x.indrelid = {table} AND NOT x.indisvalid AND c.relname ~ '_cc(new|old)[0-9]*$'",
            self.path(target)
        );
        let results = self.send(text).await?;
        let rows = results.into_iter().nth(1).unwrap_or_default();
        Ok(rows
            .into_iter()
            .filter_map(|row| row.into_iter().next().flatten())
            .collect())
    }

    /// Whether an index of the target's schema is valid; none: there is no such index.
    async fn index_state(&mut self, target: Target<'_>, name: &str) -> Result<Option<bool>, EngineError> {
        let text = format!(
            "SELECT x.indisvalid FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = {} AND c.relname = {}",
            literal(&self.schema(target)),
            literal(name)
        );
        let results = self.send(text).await?;
        let row = results
            .into_iter()
            .next()
            .and_then(|rows| rows.into_iter().next());
        Ok(row.map(|row| row[0].as_deref() == Some("t")))
    }

    fn schema(&self, target: Target<'_>) -> String {
        match target {
            Target::Shared => self.options.shared_schema.clone(),
            Target::Tenant(tenant) => tenant.location.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_statement_does_concurrently_is_known() {
        let create = |name: &str| Some(Concurrent::Create(name.to_owned()));
        for (sql, action) in [
            ("create index concurrently Foo on t (a)", create("foo")),
            (
                "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS \"My Idx\" ON t(a)",
                create("My Idx"),
            ),
            (
                "drop index concurrently if exists public.i",
                Some(Concurrent::Drop("i".to_owned())),
            ),
            (
                "REINDEX TABLE CONCURRENTLY s.\"T\"",
                Some(Concurrent::ReindexTable("S.\"T\"".to_owned())),
            ),
            (
                "reindex (verbose, concurrently) index i",
                Some(Concurrent::ReindexIndex("I".to_owned())),
            ),
            (
                "ALTER TABLE IF EXISTS events DETACH PARTITION s.events_1 CONCURRENTLY",
                Some(Concurrent::Detach {
                    parent: "EVENTS".to_owned(),
                    partition: "S.EVENTS_1".to_owned(),
                }),
            ),
            ("create index i on t (a)", None),
            ("reindex table t", None),
            ("alter table t detach partition p", None),
        ] {
            assert_eq!(Concurrent::of(sql), action, "{sql}");
        }
    }
}
