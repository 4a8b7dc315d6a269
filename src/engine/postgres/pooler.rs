//! Whether a pooler stands before the server, though the URL does not say so: between two statements of ours it may
//! give our connection's backend to somebody else, and what is set for the session is another's then.

use super::connect::{self, Row};
use super::{EngineError, Postgres};

/// Another client of the pooler may come between.
const LOOKS: usize = 3;
const BACKEND: &str = "SELECT pg_backend_pid()";

impl Postgres {
    /// While one connection is in a transaction, another is asked who serves it: of a pooler that shares backends
    /// either both had the same one, or the other has to move. That nothing was learnt is no finding.
    pub(super) async fn finds_pooler(&self) -> bool {
        self.look().await.unwrap_or(false)
    }

    async fn look(&self) -> Result<bool, EngineError> {
        let redactor = &self.options.redactor;
        let mut one = self.connect(false).await?;
        let mut other = self.connect(false).await?;
        for _ in 0..LOOKS {
            let before = backend(connect::send(&mut one, BACKEND.to_owned(), redactor).await?);
            let held = connect::send(&mut other, format!("BEGIN;{BACKEND}"), redactor).await?;
            let after = backend(connect::send(&mut one, BACKEND.to_owned(), redactor).await?);
            connect::send(&mut other, "ROLLBACK".to_owned(), redactor).await?;
            if before != after || before == backend(held) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn backend(results: Vec<Vec<Row>>) -> Option<String> {
    let rows = results.into_iter().next_back()?;
    rows.into_iter().next()?.into_iter().next().flatten()
}
