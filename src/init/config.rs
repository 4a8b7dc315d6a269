//! The config as text, with a short manual in its comments. Pure.

use crate::database_url::EngineKind;

use super::{Found, Other, Rule, Stage};

/// Names of the tools in prose.
fn engine_name(engine: EngineKind) -> &'static str {
    match engine {
        EngineKind::Postgres => "PostgreSQL",
        EngineKind::Mysql => "MariaDB or MySQL",
        EngineKind::Sqlite => "SQLite",
    }
}

pub(crate) fn render(found: &Found) -> String {
    let parts = [
        head(found),
        found
            .stages
            .iter()
            .enumerate()
            .map(|(index, stage)| {
                let before = index.checked_sub(1).map(|before| &found.stages[before]);
                environment(stage, before, index + 1 < found.stages.len())
            })
            .collect(),
        secrets(found),
        tenancy(found),
        migrations(found),
        REST.to_owned(),
    ];
    parts.concat()
}

fn head(found: &Found) -> String {
    let example = found.stages.last().map_or("prod", |stage| stage.name.as_str());
    format!(
        "\
# What the gate demands of each environment. Made by `tenantgate init`; yours to change.
#
# On a laptop, in this folder, with the URL of a database in {url}:
#   tenantgate check --environment {first}     secrets and URL, without a network
#   tenantgate plan --environment {first}      what would run, for whom; writes nothing
#   tenantgate run --environment {first}       the whole gate
# In a job of GitHub Actions, where the other environments' evidence is:
#   tenantgate promote --environment {example}  may these migrations enter {example}?
#
# Here are NAMES of secrets, never values. For completion in an editor: `tenantgate schema config` prints the
# JSON Schema; save it, and name the file in a first line `#:schema ./tenantgate.schema.json`.

name = {name}

",
        first = found.stages.first().map_or("dev", |stage| stage.name.as_str()),
        name = text(&found.name),
        url = found
            .stages
            .first()
            .map_or("DATABASE_URL", |stage| stage.database_url.as_str()),
    )
}

fn environment(stage: &Stage, before: Option<&Stage>, followed: bool) -> String {
    let mut lines = vec![format!("[environments.{}]", stage.name)];
    if let Some(before) = before {
        lines.push(format!("after = {}", text(&before.name)));
    }
    lines.push(format!(
        "github_environment = {}",
        text(&stage.github_environment)
    ));
    lines.push(format!("database_url = {}", text(&stage.database_url)));
    if let Some(direct) = &stage.direct_url {
        lines.push(format!("direct_url = {}", text(direct)));
    }
    if before.is_some() && is_last_like(stage) {
        lines.push(
            "# soak = \"24h\"      # how long the change must have stood in the environment before"
                .to_owned(),
        );
        lines.push("# max_age = \"14d\"   # how old its pass may be".to_owned());
    } else if before.is_none() {
        lines.push(format!(
            "# env_file = \"{}.env\"   # NAME=value lines for a laptop; keep it out of Git",
            stage.name
        ));
    }
    if followed {
        lines.push(
            "# public_keys = [\"…\"]   # only evidence signed with this key counts: `tenantgate keygen` prints the line"
                .to_owned(),
        );
    }
    lines.push("\n".to_owned());
    lines.join("\n")
}

/// Where waiting makes sense.
fn is_last_like(stage: &Stage) -> bool {
    stage.name.starts_with("prod") || stage.name == "live"
}

fn secrets(found: &Found) -> String {
    let mut section = "\
# What else the application must have. {ENV} is DEV, UAT, … Other demands: min_distinct, pattern, one_of,
# optional, unique. The workflows pass each name to the gate: whoever adds one here adds it there.
"
    .to_owned();
    if !found.other_secrets.is_empty() {
        let names = found.other_secrets.join(", ");
        section.push_str(&wrapped("# Existing workflows also use: ", &names));
    }
    for Rule { template, min_length } in &found.rules {
        section.push_str(&format!("[secrets.{}]\n", text(template)));
        if let Some(length) = min_length {
            section.push_str(&format!("min_length = {length}\n"));
        }
        section.push('\n');
    }
    if found.rules.is_empty() {
        section.push_str("# [secrets.\"{ENV}_SECRET_KEY\"]\n# min_length = 50\n\n");
    }
    section
}

fn tenancy(found: &Found) -> String {
    let engine = found.engine.value;
    let mut lines = match &found.engine.because {
        Some(because) => vec![format!("# {} ({because}).", engine_name(engine))],
        None => vec![
            "# GUESS: nothing here says which engine it is, so PostgreSQL is assumed. `tenantgate init --engine mysql`"
                .to_owned(),
            "# or `sqlite` writes the other kind.".to_owned(),
        ],
    };
    lines.push("[tenancy]".to_owned());
    match engine {
        EngineKind::Postgres => {
            lines.push("mode = \"schema\"           # a schema for each tenant".to_owned());
            lines.push("# schema = \"{tenant}\"     # what a tenant's schema is called".to_owned());
            lines.push("# shared_schema = \"public\"".to_owned());
        }
        EngineKind::Mysql => {
            lines.push("mode = \"database\"         # a database for each tenant".to_owned());
            lines.push(
                "# What a tenant's database is called; {shared} is the database in the URL.".to_owned(),
            );
            lines.push("database = \"{shared}_{tenant}\"".to_owned());
        }
        EngineKind::Sqlite => {
            lines.push("mode = \"database\"         # a file for each tenant".to_owned());
            lines.push("# Where a tenant's file is, seen from the folder of the shared file.".to_owned());
            lines.push("database = \"tenants/{tenant}.db\"".to_owned());
        }
    }
    match &found.registry.because {
        Some(because) => lines.push(format!("# GUESS, from {because}.")),
        None => lines.push("# GUESS: no table of tenants was found. Put the right query here.".to_owned()),
    }
    lines.push("# A row for each tenant: a column `tenant`, and perhaps `active` (false: suspended, migrated all the same).".to_owned());
    lines.push(format!("registry = {}", text(&found.registry.sql)));
    lines.push(
        "# ensure = [\"first_tenant\"]   # must exist, and goes first; ensure_sql registers it".to_owned(),
    );
    lines.push("# min = 1                     # fewer registered tenants than this block".to_owned());
    // Nobody connects to a file.
    if engine != EngineKind::Sqlite {
        lines.push(
            "# serving_role = \"app\"        # as what the application connects: may it cross tenants?"
                .to_owned(),
        );
    }
    lines.push("\n".to_owned());
    lines.join("\n")
}

fn migrations(found: &Found) -> String {
    let layout = &found.layout;
    let mut section = "\
# Files named <version>_<name>.sql, in the order of their versions; shared ones run first, then the tenant ones
# for each tenant. An applied file is not edited: a change is a new file.
"
    .to_owned();
    for other in &layout.others {
        section.push_str(&advice(other));
    }
    if !layout.to_make || !layout.others.is_empty() {
        section.push_str(
            "\
# CAREFUL: tenantgate's ledger begins empty, so on a database that has these migrations already they would run again.
# `tenantgate baseline --environment …` compares such a database with them first, and writes them down as applied.
",
        );
    }
    section.push_str("[migrations]\n");
    let folders = [("shared", &layout.shared), ("tenant", &layout.tenant)];
    for (key, folder) in folders {
        match folder {
            Some(folder) => section.push_str(&format!("{key} = {}\n", text(folder))),
            None => section.push_str(&format!(
                "# {key} = \"migrations/{key}\"   # GUESS: there is one folder only; move what is {} into another\n",
                if key == "shared" { "shared" } else { "each tenant's" }
            )),
        }
    }
    section.push('\n');
    section
}

fn advice(other: &Other) -> String {
    wrapped("# Seen: ", &format!("{other}."))
}

const REST: &str = "\
# Evidence that an environment passed: `store = \"auto\"` keeps it in the repository's deployments in a job of GitHub
# Actions with a token, else in the folder that `evidence` names.
# [promotion]
# store = \"auto\"
# evidence = \"evidence\"
# public_keys = []            # for environments that have no `public_keys` of their own, above
# override.actors = []        # logins of those who may let a blocked promotion through (workflow_dispatch)

# [rollout]
# canary = [\"first_tenant\"]   # go before the others: when one fails, no later one is touched
# concurrency = 8             # tenants at a time
# lock_timeout = \"2s\"         # how long DDL may wait for a lock before it gives way to the application
# warn_after = \"5m\"
# fail_after = \"10m\"

# Every schema is compared with what the migrations make. `tenantgate snapshot` writes that into a file to commit.
# [validate]
# expected = \"auto\"         # migrations, snapshot, largest, predecessor
# ignore = [\"audit_*\"]      # objects that are no part of it

# [lint.rules]
# ban-drop-column = \"error\"  # levels by rule: off, note, warning, error

# What the schemas must look like besides; what is not named is not looked at.
# [expect.tenant.tables.orders]
# columns = { id = \"bigint\", status = { type = \"text\", nullable = false } }
# indexes = [\"orders_customer\"]
# [[expect.tenant.assertions]]
# name = \"no order without a customer\"
# sql = \"SELECT count(*) FROM orders WHERE customer_id IS NULL\"
# equals = 0
";

/// A TOML string: JSON's escapes are all TOML's, too.
fn text(value: &str) -> String {
    serde_json::Value::String(value.to_owned()).to_string()
}

/// Comment lines of at most 110 characters.
fn wrapped(head: &str, words: &str) -> String {
    let mut text = String::new();
    let mut line = head.trim_end().to_owned();
    for word in words.split(' ') {
        if line.chars().count() + 1 + word.chars().count() > 110 {
            text.push_str(&line);
            text.push('\n');
            line = "#  ".to_owned();
        }
        line.push(' ');
        line.push_str(word);
    }
    text.push_str(&line);
    text.push('\n');
    text
}
