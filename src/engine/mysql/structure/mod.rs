//! What databases are made of, for one or for thousands, and what migrations make of nothing.
//!
//! Tables, sequences and views are read as the server itself would make them again (`SHOW CREATE`), so that
//! nothing is left out; what it has no such cheap statement for comes from `information_schema`.

mod scratch;
mod stored;
mod table;
mod text;

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};
use sqlx::mysql::MySqlConnection;

use crate::domain::{Print, Redactor, Structure};
use crate::engine::{EngineError, ErrorKind, Target, Unseen};

use super::connect::{self, Answer, Row};
use super::sql::{END_READ, READ_ONLY, ident, list, literal};
pub(super) use text::Names;

pub(super) use scratch::{PARTS, Scratch, in_use, left_over, not_in_use, scratch_name, scratch_prefix};

/// How texts are written must not depend on the session. Two more statements follow it.
const PLAINLY: &str = "SET SESSION sql_mode = '', sql_quote_show_create = 1;";
/// Statements before the first that reads.
const BEFORE: usize = 3;

/// Databases that one message is about.
const TOGETHER: usize = 50;
/// So many are listed at once; each list goes through the names of all the server's databases.
const LISTED: usize = 500;
/// Up to so many are looked up one by one, which goes through none but theirs: only `= 'name'` does so
/// (<https://mariadb.com/kb/en/information-schema-optimization/>).
const LOOKED_UP: usize = 8;

/// A database that is read.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) database: String,
    /// Whose it is.
    pub(super) tenant: Option<String>,
}

impl Place {
    pub(super) fn of(target: Target<'_>, shared: &str) -> Self {
        match target {
            Target::Shared => Self {
                database: shared.to_owned(),
                tenant: None,
            },
            Target::Tenant(tenant) => Self {
                database: tenant.location.clone(),
                tenant: Some(tenant.name.as_str().to_owned()),
            },
        }
    }
}

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Schema,
    Table,
    Sequence,
    View,
    Trigger,
    Routine,
    Parameter,
    Event,
}

/// All that is read of one database, in neutral texts. Prints are made of all of it and structures of nothing
/// else: so the same print is the same structure.
#[derive(Debug, Default)]
struct Raw(Vec<(What, Row)>);

impl Raw {
    fn print(&self) -> Print {
        let mut hash = Sha256::new();
        for (what, row) in &self.0 {
            hash.update([*what as u8, row.len() as u8]);
            for value in row {
                let text = value.as_deref().unwrap_or_default();
                hash.update([u8::from(value.is_some())]);
                hash.update((text.len() as u64).to_le_bytes());
                hash.update(text);
            }
        }
        Print(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    fn structure(self) -> Structure {
        let mut structure = Structure::default();
        stored::add_parameters(&mut structure, &self.0);
        for (what, row) in self.0 {
            let row: Vec<String> = row.into_iter().map(Option::unwrap_or_default).collect();
            let text = |index: usize| row.get(index).map(String::as_str).unwrap_or_default();
            match what {
                What::Schema => stored::add_schema(&mut structure, &row),
                What::Table => table::add(&mut structure, text(0), text(1)),
                What::Sequence => table::add_sequence(&mut structure, text(0), text(1)),
                What::View => stored::add_view(&mut structure, &row),
                What::Trigger => stored::add_trigger(&mut structure, &row),
                What::Routine => stored::add_routine(&mut structure, &row),
                What::Parameter => {}
                What::Event => stored::add_event(&mut structure, &row),
            }
        }
        structure
    }
}

/// What is listed: (what, its columns, where from, the column of the database, in which order). The first column
/// is the name, or the table's. Character sets of the connection that made a thing are left out: the texts
/// themselves are kept in UTF-8. So are the times of events, which begin when they are made.
const LISTS: [(What, &str, &str, &str); 5] = [
    (
        What::Schema,
        "DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME /*M!100500 , SCHEMA_COMMENT */",
        "SCHEMATA",
        "SCHEMA_NAME",
    ),
    (
        What::Trigger,
        "EVENT_OBJECT_TABLE, TRIGGER_NAME, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER, ACTION_STATEMENT, SQL_MODE, DEFINER",
        "TRIGGERS",
        "TRIGGER_SCHEMA",
    ),
    (
        What::Routine,
        "SPECIFIC_NAME, ROUTINE_TYPE, DTD_IDENTIFIER, COLLATION_NAME, ROUTINE_DEFINITION, IS_DETERMINISTIC, SQL_DATA_ACCESS, SECURITY_TYPE, SQL_MODE, ROUTINE_COMMENT, DEFINER",
        "ROUTINES",
        "ROUTINE_SCHEMA",
    ),
    (
        What::Parameter,
        "SPECIFIC_NAME, ROUTINE_TYPE, lpad(ORDINAL_POSITION, 6, '0'), PARAMETER_MODE, PARAMETER_NAME, DTD_IDENTIFIER, COLLATION_NAME",
        "PARAMETERS",
        "SPECIFIC_SCHEMA",
    ),
    (
        What::Event,
        "EVENT_NAME, EVENT_TYPE, INTERVAL_VALUE, INTERVAL_FIELD, ON_COMPLETION, STATUS, EVENT_DEFINITION, SQL_MODE, EVENT_COMMENT, TIME_ZONE, DEFINER",
        "EVENTS",
        "EVENT_SCHEMA",
    ),
];

/// Statements that list what all these databases have; the last lists tables.
fn lists(places: &[Place]) -> String {
    let condition = |column: &str| match places {
        [one] => format!("{column} = {}", literal(&one.database)),
        many => format!(
            "{column} IN ({})",
            list(many.iter().map(|it| it.database.as_str()))
        ),
    };
    let mut text = String::new();
    for (_, columns, from, database) in LISTS {
        let condition = condition(database);
        text += &format!("SELECT {database}, {columns} FROM information_schema.{from} WHERE {condition};\n");
    }
    let condition = condition("TABLE_SCHEMA");
    text + &format!(
        "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES WHERE {condition}"
    )
}

/// What is listed of one database.
#[derive(Debug, Default)]
struct Listed {
    rows: Vec<(What, Row)>,
    /// Names, and what each is.
    tables: Vec<(String, What)>,
}

impl Listed {
    /// A database lists itself.
    fn is_there(&self) -> bool {
        !self.rows.is_empty()
    }
}

fn listed(answers: Vec<Answer>) -> HashMap<String, Listed> {
    let mut found: HashMap<String, Listed> = HashMap::new();
    let mut answers = answers.into_iter();
    for (what, ..) in LISTS {
        for row in answers.next().unwrap_or_default().rows {
            let mut row = row.into_iter();
            let database = row.next().flatten().unwrap_or_default();
            found
                .entry(database)
                .or_default()
                .rows
                .push((what, row.collect()));
        }
    }
    for row in answers.next().unwrap_or_default().rows {
        if let [Some(database), Some(name), Some(kind)] = &row[..] {
            let what = match kind.as_str() {
                "VIEW" | "SYSTEM VIEW" => What::View,
                "SEQUENCE" => What::Sequence,
                _ => What::Table,
            };
            let tables = &mut found.entry(database.clone()).or_default().tables;
            tables.push((name.clone(), what));
        }
    }
    for listed in found.values_mut() {
        listed
            .rows
            .sort_by(|(a, x), (b, y)| (*a as u8, x).cmp(&(*b as u8, y)));
        listed.tables.sort_by(|(a, _), (b, _)| a.cmp(b));
    }
    found
}

/// Databases of the server itself.
const SYSTEM: &str = "'mysql', 'sys', 'information_schema', 'performance_schema'";

/// Reads databases over a connection of its own.
pub(super) struct Reader<'a> {
    connection: &'a mut MySqlConnection,
    shared: &'a str,
    redactor: &'a Redactor,
}

impl<'a> Reader<'a> {
    pub(super) fn new(connection: &'a mut MySqlConnection, shared: &'a str, redactor: &'a Redactor) -> Self {
        Self {
            connection,
            shared,
            redactor,
        }
    }

    async fn send(&mut self, text: &str) -> Result<Vec<Answer>, EngineError> {
        let text = format!("{PLAINLY}{READ_ONLY}\n{text}{END_READ}");
        let sent = connect::send(self.connection, text, self.redactor).await;
        let mut answers = sent.map_err(|failed| failed.error.without(END_READ))?;
        answers.truncate(answers.len().saturating_sub(2));
        answers.drain(..BEFORE.min(answers.len()));
        Ok(answers)
    }

    pub(super) async fn structures(&mut self, places: &[Place]) -> Result<Vec<Structure>, EngineError> {
        self.read(places, Raw::structure).await
    }

    pub(super) async fn prints(&mut self, places: &[Place]) -> Result<Vec<Print>, EngineError> {
        self.read(places, |raw| raw.print()).await
    }

    async fn read<T>(&mut self, places: &[Place], of: impl Fn(Raw) -> T) -> Result<Vec<T>, EngineError> {
        let mut all = Vec::with_capacity(places.len());
        let at_once = if places.len() > LOOKED_UP { LISTED } else { 1 };
        for places in places.chunks(at_once) {
            let mut found = listed(self.send(&lists(places)).await?);
            for places in places.chunks(TOGETHER) {
                let take = |place: &Place| found.remove(&place.database).unwrap_or_default();
                let these: Vec<Listed> = places.iter().map(take).collect();
                all.extend(self.texts(places, these).await?.into_iter().map(&of));
            }
        }
        Ok(all)
    }

    /// Adds the texts of tables to what is listed.
    async fn texts(&mut self, places: &[Place], listed: Vec<Listed>) -> Result<Vec<Raw>, EngineError> {
        let mut statements = Vec::new();
        for (place, listed) in places.iter().zip(&listed).filter(|(_, listed)| listed.is_there()) {
            // So that the server leaves out the database's name where it can.
            statements.push(format!("USE {}", ident(&place.database)));
            statements.extend(listed.tables.iter().map(|(name, what)| match what {
                What::View => format!("SHOW CREATE VIEW {}", ident(name)),
                What::Sequence => format!("SHOW CREATE SEQUENCE {}", ident(name)),
                _ => format!("SHOW CREATE TABLE {}", ident(name)),
            }));
        }
        let mut answers = match statements.is_empty() {
            true => Vec::new().into_iter(),
            false => self
                .send(&statements.join(";\n"))
                .await
                .map_err(with_privilege)?
                .into_iter(),
        };
        let mut all = Vec::with_capacity(places.len());
        for (place, listed) in places.iter().zip(listed) {
            let neutral = Neutral {
                names: Names::new(&place.database, self.shared),
                place,
            };
            let mut raw = Raw::default();
            if listed.is_there() {
                // To USE.
                answers.next();
            }
            for (what, row) in listed.rows {
                raw.0.push((what, self.neutral_row(neutral, what, row)?));
            }
            for (name, what) in listed.tables {
                let answer = answers.next().and_then(|answer| answer.rows.into_iter().next());
                let text = answer.and_then(|row| row.into_iter().nth(1)?);
                let text = text.ok_or_else(|| self.unread("table", &place.database, &name, "SELECT"))?;
                let row = match what {
                    What::View => stored::view(&name, &text, neutral),
                    _ => vec![Some(name), Some(without_position(&neutral.names.neutral(&text)))],
                };
                raw.0.push((what, row));
            }
            all.push(raw);
        }
        Ok(all)
    }

    fn neutral_row(&self, neutral: Neutral<'_>, what: What, mut row: Row) -> Result<Row, EngineError> {
        let (body, definer) = match what {
            What::Trigger => (5, 7),
            What::Routine => (4, 10),
            What::Event => (6, 10),
            _ => return Ok(row),
        };
        let of = |index: usize| row.get(index).cloned().flatten();
        let Some(text) = of(body) else {
            let name = of(0).unwrap_or_default();
            let privilege = "SELECT on `mysql`.`proc`, or SHOW CREATE ROUTINE";
            return Err(self.unread("routine", &neutral.place.database, &name, privilege));
        };
        let text = neutral.names.neutral(&text).into_owned();
        let name = neutral.definer(&of(definer).unwrap_or_default());
        row[body] = Some(text);
        row[definer] = Some(name);
        Ok(row)
    }

    /// What cannot be read is never taken for alike.
    fn unread(&self, kind: &str, database: &str, name: &str, privilege: &str) -> EngineError {
        let message = format!(
            "the definition of {kind} {}.{} cannot be read",
            ident(database),
            ident(name)
        );
        let mut error = EngineError::new(ErrorKind::Forbidden, message, self.redactor);
        error.server_hint = Some(format!("grant the role {privilege}"));
        error
    }
}

/// A view is refused that may be selected from and not be looked at.
fn with_privilege(mut error: EngineError) -> EngineError {
    if error.kind == ErrorKind::Forbidden && error.message.contains("SHOW VIEW") {
        error.server_hint = Some("grant the role SHOW VIEW, so that views can be compared".to_owned());
    }
    error
}

/// Stand in a definer for the name of its database, or of its tenant.
pub(super) const DATABASE: &str = "{database}";
pub(super) const TENANT: &str = "{tenant}";

/// How texts of one database become neutral.
#[derive(Clone, Copy)]
struct Neutral<'a> {
    names: Names<'a>,
    place: &'a Place,
}

impl Neutral<'_> {
    /// `user@host`, where the user is not named after the tenant.
    fn definer(&self, text: &str) -> String {
        let (user, host) = text.rsplit_once('@').unwrap_or((text, ""));
        let own = [
            (DATABASE, Some(self.place.database.as_str())),
            (TENANT, self.place.tenant.as_deref()),
        ];
        for (instead, name) in own {
            if let Some(name) = name
                && let Some(at) = whole_word(user, name)
            {
                return format!("{}{instead}{}@{host}", &user[..at], &user[at + name.len()..]);
            }
        }
        text.to_owned()
    }
}

fn whole_word(text: &str, word: &str) -> Option<usize> {
    let apart = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    let mut found = text.match_indices(word).map(|(at, _)| at);
    found.find(|at| apart(text[..*at].chars().next_back()) && apart(text[at + word.len()..].chars().next()))
}

/// Where the next row's number stands is data. It stands behind the last parenthesis, at a word's begin.
fn without_position(text: &str) -> String {
    const OPTION: &str = " AUTO_INCREMENT=";
    let options = text.rfind("\n) ").unwrap_or(0);
    let Some(at) = text[options..].find(OPTION).map(|at| options + at) else {
        return text.to_owned();
    };
    let number = &text[at + OPTION.len()..];
    let end = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
    format!("{}{}", &text[..at], &number[end..])
}

/// What is listed only to those who may do something with it: without one of these it seems not to be there
/// (<https://mariadb.com/kb/en/information-schema-triggers-table/>).
const SEEN_BY: [(&str, &[&str]); 3] = [
    ("triggers", &["TRIGGER"]),
    ("events", &["EVENT"]),
    ("routines", &["EXECUTE", "CREATE ROUTINE", "ALTER ROUTINE"]),
];

/// Rows of privileges that this role has on a database.
pub(super) fn privileges(database: &str) -> String {
    let own = "replace(GRANTEE, '''', '') IN (CURRENT_USER(), concat(CURRENT_ROLE(), '@'), CURRENT_ROLE())";
    format!(
        "SELECT PRIVILEGE_TYPE FROM information_schema.USER_PRIVILEGES WHERE {own}
UNION SELECT PRIVILEGE_TYPE FROM information_schema.SCHEMA_PRIVILEGES WHERE {own} AND {} LIKE TABLE_SCHEMA",
        literal(database)
    )
}

pub(super) fn unseen(privileges: &Answer) -> Vec<Unseen> {
    let is = |row: &Row, one: &str| row.first().is_some_and(|it| it.as_deref() == Some(one));
    let has = |one: &&str| privileges.rows.iter().any(|row| is(row, one));
    let lacking = SEEN_BY.iter().filter(|(_, any)| !any.iter().any(&has));
    lacking
        .map(|(things, any)| Unseen {
            things,
            privilege: any[0],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_next_row_stands_is_no_part_of_a_table() {
        let text = "CREATE TABLE `a` (\n  `b` int COMMENT ' AUTO_INCREMENT=3'\n) ENGINE=InnoDB AUTO_INCREMENT=12 DEFAULT CHARSET=utf8mb4";
        let without = text.replace(" AUTO_INCREMENT=12", "");
        assert_eq!(without_position(text), without);
        assert_eq!(without_position(&without), without);
    }

    #[test]
    fn definers_are_named_after_what_they_are() {
        let place = Place {
            database: "caps_acme".to_owned(),
            tenant: Some("acme".to_owned()),
        };
        let neutral = Neutral {
            names: Names::new("caps_acme", "caps"),
            place: &place,
        };
        assert_eq!(neutral.definer("deploy@%"), "deploy@%");
        assert_eq!(neutral.definer("u_acme@%"), "u_{tenant}@%");
        assert_eq!(neutral.definer("acmes@%"), "acmes@%");
        assert_eq!(neutral.definer("caps_acme@localhost"), "{database}@localhost");
    }
}
