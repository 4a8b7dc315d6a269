//! What a role may do, found out by acting as it: in a transaction that cannot write and is rolled back.

use crate::engine::isolation::{Attempt, Crossed, NotTried};

use super::connect::Row;
use super::sql::{ident, literal};

/// How many tables of a schema are tried.
const TABLES: usize = 20;
/// Between the findings, and between kind and name.
const ITEM: char = '\u{1e}';
const PART: char = '\u{1f}';
/// Where the block leaves what it found: blocks give no rows.
const NOTES: &str = "tenantgate.tried";

/// One message for all attempts: `BEGIN` first, one row for each attempt, `ROLLBACK` last.
///
/// `EXPLAIN` of a write checks the privileges as the write itself would, and does neither write nor fire a
/// trigger nor take a number of a sequence; it is let through in a transaction that only reads.
pub(super) fn statements(attempts: &[Attempt<'_>], shared: &str, limits: &str) -> String {
    let each: String = attempts.iter().map(|it| one(it, shared)).collect();
    format!("BEGIN READ ONLY;{limits}{each}ROLLBACK")
}

/// Of each attempt: the block, and the look at what it left.
pub(super) const STATEMENTS_EACH: usize = 2;

fn one(attempt: &Attempt<'_>, shared: &str) -> String {
    let block = BLOCK
        .replace("{role}", &literal(&attempt.role))
        .replace("{own}", &literal(&attempt.own.location))
        .replace("{other}", &literal(attempt.other.map_or("", |it| &it.location)))
        .replace("{shared}", &literal(shared))
        .replace("{path}", &literal(&ident(shared)))
        .replace("{limit}", &TABLES.to_string());
    format!("DO {};SELECT current_setting('{NOTES}', true);", literal(&block))
}

/// Notes `member` or `role` where the role cannot be tried. Tables of a schema are found by what depends on it,
/// which has an index: of ten thousand schemas two are looked at.
const BLOCK: &str = r#"
DECLARE
    notes text := '';
    one record;
    place text;
    write text;
BEGIN
    PERFORM set_config('tenantgate.tried', '', true);
    BEGIN
        EXECUTE format('SET LOCAL ROLE %I', {role});
    EXCEPTION
        WHEN insufficient_privilege THEN notes := 'member' || chr(31) || session_user;
        WHEN undefined_object OR invalid_parameter_value THEN notes := 'role';
    END;
    IF notes <> '' THEN
        PERFORM set_config('tenantgate.tried', notes, true);
        RETURN;
    END IF;
    PERFORM set_config('search_path', {path}, true);
    FOR one IN SELECT n.nspname, c.relname, format('%I.%I', n.nspname, c.relname) AS name,
            (SELECT a.attname FROM pg_catalog.pg_attribute a
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
                ORDER BY NOT has_column_privilege(c.oid, a.attnum, 'UPDATE'), a.attnum LIMIT 1) AS col
        FROM pg_catalog.pg_namespace n
        CROSS JOIN LATERAL (SELECT c.oid, c.relname FROM pg_catalog.pg_depend d
            JOIN pg_catalog.pg_class c ON c.oid = d.objid AND c.relkind IN ('r', 'p')
            WHERE d.refclassid = 'pg_catalog.pg_namespace'::regclass AND d.refobjid = n.oid
                AND d.classid = 'pg_catalog.pg_class'::regclass
            ORDER BY c.relname LIMIT {limit}) c
        WHERE n.nspname IN ({own}, {other})
    LOOP
        BEGIN
            EXECUTE format('SELECT 1 FROM %s LIMIT 1', one.name);
            IF one.nspname = {own} THEN
                notes := notes || chr(30) || 'reads' || chr(31) || one.relname;
            ELSE
                notes := notes || chr(30) || 'read' || chr(31) || one.relname;
            END IF;
        EXCEPTION
            WHEN insufficient_privilege THEN
                IF one.nspname = {own} THEN
                    notes := notes || chr(30) || 'unreadable' || chr(31) || one.relname;
                END IF;
            WHEN OTHERS THEN
                notes := notes || chr(30) || 'failed' || chr(31) || SQLSTATE;
        END;
        IF one.nspname <> {own} THEN
            FOREACH write IN ARRAY ARRAY['INSERT INTO %1$s DEFAULT VALUES', 'DELETE FROM %1$s',
                'UPDATE %1$s SET %2$I = DEFAULT WHERE false'] LOOP
                CONTINUE WHEN one.col IS NULL AND write LIKE 'UPDATE%';
                BEGIN
                    EXECUTE format('EXPLAIN ' || write, one.name, one.col);
                    notes := notes || chr(30) || 'written' || chr(31) || one.relname;
                EXCEPTION
                    WHEN insufficient_privilege THEN NULL;
                    WHEN OTHERS THEN
                        notes := notes || chr(30) || 'failed' || chr(31) || SQLSTATE;
                END;
            END LOOP;
        END IF;
    END LOOP;
    FOREACH place IN ARRAY ARRAY[{shared}, {other}] LOOP
        IF place <> '' AND has_schema_privilege(place, 'CREATE') THEN
            notes := notes || chr(30) || 'creates' || chr(31) || place;
        END IF;
    END LOOP;
    PERFORM set_config('tenantgate.tried', notes, true);
END
"#;

/// What the block noted.
pub(super) fn tried(rows: &[Row]) -> Crossed {
    let notes = rows.first().and_then(|row| row.first().cloned().flatten());
    let notes = notes.unwrap_or_default();
    let mut tried = Crossed::default();
    if notes == "role" {
        tried.not_tried = Some(NotTried::NoSuchRole);
    }
    for note in notes.split(ITEM) {
        let Some((kind, name)) = note.split_once(PART) else {
            continue;
        };
        let list = match kind {
            "member" => {
                tried.not_tried = Some(NotTried::NotAMember(name.to_owned()));
                continue;
            }
            "reads" => {
                tried.reads += 1;
                continue;
            }
            "unreadable" => &mut tried.unreadable,
            "read" => &mut tried.read,
            "written" => &mut tried.written,
            "creates" => &mut tried.creates,
            _ => &mut tried.failed,
        };
        if !list.iter().any(|it| it == name) {
            list.push(name.to_owned());
        }
    }
    tried
}
