//! Mode `row`: tenants share tables, and row-level security keeps their rows apart.

mod leaks;
mod modes;
mod spared;
mod tries;
mod unused;

use crate::harness::{Database, Project, Run, Server, TestDatabase};

/// The keys of tenants that hold rows, who are never told.
pub const ACME: &str = "0a3f5f0e-5b0e-4c9e-8a55-6d3c7a0e1a01";
pub const ZETA: &str = "0a3f5f0e-5b0e-4c9e-8a55-6d3c7a0e1a02";
/// Stands in rows of both, and is never told either.
pub const CANARY: &str = "canary-in-a-row";

/// A database with a good schema, a role that owns it, and a role that serves.
pub struct Rows {
    pub db: TestDatabase,
    pub project: Project,
    /// The serving role.
    pub role: String,
}

/// Tables as they should be, for any PostgreSQL.
const GOOD: &str = "
CREATE TABLE orgs (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE plans (name text PRIMARY KEY);
CREATE TABLE notes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES orgs,
    title text NOT NULL,
    UNIQUE (tenant_id, id)
);
CREATE TABLE answers (
    id bigserial PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES orgs,
    note_id bigint NOT NULL,
    text text,
    FOREIGN KEY (tenant_id, note_id) REFERENCES notes (tenant_id, id)
);
CREATE INDEX answers_of ON answers (tenant_id, note_id);
CREATE TABLE events (tenant_id uuid NOT NULL, day date NOT NULL, what text, PRIMARY KEY (tenant_id, day))
    PARTITION BY RANGE (day);
CREATE TABLE events_old PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2025-01-01');
CREATE TABLE events_new PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2030-01-01');
INSERT INTO plans VALUES ('small');
INSERT INTO orgs VALUES ('{acme}', '{canary} a'), ('{zeta}', '{canary} z');
INSERT INTO notes (tenant_id, title) SELECT id, '{canary} note' FROM orgs;
INSERT INTO answers (tenant_id, note_id, text) SELECT tenant_id, id, '{canary} answer' FROM notes;
INSERT INTO events SELECT id, day::date, '{canary} event' FROM orgs, unnest(ARRAY['2021-01-01', '2026-01-01']) AS day;
ALTER TABLE orgs ENABLE ROW LEVEL SECURITY;
ALTER TABLE orgs FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON orgs USING (id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY registry ON orgs FOR SELECT TO CURRENT_USER USING (true);
DO $do$ DECLARE name text; BEGIN
    FOREACH name IN ARRAY ARRAY['notes', 'answers', 'events', 'events_old', 'events_new'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format($p$CREATE POLICY own ON %I
            USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)$p$, name);
    END LOOP;
END $do$;
GRANT SELECT ON orgs, plans TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON notes, answers, events TO {role};
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role};
";

impl Rows {
    /// Migrated, validated and found good.
    pub fn good(server: Server) -> Self {
        let rows = Self::unmigrated(server.fresh_database());
        rows.project.tenantgate(&["run"]).assert_code(0);
        rows
    }

    pub fn unmigrated(db: TestDatabase) -> Self {
        let role = format!("{}_app", db.name());
        // Members of it may act as it; before PostgreSQL 15 anybody may create in `public`.
        db.admin().execute(&format!(
            "CREATE ROLE {role}; GRANT {role} TO {}; REVOKE CREATE ON SCHEMA public FROM PUBLIC; \
             ALTER SCHEMA public OWNER TO {0}; GRANT USAGE ON SCHEMA public TO PUBLIC",
            db.name()
        ));
        let mut project = Project::new();
        project.database("DEV_DB_URL", &db);
        for secret in [ACME, ZETA, CANARY] {
            project.guard(secret);
        }
        project.hide(&role, "[ROLE]");
        project.write(
            "tenantgate.toml",
            &format!(
                "name = \"rows\"\n[environments.dev]\ndatabase_url = \"DEV_DB_URL\"\n\
                 [migrations]\nshared = \"migrations/shared\"\n\
                 [tenancy]\nmode = \"row\"\nregistry = \"SELECT id AS tenant FROM orgs\"\n\
                 column = \"tenant_id\"\ncolumns = {{ orgs = \"id\" }}\nserving_role = \"{role}\"\n\
                 context = \"SET LOCAL app.tenant_id = {{tenant}}\"\nglobal_tables = [\"plan?\"]\n\
                 [validate]\ndrift = \"off\"\n"
            ),
        );
        let sql = GOOD
            .replace("{role}", &role)
            .replace("{acme}", ACME)
            .replace("{zeta}", ZETA)
            .replace("{canary}", CANARY);
        project.shared("0001_all.sql", &sql);
        Self { db, project, role }
    }

    /// Runs SQL as a superuser; `{role}` is the serving role, `{owner}` the one that migrates.
    pub fn plant(&self, sql: &str) {
        let sql = sql
            .replace("{role}", &self.role)
            .replace("{owner}", self.db.name());
        self.db.admin().execute(&sql);
    }

    pub fn validate(&self) -> Run {
        self.project.tenantgate(&["validate"])
    }

    /// Replaces a text of the config.
    pub fn configure(&self, from: &str, to: &str) {
        self.project.replace("tenantgate.toml", from, to);
    }

    pub fn admin(&self) -> &Database {
        self.db.admin()
    }
}

/// The messages of one check, `severity: message`.
pub fn told(run: &Run, id: &str) -> Vec<String> {
    let findings = run.check(id)["findings"].as_array().unwrap().clone();
    let text = |it: &serde_json::Value| {
        let word = |key: &str| it[key].as_str().unwrap_or_default().to_owned();
        format!("{}: {}", word("severity"), word("message"))
    };
    findings.iter().map(text).collect()
}

/// Such a finding is among them.
pub fn assert_told(run: &Run, id: &str, parts: &[&str]) {
    let all = told(run, id);
    let fits = |it: &&String| parts.iter().all(|part| it.contains(part));
    assert!(all.iter().any(|it| fits(&it)), "{id}: no {parts:?} in {all:#?}");
}
