//! The servers besides the environment's own: each must answer, and be this environment's, before
//! anything is done on any of them.

use std::time::Instant;

use crate::database_url::EngineKind;
use crate::domain::words::{count, listed};
use crate::domain::{Check, Finding, Ledger, ServerName};
use crate::engine::{self, Engine, EngineOptions, Fleet, Label, LedgerStore};

use super::connect::{LABEL, LEDGER, REACHABLE, finding};
use super::offline::Urls;
use super::survey::Survey;
use super::{Gate, Stage};

/// The engine of an environment: of all its servers where its kind may have several.
pub(super) fn open(urls: Urls, options: EngineOptions) -> Box<dyn Engine> {
    if urls.url.kind == EngineKind::Sqlite {
        return engine::open(urls.url, urls.direct, options);
    }
    let fleet = Fleet::new(urls.url, urls.direct, options);
    for server in urls.servers {
        fleet.add(server.name, server.url, server.direct);
    }
    Box::new(fleet)
}

impl Gate<'_> {
    /// Asks those that have not answered yet.
    pub(super) async fn reach(&mut self, fleet: &Fleet) -> Vec<Finding> {
        let mut names = fleet.names();
        names.retain(|name| !self.servers.contains_key(name));
        let mut findings = Vec::new();
        for (name, answer) in fleet.ask_servers(&names).await {
            match answer {
                Ok(server) => {
                    self.servers.insert(name, server);
                }
                Err(error) => findings.push(finding(&error).operational(true)),
            }
        }
        findings
    }

    /// Servers that only the registry names are asked when it has been read.
    pub(super) async fn admit(&mut self, engine: &dyn Engine) -> Stage<()> {
        let Some(fleet) = engine.fleet() else {
            return Ok(());
        };
        if fleet.names().iter().all(|name| self.servers.contains_key(name)) {
            return Ok(());
        }
        let since = Instant::now();
        let findings = self.reach(fleet).await;
        self.add(vec![Check::answered(&REACHABLE, findings)], since)?;
        self.label(engine).await
    }

    /// Servers that say they are another environment's.
    pub(super) fn mismatches(&self, labels: &[(ServerName, Option<Label>)]) -> Vec<Finding> {
        let mismatch = |(server, label): &(ServerName, Option<Label>)| {
            let configured = self.settings.environment.servers.get(server);
            let secret = configured.map(|server| &server.database_url);
            self.mismatch(label.as_ref()?, &format!("server {server}"), secret)
        };
        labels.iter().filter_map(mismatch).collect()
    }

    /// True where a server awaits its first label. One that lost it blocks.
    pub(super) async fn unlabelled(&mut self, engine: &dyn Engine, ledger: &Ledger) -> Stage<bool> {
        let Some(fleet) = engine.fleet() else {
            return Ok(false);
        };
        let since = Instant::now();
        let labels = fleet.labels().await;
        let labels = self.or_block(&LABEL, since, labels)?;
        let without = labels.iter().filter(|(_, label)| label.is_none());
        let (lost, fresh): (Vec<_>, Vec<_>) = without
            .map(|(server, _)| server)
            .partition(|server| ledger.servers.contains(server));
        if !lost.is_empty() {
            let environment = &self.settings.environment.name;
            let finding = Finding::error(format!(
                "migrations were applied on {}, and the label is gone that says whose database it is: {}",
                count(lost.len(), "server"),
                listed(&lost, 5)
            ));
            let hint = format!("is it the right one? Then `tenantgate relabel --environment {environment}`");
            self.add(vec![Check::answered(&LABEL, vec![finding.hint(hint)])], since)?;
        }
        Ok(!fresh.is_empty())
    }

    /// Servers that a registry names which this run's own shared migrations made, or that was written
    /// meanwhile.
    pub(super) async fn label_newcomers(&mut self, engine: &dyn Engine, survey: &mut Survey) -> Stage<()> {
        if !survey.fresh {
            return Ok(());
        }
        let written = self.write_label(engine, false).await;
        self.or_block(&LEDGER, Instant::now(), written)?;
        survey.fresh = false;
        self.label(engine).await
    }

    /// Relabels the servers that the config names. Those that the registry alone names are left: in a
    /// restored copy it still has the URLs of where it came from.
    pub(super) async fn relabel_servers(&mut self, fleet: &Fleet, now: &str) -> Stage<Vec<Finding>> {
        let since = Instant::now();
        let labels = fleet.labels().await;
        let labels = self.or_block(&LABEL, since, labels)?;
        let ledger = fleet.ledger(&[]).await;
        let ledger = self.or_block(&LABEL, since, ledger)?;
        let mut findings = Vec::new();
        for (server, before) in labels {
            let what = format!("server {server}");
            if before.is_none() && !ledger.servers.contains(&server) {
                let note = format!("{what} has no label yet: the next run writes its first one");
                findings.push(Finding::note(note));
                continue;
            }
            let relabelled = self.relabelled(&what, before.as_ref(), now);
            findings.push(relabelled.finding);
            if relabelled.writes && !self.request.dry_run {
                let (environment, project) = (&self.settings.environment.name, &self.settings.name);
                let written = fleet.relabel(Some(&server), environment, project).await;
                self.or_block(&LEDGER, since, written)?;
            }
        }
        Ok(findings)
    }
}
