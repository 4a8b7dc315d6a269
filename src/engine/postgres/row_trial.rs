//! Acting as the serving role, in a tenant's context, on the rows of two tenants: what must not be possible
//! is tried, one table a transaction, and each transaction is rolled back.
//!
//! The forms are chosen so that little else than a policy answers. A row of the other tenant is taken hold of by
//! a cursor in the other one's context: [`WHERE CURRENT OF`](https://www.postgresql.org/docs/current/sql-update.html)
//! needs no privilege to read and no policy for it, so the policies for UPDATE and DELETE stand alone. Rows are
//! inserted with all columns given: no default takes a number from a sequence, which nothing would give back.
//! Policies are asked before constraints, so a constraint that answers means that the policies let the row in.
//! A write that got through fails all the same, at what it gives back: before anything cascades from it, and
//! before triggers run that come after it.

use sqlx::postgres::{PgConnection, PgDatabaseError};
use sqlx::{AssertSqlSafe, Executor as _};

use crate::database_url::EngineKind;
use crate::domain::Redactor;
use crate::engine::row_security::{Answer, Probe, TableFacts, Trial, Tried, TriedTable, ViewFacts};
use crate::engine::{EngineError, EngineOptions, ErrorKind};
use crate::migrations::{split, words};

use super::connect::{self, Failed, Row};
use super::row_pairs::{Pair, Pairs};
use super::row_unused;
use super::sql::{self, ident, literal};

/// Longer than this no attempt may take, where the config gives no limit.
const LONGEST: std::time::Duration = std::time::Duration::from_secs(10);

pub(super) struct Trying<'a> {
    connection: PgConnection,
    options: &'a EngineOptions,
    trial: &'a Trial<'a>,
}

/// What the server said to one attempt.
enum Said {
    /// So many rows.
    Done(u64),
    /// A policy refused the new row.
    Policy,
    /// The role lacks the privilege.
    Privilege,
    /// A constraint refused it, which is asked only after the policies.
    Constraint,
    /// Anything else.
    Other(String),
}

impl<'a> Trying<'a> {
    pub(super) fn new(connection: PgConnection, options: &'a EngineOptions, trial: &'a Trial<'a>) -> Self {
        Self {
            connection,
            options,
            trial,
        }
    }

    pub(super) async fn all(mut self) -> Result<Tried, EngineError> {
        refuse_more_than_a_setting(self.trial.context, &self.options.redactor)?;
        let unused = row_unused::see(&mut self).await?;
        let pairs = Pairs::find(&mut self).await?;
        let mut tried = Tried {
            was_used: unused.was_used,
            ..Tried::default()
        };
        let trial = self.trial;
        for ((table, pair), before) in trial.tables.iter().zip(&pairs.of_tables).zip(unused.answers) {
            let mut one = self.table(table, pair).await?;
            if may(table, "SELECT") {
                let answer = self.without_context(table, pair, before).await?;
                one.answers.push((Probe::SeesWithoutContext, answer));
            }
            tried.tables.push(one);
        }
        let most = pairs.of_tables.iter().find(|pair| pair.both());
        for (view, key) in &trial.views {
            tried.tables.push(self.view(view, key, most).await?);
        }
        Ok(tried)
    }

    pub(super) fn trial(&self) -> &'a Trial<'a> {
        self.trial
    }

    /// Sends text as it is; an error leaves the transaction aborted.
    pub(super) async fn send(&mut self, text: String) -> Result<Vec<Row>, Failed> {
        let results = connect::send(&mut self.connection, text, &self.options.redactor).await?;
        Ok(results.into_iter().next_back().unwrap_or_default())
    }

    pub(super) async fn roll_back(&mut self) -> Result<(), EngineError> {
        self.send("ROLLBACK".to_owned()).await?;
        Ok(())
    }

    /// Opens a transaction with limits of its own.
    pub(super) fn opening(&self) -> String {
        let statement = self.options.statement_timeout.unwrap_or(LONGEST).min(LONGEST);
        let limits = sql::limits(self.options.lock_timeout, Some(statement));
        format!("BEGIN;{limits}")
    }

    /// As the serving role, in this tenant's context.
    pub(super) async fn become_tenant(&mut self, tenant: &str) -> Result<(), Failed> {
        let context = self.trial.context.replace("{tenant}", &literal(tenant));
        self.send("RESET ROLE".to_owned()).await?;
        self.send(context).await?;
        self.take_on_role().await
    }

    pub(super) async fn take_on_role(&mut self) -> Result<(), Failed> {
        let role = ident(self.trial.role);
        self.send(format!("SET LOCAL ROLE {role}")).await.map(|_| ())
    }

    async fn table(&mut self, table: &TableFacts, pair: &Pair) -> Result<TriedTable, EngineError> {
        let mut tried = TriedTable {
            schema: table.schema.clone(),
            name: table.name.clone(),
            is_view: false,
            answers: Vec::new(),
            stranger: pair.stranger,
        };
        let Some((own, other)) = pair.tenants() else {
            let why = "there are no two tenants";
            tried.answers.push((Probe::SeesOthers, Answer::NotTried(why)));
            return Ok(tried);
        };
        let attempt = Attempt {
            name: format!("{}.{}", ident(&table.schema), ident(&table.name)),
            key: ident(&table.key),
            own: literal(own),
            other: literal(other),
            table,
            pair,
        };
        self.send(self.opening()).await?;
        let answers = self.as_tenant(&attempt, own, other).await;
        self.roll_back_after(&answers).await?;
        tried.answers = match answers {
            Ok(answers) => answers,
            Err(failed) => vec![(Probe::SeesOthers, unclear(failed)?)],
        };
        Ok(tried)
    }

    /// A connection that is gone is no use to the next table either.
    pub(super) async fn roll_back_after<T>(
        &mut self,
        answers: &Result<T, Failed>,
    ) -> Result<(), EngineError> {
        match answers {
            Err(failed) if failed.error.kind == ErrorKind::Disconnected => Err(failed.error.clone()),
            _ => self.roll_back().await,
        }
    }

    async fn as_tenant(
        &mut self,
        attempt: &Attempt<'_>,
        own: &str,
        other: &str,
    ) -> Result<Vec<(Probe, Answer)>, Failed> {
        let (table, pair) = (attempt.table, attempt.pair);
        let reads = may(table, "SELECT");
        // The cursor is on the other tenant's row before the context changes.
        let mut held = false;
        if pair.other_has_rows && reads {
            self.become_tenant(other).await?;
            held = self.hold("other_row", attempt, &attempt.other).await?;
        }
        self.become_tenant(own).await?;
        let mut answers = Vec::new();
        if pair.other_has_rows && !held {
            let why = if reads { SEES_NOTHING } else { CANNOT_READ };
            answers.push((Probe::SeesOwn, Answer::Unclear(why.to_owned())));
        }
        let mut mine = false;
        if reads {
            if pair.own_has_rows {
                mine = self.hold("own_row", attempt, &attempt.own).await?;
                if !mine && answers.is_empty() {
                    let unclear = Answer::Unclear(SEES_NOTHING.to_owned());
                    answers.push((Probe::SeesOwn, unclear));
                }
            }
            answers.push((Probe::SeesOthers, self.sees_others(attempt).await?));
        }
        self.send("SAVEPOINT attempt".to_owned()).await?;
        answers.extend(self.writes(attempt, held, mine).await?);
        Ok(answers)
    }

    /// Opens a cursor on one row of a tenant; false: it sees none.
    async fn hold(&mut self, cursor: &str, attempt: &Attempt<'_>, tenant: &str) -> Result<bool, Failed> {
        let (name, key) = (&attempt.name, &attempt.key);
        let text = format!(
            "DECLARE {cursor} NO SCROLL CURSOR FOR SELECT 1 FROM {name} WHERE {key} = {tenant};FETCH {cursor}"
        );
        Ok(!self.send(text).await?.is_empty())
    }

    async fn sees_others(&mut self, attempt: &Attempt<'_>) -> Result<Answer, Failed> {
        if !attempt.pair.other_has_rows {
            return Ok(Answer::NotTried(NO_ROWS));
        }
        let (name, key, own) = (&attempt.name, &attempt.key, &attempt.own);
        let text = format!("SELECT EXISTS (SELECT 1 FROM {name} WHERE {key} <> {own})");
        let rows = self.send(text).await?;
        Ok(if is_true(&rows) {
            Answer::Leaks
        } else {
            Answer::Held
        })
    }

    async fn writes(
        &mut self,
        attempt: &Attempt<'_>,
        held: bool,
        mine: bool,
    ) -> Result<Vec<(Probe, Answer)>, Failed> {
        let table = attempt.table;
        let (name, key) = (&attempt.name, &attempt.key);
        let mut answers = Vec::new();
        if may(table, "INSERT") {
            let columns = self.columns(table, "INSERT").await?;
            answers.push((
                Probe::InsertsAsOther,
                self.inserts(attempt, &columns, mine).await?,
            ));
        }
        if may(table, "UPDATE") {
            let gives = format!(
                "UPDATE {name} SET {key} = {} WHERE CURRENT OF own_row",
                attempt.other
            );
            // Who may not change whose a row is changes something else of it.
            let columns = self.columns(table, "UPDATE").await?;
            let takes = match columns.iter().find(|it| **it != table.key) {
                Some(other) if !columns.contains(&table.key) => format!("{} = NULL", ident(other)),
                _ => format!("{key} = {}", attempt.own),
            };
            let takes = format!("UPDATE {name} SET {takes} WHERE CURRENT OF other_row");
            let answer = self.tried(mine, gives, table).await?;
            answers.push((Probe::GivesAway, answer));
            let answer = self.tried(held, takes, table).await?;
            answers.push((Probe::Takes, answer));
        }
        if may(table, "DELETE") {
            let deletes = format!("DELETE FROM {name} WHERE CURRENT OF other_row");
            let answer = self.tried(held, deletes, table).await?;
            answers.push((Probe::Deletes, answer));
        }
        Ok(answers)
    }

    /// The columns that the role may write, but for those that nobody may.
    async fn columns(&mut self, table: &TableFacts, privilege: &str) -> Result<Vec<String>, Failed> {
        let relation = format!("{}.{}", ident(&table.schema), ident(&table.name));
        let text = format!(
            "ROLLBACK TO SAVEPOINT attempt;SELECT a.attname FROM pg_catalog.pg_attribute a
WHERE a.attrelid = {relation}::pg_catalog.regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
AND ('{privilege}' = 'INSERT' OR a.attidentity = '')
AND pg_catalog.has_column_privilege(a.attrelid, a.attnum, '{privilege}') ORDER BY a.attnum",
            relation = literal(&relation)
        );
        let rows = self.send(text).await?;
        Ok(rows
            .into_iter()
            .filter_map(|row| row.into_iter().next().flatten())
            .collect())
    }

    /// A row of nothing but the key, and a copy of an own row with the other's key.
    async fn inserts(
        &mut self,
        attempt: &Attempt<'_>,
        columns: &[String],
        mine: bool,
    ) -> Result<Answer, Failed> {
        let (name, table) = (&attempt.name, attempt.table);
        if !columns.contains(&table.key) {
            return Ok(Answer::Held);
        }
        let list: Vec<String> = columns.iter().map(|column| ident(column)).collect();
        let list = list.join(", ");
        let values = |each: &dyn Fn(&str) -> String| {
            let value = |column: &String| {
                if *column == table.key {
                    attempt.other.clone()
                } else {
                    each(column)
                }
            };
            columns.iter().map(value).collect::<Vec<_>>().join(", ")
        };
        let into = format!("INSERT INTO {name} ({list}) OVERRIDING SYSTEM VALUE");
        let bare = format!("{into} VALUES ({})", values(&|_| "NULL".to_owned()));
        let bare = self.tried(true, bare, table).await?;
        let copy = format!(
            "{into} SELECT {} FROM {name} WHERE {} = {} LIMIT 1",
            values(&|column| ident(column)),
            attempt.key,
            attempt.own
        );
        let copy = self.tried(mine, copy, table).await?;
        // The bare row may be refused for what it lacks, and no policy asked.
        Ok(match (bare, copy) {
            (Answer::Leaks, _) | (_, Answer::Leaks) => Answer::Leaks,
            (Answer::Held, copy @ Answer::Unclear(_)) => copy,
            (Answer::Unclear(why), Answer::NotTried(_)) => Answer::Unclear(why),
            (_, Answer::Held) | (Answer::Held, _) => Answer::Held,
            (bare, _) => bare,
        })
    }

    /// One attempt that must come to nothing.
    async fn tried(&mut self, can: bool, text: String, table: &TableFacts) -> Result<Answer, Failed> {
        if !can {
            return Ok(Answer::NotTried(NO_ROWS));
        }
        let column = table.column.as_ref();
        if column.is_some_and(|column| column.reaches_out) {
            let why = "a trigger would run that may do what no rollback takes back";
            return Ok(Answer::Unclear(why.to_owned()));
        }
        let changes = column.is_some_and(|column| column.triggers);
        let why = "a trigger may have changed the row before its policy was asked";
        Ok(match self.attempt(text).await? {
            Said::Done(0) | Said::Policy | Said::Privilege => Answer::Held,
            Said::Done(_) | Said::Constraint if changes => Answer::Unclear(why.to_owned()),
            Said::Done(_) | Said::Constraint => Answer::Leaks,
            Said::Other(message) => Answer::Unclear(message),
        })
    }

    async fn attempt(&mut self, text: String) -> Result<Said, Failed> {
        self.send("ROLLBACK TO SAVEPOINT attempt".to_owned()).await?;
        let text = format!("{text} RETURNING {THROUGH}");
        match self.connection.execute(sqlx::raw_sql(AssertSqlSafe(text))).await {
            Ok(done) => Ok(Said::Done(done.rows_affected())),
            Err(error) => said(&error, &self.options.redactor),
        }
    }

    /// What a connection shows that a context was set on before, where it showed nothing when it was new.
    async fn without_context(
        &mut self,
        table: &TableFacts,
        pair: &Pair,
        before: Answer,
    ) -> Result<Answer, EngineError> {
        if before == Answer::Leaks {
            return Ok(before);
        }
        if !(pair.own_has_rows || pair.other_has_rows) {
            return Ok(Answer::NotTried(NO_ROWS));
        }
        match row_unused::look(self, table).await? {
            Answer::Held => Ok(before),
            answer => Ok(answer),
        }
    }

    async fn view(
        &mut self,
        view: &ViewFacts,
        key: &str,
        pair: Option<&Pair>,
    ) -> Result<TriedTable, EngineError> {
        let answer = match pair.and_then(Pair::tenants) {
            None => Answer::NotTried(NO_ROWS),
            Some((own, _)) => {
                let name = format!("{}.{}", ident(&view.schema), ident(&view.name));
                let (key, own_key) = (ident(key), literal(own));
                let text = format!("SELECT EXISTS (SELECT 1 FROM {name} WHERE {key}::text <> {own_key})");
                self.send(self.opening()).await?;
                let read = match self.become_tenant(own).await {
                    Ok(()) => self.send(text).await,
                    Err(failed) => Err(failed),
                };
                self.roll_back_after(&read).await?;
                match read {
                    Ok(rows) if is_true(&rows) => Answer::Leaks,
                    Ok(_) => Answer::Held,
                    Err(failed) if failed.error.kind == ErrorKind::Forbidden => Answer::Held,
                    Err(failed) => unclear(failed)?,
                }
            }
        };
        Ok(TriedTable {
            schema: view.schema.clone(),
            name: view.name.clone(),
            is_view: true,
            answers: vec![(Probe::SeesOthers, answer)],
            stranger: false,
        })
    }
}

/// Fails for the first row that a write got through with. It is computed for each row, not beforehand; and it
/// names no column, which would take the right to read, and the policies for that.
const THROUGH: &str = "pg_catalog.concat('tenantgate', pg_catalog.pg_backend_pid())::pg_catalog.int4";
const NO_ROWS: &str = "no rows";
const SEES_NOTHING: &str = "a tenant sees none of its own rows";
const CANNOT_READ: &str = "the role cannot read, so there is no row to try on";

/// One table and two tenants, quoted.
struct Attempt<'t> {
    name: String,
    key: String,
    own: String,
    other: String,
    table: &'t TableFacts,
    pair: &'t Pair,
}

pub(super) fn may(table: &TableFacts, privilege: &str) -> bool {
    table.granted.iter().any(|it| it == privilege)
}

pub(super) fn is_true(rows: &[Row]) -> bool {
    let value = rows
        .first()
        .and_then(|row| row.first())
        .and_then(Option::as_deref);
    value == Some("t")
}

/// An error about the statement itself; one that says nothing of it is passed on.
pub(super) fn unclear(failed: Failed) -> Result<Answer, EngineError> {
    match failed.error.kind {
        ErrorKind::Disconnected | ErrorKind::Unreachable | ErrorKind::Exhausted => Err(failed.error),
        _ => Ok(Answer::Unclear(what_it_was(&failed.error).to_owned())),
    }
}

/// The server's message may quote a row.
fn what_it_was(error: &EngineError) -> &'static str {
    match error.kind {
        ErrorKind::TimedOut => "it took too long",
        ErrorKind::Contended => "somebody else holds a lock",
        ErrorKind::Forbidden => "a privilege is missing",
        ErrorKind::Missing => "something that it needs is missing",
        _ => "the statement failed",
    }
}

/// PostgreSQL, appendix A: class 23 is constraints. Two kinds of them are asked before the policies: of the
/// types of values, and where a row goes in a partitioned table. What refuses is told by the server's own
/// function, since messages are translated.
fn said(error: &sqlx::Error, redactor: &Redactor) -> Result<Said, Failed> {
    let known = connect::from_driver(error, redactor);
    let database = match error {
        sqlx::Error::Database(database) => database.try_downcast_ref::<PgDatabaseError>(),
        _ => None,
    };
    let Some(database) = database else {
        return Err(Failed {
            error: known,
            completed: 0,
        });
    };
    let routine = database.routine().unwrap_or_default();
    let before = ["ExecFindPartition", "ExecEvalConstraint", "domain_check"]
        .iter()
        .any(|it| routine.starts_with(it));
    match database.code() {
        "22P02" if database.message().contains("\"tenantgate") => Ok(Said::Done(1)),
        "42501" if routine == "ExecWithCheckOptions" => Ok(Said::Policy),
        "42501" => Ok(Said::Privilege),
        code if code.starts_with("23") && !before => Ok(Said::Constraint),
        _ if known.kind == ErrorKind::Disconnected => Err(Failed {
            error: known,
            completed: 0,
        }),
        code => Ok(Said::Other(format!("{} ({code})", what_it_was(&known)))),
    }
}

/// One statement that only sets: a COMMIT in it would make what is tried stay.
fn refuse_more_than_a_setting(context: &str, redactor: &Redactor) -> Result<(), EngineError> {
    let wrong = |why: &str| EngineError::new(ErrorKind::Statement, format!("`context` {why}"), redactor);
    let statements = split(context, EngineKind::Postgres).map_err(|_| wrong("cannot be read as SQL"))?;
    let [statement] = &statements[..] else {
        return Err(wrong("must be one statement"));
    };
    match words(&statement.sql, EngineKind::Postgres, 1)
        .first()
        .map(String::as_str)
    {
        Some("SET" | "SELECT") => Ok(()),
        _ => Err(wrong("must begin with SET or SELECT")),
    }
}
