//! Whether migrations can be tried out beside real data: they must keep to the scratch they are given.

use crate::database_url::EngineKind;
use crate::domain::{Finding, Migration, Statement};
use crate::migrations::words;

use super::elsewhere::{put_together, reaches_out};

/// Words before the name of what a statement writes to.
const WRITES: [&str; 17] = [
    "COPY",
    "DOMAIN",
    "EXISTS",
    "FUNCTION",
    "INDEX",
    "INTO",
    "ONLY",
    "PROCEDURE",
    "RENAME",
    "SEQUENCE",
    "TABLE",
    "TABLES",
    "TRIGGER",
    "TRUNCATE",
    "TYPE",
    "UPDATE",
    "VIEW",
];

/// Findings for statements that would leave the scratch.
pub fn leaving(migration: &Migration, kind: EngineKind) -> Vec<Finding> {
    let finding = |what: String, statement: &Statement| {
        Finding::error(format!(
            "`{what}` names its place itself, so what {} makes cannot be tried out beside it",
            migration.label()
        ))
        .hint("without the name it goes where the gate says; or compare by hand, and write the ledger by `migrate` on an empty copy")
        .file(&migration.file)
        .at(statement.line, statement.column)
    };
    let of = |statement: &Statement| {
        // It is not run either.
        if passed_over(&statement.sql, kind) {
            return None;
        }
        let words = words(&statement.sql, kind, usize::MAX);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let what = match kind {
            EngineKind::Sqlite => leaves_file(&words),
            EngineKind::Mysql => reaches_out(&statement.sql),
            EngineKind::Postgres => qualified(&words),
        };
        what.map(|what| finding(what, statement))
    };
    let mut found: Vec<Finding> = migration.statements.iter().filter_map(of).collect();
    if kind == EngineKind::Mysql
        && let Some((index, what)) = put_together(migration)
        && let Some(statement) = migration.statements.get(index)
    {
        found.push(finding(what, statement));
    }
    found
}

/// Statements that have no part in a schema's structure, and would have an effect outside it.
pub fn passed_over(sql: &str, kind: EngineKind) -> bool {
    let words = words(sql, kind, 3);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match kind {
        EngineKind::Postgres => matches!(
            words.as_slice(),
            ["VACUUM" | "REINDEX", ..]
                | ["ALTER", "SYSTEM", ..]
                | ["CREATE" | "DROP", "DATABASE" | "TABLESPACE", ..]
        ),
        EngineKind::Mysql => matches!(
            words.as_slice(),
            [
                "GRANT"
                    | "REVOKE"
                    | "FLUSH"
                    | "RESET"
                    | "PURGE"
                    | "KILL"
                    | "SHUTDOWN"
                    | "INSTALL"
                    | "UNINSTALL",
                ..
            ] | [
                "CREATE" | "ALTER" | "DROP" | "RENAME",
                "USER" | "ROLE" | "SERVER",
                ..
            ] | ["SET", "GLOBAL" | "PERSIST" | "PASSWORD" | "DEFAULT" | "ROLE", ..]
        ),
        EngineKind::Sqlite => matches!(words.as_slice(), ["VACUUM", ..]),
    }
}

fn leaves_file(words: &[&str]) -> Option<String> {
    matches!(words, ["ATTACH" | "DETACH", ..]).then(|| words[0].to_owned())
}

/// `TABLE public.orders`, `INTO shop.log`; not `REFERENCES public.users` or `FROM public.users`, which read.
fn qualified(words: &[&str]) -> Option<String> {
    let on_table = ["INDEX", "TRIGGER", "POLICY", "RULE"];
    let head = &words[..words.len().min(6)];
    let on_table = head.iter().any(|word| on_table.contains(word)) && head[0] != "SELECT";
    for at in 1..words.len().saturating_sub(2) {
        if words[at + 1] != "." || !is_name(words[at]) || !is_name(words[at + 2]) {
            continue;
        }
        let before = words[at - 1];
        let called = before == "FUNCTION" && at > 1 && words[at - 2] == "EXECUTE";
        let writes = WRITES.contains(&before) && !called
            || (before == "FROM" && at > 1 && words[at - 2] == "DELETE")
            || (before == "ON" && on_table && !words[..at].contains(&"SELECT"));
        if writes {
            return Some(words[at - 1..=at + 2].join(" ").replace(" . ", "."));
        }
    }
    None
}

fn is_name(word: &str) -> bool {
    word.starts_with(['"', '`']) || word.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(sql: &str, kind: EngineKind) -> Option<String> {
        let words = words(sql, kind, usize::MAX);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        qualified(&words)
    }

    #[test]
    fn writing_elsewhere_is_seen() {
        for sql in [
            "CREATE TABLE public.a (id int)",
            "create table if not exists \"public\".\"a\" (id int)",
            "insert into public.log values (1)",
            "update public.log set a = 1",
            "delete from public.log",
            "alter table only public.a add b int",
            "create index i on public.a (b)",
            "drop table if exists public.a",
            "truncate public.a",
        ] {
            assert!(says(sql, EngineKind::Postgres).is_some(), "{sql}");
        }
    }

    #[test]
    fn reading_elsewhere_is_allowed() {
        for sql in [
            "create view v as select a.b from a join c on c.id = a.id",
            "create table a (id int references public.users (id))",
            "create table a (id uuid default public.uuid_generate_v4(), n public.citext)",
            "insert into a select b.id from public.users as b",
            "update a set b = users.c from public.users where a.id = users.id",
            "create trigger t before insert on a for each row execute function public.f()",
        ] {
            assert_eq!(says(sql, EngineKind::Postgres), None, "{sql}");
        }
    }
}
