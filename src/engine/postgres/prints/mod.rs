//! Hashes of what schemas are made of, made by the server over all of them at once.
//!
//! The same rows mean the same structure, so whatever `structure/` reads must be in here. What differs per
//! tenant by nature is left out as far as that is cheap: numbers of objects are, and names of the own schema; but
//! after columns were dropped the numbers of the others tell it, though nothing else does.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use crate::domain::Print;

use super::connect::Row;
use super::sql::array;
use super::structure::{OBJECTS, OTHERS, expand};

const ROWS: &str = include_str!("rows.sql");
const WRITTEN: &str = include_str!("written.sql");

/// Without statistics of the catalog the planner sorts millions of rows on disk. For the transaction, and only
/// where there are such settings. Other processes of the server are left to others.
const SETTINGS: &str = "SET LOCAL search_path = pg_catalog;
SELECT set_config(name, CASE name WHEN 'work_mem' THEN '16MB' WHEN 'max_parallel_workers_per_gather' THEN '0' ELSE 'off' END, true)
FROM pg_settings WHERE name IN ('work_mem', 'max_parallel_workers_per_gather', 'jit', 'enable_sort', 'enable_mergejoin');";

/// For fewer schemas a connection costs more than it brings.
pub(super) const MANY: usize = 1_000;

/// Of `BEGIN` and the settings.
pub(super) const BEFORE: usize = 3;

/// So many numbers of a query's tree are replaced. Where it has more, the rest makes a print of its own.
const REPLACED: usize = 40;
/// Most queries have no more.
const FEW: usize = 8;

/// The end of a statement of [`ROWS`].
const END: &str = "\n);\n";
/// Which of them, those about columns and about indexes, take about as long as all the others.
const HALF: std::ops::Range<usize> = 1..3;

/// Two messages that may be sent beside one another, each a transaction that sees one moment. After [`BEFORE`]
/// others, statements that give rows of (schema, entries, sum, other sum). Comments are a part of it where that is
/// asked for.
pub(super) fn messages(schemas: &[String], comments: bool) -> [String; 2] {
    let schemas = array(schemas.iter().map(String::as_str));
    let mut rows: Vec<&str> = ROWS.split_inclusive(END).collect();
    let half: String = rows.drain(HALF).collect();
    let written = WRITTEN.replace(":facts", &OTHERS.join("UNION ALL\n"));
    let others = format!("{}{OBJECTS},\no AS (SELECT * FROM n)\n{written}", rows.concat());
    [half, others].map(|text| transaction(&text, &schemas, comments))
}

/// A query's tree with its numbers replaced: as many times as there are any, in two steps.
fn named() -> String {
    let replaced = |inner: String, places: RangeInclusive<usize>| {
        places.fold(inner, |inner, place| {
            format!("replace({inner}, coalesce(numbers[{place}], chr(1)), coalesce(names[{place}], ''))")
        })
    };
    let few = replaced("tree".to_owned(), 1..=FEW);
    let many = replaced(few.clone(), FEW + 1..=REPLACED);
    format!(
        "CASE WHEN numbers IS NULL THEN tree WHEN cardinality(numbers) > {FEW} THEN {many} ELSE {few} END"
    )
}

fn transaction(text: &str, schemas: &str, comments: bool) -> String {
    let text = expand(text).replace(":named", &named());
    // Nobody can know beforehand what two texts have the same hashes.
    let seed = || fastrand::i64(1..).to_string();
    let text = text
        .replace(":schemas", schemas)
        .replace(":comments", &comments.to_string())
        .replace(":one", &seed())
        .replace(":two", &seed());
    format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;{SETTINGS}{text};COMMIT")
}

/// One print for each schema, in their order, from the answers to both messages.
pub(super) fn prints(schemas: &[String], answers: [Vec<Vec<Row>>; 2]) -> Vec<Print> {
    let mut found: HashMap<String, String> = HashMap::with_capacity(schemas.len());
    let sums = answers
        .into_iter()
        .flat_map(|results| results.into_iter().skip(BEFORE));
    for (number, rows) in sums.enumerate() {
        for row in rows {
            let mut row = row.into_iter().flatten();
            let print = found.entry(row.next().unwrap_or_default()).or_default();
            print.push_str(&number.to_string());
            for text in row {
                print.push(' ');
                print.push_str(&text);
            }
            print.push(';');
        }
    }
    let print = |schema: &String| Print(found.get(schema).cloned().unwrap_or_default());
    schemas.iter().map(print).collect()
}
