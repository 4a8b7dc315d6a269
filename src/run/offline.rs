//! The stages before the database: secrets, URLs, migration set, promotion. Only the last one may need
//! the network, where evidence is on GitHub.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::database_url::{self, DatabaseUrl, EngineKind, Problem};
use crate::domain::{Check, CheckDefinition, Finding, Secret, SecretName, ServerName};
use crate::github::{Client, GithubError, secret_names};
use crate::settings::{Environment, ExpectedFrom, Settings, TenancyMode};
use crate::{migrations, secrets};

use super::{Blocked, Command, Gate, Stage};

pub(super) const URL_MISSING: CheckDefinition = CheckDefinition {
    id: "url.missing",
    title: "the database URL is given",
};
pub(super) const URL_ENGINE: CheckDefinition = CheckDefinition {
    id: "url.engine",
    title: "the database URL's engine can separate tenants as configured",
};

/// The environment's database, and the way past its pooler.
pub(super) struct Urls {
    pub(super) url: DatabaseUrl,
    pub(super) direct: Option<DatabaseUrl>,
    /// Of the environment's other servers.
    pub(super) servers: Vec<ServerUrls>,
}

/// The same of another server.
pub(super) struct ServerUrls {
    pub(super) name: ServerName,
    pub(super) url: DatabaseUrl,
    pub(super) direct: Option<DatabaseUrl>,
}

impl Urls {
    fn all(&self) -> impl Iterator<Item = &DatabaseUrl> {
        let servers = self
            .servers
            .iter()
            .flat_map(|server| [Some(&server.url), server.direct.as_ref()]);
        [Some(&self.url), self.direct.as_ref()]
            .into_iter()
            .chain(servers)
            .flatten()
    }
}

impl Gate<'_> {
    /// All questions that need no database are asked, whatever the others' answers: people mend them
    /// in one go. None: there is nothing to do on the database.
    pub(super) async fn offline(&mut self) -> anyhow::Result<Stage<Option<Urls>>> {
        let command = self.request.command;
        let mut open = Ok(());
        if command.asks_secrets() {
            let since = Instant::now();
            open = self.add(secrets::check(self.settings), since);
        }
        if self.request.all_environments {
            let since = Instant::now();
            let check = self.secrets_on_github().await;
            open = self.add(vec![check], since).and(open);
        }
        let mut urls = None;
        if command.asks_url() {
            let since = Instant::now();
            let (checks, found) = url_checks(self.settings, !command.asks_secrets());
            open = self.add(checks, since).and(open);
            if let Some(found) = found {
                for url in found.all() {
                    url.secret_parts()
                        .for_each(|part| self.redactor.add(part.expose()));
                }
                self.kind = Some(found.url.kind);
                self.database = Some(found.url.database.clone());
                urls = Some(found);
            }
        }
        if command == Command::Lint {
            self.take_engine_of_files();
        }
        if command.asks_migrations() {
            let since = Instant::now();
            let shared = self.settings.shared_migrations.as_deref();
            let tenant = self.settings.tenant_migrations.as_deref();
            let mut loaded = migrations::load(shared, tenant, self.kind)?;
            open = self.add(std::mem::take(&mut loaded.checks), since).and(open);
            self.loaded = Some(loaded);
        }
        if command.validates() && self.settings.validation.expected == ExpectedFrom::Snapshot {
            // Before anything is migrated that could not be compared with it.
            let settings = self.settings;
            let snapshot = self.read_snapshot(&settings.validation.snapshot);
            open = snapshot.map(|_| ()).and(open);
        }
        if command.asks_promotion() {
            open = self.promote().await?.and(open);
        }
        if open.is_err() {
            return Ok(Err(Blocked));
        }
        if command == Command::Lint {
            return Ok(self.lint_files()?.map(|()| None));
        }
        Ok(Ok(urls.filter(|_| command.asks_database())))
    }
}

impl Gate<'_> {
    /// By name only; GitHub tells nobody a value.
    async fn secrets_on_github(&self) -> Check {
        let client = self.invocation.actions.as_ref().ok_or(GithubError::NoToken);
        match client.and_then(Client::new) {
            Ok(client) => {
                let asked = secret_names::check(&client, self.settings);
                let answer = self.stop.hurried(Duration::ZERO, asked).await;
                let stopped =
                    || Finding::error("stopped by a signal while GitHub was asked").operational(true);
                answer.unwrap_or_else(|| Check::answered(&secret_names::DEFINITION, vec![stopped()]))
            }
            Err(error) => {
                let finding = Finding::warning(format!("GitHub was not asked: {error}")).hint(
                    "set GITHUB_REPOSITORY to owner/name and TENANTGATE_GITHUB_TOKEN to a token that may",
                );
                Check::answered(&secret_names::DEFINITION, vec![finding])
            }
        }
    }
}

/// The answers about the environment's URLs. `missing`: an absent one is said here, because no other
/// stage says it.
fn url_checks(settings: &Settings, missing: bool) -> (Vec<Check>, Option<Urls>) {
    let environment = &settings.environment;
    let mut found: Findings = BTreeMap::new();
    let parse =
        |name: &SecretName, found: &mut Findings| parse_variable(settings, environment, name, None, found);
    let url = parse(&environment.database_url, &mut found);
    let direct = environment
        .direct_url
        .as_ref()
        .map(|name| parse(name, &mut found));
    let mut named: Vec<(&SecretName, DatabaseUrl)> = Vec::new();
    named.extend(url.clone().map(|url| (&environment.database_url, url)));
    let mut servers = Some(Vec::new());
    for (name, server) in &environment.servers {
        let url = parse(&server.database_url, &mut found);
        let direct = server.direct_url.as_ref().map(|name| parse(name, &mut found));
        named.extend(url.clone().map(|url| (&server.database_url, url)));
        let whole = given(url, direct).map(|(url, direct)| ServerUrls {
            name: name.clone(),
            url,
            direct,
        });
        servers = servers.zip(whole).map(|(mut servers, whole)| {
            servers.push(whole);
            servers
        });
    }
    if let Some(name) = &environment.try_url {
        parse_variable(settings, environment, name, Some("tenant"), &mut found);
    }
    shared_databases(settings, &named, &mut found);
    if let Some(url) = &url {
        let engine = wrong_engine(url, settings.tenancy.mode);
        let others = other_engines(environment, url, &named);
        let wrong = engine.into_iter().chain(others);
        wrong.for_each(|finding| found.entry(URL_ENGINE.id).or_default().push(finding));
    }
    let mut checks = Vec::new();
    let absent = found.remove(URL_MISSING.id).unwrap_or_default();
    // Of a value that is not there nothing was asked.
    let asked = url.is_some() || !found.is_empty();
    if missing {
        checks.push(Check::answered(&URL_MISSING, absent));
    }
    for definition in database_url::CHECKS.iter().chain([&URL_ENGINE]) {
        checks.push(match found.remove(definition.id) {
            Some(findings) => Check::answered(definition, findings),
            None if asked => Check::answered(definition, Vec::new()),
            None => Check::skipped(definition),
        });
    }
    let urls = given(url, direct).zip(servers);
    let urls = urls.map(|((url, direct), servers)| Urls { url, direct, servers });
    (checks, urls)
}

type Findings = BTreeMap<&'static str, Vec<Finding>>;

/// Both, where the second one is asked for at all.
fn given(
    url: Option<DatabaseUrl>,
    direct: Option<Option<DatabaseUrl>>,
) -> Option<(DatabaseUrl, Option<DatabaseUrl>)> {
    match (url, direct) {
        (Some(url), None) => Some((url, None)),
        (Some(url), Some(Some(direct))) => Some((url, Some(direct))),
        _ => None,
    }
}

/// No two environments, and no two servers of one, are the same database.
fn shared_databases(settings: &Settings, named: &[(&SecretName, DatabaseUrl)], found: &mut Findings) {
    let environment = &settings.environment;
    let mut same = |name: &SecretName, other: &SecretName, hint: String| {
        found
            .entry(database_url::SAME_DATABASE.id)
            .or_default()
            .push(Finding::error(format!("{name} and {other} name the same host and database")).hint(hint));
    };
    for (index, (name, url)) in named.iter().enumerate() {
        for (other_name, other) in &named[..index] {
            if database_url::same_database(url, other) {
                let hint =
                    "each server of an environment needs a database of its own: take one of the two out";
                same(other_name, name, hint.to_owned());
            }
        }
        for other in settings
            .environments
            .iter()
            .filter(|it| it.name != environment.name)
        {
            let servers = other.servers.values().map(|server| &server.database_url);
            for other_name in std::iter::once(&other.database_url).chain(servers) {
                let value = settings.value_in(other, other_name.as_str());
                let other_url = value.and_then(|value| database_url::parse(value.expose()).ok());
                if other_url.is_some_and(|other| database_url::same_database(url, &other)) {
                    let hint = format!("{} and {} need a database each", environment.name, other.name);
                    same(name, other_name, hint);
                }
            }
        }
    }
}

/// Servers of one environment are of one kind, and SQLite has none.
fn other_engines(
    environment: &Environment,
    url: &DatabaseUrl,
    named: &[(&SecretName, DatabaseUrl)],
) -> Vec<Finding> {
    if url.kind == EngineKind::Sqlite && !environment.servers.is_empty() {
        let finding = Finding::error("the environment has `servers`, and SQLite's tenants are files");
        return vec![finding.hint("take them out of the config")];
    }
    let others = named.iter().filter(|(_, other)| other.kind != url.kind);
    let finding = |(name, _): &(&SecretName, DatabaseUrl)| {
        Finding::error(format!(
            "{name} is for another engine than {}",
            environment.database_url
        ))
        .hint("all servers of an environment are of one kind")
    };
    others.map(finding).collect()
}

fn parse_variable(
    settings: &Settings,
    environment: &Environment,
    name: &SecretName,
    tenant: Option<&str>,
    found: &mut Findings,
) -> Option<DatabaseUrl> {
    let Some(value) = settings.variables.get(name.as_str()) else {
        found.entry(URL_MISSING.id).or_default().push(
            Finding::error(format!("the variable {name} is not set")).hint(format!(
                "export it, name a file that has it (`--env-file`), or pass {}'s secret to this step",
                environment.name
            )),
        );
        return None;
    };
    let text = match tenant {
        Some(tenant) => of_tenant(value, tenant),
        None => value.clone(),
    };
    match database_url::parse(text.expose()) {
        Ok(url) => {
            for note in &url.notes {
                let note = Finding::note(format!("{name}: {note}"));
                found.entry(database_url::SCHEME.id).or_default().push(note);
            }
            Some(url)
        }
        Err(problems) => {
            for Problem { check, message, hint } in problems {
                let mut finding = Finding::error(format!("{name}: {message}"));
                finding.hint = hint;
                found.entry(check.id).or_default().push(finding);
            }
            None
        }
    }
}

/// A URL in which `{tenant}` is a tenant's name.
pub(super) fn of_tenant(url: &Secret, tenant: &str) -> Secret {
    let encoded = percent_encoding::utf8_percent_encode(tenant, percent_encoding::CONTROLS);
    Secret::new(url.expose().replace("{tenant}", &encoded.to_string()))
}

fn wrong_engine(url: &DatabaseUrl, mode: TenancyMode) -> Option<Finding> {
    match (url.kind, mode) {
        (EngineKind::Postgres, TenancyMode::Schema | TenancyMode::Row)
        | (EngineKind::Mysql | EngineKind::Sqlite, TenancyMode::Database) => None,
        (EngineKind::Postgres, TenancyMode::Database) => Some(
            Finding::error("a database per tenant is not supported on PostgreSQL, a schema per tenant is")
                .hint("say mode = \"schema\" in [tenancy]"),
        ),
        (EngineKind::Mysql | EngineKind::Sqlite, TenancyMode::Row) => Some(
            Finding::error(
                "mode = \"row\" needs the row-level security of PostgreSQL; the URL is for another engine",
            )
            .hint("say mode = \"database\" in [tenancy]"),
        ),
        (EngineKind::Mysql | EngineKind::Sqlite, TenancyMode::Schema) => Some(
            Finding::error("mode = \"schema\" needs PostgreSQL; the URL is for another engine")
                .hint("say mode = \"database\" in [tenancy]"),
        ),
    }
}
