//! Reaching the database, and making sure that it is this environment's.

use std::time::{Duration, Instant};

use crate::domain::words::clip;
use crate::domain::{Check, CheckDefinition, Finding, Override, SecretName};
use crate::engine::{Engine, EngineError, EngineOptions, Label, Target};

use super::offline::Urls;
use super::servers::open;
use super::{Blocked, Gate, Stage};

pub(super) const REACHABLE: CheckDefinition = CheckDefinition {
    id: "server.reachable",
    title: "the database answers",
};
pub(super) const LABEL: CheckDefinition = CheckDefinition {
    id: "server.environment",
    title: "the database is this environment's",
};

pub(super) const LEDGER: CheckDefinition = CheckDefinition {
    id: "server.ledger",
    title: "the ledger can be kept in the database",
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What a server's error says, as a finding.
pub(super) fn finding(error: &EngineError) -> Finding {
    let finding = Finding::error(error.message.clone()).operational(error.kind.is_operational());
    match error.hint() {
        Some(hint) => finding.hint(hint),
        None => finding,
    }
}

/// One label, as it will be.
pub(super) struct Relabelled {
    pub(super) finding: Finding,
    /// It is another one than before.
    pub(super) writes: bool,
}

/// What the ledger of the engine with the least room holds, in characters.
const LONGEST_RUN: usize = 1024;

impl Gate<'_> {
    /// Which run the ledger's rows are from, and who let it in where the rules did not.
    fn written_by(&self) -> String {
        let whence = &self.invocation.whence;
        let text = match &self.overridden {
            Some(Override { actor, reason }) => format!("{whence}, override by {actor}: {reason}"),
            None => whence.clone(),
        };
        clip(&text, LONGEST_RUN)
    }

    pub(super) async fn connect(&mut self, urls: Urls) -> Stage<Box<dyn Engine>> {
        let since = Instant::now();
        let options = EngineOptions {
            shared_schema: self.settings.tenancy.shared_schema.clone(),
            ledger: self.settings.tenancy.ledger.clone(),
            location: self.settings.tenancy.location.clone(),
            lock_timeout: self.settings.rollout.lock_timeout,
            statement_timeout: self.settings.rollout.statement_timeout,
            connect_timeout: CONNECT_TIMEOUT,
            run: self.written_by(),
            redactor: self.redactor.clone(),
        };
        let engine = open(urls, options);
        let mut answer = match engine.server().await {
            Ok(server) => {
                self.server = Some(server);
                Vec::new()
            }
            // Whatever kept it from answering, the question is unanswered.
            Err(error) => vec![finding(&error).operational(true)],
        };
        if let Some(fleet) = engine.fleet() {
            answer.extend(self.reach(fleet).await);
        }
        self.add(vec![Check::answered(&REACHABLE, answer)], since)?;
        Ok(engine)
    }

    pub(super) async fn label(&mut self, engine: &dyn Engine) -> Stage<()> {
        let since = Instant::now();
        let label = engine.label().await;
        let label = self.or_block(&LABEL, since, label)?;
        let secret = &self.settings.environment.database_url;
        let own = label.and_then(|label| self.mismatch(&label, "this database", Some(secret)));
        let mut findings: Vec<Finding> = own.into_iter().collect();
        if let Some(fleet) = engine.fleet() {
            let labels = fleet.labels().await;
            let labels = self.or_block(&LABEL, since, labels)?;
            findings.extend(self.mismatches(&labels));
        }
        self.add(vec![Check::answered(&LABEL, findings)], since)
    }

    /// `secret`: the name of the URL's.
    pub(super) fn mismatch(&self, label: &Label, what: &str, secret: Option<&SecretName>) -> Option<Finding> {
        let environment = self.settings.environment.name.as_str();
        if label.environment == environment && label.project == self.settings.name {
            return None;
        }
        let whose = format!("{what} is {} of {}", label.environment, label.project);
        let finding = Finding::error(format!(
            "{whose}, and this run is for {environment} of {}",
            self.settings.name
        ));
        Some(match secret {
            Some(secret) => finding.hint(format!(
                "check the URL in {secret}; if this is a restored copy that shall be {environment} now: `tenantgate relabel --environment {environment}`"
            )),
            None => finding.hint(
                "check the tenants' `database_url`: a registry that was copied names the servers of where it came from",
            ),
        })
    }

    /// Says on purpose that a restored copy is this environment from now on.
    pub(super) async fn relabel(&mut self, engine: &dyn Engine) -> Stage<()> {
        let since = Instant::now();
        let label = engine.label().await;
        let before = self.or_block(&LABEL, since, label)?;
        let now = format!("{} of {}", self.settings.environment.name, self.settings.name);
        // A label that was lost is written anew; a database that nobody migrated needs none.
        let history = engine.history(Target::Shared).await;
        let history = self.or_block(&LABEL, since, history)?;
        if before.is_none() && history.is_empty() {
            let finding = Finding::error("this database has no label that could be replaced")
                .hint("is the URL right? The first run of an environment labels its database by itself");
            return self.add(vec![Check::answered(&LABEL, vec![finding])], since);
        }
        let mut notes = Vec::new();
        let note = self.relabelled("this database", before.as_ref(), &now);
        if let Some(fleet) = engine.fleet() {
            notes = self.relabel_servers(fleet, &now).await?;
            // Last: while it has its old label, no run goes on with some servers relabelled and some not.
            if note.writes && !self.request.dry_run {
                let (environment, project) = (&self.settings.environment.name, &self.settings.name);
                let written = fleet.relabel(None, environment, project).await;
                self.or_block(&LEDGER, since, written)?;
            }
        } else if note.writes && !self.request.dry_run {
            let written = self.write_label(engine, true).await;
            self.or_block(&LEDGER, since, written)?;
        }
        notes.insert(0, note.finding);
        self.add(vec![Check::answered(&LABEL, notes)], since)
    }

    /// What becomes of one label.
    pub(super) fn relabelled(&self, what: &str, before: Option<&Label>, now: &str) -> Relabelled {
        let before = before.map(|label| format!("{} of {}", label.environment, label.project));
        if before.as_deref() == Some(now) {
            return Relabelled {
                finding: Finding::note(format!("{what} is {now} already")),
                writes: false,
            };
        }
        let from = before.map_or_else(|| "had no label".to_owned(), |before| format!("was {before}"));
        let becomes = if self.request.dry_run {
            format!("{what} {from}, and would become {now}")
        } else {
            format!("{what} {from}, and is {now} from now on")
        };
        Relabelled {
            finding: Finding::note(becomes),
            writes: true,
        }
    }

    pub(super) async fn write_label(&self, engine: &dyn Engine, replace: bool) -> Result<(), EngineError> {
        engine.prepare().await?;
        engine
            .set_label(&self.settings.environment.name, &self.settings.name, replace)
            .await
    }

    /// Blocks by the error.
    pub(super) fn or_block<T>(
        &mut self,
        check: &CheckDefinition,
        since: Instant,
        result: Result<T, EngineError>,
    ) -> Stage<T> {
        result.map_err(|error| {
            // Adding a check that failed says so as well.
            let _ = self.add(vec![Check::answered(check, vec![finding(&error)])], since);
            Blocked
        })
    }
}
