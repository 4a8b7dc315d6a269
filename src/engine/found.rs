//! Rows about tables become tables, for engines that answer for many places at once.

use std::collections::{BTreeMap, HashMap};

use crate::domain::RowSecurity;

use super::{FoundColumn, FoundTable};

type Row = Vec<Option<String>>;

/// The tables of each place, in the order of the places. Every row begins with place and table. The
/// results are: tables; columns (name, type, whether nullable, default), which `column` reads, because
/// engines write the last two differently; indexes; foreign keys; and, where the engine has such things, row-level security (`off`, `on` or `forced`); policies.
pub(super) fn gather(
    places: &[String],
    results: impl IntoIterator<Item = Vec<Row>>,
    column: impl Fn(String, String, String, Option<String>) -> FoundColumn,
) -> Vec<Vec<FoundTable>> {
    let mut found: HashMap<String, BTreeMap<String, FoundTable>> = HashMap::new();
    for (kind, rows) in results.into_iter().take(6).enumerate() {
        for row in rows {
            let mut row = row.into_iter();
            let mut text = || row.next().flatten().unwrap_or_default();
            let (place, name) = (text(), text());
            let tables = found.entry(place).or_default();
            let table = tables.entry(name.clone()).or_insert_with(|| FoundTable {
                name,
                ..FoundTable::default()
            });
            match kind {
                0 => {}
                1 => {
                    let (name, data_type, nullable) = (text(), text(), text());
                    let default = row.next().flatten();
                    table.columns.push(column(name, data_type, nullable, default));
                }
                2 => table.indexes.push(text()),
                3 => table.foreign_keys.push(text()),
                4 => {
                    table.row_security = match text().as_str() {
                        "forced" => RowSecurity::Forced,
                        "on" => RowSecurity::On,
                        _ => RowSecurity::Off,
                    };
                }
                _ => table.policies.push(text()),
            }
        }
    }
    let of_place = |place: &String| found.remove(place).unwrap_or_default().into_values().collect();
    places.iter().map(of_place).collect()
}
