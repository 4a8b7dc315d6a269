//! Where in a migration's file the server found an error, and its message without our own words.

use crate::domain::Statement;

const AT_THE_END: &str = " at the end of the statement";

/// Line and column in the file. A syntax error says `near '…' at line 2`, counted within the statement;
/// everything else is the statement's.
pub(super) fn place(message: &str, statement: &Statement) -> (usize, usize) {
    within(message, statement).unwrap_or((statement.line, statement.column))
}

/// The `near '…'` of a syntax error goes on into what was sent behind the statement: `tail`, the first
/// of it in its own line. Cut off where that begins.
pub(super) fn without_tail(message: &str, tail: &str) -> Option<String> {
    let (before, number) = message.rsplit_once("' at line ")?;
    let (start, near) = before.split_once(" near '")?;
    let is_ours = |text: &str| tail.starts_with(text.trim_end_matches("..."));
    if near.starts_with(';') && is_ours(near) {
        return Some(format!("{start}{AT_THE_END}"));
    }
    for (at, _) in near.rmatch_indices("\n;") {
        if is_ours(&near[at + 1..]) {
            return Some(format!("{start} near '{}' at line {number}", &near[..at]));
        }
    }
    None
}

fn within(message: &str, statement: &Statement) -> Option<(usize, usize)> {
    if message.ends_with(AT_THE_END) {
        let lines = statement.sql.split('\n').count();
        let last = statement.sql.rsplit('\n').next()?.chars().count();
        let offset = if lines == 1 { statement.column } else { 1 };
        return Some((statement.line + lines - 1, last + offset));
    }
    let (before, number) = message.rsplit_once(" at line ")?;
    let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
    let line: usize = digits.parse().ok()?;
    let text = statement.sql.split('\n').nth(line.checked_sub(1)?)?;
    let near = before.split_once(" near '").map_or("", |(_, near)| near);
    let near = near.strip_suffix('\'').unwrap_or(near);
    let near = near.strip_suffix("...").unwrap_or(near);
    let first = near.split('\n').next().unwrap_or_default();
    let at = if first.trim().is_empty() {
        None
    } else {
        text.find(first)
    };
    let column = at.map_or(1, |at| text[..at].chars().count() + 1);
    let offset = if line == 1 { statement.column - 1 } else { 0 };
    Some((statement.line + line - 1, column + offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(sql: &str) -> Statement {
        Statement {
            sql: sql.to_owned(),
            line: 10,
            column: 3,
        }
    }

    #[test]
    fn a_syntax_error_is_found_in_its_line() {
        let message = "You have an error in your SQL syntax; check the manual for the right syntax to use near 'wrong int)' at line 2";
        assert_eq!(
            place(message, &statement("create table a (\n b wrong int)")),
            (11, 4)
        );
        let message = "… near 'tabel a' at line 1";
        assert_eq!(place(message, &statement("create tabel a")), (10, 10));
        assert_eq!(place("… near '' at line 1", &statement("create table")), (10, 3));
    }

    #[test]
    fn our_own_words_are_cut_off() {
        let tail = ";UPDATE `x`.ledger SET state = 'applied'";
        let cut = |message: &str| without_tail(message, tail);
        let message = "wrong near 'tabel\n;\n;UPDATE `x`.led...' at line 2";
        assert_eq!(cut(message).as_deref(), Some("wrong near 'tabel\n;' at line 2"));
        let message = "wrong near '\n;UPDATE `x`.ledger SET state = 'applied'' at line 1";
        assert_eq!(cut(message).as_deref(), Some("wrong near '' at line 1"));
        let message = "wrong near ';UPDATE `x`.ledger SET st...' at line 3";
        let cut_off = cut(message).expect("it is ours");
        assert_eq!(cut_off, "wrong at the end of the statement");
        assert_eq!(place(&cut_off, &statement("select 1\n where")), (11, 7));
        assert_eq!(cut("wrong near 'a\n;b' at line 2"), None);
        assert_eq!(cut("Duplicate column name 'a'"), None);
    }

    #[test]
    fn other_errors_are_the_statement_s() {
        assert_eq!(
            place("Duplicate column name 'a'", &statement("alter table a add a int")),
            (10, 3)
        );
        assert_eq!(place("near 'x' at line 99", &statement("select 1")), (10, 3));
    }
}
