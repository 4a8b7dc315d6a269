//! `ALTER …`.

use super::super::name::Name;
use super::super::tokens::{Kind, Piece};
use super::table::{column, data_type, definition, engine, references};
use super::{Act, Words, split};

/// Reads on to what an ALTER TABLE does; false: it is another statement.
pub(super) fn names_table(words: &mut Words<'_>) -> bool {
    table(words).is_some()
}

fn table(words: &mut Words<'_>) -> Option<Name> {
    if !words.eat("ALTER") {
        return None;
    }
    for modifier in ["ONLINE", "IGNORE"] {
        words.eat(modifier);
    }
    if !words.eat("TABLE") {
        return None;
    }
    words.eat_all(&["IF", "EXISTS"]);
    words.eat("ONLY");
    let name = words.name();
    words.eat("*");
    name
}

/// `ALTER INDEX a RENAME TO b`.
fn rename_index(words: &mut Words<'_>) -> Option<Act> {
    words.eat_all(&["ALTER", "INDEX"]);
    words.eat_all(&["IF", "EXISTS"]);
    let index = words.name()?;
    let to = words.eat_all(&["RENAME", "TO"]).then(|| words.name())??;
    Some(Act::RenameIndex { index, to: to.name })
}

pub(super) fn alter(words: &mut Words<'_>, acts: &mut Vec<Act>) {
    if words.has_first(&["ALTER", "INDEX"]) {
        acts.extend(rename_index(words));
        return;
    }
    let Some(table) = table(words) else { return };
    for item in words.items() {
        let before = acts.len();
        action(&table, item, acts);
        references(&table, item, acts);
        if acts.len() == before {
            acts.push(Act::AlterTable { table: table.clone() });
        }
    }
}

fn action(table: &Name, item: &[Piece], acts: &mut Vec<Act>) {
    let mut words = Words::new(item);
    let Some(verb) = words.next() else { return };
    match verb.text.as_str() {
        "ADD" => add(table, &mut words, acts),
        "DROP" | "TRUNCATE" if words.has_first(&["PARTITION"]) => {
            words.next();
            words.eat_all(&["IF", "EXISTS"]);
            acts.extend(words.name().map(|partition| Act::LosePartition {
                table: table.clone(),
                partition: partition.name,
                emptied: verb.is("TRUNCATE"),
            }));
        }
        "DROP" => acts.extend(drop(table, &mut words)),
        "CONVERT" => {
            let _ = words.eat_all(&["TO", "CHARACTER", "SET"]) || words.eat_all(&["TO", "CHARSET"]);
            acts.extend(words.next().map(|charset| Act::ConvertTable {
                table: table.clone(),
                charset: charset.name.clone(),
            }));
        }
        "ALTER" => acts.extend(alter_column(table, &mut words)),
        "MODIFY" => {
            words.eat("COLUMN");
            words.eat_all(&["IF", "EXISTS"]);
            acts.extend(words.name().map(|name| {
                let column = definition(name.name, words.rest());
                Act::ChangeColumn {
                    table: table.clone(),
                    column: column.name,
                    renamed: None,
                    data_type: column.data_type,
                    computed: false,
                }
            }));
        }
        "CHANGE" => {
            words.eat("COLUMN");
            words.eat_all(&["IF", "EXISTS"]);
            let (Some(old), Some(new)) = (words.name(), words.name()) else {
                return;
            };
            let renamed = (!new.name.eq_ignore_ascii_case(&old.name)).then_some(new.name.clone());
            acts.push(Act::ChangeColumn {
                table: table.clone(),
                column: old.name,
                renamed,
                data_type: definition(new.name, words.rest()).data_type,
                computed: false,
            });
        }
        "RENAME" => acts.extend(rename(table, &mut words)),
        "ENGINE" => acts.extend(engine(table, item)),
        _ => {}
    }
}

fn add(table: &Name, words: &mut Words<'_>, acts: &mut Vec<Act>) {
    let said = words.eat("COLUMN");
    words.eat_all(&["IF", "NOT", "EXISTS"]);
    // `ADD (a int, b int)`
    if let Some(group) = words.clone().group() {
        let columns = split(group).into_iter().filter_map(column);
        acts.extend(columns.map(|column| Act::AddColumn {
            table: table.clone(),
            column,
        }));
        return;
    }
    let found = if said {
        words.name().map(|name| definition(name.name, words.rest()))
    } else {
        column(words.rest())
    };
    acts.extend(found.map(|column| Act::AddColumn {
        table: table.clone(),
        column,
    }));
}

fn drop(table: &Name, words: &mut Words<'_>) -> Option<Act> {
    let said = words.eat("COLUMN");
    words.eat_all(&["IF", "EXISTS"]);
    let piece = words.next()?;
    let other = matches!(
        piece.text.as_str(),
        "CONSTRAINT" | "INDEX" | "KEY" | "PRIMARY" | "FOREIGN" | "CHECK" | "PARTITION" | "PERIOD"
    );
    let is_column = piece.is_name() && (said || piece.kind == Kind::Quoted || !other);
    is_column.then(|| Act::DropColumn {
        table: table.clone(),
        column: piece.name.clone(),
    })
}

/// `ALTER COLUMN c TYPE t`
fn alter_column(table: &Name, words: &mut Words<'_>) -> Option<Act> {
    words.eat("COLUMN");
    let column = words.name()?.name;
    words.eat_all(&["SET", "DATA"]);
    if !words.eat("TYPE") {
        return None;
    }
    let rest = words.rest();
    let using = rest.iter().position(|it| it.is("USING"));
    // `USING a` says what is done anyway.
    let computed = using.is_some_and(|at| !matches!(&rest[at + 1..], [one] if one.name == column));
    let end = rest
        .iter()
        .position(|it| it.is("USING") || it.is("COLLATE"))
        .unwrap_or(rest.len());
    Some(Act::ChangeColumn {
        table: table.clone(),
        column,
        renamed: None,
        data_type: data_type(&rest[..end]),
        computed,
    })
}

fn rename(table: &Name, words: &mut Words<'_>) -> Option<Act> {
    if words.eat("CONSTRAINT") || words.eat("INDEX") || words.eat("KEY") {
        return None;
    }
    let is_table = words.eat("TO") || words.eat("AS");
    if is_table {
        return words.name().map(|to| Act::RenameTable {
            table: table.clone(),
            to: to.name,
        });
    }
    words.eat("COLUMN");
    let column = words.name()?.name;
    if !words.eat("TO") {
        // MySQL: `RENAME new_name`.
        return Some(Act::RenameTable {
            table: table.clone(),
            to: column,
        });
    }
    Some(Act::RenameColumn {
        table: table.clone(),
        column,
        to: words.name()?.name,
    })
}
