use super::*;

const URL: &str = "postgresql://u:p@h/d";

#[test]
fn placeholders_are_not_values() {
    for text in [
        "",
        " ",
        "\n",
        "  \t ",
        "***",
        "**********",
        "$X",
        "$DATABASE_URL",
        "${X}",
        "${{ secrets.X }}",
        "${{secrets.DEV_DB_URL}}",
        "$(cat url)",
        "%DATABASE_URL%",
        "[YOUR-PASSWORD]",
        "changeme",
        "CHANGE_ME",
        "change-me",
        "<password>",
        "<database url>",
        "todo",
        "null",
        "undefined",
        "{{ database_url }}",
        "postgresql://postgres:[YOUR-PASSWORD]@db.ref.supabase.co:5432/postgres",
        "postgresql://postgres:[your-password]@db.ref.supabase.co:5432/postgres",
        "postgres://u:${PASSWORD}@h/d",
        "postgres://u:${{ secrets.P }}@h/d",
        "postgres://u:$PASSWORD@h/d",
        "postgres://u:<password>@h/d",
        "postgres://u:p@<host>/d",
        "postgres://u:***@h/d",
        "postgres://u:changeme@h/d",
        "postgres://user:password@host:port/dbname",
        "postgres://USER:PASSWORD@HOST:PORT/NAME",
        "postgresql://user:password@host:5432/database",
        "postgresql://username:password@hostname/d",
        "postgres://u:p@h:port/d",
        "mysql://u:changeme@h/d",
        "postgres://u:xxxx@h/d",
        "jdbc:postgresql://h/d?user=u&password=changeme",
        "postgres://u:YOUR_PASSWORD@h/d",
    ] {
        bad(text, &PLACEHOLDER);
    }
    for text in [
        "postgresql://postgres:password@localhost/d",
        "postgresql://user:password@localhost/d",
        "postgresql://u:pa$Word@h/d",
        "postgresql://u:**@h/d",
        "postgresql://u:%24PASSWORD@h/d",
        "postgresql://u:a%2A%2A%2A@h/d",
        "postgresql://host:password@db/d",
    ] {
        good(text);
    }
}

#[test]
fn pasting_mistakes_are_named() {
    for (text, part) in [
        (format!(" {URL}"), "space or tab before"),
        (format!("{URL} "), "space or tab after"),
        (format!("{URL}\n"), "line break after"),
        (format!("{URL}\r\n"), "line break after"),
        (format!("\n{URL}"), "line break before"),
        (format!("\"{URL}\""), "quotes"),
        (format!("'{URL}'"), "quotes"),
        (format!("“{URL}”"), "quotes"),
        (format!("{URL}\""), "quotes"),
        (format!("\u{feff}{URL}"), "BOM"),
        (format!("{URL}\u{200b}"), "cannot be seen"),
        (format!("DATABASE_URL={URL}"), "variable's name"),
        (format!("DATABASE_URL = \"{URL}\""), "variable's name"),
        (format!("DATABASE_URL: {URL}"), "variable's name"),
        (format!("export DATABASE_URL={URL}"), "`export`"),
        (format!("psql '{URL}'"), "`psql`"),
        (format!("psql {URL}"), "`psql`"),
        ("postgresql://u:p\n@h/d".to_owned(), "several lines"),
        ("postgresql://u:p\t@h/d".to_owned(), "cannot be seen"),
        ("postgresql://u:p\u{a0}@h/d".to_owned(), "cannot be seen"),
    ] {
        let all: Vec<_> = parse(&text)
            .unwrap_err()
            .into_iter()
            .map(|problem| problem.message)
            .collect();
        bad(&text, &PASTED);
        assert!(
            all.iter().any(|message| message.contains(part)),
            "{text:?}: {all:?}"
        );
    }
}

#[test]
fn several_mistakes_are_told_at_once() {
    let problems = parse("\u{feff} export DATABASE_URL='postgresql://u:p@h:0/' \n").unwrap_err();
    let ids: Vec<_> = problems.iter().map(|problem| problem.check.id).collect();
    for id in ["url.pasted", "url.port", "url.database"] {
        assert!(ids.contains(&id), "{ids:?}");
    }
    assert!(problems.len() >= 7, "{problems:#?}");
    assert!(problems.iter().all(|problem| problem.hint.is_some()));
}

#[test]
fn schemes_that_are_none_name_the_nearest() {
    for (text, part) in [
        ("postgre://u:p@h/d", "did you mean `postgresql://`"),
        ("postgress://u:p@h/d", "did you mean `postgresql://`"),
        ("postgresql+foo://u:p@h/d", "did you mean `postgresql://`"),
        ("mysq://u:p@h/d", "did you mean `mysql://`"),
        ("sqlite3:///d", "did you mean `sqlite://`"),
        ("POSTGRES://u:p@h/d", "write `postgres:`"),
        (
            "prisma+postgres://accelerate.prisma-data.net/?api_key=x",
            "Prisma",
        ),
        ("http://u:p@h/d", "web address"),
        ("https://example.com", "`postgresql://`"),
        ("mongodb+srv://u:p@h/d", "another kind"),
        ("mssql://u:p@h/d", "another engine"),
        ("u:p@h/d", "no scheme"),
        ("localhost:5432/d", "no scheme"),
        ("//u:p@h/d", "no scheme"),
        ("foo", "no scheme"),
        ("zzz://u:p@h/d", "`postgresql://`"),
        ("postgresql:u:p@h/d", "`//` is missing"),
        ("host=h user=u password=p dbname=d", "key=value"),
    ] {
        let said = bad(text, &SCHEME);
        assert!(said.contains(part), "{text}: {said}");
    }
}
