//! One tenant's migrations in as few messages as they fit into, and where in those an error is.

use crate::database_url::EngineKind;
use crate::domain::Migration;
use crate::migrations::split;

use super::connect::Failed;

/// In bytes: what is longer has a message of its own, so that neither side holds much at once.
pub(super) const LONGEST: usize = 1024 * 1024;

/// Ends a migration's last statement. Where the server's quoting rules differ from ours and a quoted text
/// is still open, this closes it and is a syntax error, so that no later part is swallowed.
pub(super) const END: &str = "\n/*'*/;";

/// Our own text around the migrations, each of whole statements with their `;`.
pub(super) struct Frame {
    pub(super) opening: String,
    /// Before each migration.
    pub(super) before: String,
    /// After each migration.
    pub(super) after: String,
    pub(super) closing: &'static str,
}

/// What is sent at once.
#[derive(Debug, Default)]
pub(super) struct Message {
    pub(super) text: String,
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    /// Index of the migration that this part is of, or belongs to.
    migration: usize,
    /// The migration's own text, not ours around it.
    own: bool,
    /// Byte of the text.
    begins: usize,
}

impl Message {
    fn add(&mut self, migration: usize, own: bool, text: &str) {
        let begins = self.text.len();
        self.parts.push(Part {
            migration,
            own,
            begins,
        });
        self.text.push_str(text);
    }

    fn end(&self, part: usize) -> usize {
        self.parts
            .get(part + 1)
            .map_or(self.text.len(), |next| next.begins)
    }

    /// The migration that failed, and line and column in its file: by the server's position, else by how
    /// many statements were carried out.
    pub(super) fn locate(
        &self,
        failed: &Failed,
        migrations: &[&Migration],
    ) -> (usize, Option<(usize, usize)>) {
        self.by_position(failed)
            .unwrap_or_else(|| self.by_count(failed, migrations))
    }

    /// None where the server named no place in the text.
    fn by_position(&self, failed: &Failed) -> Option<(usize, Option<(usize, usize)>)> {
        let characters = failed.error.position?.checked_sub(1)?;
        let mut all = self.text.char_indices().map(|(at, _)| at);
        let at = all.nth(characters).unwrap_or(self.text.len());
        let index = self.parts.iter().rposition(|part| part.begins <= at)?;
        let part = &self.parts[index];
        if !part.own {
            return Some((part.migration, None));
        }
        let before = &self.text[part.begins..at];
        let last = before.rsplit('\n').next().unwrap_or_default();
        let place = (before.matches('\n').count() + 1, last.chars().count() + 1);
        Some((part.migration, Some(place)))
    }

    fn by_count(&self, failed: &Failed, migrations: &[&Migration]) -> (usize, Option<(usize, usize)>) {
        let mut completed = failed.completed;
        let mut of = self.parts.first().map_or(0, |part| part.migration);
        for (index, part) in self.parts.iter().enumerate() {
            of = part.migration;
            let migration = migrations.get(of).filter(|_| part.own);
            let statements = match migration {
                Some(migration) => migration.statements.len(),
                None => statements(&self.text[part.begins..self.end(index)]),
            };
            if completed < statements {
                let statement = migration.and_then(|it| it.statements.get(completed));
                return (of, statement.map(|it| (it.line, it.column)));
            }
            completed -= statements;
            // Who cannot be split cannot be counted either: it was sent alone.
            if migration.is_some() && statements == 0 {
                return (of, None);
            }
        }
        (of, None)
    }
}

fn statements(text: &str) -> usize {
    split(text, EngineKind::Postgres).map_or(0, |statements| statements.len())
}

/// All in one message, where that is not longer than `longest`. A migration that cannot be split into its
/// statements is alone in its message: nobody knows where it ends.
pub(super) fn messages(frame: &Frame, migrations: &[&Migration], longest: usize) -> Vec<Message> {
    let mut messages = Vec::new();
    let mut message = Message::default();
    message.add(0, false, &frame.opening);
    for (index, migration) in migrations.iter().enumerate() {
        let readable = !migration.statements.is_empty();
        let room = message.text.len() + migration.sql.len() <= longest;
        if !(readable && room) {
            messages.push(std::mem::take(&mut message));
        }
        message.add(index, false, &frame.before);
        message.add(index, true, &migration.sql);
        if readable {
            message.text.push_str(END);
        } else {
            messages.push(std::mem::take(&mut message));
        }
        message.add(index, false, &frame.after);
    }
    message.add(migrations.len().saturating_sub(1), false, frame.closing);
    messages.push(message);
    messages
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Checksum, Direction, Redactor, Scope, Version};
    use crate::engine::{EngineError, ErrorKind};

    fn migration(version: u64, sql: &str) -> Migration {
        Migration {
            scope: Scope::Tenant,
            version: Version(version),
            name: "m".to_owned(),
            file: String::new(),
            sql: sql.to_owned(),
            statements: split(sql, EngineKind::Postgres).unwrap_or_default(),
            checksum: Checksum::of(sql),
            transactional: true,
            batch: None,
            direction: Direction::Forward,
            down: None,
        }
    }

    fn frame() -> Frame {
        Frame {
            opening: "BEGIN;INSERT INTO l VALUES ('a;b');".to_owned(),
            before: "SET LOCAL search_path = \"ü;\";".to_owned(),
            after: "RESET ALL;RESET ROLE;".to_owned(),
            closing: "COMMIT",
        }
    }

    fn failed(completed: usize, position: Option<usize>) -> Failed {
        let mut error = EngineError::new(ErrorKind::Statement, "no", &Redactor::default());
        error.position = position;
        Failed { error, completed }
    }

    const FIRST: &str = "create table ä (b int);\ninsert into ä values (1) -- one";
    const SECOND: &str = "select 1;\n  select 1/0;";

    #[test]
    fn small_ones_are_one_message() {
        let (first, second) = (migration(1, FIRST), migration(2, SECOND));
        let messages = messages(&frame(), &[&first, &second], LONGEST);
        assert_eq!(messages.len(), 1);
        assert_eq!(
            messages[0].text,
            "BEGIN;INSERT INTO l VALUES ('a;b');\
             SET LOCAL search_path = \"ü;\";create table ä (b int);\ninsert into ä values (1) -- one\n/*'*/;RESET ALL;RESET ROLE;\
             SET LOCAL search_path = \"ü;\";select 1;\n  select 1/0;\n/*'*/;RESET ALL;RESET ROLE;COMMIT"
        );
        assert_eq!(statements(&messages[0].text), 2 + 1 + 2 + 2 + 1 + 2 + 2 + 1);
    }

    #[test]
    fn an_error_in_the_second_is_found_by_its_position() {
        let (first, second) = (migration(1, FIRST), migration(2, SECOND));
        let message = messages(&frame(), &[&first, &second], LONGEST).remove(0);
        let before = message.text.split("1/0").next().expect("it is there");
        let position = before.chars().count() + 2;
        // Whatever the count says: a syntax error is found before anything was carried out.
        let found = message.locate(&failed(0, Some(position)), &[&first, &second]);
        assert_eq!(found, (1, Some((2, 11))));
        let ours = message.text.chars().count() - 2;
        let found = message.locate(&failed(0, Some(ours)), &[&first, &second]);
        assert_eq!(found, (1, None));
    }

    #[test]
    fn an_error_in_the_second_is_found_by_the_count() {
        let (first, second) = (migration(1, FIRST), migration(2, SECOND));
        let message = messages(&frame(), &[&first, &second], LONGEST).remove(0);
        let at = |completed| message.locate(&failed(completed, None), &[&first, &second]);
        assert_eq!(at(1), (0, None), "the ledger's row");
        assert_eq!(at(4), (0, Some((2, 1))));
        assert_eq!(at(5), (0, None), "what takes its settings back");
        assert_eq!(at(8), (1, Some((1, 1))));
        assert_eq!(at(9), (1, Some((2, 3))));
        assert_eq!(at(12), (1, None), "COMMIT");
    }

    #[test]
    fn what_is_long_or_unreadable_goes_alone() {
        let (first, second) = (migration(1, FIRST), migration(2, SECOND));
        let apart = messages(&frame(), &[&first, &second], 0);
        let begin = |message: &Message| message.text.chars().take(5).collect::<String>();
        assert_eq!(
            apart.iter().map(begin).collect::<Vec<_>>(),
            ["BEGIN", "SET L", "SET L"]
        );
        assert_eq!(
            apart[2].locate(&failed(2, None), &[&first, &second]),
            (1, Some((2, 3)))
        );

        let open = migration(1, "select 'a");
        let apart = messages(&frame(), &[&open, &second], LONGEST);
        assert!(apart[1].text.ends_with("select 'a"), "{apart:?}");
        assert_eq!(apart.len(), 3);
    }
}
