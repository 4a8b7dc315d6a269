//! `CREATE …`.

use super::super::name::Name;
use super::super::tokens::{Kind, Piece};
use super::{Act, Column, Words, split};

pub(super) fn create(words: &mut Words<'_>, acts: &mut Vec<Act>) {
    words.next();
    let replaces = words.eat_all(&["OR", "REPLACE"]);
    let mut temporary = false;
    loop {
        let Some(word) = words.peek().filter(|it| it.kind == Kind::Word) else {
            return;
        };
        match word.text.as_str() {
            "TEMP" | "TEMPORARY" => temporary = true,
            "TABLE" => {
                words.next();
                return create_table(words, temporary, replaces, acts);
            }
            "INDEX" => {
                words.next();
                words.eat("CONCURRENTLY");
                words.eat_all(&["IF", "NOT", "EXISTS"]);
                let is_named = !words.peek().is_some_and(|it| it.is("ON"));
                let index = if is_named { words.name() } else { None };
                words.skip_to("ON");
                words.eat("ON");
                words.eat("ONLY");
                acts.extend(words.name().map(|table| Act::CreateIndex { table, index }));
                return;
            }
            "TRIGGER" | "POLICY" | "RULE" => {
                words.skip_to("ON");
                words.eat("ON");
                acts.extend(words.name().map(|table| Act::AlterTable { table }));
                return;
            }
            "VIEW" | "FUNCTION" | "PROCEDURE" | "TYPE" | "SEQUENCE" | "DOMAIN" | "AGGREGATE" | "EVENT" => {
                let what = word.text.to_lowercase();
                words.next();
                let tolerant = words.eat_all(&["IF", "NOT", "EXISTS"]) || replaces;
                acts.extend(words.name().map(|name| Act::CreateOther { name, what, tolerant }));
                return;
            }
            _ => {}
        }
        words.next();
    }
}

fn create_table(words: &mut Words<'_>, temporary: bool, replaces: bool, acts: &mut Vec<Act>) {
    let tolerant = words.eat_all(&["IF", "NOT", "EXISTS"]) || replaces;
    let Some(table) = words.name() else { return };
    let mut columns = Vec::new();
    let mut after = words.clone();
    let of_query = words.has_outside("SELECT");
    let inside = after.group().unwrap_or_default();
    for item in split(inside) {
        columns.extend(column(item));
    }
    acts.push(Act::CreateTable {
        table: table.clone(),
        columns,
        tolerant,
        replaces,
        of_query,
        temporary,
    });
    references(&table, inside, acts);
    acts.extend(engine(&table, after.rest()));
}

/// `ENGINE = InnoDB`.
pub(super) fn engine(table: &Name, pieces: &[Piece]) -> Option<Act> {
    let mut words = Words::new(pieces);
    words.skip_to("ENGINE");
    words.eat("ENGINE");
    words.eat("=");
    let engine = words.next()?.name.to_lowercase();
    Some(Act::StorageEngine {
        table: table.clone(),
        engine,
    })
}

/// A column of a table, unless the item is a constraint or an index.
pub(super) fn column(item: &[Piece]) -> Option<Column> {
    let (first, rest) = item.split_first()?;
    let constraint = matches!(
        first.text.as_str(),
        "CONSTRAINT"
            | "PRIMARY"
            | "UNIQUE"
            | "FOREIGN"
            | "CHECK"
            | "EXCLUDE"
            | "LIKE"
            | "KEY"
            | "INDEX"
            | "FULLTEXT"
            | "SPATIAL"
            | "PERIOD"
    );
    // `key text` is a column of that name all the same.
    let is_column = first.is_name()
        && (first.kind == Kind::Quoted
            || !constraint
            || (first.is("KEY") && rest.first().is_some_and(|it| !it.is("(") && rest.len() < 3)));
    is_column.then(|| definition(first.name.clone(), rest))
}

/// A name, and what stands behind it.
pub(super) fn definition(name: String, rest: &[Piece]) -> Column {
    let ends = |piece: &Piece| {
        piece.kind == Kind::Word
            && matches!(
                piece.text.as_str(),
                "NOT"
                    | "NULL"
                    | "DEFAULT"
                    | "PRIMARY"
                    | "UNIQUE"
                    | "REFERENCES"
                    | "CHECK"
                    | "COLLATE"
                    | "CONSTRAINT"
                    | "GENERATED"
                    | "AS"
                    | "AUTO_INCREMENT"
                    | "AUTOINCREMENT"
                    | "COMMENT"
                    | "USING"
                    | "ON"
                    | "CHARSET"
                    | "FIRST"
                    | "AFTER"
                    | "VISIBLE"
                    | "INVISIBLE"
                    | "STORAGE"
                    | "COMPRESSION"
            )
    };
    let mut end = rest.iter().position(ends).unwrap_or(rest.len());
    // `varchar(9) CHARACTER SET latin1` is a type and its letters.
    if let Some(at) = rest[..end]
        .windows(2)
        .position(|pair| pair[0].is("CHARACTER") && pair[1].is("SET"))
    {
        end = at;
    }
    let words = Words::new(rest);
    let makes_values = ["DEFAULT", "GENERATED", "AS", "AUTO_INCREMENT", "IDENTITY"]
        .iter()
        .any(|word| words.has_outside(word));
    let data_type = data_type(&rest[..end]);
    Column {
        name,
        required: words.has_all(&["NOT", "NULL"]),
        has_default: makes_values || data_type.ends_with("serial"),
        data_type,
    }
}

/// `numeric(10,2)`, in small letters.
pub(super) fn data_type(pieces: &[Piece]) -> String {
    let mut text = String::new();
    for piece in pieces {
        let is_sign = piece.kind == Kind::Sign;
        let joins = text.is_empty() || text.ends_with(['(', ',', '.', '[', '\'']) || is_sign;
        if !joins {
            text.push(' ');
        }
        match piece.kind {
            Kind::Text => text.push_str(&format!("'{}'", piece.text)),
            _ => text.push_str(&piece.name.to_lowercase()),
        }
    }
    text
}

/// Every `REFERENCES table`.
pub(super) fn references(from: &Name, pieces: &[Piece], acts: &mut Vec<Act>) {
    for (at, piece) in pieces.iter().enumerate() {
        if piece.is("REFERENCES") {
            let to = Words::new(&pieces[at + 1..]).name();
            acts.extend(to.map(|to| Act::Reference {
                from: from.clone(),
                to,
            }));
        }
    }
}
