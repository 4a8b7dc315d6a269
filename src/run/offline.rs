//! The stages before the database: secrets, URLs, migration set, promotion. Only the last one may need
//! the network, where evidence is on GitHub.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::database_url::{self, DatabaseUrl, EngineKind, Problem};
use crate::domain::{Check, CheckDefinition, Finding};
use crate::github::{Client, GithubError, secret_names};
use crate::settings::{Environment, Settings, TenancyMode};
use crate::{migrations, secrets};

use super::{Blocked, Gate, Stage};

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
                for url in [Some(&found.url), found.direct.as_ref()].into_iter().flatten() {
                    url.secret_parts()
                        .for_each(|part| self.redactor.add(part.expose()));
                }
                self.kind = Some(found.url.kind);
                urls = Some(found);
            }
        }
        if command.asks_migrations() {
            let since = Instant::now();
            let shared = self.settings.shared_migrations.as_deref();
            let tenant = self.settings.tenant_migrations.as_deref();
            let mut loaded = migrations::load(shared, tenant, self.kind)?;
            open = self.add(std::mem::take(&mut loaded.checks), since).and(open);
            self.loaded = Some(loaded);
        }
        if command.asks_promotion() {
            open = self.promote().await?.and(open);
        }
        if open.is_err() {
            return Ok(Err(Blocked));
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
    let mut found: BTreeMap<&str, Vec<Finding>> = BTreeMap::new();
    let url = parse_variable(
        settings,
        environment,
        environment.database_url.as_str(),
        &mut found,
    );
    let direct = environment
        .direct_url
        .as_ref()
        .map(|name| parse_variable(settings, environment, name.as_str(), &mut found));
    if let Some(url) = &url {
        for other in settings
            .environments
            .iter()
            .filter(|it| it.name != environment.name)
        {
            let value = settings.value_in(other, other.database_url.as_str());
            let other_url = value.and_then(|value| database_url::parse(value.expose()).ok());
            if other_url.is_some_and(|other| database_url::same_database(url, &other)) {
                found.entry(database_url::SAME_DATABASE.id).or_default().push(
                    Finding::error(format!(
                        "{} and {} name the same host and database",
                        environment.database_url, other.database_url
                    ))
                    .hint(format!(
                        "{} and {} need a database each",
                        environment.name, other.name
                    )),
                );
            }
        }
        if let Some(finding) = wrong_engine(url, settings.tenancy.mode) {
            found.entry(URL_ENGINE.id).or_default().push(finding);
        }
    }
    let mut checks = Vec::new();
    let absent = found.remove(URL_MISSING.id).unwrap_or_default();
    // Of a value that is not there nothing was asked.
    let given = url.is_some() || !found.is_empty();
    if missing {
        checks.push(Check::answered(&URL_MISSING, absent));
    }
    for definition in database_url::CHECKS.iter().chain([&URL_ENGINE]) {
        checks.push(match found.remove(definition.id) {
            Some(findings) => Check::answered(definition, findings),
            None if given => Check::answered(definition, Vec::new()),
            None => Check::skipped(definition),
        });
    }
    let urls = match (url, direct) {
        (Some(url), None) => Some(Urls { url, direct: None }),
        (Some(url), Some(Some(direct))) => Some(Urls {
            url,
            direct: Some(direct),
        }),
        _ => None,
    };
    (checks, urls)
}

fn parse_variable(
    settings: &Settings,
    environment: &Environment,
    name: &str,
    found: &mut BTreeMap<&'static str, Vec<Finding>>,
) -> Option<DatabaseUrl> {
    let Some(value) = settings.variables.get(name) else {
        found.entry(URL_MISSING.id).or_default().push(
            Finding::error(format!("the variable {name} is not set")).hint(format!(
                "export it, name a file that has it (`--env-file`), or pass {}'s secret to this step",
                environment.name
            )),
        );
        return None;
    };
    match database_url::parse(value.expose()) {
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

fn wrong_engine(url: &DatabaseUrl, mode: TenancyMode) -> Option<Finding> {
    match (url.kind, mode) {
        (EngineKind::Postgres, TenancyMode::Schema)
        | (EngineKind::Mysql | EngineKind::Sqlite, TenancyMode::Database) => None,
        (EngineKind::Postgres, TenancyMode::Database) => Some(
            Finding::error("a database per tenant is not supported on PostgreSQL, a schema per tenant is")
                .hint("say mode = \"schema\" in [tenancy]"),
        ),
        (EngineKind::Mysql | EngineKind::Sqlite, TenancyMode::Schema) => Some(
            Finding::error("mode = \"schema\" needs PostgreSQL; the URL is for another engine")
                .hint("say mode = \"database\" in [tenancy]"),
        ),
    }
}
