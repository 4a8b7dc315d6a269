use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::domain::ObjectKind;
use ObjectKind::{Column, Index, Routine, Schema, Table};

fn shop() -> Structure {
    let mut structure = Structure::default();
    structure.add(Table, "", "orders", "kind", "table");
    structure.add(Column, "orders", "id", "type", "bigint");
    structure.add(Column, "orders", "id", "null", "NOT NULL");
    structure.add(Column, "orders", "total", "type", "numeric(12,2)");
    structure.add(Index, "orders", "by_total", "definition", "btree (total)");
    structure.add(
        Routine,
        "",
        "half(n integer)",
        "definition",
        "CREATE FUNCTION half(n integer)\n AS $$\n\n select n / 2 \n$$",
    );
    structure.add(Schema, "", "", "charset", "utf8mb4");
    structure
}

#[test]
fn it_reads_like_a_list() {
    insta::assert_snapshot!(render(&Structure::default(), &shop(), EngineKind::Postgres));
}

#[test]
fn one_change_is_one_line() {
    let mut changed = shop();
    changed.facts.retain(|fact| fact.text != "numeric(12,2)");
    changed.add(Column, "orders", "total", "type", "numeric(10,2)");
    let text = |structure| render(&Structure::default(), structure, EngineKind::Postgres);
    let (before, after) = (text(&shop()), text(&changed));
    let differ = before.lines().zip(after.lines()).filter(|(a, b)| a != b).count();
    assert_eq!((differ, before.lines().count()), (1, after.lines().count()));
}

#[test]
fn windows_line_ends_change_nothing() {
    let text = render(&shop(), &shop(), EngineKind::Mysql);
    let parsed = parse(&text.replace('\n', "\r\n")).expect("it is whole");
    assert_eq!(parsed, parse(&text).expect("it is whole"));
    assert_eq!(parsed.tenant, shop());
}

#[test]
fn what_was_edited_badly_is_refused_with_its_line() {
    let text = render(&shop(), &shop(), EngineKind::Postgres);
    let line_of = |wanted: &str| text.lines().position(|line| line == wanted).expect("it is there") + 1;
    let id = line_of("  column id");
    let cases = [
        (
            text.replacen(
                "  column id\n",
                "<<<<<<< ours\n  column id\n=======\n  column ident\n>>>>>>> theirs\n",
                1,
            ),
            id,
            "conflict",
        ),
        (
            text.replacen("    type: bigint\n", "    type: bigint\n    type: int\n", 1),
            id + 3,
            "twice",
        ),
        (text.replacen("  column id\n", "  colum id\n", 1), id, "kind"),
        (
            text.replacen("  column id\n", "   column id\n", 1),
            id,
            "indented",
        ),
        (
            text.replacen("    type: bigint\n", "    type bigint\n", 1),
            id + 2,
            "attribute",
        ),
        (
            text.replacen("[tenant]", "[shared]", 1),
            line_of("[tenant]"),
            "twice",
        ),
        (text.replacen("snapshot 1", "snapshot 2", 1), 1, "form 2"),
        (text.replacen("engine postgres", "engine oracle", 1), 2, "engine"),
        (String::new(), 1, "ends before"),
        (
            text.replacen("\n[end]\n", "\n", 1),
            text.lines().count() - 1,
            "cut off",
        ),
        (format!("{text}more\n"), text.lines().count() + 1, "behind"),
        ("name = \"x\"\n".to_owned(), 1, "does not begin"),
    ];
    for (edited, line, word) in cases {
        let error = parse(&edited).expect_err(word);
        assert!(error.message.contains(word), "{error}");
        assert_eq!(error.line, line, "{error}");
    }
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z_]{1,8}",
        "[a-z: \"+|#\\\\.\r\n\t]{0,12}",
        ".{0,12}",
        Just("+ a: b\n | c ".to_owned()),
        Just("\u{202e}\u{feff}\n\n".to_owned()),
    ]
}

fn any_structure() -> impl Strategy<Value = Structure> {
    let kind = prop::sample::select(ObjectKind::ALL.to_vec());
    let names = prop_oneof![Just(String::new()), "[ab]", any_text()];
    let fact = (kind, names.clone(), names, any_text(), any_text());
    vec(fact, 0..12).prop_map(|facts| {
        let mut structure = Structure::default();
        for (kind, table, name, attribute, text) in facts {
            structure.add(kind, table, name, attribute, text);
        }
        structure
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(shared in any_structure(), tenant in any_structure()) {
        let text = render(&shared, &tenant, EngineKind::Sqlite);
        let snapshot = parse(&text);
        prop_assert_eq!(snapshot, Ok(Snapshot { kind: EngineKind::Sqlite, shared, tenant }), "{}", text);
    }
}
