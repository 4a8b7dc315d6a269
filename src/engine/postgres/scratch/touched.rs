//! What a transaction has touched outside its scratch.

use crate::domain::Redactor;
use crate::engine::{EngineError, ErrorKind};

use super::super::connect::Row;
use super::super::sql::literal;

/// Rows of (schema, table, `t` where no more was done than to refer to it): whatever a transaction has written
/// to, or changed, it holds a lock on.
pub(super) fn statement(scratch: [&str; 2]) -> String {
    format!(
        "SELECT n.nspname, c.relname, bool_and(l.mode = 'ShareRowExclusiveLock' AND c.relkind IN ('r', 'p'))
FROM pg_catalog.pg_locks l
JOIN pg_catalog.pg_class c ON c.oid = l.relation JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
AND l.mode <> 'AccessShareLock'
AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', {}, {}) GROUP BY 1, 2;",
        literal(scratch[0]),
        literal(scratch[1])
    )
}

/// Tables outside a scratch.
#[derive(Debug, Default)]
pub(super) struct Touched {
    /// Tables of the shared schema to which a foreign key refers, or which have got a trigger.
    pub(super) referred: Vec<String>,
    /// With their schemas.
    pub(super) written: Vec<String>,
}

impl Touched {
    pub(super) fn read(rows: Vec<Row>, shared: &str) -> Self {
        let mut touched = Self::default();
        for row in rows {
            let text = |index: usize| row.get(index).cloned().flatten().unwrap_or_default();
            let (schema, table) = (text(0), text(1));
            if text(2) == "t" && schema == shared {
                touched.referred.push(table);
            } else {
                touched.written.push(format!("{schema}.{table}"));
            }
        }
        touched
    }

    pub(super) fn nothing(&self) -> bool {
        self.referred.is_empty() && self.written.is_empty()
    }

    /// Why that is no place to try this out.
    pub(super) fn refused(mut self, shared: &str, redactor: &Redactor) -> EngineError {
        let referred = self.referred.iter().map(|it| format!("{shared}.{it}"));
        self.written.extend(referred);
        self.written.truncate(3);
        let message = format!(
            "it would write to {} itself, or lock it; all of it was rolled back",
            self.written.join(", ")
        );
        let mut error = EngineError::new(ErrorKind::Statement, message, redactor);
        error.server_hint = Some(
            "it cannot be tried out beside it: let it name what the shared migrations make without its schema"
                .to_owned(),
        );
        error
    }
}
