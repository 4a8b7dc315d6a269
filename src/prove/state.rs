//! One scope's place at one moment.

use std::collections::BTreeMap;

use crate::baseline::told;
use crate::domain::words::count;
use crate::domain::{Difference, Object, Structure, differences};

/// What it is made of, and how many rows each table has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct State {
    pub structure: Structure,
    pub rows: BTreeMap<String, u64>,
}

/// A thing that may have changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Touched {
    Object(Object),
    Rows(String),
}

/// What became of the first to make it the second, each with the words for it.
pub fn changes(before: &State, after: &State) -> Vec<(Touched, String)> {
    let differences = differences(&before.structure, &after.structure);
    let of_structure = differences.into_iter().map(|it: Difference| {
        let words = told(std::slice::from_ref(&it));
        (Touched::Object(it.object), words)
    });
    // A table that came or went is said already.
    let of_rows = before.rows.iter().filter_map(|(table, had)| {
        let has = *after.rows.get(table)?;
        let words = match (has.checked_sub(*had), had.checked_sub(has)) {
            (Some(0), _) => return None,
            (Some(more), _) => format!(
                "table {table} has {} more",
                count(usize::try_from(more).unwrap_or(usize::MAX), "row")
            ),
            (None, Some(fewer)) => format!(
                "table {table} has {} fewer",
                count(usize::try_from(fewer).unwrap_or(usize::MAX), "row")
            ),
            (None, None) => return None,
        };
        Some((Touched::Rows(table.clone()), words))
    });
    of_structure.chain(of_rows).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ObjectKind::{Index, Table};

    fn state(rows: u64) -> State {
        let mut structure = Structure::default();
        structure.add(Table, "", "plans", "kind", "table");
        State {
            structure,
            rows: [("plans".to_owned(), rows)].into(),
        }
    }

    fn words(before: &State, after: &State) -> Vec<String> {
        changes(before, after).into_iter().map(|it| it.1).collect()
    }

    #[test]
    fn rows_and_objects_are_told() {
        assert!(words(&state(2), &state(2)).is_empty());
        assert_eq!(words(&state(2), &state(4)), ["table plans has 2 rows more"]);
        assert_eq!(words(&state(2), &state(1)), ["table plans has 1 row fewer"]);
        let mut indexed = state(2);
        indexed
            .structure
            .add(Index, "plans", "plans_id_idx1", "definition", "(id)");
        assert_eq!(
            words(&state(2), &indexed),
            ["extra index `plans_id_idx1` of `plans`"]
        );
    }
}
