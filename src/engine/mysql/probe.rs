//! What became of a statement whose answer was never read: by its objects, before and after.

use crate::domain::{Checksum, Migration};
use crate::engine::{EngineError, ErrorKind, Target};

use super::effect::{Effect, Object, ObjectKind, effect};
use super::session::MysqlSession;
use super::sql::{ident, literal};

/// What an object is like when it is not there.
const ABSENT: &str = "absent";

/// What begins the probe of statements that make new things.
const LETTERS: &str = "made:";

/// A letter for each statement of a group: whether what it makes was there before; none: it makes
/// nothing.
pub(super) fn letters(there: impl Iterator<Item = Option<bool>>) -> String {
    let letter = |it| match it {
        None => '-',
        Some(true) => 'p',
        Some(false) => 'a',
    };
    format!("{LETTERS}{}", there.map(letter).collect::<String>())
}

impl MysqlSession {
    /// Makes the row this session's, and gives the statement to go on with.
    pub(super) async fn go_on_with(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
        index: usize,
    ) -> Result<usize, EngineError> {
        match self.own_at(target, migration, index).await? {
            Some(row) if row.in_doubt => self.find_next(target, migration, index, &row.probe).await,
            Some(_) => Ok(index),
            None => self.settle_own(target, migration, index).await,
        }
    }

    /// Settles a row that is this session's already: what it carried out itself, it has recorded.
    async fn settle_own(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
        index: usize,
    ) -> Result<usize, EngineError> {
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
            Some(probe) => self.find_next(target, migration, index, &probe).await,
            None => Ok(index),
        }
    }

    /// The statement to go on with, where those from `index` on are in doubt.
    async fn find_next(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
        index: usize,
        probe: &str,
    ) -> Result<usize, EngineError> {
        if let Some(letters) = probe.strip_prefix(LETTERS) {
            return self.last_made(target, migration, index, letters).await;
        }
        let took_effect = self.took_effect(target, migration, index, probe).await?;
        Ok(index + usize::from(took_effect))
    }

    /// They were carried out in order, so the last one whose thing has come to be tells of all before it.
    async fn last_made(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
        index: usize,
        letters: &str,
    ) -> Result<usize, EngineError> {
        let statements = migration.statements.iter().enumerate().skip(index);
        let effects: Vec<(usize, Effect)> = statements
            .zip(letters.chars())
            .filter(|it| it.1 == 'a')
            .map(|((at, statement), _)| (at, effect(&statement.sql)))
            .collect();
        let mut made = Vec::new();
        for (at, effect) in &effects {
            if let Effect::Creates(object) = effect {
                made.push((*at, object));
            }
        }
        let objects: Vec<&Object> = made.iter().map(|it| it.1).collect();
        let present = self.present(target, &objects).await?;
        let last = made.iter().zip(present).rfind(|it| it.1);
        Ok(last.map_or(index, |((at, _), _)| at + 1))
    }

    /// Whether a statement in doubt took effect.
    async fn took_effect(
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
            // Its transaction would have moved the row on. The others do no harm twice, or have letters.
            Effect::Transactional | Effect::Repeatable | Effect::Creates(_) => Ok(false),
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
        let present = self.present(target, &[object]).await?;
        Ok(if present == [true] { "present" } else { ABSENT }.to_owned())
    }

    /// Which of these are there, asked in one statement.
    pub(super) async fn present(
        &mut self,
        target: Target<'_>,
        objects: &[&Object],
    ) -> Result<Vec<bool>, EngineError> {
        let mut present = Vec::with_capacity(objects.len());
        for some in objects.chunks(100) {
            let counts: Vec<String> = some.iter().map(|it| self.count(target, it)).collect();
            let answers = self.send(format!("SELECT {}", counts.join(",\n"))).await?;
            let row = answers
                .into_iter()
                .next()
                .and_then(|it| it.rows.into_iter().next());
            present.extend(
                row.unwrap_or_default()
                    .iter()
                    .map(|it| it.as_deref() != Some("0")),
            );
        }
        Ok(present)
    }

    /// A subquery: above 0 where the object is there. With each name for itself the servers look at
    /// no other object.
    fn count(&self, target: Target<'_>, object: &Object) -> String {
        let (view, schema, name, more) = match object.kind {
            ObjectKind::Table | ObjectKind::View | ObjectKind::Sequence => {
                ("TABLES", "TABLE_SCHEMA", "TABLE_NAME", String::new())
            }
            ObjectKind::Trigger => ("TRIGGERS", "TRIGGER_SCHEMA", "TRIGGER_NAME", String::new()),
            ObjectKind::Procedure | ObjectKind::Function => {
                let more = format!(" AND ROUTINE_TYPE = '{}'", object.kind.word());
                ("ROUTINES", "ROUTINE_SCHEMA", "ROUTINE_NAME", more)
            }
            ObjectKind::Event => ("EVENTS", "EVENT_SCHEMA", "EVENT_NAME", String::new()),
            ObjectKind::Database => ("SCHEMATA", "'def'", "SCHEMA_NAME", String::new()),
            ObjectKind::Index => {
                let table = object.table.as_deref().unwrap_or_default();
                let more = format!(" AND TABLE_NAME = {}", literal(table));
                ("STATISTICS", "TABLE_SCHEMA", "INDEX_NAME", more)
            }
        };
        let within = match (&object.database, object.kind) {
            (_, ObjectKind::Database) => "def".to_owned(),
            (Some(database), _) => database.clone(),
            (None, _) => self.database(target),
        };
        format!(
            "(SELECT count(*) FROM information_schema.{view} WHERE {schema} = {} AND {name} = {}{more})",
            literal(&within),
            literal(&object.name)
        )
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
    fn a_group_has_a_letter_for_each_statement() {
        let there = [None, Some(true), Some(false)];
        assert_eq!(letters(there.into_iter()), "made:-pa");
    }

    #[test]
    fn the_counter_is_no_part_of_a_definition() {
        let text =
            |n| format!("CREATE TABLE `a` (\n `b` int AUTO_INCREMENT\n) ENGINE=InnoDB{n} CHARSET=utf8mb4");
        assert_eq!(without_counter(&text(" AUTO_INCREMENT=42")), text(""));
        assert_eq!(without_counter(&text("")), text(""));
    }
}
