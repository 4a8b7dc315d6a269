//! What a statement does to tables, as far as its words tell. What is not understood does nothing.

mod alter;
mod table;
mod words;

use crate::database_url::EngineKind;

use super::name::Name;
use super::tokens::{Kind, Piece, text_pieces};
use words::{Words, split};

/// One effect of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    CreateTable {
        table: Name,
        columns: Vec<Column>,
        /// It may be there already.
        tolerant: bool,
        /// One that is there is dropped first: MariaDB's `OR REPLACE`.
        replaces: bool,
        /// Made of what a query gives.
        of_query: bool,
        /// It lives as long as the connection.
        temporary: bool,
    },
    /// Anything but a table or an index.
    CreateOther {
        name: Name,
        what: String,
        tolerant: bool,
    },
    AddColumn {
        table: Name,
        column: Column,
    },
    DropColumn {
        table: Name,
        column: String,
    },
    /// The whole new definition is only known where the engine wants it whole.
    ChangeColumn {
        table: Name,
        column: String,
        renamed: Option<String>,
        data_type: String,
        /// `USING` something else than the column itself.
        computed: bool,
    },
    /// `CONVERT TO CHARACTER SET`.
    ConvertTable {
        table: Name,
        charset: String,
    },
    /// A part of a table with its rows.
    LosePartition {
        table: Name,
        partition: String,
        /// The part itself stays.
        emptied: bool,
    },
    RenameColumn {
        table: Name,
        column: String,
        to: String,
    },
    RenameTable {
        table: Name,
        to: String,
    },
    /// Any other change of a table.
    AlterTable {
        table: Name,
    },
    /// A foreign key that points there, new or with its table.
    Reference {
        from: Name,
        to: Name,
    },
    DropTable {
        table: Name,
        /// It need not be there.
        tolerant: bool,
    },
    DropDatabase {
        name: String,
        what: &'static str,
    },
    /// Dropped or built anew.
    Index {
        index: Name,
    },
    RenameIndex {
        index: Name,
        to: String,
    },
    Truncate {
        table: Name,
        cascade: bool,
    },
    Delete {
        table: Name,
        filtered: bool,
    },
    Update {
        table: Name,
        filtered: bool,
    },
    Insert {
        table: Name,
        /// It stands its own repetition.
        guarded: bool,
        /// Rows that stand in the file, not those of a query.
        literal: bool,
    },
    CreateIndex {
        table: Name,
        index: Option<Name>,
    },
    Lock {
        table: Name,
    },
    /// `SET search_path`, `USE`: what follows lands elsewhere.
    MoveTo {
        place: String,
    },
    /// `ENGINE = …`.
    StorageEngine {
        table: Name,
        engine: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) data_type: String,
    pub(super) required: bool,
    pub(super) has_default: bool,
}

impl Act {
    /// The table that is changed.
    pub(super) fn table(&self) -> Option<&Name> {
        match self {
            Self::CreateTable { table, .. }
            | Self::AddColumn { table, .. }
            | Self::DropColumn { table, .. }
            | Self::ChangeColumn { table, .. }
            | Self::RenameColumn { table, .. }
            | Self::RenameTable { table, .. }
            | Self::AlterTable { table }
            | Self::Reference { from: table, .. }
            | Self::DropTable { table, .. }
            | Self::ConvertTable { table, .. }
            | Self::LosePartition { table, .. }
            | Self::Truncate { table, .. }
            | Self::Delete { table, .. }
            | Self::Update { table, .. }
            | Self::Insert { table, .. }
            | Self::CreateIndex { table, .. }
            | Self::Lock { table }
            | Self::StorageEngine { table, .. } => Some(table),
            Self::CreateOther { .. }
            | Self::DropDatabase { .. }
            | Self::Index { .. }
            | Self::RenameIndex { .. }
            | Self::MoveTo { .. } => None,
        }
    }
}

impl Act {
    /// It locks its table until the transaction ends, against readers or at least against all writers.
    pub(super) fn locks(&self) -> bool {
        matches!(
            self,
            Self::Lock { .. }
                | Self::CreateIndex { .. }
                | Self::Truncate { .. }
                | Self::DropTable { .. }
                | Self::Update { filtered: false, .. }
                | Self::Delete { filtered: false, .. }
                | Self::AddColumn { .. }
                | Self::DropColumn { .. }
                | Self::ChangeColumn { .. }
                | Self::RenameColumn { .. }
                | Self::RenameTable { .. }
                | Self::AlterTable { .. }
                | Self::ConvertTable { .. }
                | Self::LosePartition { .. }
        )
    }
}

/// The item of an ALTER TABLE that stands at a place, as if it came alone; another statement whole.
pub(super) fn item_at(pieces: &[Piece], place: (usize, usize)) -> Vec<Piece> {
    let mut words = Words::new(pieces);
    if !alter::names_table(&mut words) {
        return pieces.to_vec();
    }
    let items = words.items();
    let head = pieces.len() - words.rest().len();
    let begins = |item: &&&[Piece]| item.first().is_some_and(|it| (it.line, it.column) <= place);
    match items.iter().rfind(begins) {
        Some(item) => [&pieces[..head], item].concat(),
        None => pieces.to_vec(),
    }
}

/// The words stand one behind the other.
pub(super) fn says(pieces: &[Piece], words: &[&str]) -> bool {
    Words::new(pieces).has_all(words)
}

/// The word stands outside of parentheses.
pub(super) fn says_outside(pieces: &[Piece], word: &str) -> bool {
    Words::new(pieces).has_outside(word)
}

/// Reads one statement.
pub(super) fn acts(pieces: &[Piece]) -> Vec<Act> {
    let mut words = Words::new(pieces);
    words.eat("EXPLAIN");
    let mut acts = Vec::new();
    // PostgreSQL: `WITH gone AS (DELETE FROM …)`.
    for query in words.skip_with() {
        acts.extend(self::acts(query));
    }
    let first = words.peek().map(|it| it.text.clone()).unwrap_or_default();
    match first.as_str() {
        "CREATE" => table::create(&mut words, &mut acts),
        "ALTER" => alter::alter(&mut words, &mut acts),
        "DROP" => drop(&mut words, &mut acts),
        "TRUNCATE" => truncate(&mut words, &mut acts),
        "DELETE" => acts.extend(delete(&mut words)),
        "UPDATE" => acts.extend(update(&mut words)),
        "INSERT" | "REPLACE" => acts.extend(insert(&mut words)),
        "RENAME" => rename_tables(&mut words, &mut acts),
        "REINDEX" => acts.extend(reindex(&mut words)),
        "LOCK" => lock(&mut words, &mut acts),
        "USE" => {
            words.next();
            acts.extend(words.next().map(|it| Act::MoveTo {
                place: it.name.clone(),
            }));
        }
        "SET" => acts.extend(search_path(&mut words)),
        "RESET" => acts.extend(reset(&mut words)),
        "SELECT" => acts.extend(set_config(pieces)),
        "DO" => acts.extend(in_blocks(pieces)),
        _ => {}
    }
    acts
}

fn drop(words: &mut Words<'_>, acts: &mut Vec<Act>) {
    words.next();
    words.eat("TEMPORARY");
    let what = words.next().map(|it| it.text.clone()).unwrap_or_default();
    words.eat("CONCURRENTLY");
    let tolerant = words.eat_all(&["IF", "EXISTS"]);
    match what.as_str() {
        "TABLE" => {
            while let Some(table) = words.name() {
                acts.push(Act::DropTable { table, tolerant });
                if !words.eat(",") {
                    break;
                }
            }
        }
        "DATABASE" | "SCHEMA" => {
            let what = if what == "DATABASE" { "database" } else { "schema" };
            while let Some(name) = words.name() {
                acts.push(Act::DropDatabase {
                    name: name.name,
                    what,
                });
                if !words.eat(",") {
                    break;
                }
            }
        }
        "INDEX" => {
            while let Some(index) = words.name() {
                // MySQL says of which table.
                if words.eat("ON") {
                    acts.extend(words.name().map(|table| Act::AlterTable { table }));
                    return;
                }
                acts.push(Act::Index { index });
                if !words.eat(",") {
                    break;
                }
            }
        }
        _ => {}
    }
}

fn truncate(words: &mut Words<'_>, acts: &mut Vec<Act>) {
    words.next();
    words.eat("TABLE");
    let cascade = words.has("CASCADE");
    loop {
        words.eat("ONLY");
        let Some(table) = words.name() else { return };
        words.eat("*");
        acts.push(Act::Truncate { table, cascade });
        if !words.eat(",") {
            return;
        }
    }
}

fn delete(words: &mut Words<'_>) -> Option<Act> {
    words.next();
    for modifier in ["LOW_PRIORITY", "QUICK", "IGNORE"] {
        words.eat(modifier);
    }
    if !words.eat("FROM") {
        // `DELETE a FROM a JOIN b …`
        words.skip_to("FROM");
        words.eat("FROM");
    }
    words.eat("ONLY");
    let table = words.name()?;
    let filtered = ["WHERE", "JOIN", "LIMIT", "USING"]
        .iter()
        .any(|word| words.has_outside(word));
    Some(Act::Delete { table, filtered })
}

fn update(words: &mut Words<'_>) -> Option<Act> {
    words.next();
    if words.eat("OR") {
        words.next();
    }
    for modifier in ["LOW_PRIORITY", "IGNORE", "ONLY"] {
        words.eat(modifier);
    }
    let table = words.name()?;
    let filtered = ["WHERE", "JOIN", "LIMIT"]
        .iter()
        .any(|word| words.has_outside(word));
    Some(Act::Update { table, filtered })
}

fn insert(words: &mut Words<'_>) -> Option<Act> {
    let mut guarded = words.next()?.is("REPLACE");
    if words.eat("OR") {
        // SQLite: all but ROLLBACK, ABORT and FAIL stand a repetition.
        let how = words.next()?;
        guarded |= how.is("IGNORE") || how.is("REPLACE");
    }
    for modifier in ["LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY"] {
        words.eat(modifier);
    }
    guarded |= words.eat("IGNORE");
    words.eat("INTO");
    let table = words.name()?;
    let pairs = [["ON", "CONFLICT"], ["ON", "DUPLICATE"], ["NOT", "EXISTS"]];
    guarded |= pairs.iter().any(|pair| words.has_all(pair)) || words.has_outside("EXCEPT");
    let literal = !words.has("FROM") || words.has_outside("VALUES");
    Some(Act::Insert {
        table,
        guarded,
        literal,
    })
}

fn rename_tables(words: &mut Words<'_>, acts: &mut Vec<Act>) {
    words.next();
    if !(words.eat("TABLE") || words.eat("TABLES")) {
        return;
    }
    while let Some(table) = words.name() {
        words.eat("TO");
        let Some(to) = words.name() else { return };
        acts.push(Act::RenameTable { table, to: to.name });
        if !words.eat(",") {
            return;
        }
    }
}

fn lock(words: &mut Words<'_>, acts: &mut Vec<Act>) {
    words.next();
    let _ = words.eat("TABLES") || words.eat("TABLE");
    loop {
        words.eat("ONLY");
        let Some(table) = words.name() else { return };
        acts.push(Act::Lock { table });
        if !words.eat(",") {
            return;
        }
    }
}

fn reindex(words: &mut Words<'_>) -> Option<Act> {
    words.next();
    let _ = words.group();
    let is_table = words.eat("TABLE");
    if !is_table && !words.eat("INDEX") {
        return None;
    }
    words.eat("CONCURRENTLY");
    let name = words.name()?;
    Some(match is_table {
        true => Act::AlterTable { table: name },
        false => Act::Index { index: name },
    })
}

fn search_path(words: &mut Words<'_>) -> Option<Act> {
    words.next();
    let _ = words.eat("LOCAL") || words.eat("SESSION");
    let name = words.next()?;
    if !is_path(name) && !name.is("SCHEMA") {
        return None;
    }
    let _ = words.eat("TO") || words.eat("=");
    let place = words.next()?;
    Some(match place.is("DEFAULT") {
        true => by_itself(),
        false => Act::MoveTo {
            place: place.name.clone(),
        },
    })
}

fn is_path(piece: &Piece) -> bool {
    piece.is_name() && piece.name.eq_ignore_ascii_case("search_path")
}

/// Where a session is that says nothing: in `public`, or where the role's own path leads.
fn by_itself() -> Act {
    Act::MoveTo {
        place: "public".to_owned(),
    }
}

fn reset(words: &mut Words<'_>) -> Option<Act> {
    words.next();
    let name = words.next()?;
    (is_path(name) || name.is("ALL")).then(by_itself)
}

/// What the blocks of `DO` do at once.
fn in_blocks(pieces: &[Piece]) -> Vec<Act> {
    let blocks = pieces
        .iter()
        .filter(|it| matches!(it.kind, Kind::Body | Kind::Text));
    let mut acts = Vec::new();
    for block in blocks {
        let inside = text_pieces(&block.text, EngineKind::Postgres);
        acts.extend(set_config(&inside));
        for at in 0..inside.len() {
            let mut words = Words::new(&inside[at..]);
            acts.extend(match &inside[at] {
                it if it.is("SET") => search_path(&mut words),
                it if it.is("RESET") => reset(&mut words),
                _ => None,
            });
        }
    }
    acts
}

/// pg_dump writes `SELECT pg_catalog.set_config('search_path', '', false)`.
fn set_config(pieces: &[Piece]) -> Option<Act> {
    let at = pieces.iter().position(|it| it.is("SET_CONFIG"))?;
    let texts: Vec<&Piece> = pieces[at..]
        .iter()
        .filter(|it| it.kind == Kind::Text)
        .take(2)
        .collect();
    match texts[..] {
        [name, place] if name.text == "search_path" => Some(Act::MoveTo {
            place: place.text.clone(),
        }),
        _ => None,
    }
}
