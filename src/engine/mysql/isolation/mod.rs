//! The borders between databases of one server: what points across, texts that run, and who may do what.

mod grants;
mod pattern;
mod trying;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::domain::{Tenant, TenantName};
use crate::engine::EngineError;
use crate::engine::isolation::{Body, Borderline, Borders, InPlace, Reference, Unread};

use super::connect::{self, Answer, Row};
use super::sql::{END_READ, READ_ONLY, ident, list, literal};
use super::{ErrorKind, Mysql, structure};

const SERVERS_OWN: &str = "('mysql', 'sys', 'information_schema', 'performance_schema')";

impl Mysql {
    /// Three messages however many tenants: of the databases, and of who may do what with them.
    pub(super) async fn borders_of(&self, line: &Borderline<'_>) -> Result<Borders, EngineError> {
        let (shared, redactor) = (&self.url.database, &self.options.redactor);
        let mut connection = self.connect_to_read().await?;
        let alike = alike(line);
        let questions = objects(shared, line, &alike);
        let sent = connect::send(&mut connection, read_only(&questions), redactor).await?;
        let mut borders = read_objects(shared, &self.ledger, sent.into_iter().skip(2));
        borders.references = with_those_alike(borders.references, &alike);
        if line.serving_role.is_none() {
            return Ok(borders);
        }
        let version = connect::send(&mut connection, "SELECT version()".to_owned(), redactor).await?;
        let version = version.first().and_then(Answer::value).unwrap_or_default();
        let product = grants::Product::of(version);
        let questions = grants::statements(&line.roles(), product);
        match connect::send(&mut connection, read_only(&questions), redactor).await {
            Ok(answers) => grants::read(&mut borders, line, answers.into_iter().skip(2)),
            Err(failed) if failed.error.kind == ErrorKind::Forbidden => {
                borders.unread.push(grants::unread(product));
            }
            Err(failed) => return Err(failed.error),
        }
        Ok(borders)
    }
}

fn read_only(questions: &[String]) -> String {
    format!("{READ_ONLY}{}{END_READ}", questions.join(";\n"))
}

/// The answers are read by [`read_objects`] in the same order.
fn objects(shared: &str, line: &Borderline<'_>, alike: &Alike<'_>) -> Vec<String> {
    let theirs = |column: &str| format!("{column} NOT IN {SERVERS_OWN}");
    // Whether the things themselves are seen is asked of one: grants are the same pattern for all, or one each.
    let one = line.tenants.first().map_or(shared, |it| it.location.as_str());
    vec![
        format!(
            "SELECT DISTINCT TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME
FROM information_schema.KEY_COLUMN_USAGE
WHERE IF(@@lower_case_table_names = 0, BINARY REFERENCED_TABLE_SCHEMA NOT IN (TABLE_SCHEMA, {shared}),
    REFERENCED_TABLE_SCHEMA NOT IN (TABLE_SCHEMA, {shared})){}",
            others_than(alike),
            shared = literal(shared)
        ),
        format!(
            "SELECT TABLE_SCHEMA, 'view', TABLE_NAME, VIEW_DEFINITION FROM information_schema.VIEWS WHERE {}",
            theirs("TABLE_SCHEMA")
        ),
        format!(
            "SELECT ROUTINE_SCHEMA, lower(ROUTINE_TYPE), ROUTINE_NAME, ROUTINE_DEFINITION
FROM information_schema.ROUTINES WHERE {}",
            theirs("ROUTINE_SCHEMA")
        ),
        format!(
            "SELECT TRIGGER_SCHEMA, 'trigger', TRIGGER_NAME, ACTION_STATEMENT FROM information_schema.TRIGGERS WHERE {}",
            theirs("TRIGGER_SCHEMA")
        ),
        format!(
            "SELECT EVENT_SCHEMA, 'event', EVENT_NAME, EVENT_DEFINITION FROM information_schema.EVENTS WHERE {}",
            theirs("EVENT_SCHEMA")
        ),
        format!(
            "SELECT DISTINCT TABLE_NAME FROM information_schema.TABLES WHERE {}",
            theirs("TABLE_SCHEMA")
        ),
        format!(
            "SELECT DISTINCT ROUTINE_NAME FROM information_schema.ROUTINES WHERE {}",
            theirs("ROUTINE_SCHEMA")
        ),
        structure::privileges(one),
    ]
}

/// By their databases: whose foreign keys are those of another one, and whose.
type Alike<'a> = BTreeMap<&'a str, &'a str>;

fn alike<'a>(line: &Borderline<'a>) -> Alike<'a> {
    let location = |tenant: &&'a Tenant| (&tenant.name, tenant.location.as_str());
    let locations: BTreeMap<&TenantName, &str> = line.tenants.iter().map(location).collect();
    let of = |name: &TenantName| locations.get(name).copied();
    let pairs = line.alike.iter();
    pairs
        .filter_map(|(it, read)| Some((of(it)?, of(read)?)))
        .collect()
}

/// To tell of foreign keys the server opens each table, which takes as long as comparing all of them did. A
/// condition on the database alone keeps it from that.
/// <https://mariadb.com/kb/en/information-schema-optimization/>
fn others_than(alike: &Alike<'_>) -> String {
    match alike.is_empty() {
        true => String::new(),
        // `acme` and `Acme` are two, where the server keeps them apart.
        false => format!(
            " AND BINARY TABLE_SCHEMA NOT IN ({})",
            list(alike.keys().copied())
        ),
    }
}

/// A foreign key into another database names it, so tenants that have it are alike only where it is the same one.
fn with_those_alike(references: Vec<Reference>, alike: &Alike<'_>) -> Vec<Reference> {
    let mut theirs: HashMap<&str, Vec<&str>> = HashMap::new();
    for (location, read) in alike {
        theirs.entry(*read).or_default().push(location);
    }
    let mut all = Vec::with_capacity(references.len());
    for reference in references {
        let others = theirs.get(reference.from.as_str()).into_iter().flatten();
        all.extend(others.map(|it| Reference {
            from: (*it).to_owned(),
            ..reference.clone()
        }));
        all.push(reference);
    }
    all
}

fn text(row: &Row, index: usize) -> String {
    row.get(index).cloned().flatten().unwrap_or_default()
}

fn read_objects(shared: &str, ledger: &str, answers: impl Iterator<Item = Answer>) -> Borders {
    let mut answers = answers;
    let mut next = || answers.next().unwrap_or_default();
    let references = next().rows.iter().map(reference).collect();
    let mut bodies: HashMap<String, Vec<InPlace>> = HashMap::new();
    let mut hidden = BTreeSet::new();
    for row in (0..4).flat_map(|_| next().rows) {
        let (location, kind) = (text(&row, 0), text(&row, 1));
        let object = format!("{kind} {}", ident(&text(&row, 2)));
        // Its text is kept from this role, or it has none.
        match text(&row, 3) {
            body if body.is_empty() => {
                hidden.insert(kind);
            }
            body if location != ledger => bodies.entry(body).or_default().push(InPlace { location, object }),
            _ => {}
        }
    }
    let tables = next().rows;
    let routines = next().rows;
    let names = tables.iter().chain(&routines).map(|row| text(row, 0)).collect();
    let unseen = structure::unseen(&next());
    let kept = unseen.iter().map(|it| Unread {
        what: it.things.to_owned(),
        hint: format!("grant {} on the databases to the gate's role", it.privilege),
    });
    let texts = hidden.iter().map(|kind| Unread {
        what: format!("the text of a {kind}"),
        hint: match kind.as_str() {
            "view" => "grant SHOW VIEW on the databases to the gate's role".to_owned(),
            _ => "grant SELECT on `mysql`.`proc` to the gate's role, where it did not make the routine"
                .to_owned(),
        },
    });
    Borders {
        shared: shared.to_owned(),
        references,
        bodies: bodies.into_iter().map(body).collect(),
        names,
        unread_texts: kept.chain(texts).collect(),
        ..Borders::default()
    }
}

fn reference(row: &Row) -> Reference {
    Reference {
        from: text(row, 0),
        object: format!("foreign key {} of {}", ident(&text(row, 2)), ident(&text(row, 1))),
        to: text(row, 3),
        target: format!("table {}", ident(&text(row, 4))),
        extension: false,
        child: false,
    }
}

/// A name without a database is looked for in the object's own.
fn body((text, at): (String, Vec<InPlace>)) -> Body {
    Body {
        text,
        search_path: String::new(),
        at,
    }
}
