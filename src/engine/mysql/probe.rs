//! What became of a statement whose answer was never read: by its objects, before and after.

use crate::domain::{Checksum, Migration};
use crate::engine::{EngineError, ErrorKind, Target};

use super::effect::{Effect, Object, ObjectKind, effect};
use super::session::MysqlSession;
use super::sql::{ident, literal};

/// What an object is like when it is not there.
const ABSENT: &str = "absent";

impl MysqlSession {
    /// Settles a row that is this session's already: what it carried out itself, it has recorded.
    pub(super) async fn settle_own(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
        index: usize,
    ) -> Result<bool, EngineError> {
        let key = self.key(target, migration);
        let read = format!(
            "SELECT probe FROM {}.ledger WHERE {key} AND in_doubt = 1 AND statement = {index}",
            ident(&self.ledger)
        );
        let answers = self.send(read).await?;
        match answers
            .first()
            .and_then(|answer| answer.value())
            .map(str::to_owned)
        {
            Some(probe) => self.took_effect(target, migration, index, &probe).await,
            None => Ok(false),
        }
    }

    /// Whether a statement in doubt took effect.
    pub(super) async fn took_effect(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
        index: usize,
        probe: &str,
    ) -> Result<bool, EngineError> {
        let Some(statement) = migration.statements.get(index) else {
            return Ok(false);
        };
        match effect(&statement.sql) {
            // Its transaction would have moved the row on. The others do no harm twice.
            Effect::Transactional | Effect::Repeatable => Ok(false),
            Effect::Changes(objects) => {
                let states = self.states(target, &objects).await?;
                Ok(probe_of(&states) != probe)
            }
            Effect::Removes(objects) => {
                let states = self.states(target, &objects).await?;
                if probe_of(&states) == probe {
                    return Ok(false);
                }
                for (object, state) in objects.iter().zip(&states) {
                    if state != ABSENT {
                        let name = self.path(target, object);
                        self.send(format!("DROP {} IF EXISTS {name}", object.kind.word()))
                            .await?;
                    }
                }
                Ok(true)
            }
            Effect::Untraceable => {
                let message = format!(
                    "nothing tells whether statement {} of {} took effect before the run that sent it ended; \
look, then set in_doubt = 0 in its row of {}.ledger, and statement = {} where it did",
                    index + 1,
                    migration.label(),
                    self.ledger,
                    index + 1
                );
                Err(self.wrong(ErrorKind::Statement, &message))
            }
        }
    }

    /// What tells later whether the statement took effect; empty where nothing does.
    pub(super) async fn probe(&mut self, target: Target<'_>, effect: &Effect) -> Result<String, EngineError> {
        match effect {
            Effect::Changes(objects) | Effect::Removes(objects) => {
                Ok(probe_of(&self.states(target, objects).await?))
            }
            _ => Ok(String::new()),
        }
    }

    async fn states(&mut self, target: Target<'_>, objects: &[Object]) -> Result<Vec<String>, EngineError> {
        let mut states = Vec::with_capacity(objects.len());
        for object in objects {
            let state = if object.kind == ObjectKind::Table {
                self.definition(target, object).await?
            } else {
                self.existence(target, object).await?
            };
            states.push(state);
        }
        Ok(states)
    }

    async fn definition(&mut self, target: Target<'_>, table: &Object) -> Result<String, EngineError> {
        let reusable = self.reusable;
        let show = format!("SHOW CREATE TABLE {}", self.path(target, table));
        match self.send(show).await {
            Ok(answers) => {
                let row = answers.first().and_then(|answer| answer.rows.first());
                let text = row.and_then(|row| row.get(1)?.as_deref()).unwrap_or_default();
                Ok(without_counter(text))
            }
            Err(failed) if matches!(failed.number, Some(1146 | 1049)) => {
                self.reusable = reusable;
                Ok(ABSENT.to_owned())
            }
            Err(failed) => Err(failed.error),
        }
    }

    async fn existence(&mut self, target: Target<'_>, object: &Object) -> Result<String, EngineError> {
        let (view, schema, name, more) = match object.kind {
            ObjectKind::Table | ObjectKind::View | ObjectKind::Sequence => {
                ("TABLES", "TABLE_SCHEMA", "TABLE_NAME", "")
            }
            ObjectKind::Trigger => ("TRIGGERS", "TRIGGER_SCHEMA", "TRIGGER_NAME", ""),
            ObjectKind::Procedure => (
                "ROUTINES",
                "ROUTINE_SCHEMA",
                "ROUTINE_NAME",
                " AND ROUTINE_TYPE = 'PROCEDURE'",
            ),
            ObjectKind::Function => (
                "ROUTINES",
                "ROUTINE_SCHEMA",
                "ROUTINE_NAME",
                " AND ROUTINE_TYPE = 'FUNCTION'",
            ),
            ObjectKind::Event => ("EVENTS", "EVENT_SCHEMA", "EVENT_NAME", ""),
            ObjectKind::Database => ("SCHEMATA", "'def'", "SCHEMA_NAME", ""),
        };
        let within = match (&object.database, object.kind) {
            (_, ObjectKind::Database) => "def".to_owned(),
            (Some(database), _) => database.clone(),
            (None, _) => self.database(target),
        };
        let count = format!(
            "SELECT count(*) FROM information_schema.{view} WHERE {schema} = {} AND {name} = {}{more}",
            literal(&within),
            literal(&object.name)
        );
        let answers = self.send(count).await?;
        let none = answers.first().and_then(|answer| answer.value()) == Some("0");
        Ok(if none { ABSENT } else { "present" }.to_owned())
    }

    fn path(&self, target: Target<'_>, object: &Object) -> String {
        if object.kind == ObjectKind::Database {
            return ident(&object.name);
        }
        let database = object.database.clone().unwrap_or_else(|| self.database(target));
        format!("{}.{}", ident(&database), ident(&object.name))
    }
}

fn probe_of(states: &[String]) -> String {
    Checksum::of(&states.join("\0")).0
}

/// The next AUTO_INCREMENT moves with every row.
fn without_counter(definition: &str) -> String {
    let Some((before, after)) = definition.rsplit_once(" AUTO_INCREMENT=") else {
        return definition.to_owned();
    };
    format!(
        "{before}{}",
        after.trim_start_matches(|c: char| c.is_ascii_digit())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_is_no_part_of_a_definition() {
        let text =
            |n| format!("CREATE TABLE `a` (\n `b` int AUTO_INCREMENT\n) ENGINE=InnoDB{n} CHARSET=utf8mb4");
        assert_eq!(without_counter(&text(" AUTO_INCREMENT=42")), text(""));
        assert_eq!(without_counter(&text("")), text(""));
    }
}
