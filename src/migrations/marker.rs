//! Files in which another tool keeps both ways: to the gate a marker of theirs is a comment, and it would make
//! what stands above it and take it back at once.

use std::path::Path;

use crate::domain::Finding;

/// The first line behind which the way back stands.
pub(super) fn way_back(sql: &str, file: &str) -> Option<Finding> {
    let (index, line) = sql.lines().enumerate().find(|(_, line)| is_marker(line))?;
    let says = |line: &str| !line.trim().is_empty() && !line.trim().starts_with("--");
    if !sql.lines().skip(index + 1).any(says) {
        return None;
    }
    let name = Path::new(file).file_name().unwrap_or_default().to_string_lossy();
    let stem = name.strip_suffix(".sql").unwrap_or(&name);
    let finding = Finding::error(format!(
        "`{}` is a comment here: what stands below it would run as well, and take back what stands above",
        line.trim()
    ))
    .hint(format!(
        "split the file: what stands below goes into {stem}.down.sql beside it, which `rollback` runs, the rest stays in {stem}.sql"
    ));
    Some(finding.file(file).at(index + 1, 1))
}

/// Of goose, sql-migrate, dbmate, node-pg-migrate and Play.
fn is_marker(line: &str) -> bool {
    let line = line.trim();
    let Some(comment) = line.strip_prefix("--").or_else(|| line.strip_prefix('#')) else {
        return false;
    };
    let comment = comment.trim_start_matches(['-', ' ', '\t']).to_lowercase();
    let mut words = comment.split_whitespace();
    let pair = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    matches!(
        pair,
        ("+goose" | "+migrate", "down") | ("migrate:down" | "!downs", _) | ("down", "migration")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_in_the_same_file_is_found() {
        for line in [
            "-- +goose Down",
            "--+goose down",
            "-- +migrate Down",
            "-- +migrate Down notransaction",
            "-- migrate:down",
            "-- migrate:down transaction:false",
            "-- Down Migration",
            "# --- !Downs",
        ] {
            let sql = format!("CREATE TABLE a (b int);\n\n  {line}\nDROP TABLE a;");
            let finding = way_back(&sql, "migrations/0001_a.sql").expect(line);
            assert_eq!(finding.line, Some(3));
            assert!(
                finding.hint.expect("a remedy").contains("0001_a.down.sql"),
                "{line}"
            );
        }
        for line in [
            "-- +goose Up\nSELECT 1;",
            "SELECT 1;\n-- +goose Down\n-- nothing\n",
            "-- migrate:up",
            "-- goes down",
            "-- Down",
            "SELECT 1 -- +goose Down",
        ] {
            assert_eq!(way_back(line, "0001_a.sql"), None, "{line}");
        }
    }
}
