//! `-- tenantgate: …` in a file's first line, or before a statement (`allow`), and all that looks as if it were
//! meant so.
//!
//! A directive that is passed over in silence runs a large change in one piece, or a statement inside a
//! transaction that must not have one: what is nearly one is refused, wherever it stands.

use std::collections::HashSet;

use crate::database_url::EngineKind;
use crate::domain::Finding;

use super::statements::comment_lines;
use super::{allow, batch};

/// How the first line wants the file to be carried out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Transaction,
    NoTransaction,
    Batch(batch::Directive),
}

/// Reads the comment of the first line, and finds what is wrong with it and with others.
pub(super) fn read(sql: &str, file: &str) -> (Mode, Vec<Finding>) {
    let mut mode = Mode::Transaction;
    let mut findings = Vec::new();
    let elsewhere = Elsewhere::of(sql);
    for (index, line) in sql.lines().enumerate() {
        if elsewhere.has(index, line) {
            continue;
        }
        let wrong = match directive(line) {
            None if is_nearly_one(line) => NEARLY.to_owned(),
            None => continue,
            Some(text) => match parse(text, index == 0) {
                Ok(found) => {
                    mode = found.unwrap_or(mode);
                    continue;
                }
                Err(wrong) => wrong,
            },
        };
        findings.push(Finding::error(wrong).file(file).at(index + 1, 1));
    }
    (mode, findings)
}

const NEARLY: &str = "a directive is written `-- tenantgate: …`, in small letters and a line of its own, the file's first (`allow`: before its statement)";

/// Lines within a text, a body or a longer comment, where what looks like a directive is none.
pub(super) struct Elsewhere {
    /// The lines on which a comment of one line begins; absent where the text is not understood.
    comments: Option<HashSet<usize>>,
}

impl Elsewhere {
    pub(super) fn of(sql: &str) -> Self {
        let any = || sql.lines().any(|line| directive(line).is_some());
        let comments = any().then(|| comment_lines(sql, EngineKind::Postgres)).flatten();
        Self { comments }
    }

    pub(super) fn has(&self, index: usize, line: &str) -> bool {
        let comments = self.comments.as_ref();
        directive(line).is_some() && comments.is_some_and(|it| !it.contains(&(index + 1)))
    }
}

/// What follows `-- tenantgate:`.
pub(super) fn directive(line: &str) -> Option<&str> {
    let comment = line.trim().strip_prefix("--")?;
    comment.trim().strip_prefix("tenantgate:").map(str::trim)
}

/// None: it says nothing of how the file is carried out.
fn parse(directive: &str, first_line: bool) -> Result<Option<Mode>, String> {
    if let Some(allow) = allow::parse(directive) {
        return allow.map(|_| None);
    }
    let (name, arguments) = directive
        .split_once(char::is_whitespace)
        .unwrap_or((directive, ""));
    match (name, arguments) {
        ("no-transaction", "") | ("batch", _) if !first_line => {
            Err(format!("`-- tenantgate: {name}` counts only in the first line"))
        }
        ("no-transaction", "") => Ok(Some(Mode::NoTransaction)),
        ("batch", arguments) => batch::parse(arguments).map(|it| Some(Mode::Batch(it))),
        _ => Err("there is no such directive; those there are: `-- tenantgate: no-transaction`, `-- tenantgate: batch key=COLUMN size=ROWS` and `-- tenantgate: allow(RULE, …) because REASON`".to_owned()),
    }
}

/// In a comment of another kind, behind a statement, in other letters, or without its colon.
fn is_nearly_one(line: &str) -> bool {
    // A line of a longer comment; and `# …` is one of MariaDB's.
    let inside = line.trim_start_matches(|it: char| it.is_whitespace() || "*-#/!".contains(it));
    let behind = ["--", "/*", "#"].into_iter().flat_map(|opens| {
        let places = line.match_indices(opens).map(|(at, _)| at);
        places
            .filter(|at| !is_quoted(&line[..*at]))
            .map(move |at| &line[at + opens.len()..])
    });
    std::iter::once(inside).chain(behind).any(is_meant)
}

/// As far as one line tells.
fn is_quoted(before: &str) -> bool {
    ['\'', '"', '`']
        .iter()
        .any(|quote| before.matches(*quote).count() % 2 == 1)
}

/// `TENANTGATE:`, `tenantgate :` and `tenantgate batch key=…`.
fn is_meant(comment: &str) -> bool {
    let comment = comment.trim_start_matches(|it: char| it.is_whitespace() || "*-#!+@".contains(it));
    let (word, rest) = comment.split_at_checked("tenantgate".len()).unwrap_or_default();
    let mut words = rest.split_whitespace().map(str::to_ascii_lowercase);
    let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let allows = ["allow(", "allow-file(", "allow_file("];
    let without_colon = matches!(first.as_str(), "no-transaction" | "no_transaction")
        || allows.iter().any(|it| first.starts_with(it))
        || first == "batch" && (second.contains('=') || matches!(second.as_str(), "key" | "size" | "table"));
    word.eq_ignore_ascii_case("tenantgate") && (first.starts_with(':') || without_colon)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(sql: &str) -> Vec<(Option<usize>, String)> {
        let (_, findings) = read(sql, "0001_a.sql");
        findings.into_iter().map(|it| (it.line, it.message)).collect()
    }

    #[test]
    fn what_is_nearly_a_directive_is_refused() {
        for near in [
            "/* tenantgate: batch key=id size=5 */\nUPDATE t SET a = 1;",
            "/*tenantgate:no-transaction*/ UPDATE t SET a = 1;",
            "/*! TenantGate : batch key=id size=5 */",
            "/** tenantgate: batch */",
            "# tenantgate: batch key=id size=5",
            "#tenantgate:batch",
            "-- TENANTGATE: batch key=id size=5",
            "-- tenantgate : batch key=id size=5",
            "--- tenantgate: batch key=id size=5",
            "-- @tenantgate: batch key=id size=5",
            "-- tenantgate batch key=id size=5",
            "-- Tenantgate no-transaction",
            "UPDATE t SET a = 'x'; -- tenantgate: batch key=id size=5",
            "UPDATE t SET a = 1 /* tenantgate: batch key=id size=5 */",
        ] {
            assert_eq!(wrong(near), [(Some(1), NEARLY.to_owned())], "{near}");
        }
        for inside in [
            "/*\n * tenantgate: batch key=id size=5\n */",
            "/*\n  tenantgate: batch key=id size=5 */",
        ] {
            assert_eq!(wrong(inside), [(Some(2), NEARLY.to_owned())], "{inside}");
        }
        for (sql, why) in [
            ("-- tenantgate: Batch key=id size=5", "no such directive"),
            ("-- tenantgate: batch Key=id size=5", "no `Key`"),
            ("-- tenantgate: batch key = id size = 5", "no NAME=VALUE"),
            ("\n-- tenantgate: batch key=id size=5", "only in the first line"),
            ("-- tenantgate: no-transaction please", "no such directive"),
        ] {
            let found = wrong(sql);
            assert!(found.len() == 1 && found[0].1.contains(why), "{sql}: {found:?}");
        }
    }

    #[test]
    fn what_only_speaks_of_it_is_left_alone() {
        for prose in [
            "-- the tenantgate batch jobs of last year\nSELECT 1;",
            "-- tenantgate runs this for every tenant\nSELECT 1;",
            "/* see tenantgate: its README */ SELECT 1;",
            "INSERT INTO notes VALUES ('-- tenantgate: batch key=id size=5');",
            "INSERT INTO notes VALUES (\"/* tenantgate: batch */\");",
        ] {
            assert_eq!(wrong(prose), [], "{prose}");
        }
        assert_eq!(
            read("--  tenantgate:no-transaction \nx", "f").0,
            Mode::NoTransaction
        );
        let (mode, findings) = read("-- tenantgate:   batch key=id   size=5", "f");
        assert!(matches!(mode, Mode::Batch(_)) && findings.is_empty());
    }
}
