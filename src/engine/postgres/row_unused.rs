//! Reading without any tenant's context.
//!
//! A setting of an extension's form is NULL until it is set for the first time, and empty from then on, also after
//! a rollback and RESET: what a policy says of NULL is seen on a connection only that nobody has used.
//! [Customized options](https://www.postgresql.org/docs/current/runtime-config-custom.html)

use std::sync::LazyLock;

use regex::Regex;

use crate::engine::row_security::{Answer, TableFacts};
use crate::engine::{EngineError, ErrorKind};

use super::row_trial::{Trying, is_true, may, unclear};
use super::sql::{ident, literal};

/// What was seen before any context was set.
pub(super) struct Unused {
    /// In the order of the trial's tables.
    pub(super) answers: Vec<Answer>,
    /// Some tenant's context had been set there before.
    pub(super) was_used: bool,
}

/// To be asked before anything that sets a context.
pub(super) async fn see(trying: &mut Trying<'_>) -> Result<Unused, EngineError> {
    let trial = trying.trial();
    let used = setting(trial.context).map(|name| was_used(&name));
    let mut unused = Unused {
        answers: Vec::new(),
        was_used: false,
    };
    for table in &trial.tables {
        let answer = if may(table, "SELECT") {
            // Behind a pooler each transaction may be on another one of the server's.
            if let Some(used) = &used {
                let rows = trying.send(format!("{}{used}", trying.opening())).await?;
                unused.was_used |= is_true(&rows);
                look_within(trying, table).await?
            } else {
                look(trying, table).await?
            }
        } else {
            Answer::Held
        };
        unused.answers.push(answer);
    }
    Ok(unused)
}

/// Whether the serving role sees any row at all, in a transaction of its own.
pub(super) async fn look(trying: &mut Trying<'_>, table: &TableFacts) -> Result<Answer, EngineError> {
    trying.send(trying.opening()).await?;
    look_within(trying, table).await
}

/// Ends the transaction.
async fn look_within(trying: &mut Trying<'_>, table: &TableFacts) -> Result<Answer, EngineError> {
    let became = trying.take_on_role().await;
    if let Err(failed) = became {
        trying.roll_back_after(&Err::<(), _>(failed.clone())).await?;
        return unclear(failed);
    }
    let name = format!("{}.{}", ident(&table.schema), ident(&table.name));
    let read = trying.send(format!("SELECT EXISTS (SELECT 1 FROM {name})")).await;
    trying.roll_back_after(&read).await?;
    match read {
        Ok(rows) if is_true(&rows) => Ok(Answer::Leaks),
        Ok(_) => Ok(Answer::Held),
        Err(failed) if matches!(failed.error.kind, ErrorKind::TimedOut | ErrorKind::Contended) => {
            unclear(failed)
        }
        // A policy that stumbles over the missing setting shows nobody a row.
        Err(_) => Ok(Answer::Held),
    }
}

/// The name of what a context sets, where its text shows it.
fn setting(context: &str) -> Option<String> {
    static SET: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r#"(?i)^\s*SET\s+(?:(?:LOCAL|SESSION)\s+)?([\w."]+)\s*(?:=|TO\s)|set_config\s*\(\s*'([\w.]+)'"#,
        )
        .ok()
    });
    let found = SET.as_ref()?.captures(context)?;
    let name = found.get(1).or_else(|| found.get(2))?;
    // Settings of the server's own are never NULL.
    Some(name.as_str().replace('"', "")).filter(|it| it.contains('.'))
}

/// Where the database or a role gives it a value, every connection has that from its beginning.
fn was_used(name: &str) -> String {
    format!(
        "SELECT pg_catalog.current_setting({name}, true) IS NOT NULL AND NOT EXISTS (
SELECT 1 FROM pg_catalog.pg_db_role_setting o CROSS JOIN unnest(o.setconfig) AS s
WHERE split_part(s, '=', 1) = {name})",
        name = literal(name)
    )
}

#[cfg(test)]
mod tests {
    use super::setting;

    #[test]
    fn the_setting_is_read_from_the_context() {
        for (context, name) in [
            ("SET LOCAL app.tenant_id = {tenant}", Some("app.tenant_id")),
            ("set local \"app\".tenant_id to {tenant}", Some("app.tenant_id")),
            (
                "SELECT set_config('request.jwt.claims', json_build_object('org_id', {tenant})::text, true)",
                Some("request.jwt.claims"),
            ),
            ("SELECT auth.login({tenant})", None),
            ("SET LOCAL search_path = {tenant}", None),
        ] {
            assert_eq!(setting(context).as_deref(), name, "{context}");
        }
    }
}
