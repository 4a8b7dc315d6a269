use super::*;

fn here(path: &str) -> String {
    let folder = std::env::current_dir().unwrap();
    folder.join(path).to_str().unwrap().to_owned()
}

#[test]
fn paths_are_read_as_sqlx_reads_them() {
    for (text, path) in [
        ("sqlite://rel.db", here("rel.db")),
        ("sqlite:rel.db", here("rel.db")),
        ("sqlite://./a/rel.db", here("a/rel.db")),
        ("sqlite://rel.db?mode=rwc", here("rel.db")),
        ("sqlite:///p/x.db", "/p/x.db".into()),
        ("sqlite:////abs/x.db", "/abs/x.db".into()),
        ("sqlite:/p/x.db", "/p/x.db".into()),
        ("sqlite:///a%20b%23c%3f.db", "/a b#c?.db".into()),
        ("sqlite:///a+b.db", "/a+b.db".into()),
        ("file:rel.db", here("rel.db")),
        ("file:./rel.db", here("rel.db")),
        ("file:/p/x.db", "/p/x.db".into()),
        ("file:///p/x.db", "/p/x.db".into()),
        ("file://localhost/p/x.db", "/p/x.db".into()),
    ] {
        let url = good(text);
        assert_eq!(url.kind, EngineKind::Sqlite);
        assert_eq!(url.database, path, "{text}");
        noted(text, &format!("the file is {path}"));
    }
}

#[test]
fn sqlx_reads_the_same_path() {
    for text in [
        "sqlite://rel.db",
        "sqlite:rel.db",
        "sqlite:///p/x.db",
        "sqlite:///a%20b.db",
        "sqlite:./a/b+c.db",
    ] {
        let theirs: sqlx::sqlite::SqliteConnectOptions = text.parse().unwrap();
        let theirs = std::path::absolute(theirs.get_filename()).unwrap();
        assert_eq!(good(text).database, theirs.to_str().unwrap(), "{text}");
    }
}

#[test]
fn three_slashes_are_explained() {
    noted("sqlite:///p/x.db", "Django and SQLAlchemy");
    for text in ["sqlite:////p/x.db", "sqlite://x.db"] {
        assert_eq!(good(text).notes.len(), 1, "{text}");
    }
}

#[test]
fn a_gate_needs_a_file() {
    for text in [
        "sqlite::memory:",
        "sqlite://:memory:",
        "sqlite:///:memory:",
        "sqlite://",
        "sqlite:",
        "sqlite://?mode=memory",
        "sqlite://x.db?mode=memory",
        "sqlite://x.db?mode=m%65mory",
        "file::memory:",
        "file:x?mode=memory&cache=shared",
        "sqlite:///folder/",
        "sqlite://.",
        "sqlite:///a/..",
        "file://host/x.db",
        "sqlite:///a#b",
    ] {
        bad(text, &DATABASE);
    }
    bad("sqlite:///a%zz", &ENCODING);
    bad("sqlite:///a b", &ENCODING);
    bad("sqlite:///a%00", &ENCODING);
    bad("sqlite://x.db?mode=ro", &PARAMETER);
    bad("sqlite://x.db?mode=x", &PARAMETER);
    bad("sqlite://u:p@h/d", &SCHEME);
    bad("sqlite+aiosqlite:///x.db", &SCHEME);
}
